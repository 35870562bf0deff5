//! What the commands need of the machine, and how it gets there.
use crate::process::{Result, capture, command, find, run};
use crate::{browser, tools};
use std::path::Path;

/// Something a command cannot do without.
#[derive(Clone, Copy)]
pub enum Need {
    /// rustfmt and clippy.
    Lints,
    /// The standard library for wasm32.
    WasmTarget,
    /// The standard library's source, which the builds with threads and for size compile.
    RustSource,
    WasmBindgen,
    Trunk,
    WasmPack,
    NodeModules,
    /// Chrome or Chromium, and the chromedriver that fits it.
    Chrome,
    /// A Vulkan driver, of software where there is no GPU.
    Vulkan,
}

/// Checks, and installs what is missing. Silent where all is there.
pub fn ensure(needs: &[Need]) -> Result<()> {
    for need in needs {
        match need {
            Need::Lints => {
                component("rustfmt", "cargo fmt")?;
                component("clippy", "cargo clippy")?;
            }
            Need::WasmTarget => wasm_target()?,
            Need::RustSource => rust_source()?,
            Need::WasmBindgen => tools::cargo_tool(&tools::WASM_BINDGEN)?,
            Need::Trunk => tools::cargo_tool(&tools::TRUNK)?,
            Need::WasmPack => tools::cargo_tool(&tools::WASM_PACK)?,
            Need::NodeModules => tools::node_modules()?,
            Need::Chrome => browser::chrome().map(drop)?,
            Need::Vulkan => vulkan()?,
        }
    }
    Ok(())
}

/// `cargo xtask setup`: every tool, each with its version.
pub fn all() -> Result<()> {
    c_compiler()?;
    let needs = [
        ("rustfmt and clippy", Need::Lints),
        ("target wasm32-unknown-unknown", Need::WasmTarget),
        ("the standard library's source", Need::RustSource),
        ("wasm-bindgen-cli", Need::WasmBindgen),
        ("trunk", Need::Trunk),
        ("wasm-pack", Need::WasmPack),
        ("wasm-opt and playwright-core", Need::NodeModules),
        ("Chrome and chromedriver", Need::Chrome),
        ("a Vulkan driver", Need::Vulkan),
    ];
    let mut missing = 0;
    for (what, need) in needs {
        match ensure(&[need]) {
            Ok(()) => println!("ok       {what}"),
            Err(message) => {
                missing += 1;
                println!("MISSING  {what}: {message}");
            }
        }
    }
    println!("\nrustc {}", version_or_none("rustc"));
    for tool in [&tools::WASM_BINDGEN, &tools::TRUNK, &tools::WASM_PACK] {
        println!("{} {}", tool.bin, version_or_none(tool.bin));
    }
    println!("wasm-opt {}", version_or_none("wasm-opt"));
    println!("node {}", version_or_none("node"));
    if let Ok(chrome) = browser::chrome() {
        println!("chrome {} at {}", chrome.version, chrome.browser.display());
        println!("chromedriver at {}", chrome.driver.display());
    }
    match missing {
        0 => Ok(()),
        n => Err(format!("{n} of the tools above are missing")),
    }
}

fn version_or_none(program: &str) -> String {
    crate::process::version(program).unwrap_or("none".into())
}

fn c_compiler() -> Result<()> {
    if cfg!(windows)
        || ["cc", "gcc", "clang"]
            .iter()
            .any(|name| find(name).is_some())
    {
        return Ok(());
    }
    if apt(&["gcc", "libc6-dev"], "Rust links with a C compiler") {
        return Ok(());
    }
    Err("install a C compiler (Debian, Ubuntu: gcc and libc6-dev; Fedora: gcc; macOS: xcode-select --install)".into())
}

/// wgpu takes Metal on macOS and DirectX on Windows.
fn vulkan() -> Result<()> {
    let drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let there = || {
        let mut folders = drivers.iter().filter_map(|d| std::fs::read_dir(d).ok());
        folders.any(|mut files| files.next().is_some())
    };
    if cfg!(any(windows, target_os = "macos")) || there() {
        return Ok(());
    }
    let packages = ["mesa-vulkan-drivers", "libvulkan1"];
    if apt(&packages, "the GPU kernels are tested natively, too") && there() {
        return Ok(());
    }
    Err(
        "there is no Vulkan driver; Debian and Ubuntu have one in software in mesa-vulkan-drivers"
            .into(),
    )
}

fn component(name: &str, used_by: &str) -> Result<()> {
    let (cargo, sub) = used_by.split_once(' ').expect("cargo and its sub-command");
    if capture(command(cargo, [sub, "--version"])).is_some() {
        return Ok(());
    }
    println!("Installing the component {name}: `{used_by}` needs it.");
    rustup(&["component", "add", name])
}

fn wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let libraries = capture(command(
        "rustc",
        ["--print", "target-libdir", "--target", TARGET],
    ));
    if libraries.is_some_and(|dir| Path::new(dir.trim()).is_dir()) {
        return Ok(());
    }
    println!("Installing the target {TARGET}: the page and the trainer are compiled for it.");
    rustup(&["target", "add", TARGET])
}

fn rust_source() -> Result<()> {
    let there = capture(command("rustc", ["--print", "sysroot"])).is_some_and(|dir| {
        let sources = Path::new(dir.trim()).join("lib/rustlib/src/rust/library/std");
        sources.is_dir()
    });
    if there {
        return Ok(());
    }
    println!("Installing the component rust-src: the builds with threads and for size compile it.");
    rustup(&["component", "add", "rust-src"])
}

/// Called by name, since `RUSTUP_AUTO_INSTALL=0` keeps rust-toolchain.toml from being acted upon.
fn rustup(args: &[&str]) -> Result<()> {
    if find("rustup").is_none() {
        return Err(format!(
            "rustup is not there to do `rustup {}`: install it from https://rustup.rs, or add this part of Rust by your own package manager",
            args.join(" ")
        ));
    }
    run(command("rustup", args))
}

/// Installs Debian packages where that is ours to do: on Debian and its kin, as root. Says
/// whether it did.
pub fn apt(packages: &[&str], why: &str) -> bool {
    let debian = Path::new("/etc/debian_version").exists() && find("apt-get").is_some();
    let is_root = capture(command("id", ["-u"])).is_some_and(|id| id.trim() == "0");
    if !debian || !is_root {
        return false;
    }
    println!("Installing {}: {why}.", packages.join(", "));
    let apt_get = |args: &[&str]| {
        let mut apt_get = command("apt-get", args);
        apt_get.env("DEBIAN_FRONTEND", "noninteractive");
        run(apt_get)
    };
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    // A partly failed update may still know the packages.
    apt_get(&["-q", "update"]).ok();
    apt_get(&install).is_ok()
}
