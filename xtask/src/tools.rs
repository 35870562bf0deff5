//! The programs that the build takes from crates.io and npm, and their versions.
use crate::process::{Result, command, find, own_tools, root, run, version};
use std::fs;

/// A program installed by `cargo install`.
pub struct CargoTool {
    /// The crate, and the program that it installs.
    pub name: &'static str,
    pub bin: &'static str,
    pub version: &'static str,
    /// Whether its own Cargo.lock is used.
    pub locked: bool,
    pub why: &'static str,
}

pub const WASM_BINDGEN: CargoTool = CargoTool {
    name: "wasm-bindgen-cli",
    bin: "wasm-bindgen",
    version: "0.2.130", // equals the crate's in Cargo.toml and Trunk's pin in Trunk.toml
    locked: false,      // its lock names a version that not every registry has
    why: "it makes the JavaScript side of our wasm; its version must be the crate's",
};

pub const TRUNK: CargoTool = CargoTool {
    name: "trunk",
    bin: "trunk",
    version: "0.21.14", // 0.22 needs Rust 1.96
    locked: true,
    why: "it builds and serves the site",
};

pub const WASM_PACK: CargoTool = CargoTool {
    name: "wasm-pack",
    bin: "wasm-pack",
    version: "0.15.1",
    locked: true,
    why: "it runs the tests of tests/web*.rs in a browser",
};

/// Installs a tool unless the right version is there. Another version on PATH stays where it
/// is; ours then goes to target/tools, which our commands search first.
pub fn cargo_tool(tool: &CargoTool) -> Result<()> {
    let there = version(tool.bin);
    if there.as_deref() == Some(tool.version) {
        return Ok(());
    }
    let CargoTool {
        name, version, why, ..
    } = tool;
    println!("Installing {name} {version}: {why}. This takes some minutes, once.");
    let build = root().join("target/tools-build");
    let mut install = command("cargo", ["install", name, "--version", version]);
    install
        .env("CARGO_TARGET_DIR", &build)
        // Their own release profiles cost twelve minutes of compiling for no gain here.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    if tool.locked {
        install.arg("--locked");
    }
    if let Some(other) = there {
        println!(
            "({} {other} stays as it is; ours goes to target/tools.)",
            tool.bin
        );
        install.arg("--root").arg(own_tools());
    }
    run(install).map_err(|e| {
        format!("{e}\n{name} {version} could not be installed: {why}. A C compiler and access to crates.io are needed.")
    })?;
    fs::remove_dir_all(build).ok();
    match self::version(tool.bin) {
        Some(v) if v == *version => Ok(()),
        found => Err(format!(
            "{name} {version} was installed, but `{} --version` says {found:?}",
            tool.bin
        )),
    }
}

/// Oldest major version of Node.js that playwright-core takes.
const NODE: u32 = 20;

/// Node.js and npm, new enough.
pub fn node() -> Result<()> {
    if find("npm").is_none() {
        crate::setup::apt(
            &["nodejs", "npm"],
            "the end-to-end tests and wasm-opt run on Node.js",
        );
    }
    let major = version("node").and_then(|v| v.split('.').next()?.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE && find("npm").is_some() => Ok(()),
        Some(major) if major < NODE => Err(format!(
            "Node.js {major} is too old: install {NODE} or newer (https://nodejs.org)"
        )),
        _ => Err(format!(
            "install Node.js {NODE} or newer, with npm (https://nodejs.org)"
        )),
    }
}

/// What package-lock.json names, in node_modules.
pub fn node_modules() -> Result<()> {
    node()?;
    let stamp = root().join("node_modules/.installed-lock.json");
    let lock = fs::read(root().join("package-lock.json"))
        .map_err(|e| format!("package-lock.json: {e}"))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("Installing wasm-opt (binaryen) and playwright-core into node_modules.");
    run(command(
        "npm",
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    ))?;
    fs::write(stamp, lock).map_err(|e| format!("node_modules: {e}"))
}
