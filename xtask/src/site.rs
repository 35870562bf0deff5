//! `cargo xtask site`: the release build in dist/.
use crate::engines;
use crate::process::{Result, command, find, root, run as run_command};
use crate::setup::{Need, ensure};
use crate::split;
use std::fs;
use std::process::Command;

pub const TOOLS: [Need; 3] = [Need::WasmTarget, Need::WasmBindgen, Need::Trunk];

/// What a release build needs; without npm's wasm-opt Trunk downloads one.
pub fn ensure_tools() -> Result<()> {
    ensure(&TOOLS)?;
    if let Err(message) = ensure(&[Need::NodeModules]) {
        println!("wasm-opt is not taken from npm, Trunk downloads it: {message}");
    }
    Ok(())
}

pub fn run() -> Result<()> {
    build()?;
    if find("node").is_none() {
        println!("Sizes are not shown: Node.js, which measures them, is not there.");
        return Ok(());
    }
    run_command(command("node", ["xtask/sizes.mjs", "dist"]))
}

/// `trunk <subcommand>`.
pub fn trunk(subcommand: &str) -> Command {
    let mut trunk = command("trunk", [subcommand]);
    // Trunk takes NO_COLOR=1, the usual value, for an error.
    trunk.env_remove("NO_COLOR");
    trunk
}

/// Builds dist/ and checks that it can be published as it is.
pub fn build() -> Result<()> {
    ensure_tools()?;
    let mut build = trunk("build");
    build.arg("--release");
    run_command(build)?;
    let dist = root().join("dist");
    split::page(&dist)?;
    engines::add(&dist)?;
    check()
}

fn check() -> Result<()> {
    let dist = root().join("dist");
    let mut wanted = vec![
        "index.html",
        "trainer_loader.js",
        "trainer.js",
        "trainer_bg.wasm",
        "interop.js",
        "interop_bg.wasm",
    ];
    let beside = ["engine.html", "nabla.js", "nabla.d.ts"];
    wanted.extend(
        beside
            .iter()
            .filter(|name| root().join("www").join(name).exists()),
    );
    if let Some(name) = wanted.iter().find(|name| !dist.join(name).exists()) {
        return Err(format!("the build left no dist/{name}"));
    }
    for name in ["index.html", "engine.html"] {
        let html = fs::read_to_string(dist.join(name)).unwrap_or_default();
        // `="/…` means the root of the host, which under a sub-path is somebody else's.
        if let Some(at) = ["=\"/", "='/", "from '/", "from \"/"]
            .iter()
            .find_map(|s| html.find(s))
        {
            let line = html[..at].lines().count();
            return Err(format!(
                "dist/{name}:{line} holds an absolute URL; the site must work under a sub-path"
            ));
        }
    }
    Ok(())
}
