//! `cargo xtask bench`.
use crate::process::{Result, command, root, run as run_command};
use crate::setup::{Need, ensure};
use crate::{browser, site};

/// Builds the site and times training steps in Chrome, beside peers whose harness is there.
/// `--no-build` takes the site that `dist/` holds; `--kernels` times the kernels one by one;
/// `--gpu` times the GPU backend natively instead.
pub fn run(args: &[String]) -> Result<()> {
    if args.iter().any(|a| a == "--gpu") {
        return gpu(args.iter().filter(|a| *a != "--gpu"));
    }
    ensure(&[Need::NodeModules, Need::Chrome])?;
    let given = |name: &str| args.iter().any(|a| a == name);
    let own = ["--no-build", "--kernels", "--views", "--plots"];
    let rest = args.iter().filter(|a| !own.contains(&a.as_str()));
    let mut node;
    if given("--kernels") {
        node = command("node", ["tests/bench/kernels.mjs"]);
        node.args(rest).args(kernels()?);
    } else {
        if !given("--no-build") {
            site::run()?;
        }
        if !root().join("dist/engine.html").exists() {
            return Err(
                "there is no dist/engine.html, the bare page that steps are timed on".into(),
            );
        }
        let file = match (given("--views"), given("--plots")) {
            (true, _) => "tests/bench/views.mjs",
            (_, true) => "tests/bench/plots.mjs",
            _ => "tests/bench/bench.mjs",
        };
        node = command("node", [file]);
        node.args(rest);
    }
    node.env("CHROME", browser::chrome()?.browser);
    run_command(node)
}

/// The GPU backend on this machine's own driver, without a browser.
fn gpu<'a>(args: impl Iterator<Item = &'a String>) -> Result<()> {
    ensure(&[Need::Vulkan])?;
    let mut bench = command(
        "cargo",
        ["bench", "--features", "gpu", "--bench", "gpu", "--"],
    );
    bench.args(args);
    run_command(bench)
}

/// The kernels by themselves, built with and without relaxed SIMD: name=path.
fn kernels() -> Result<Vec<String>> {
    ensure(&[Need::WasmTarget])?;
    let mut modules = Vec::new();
    for (name, target) in [("plain", "target"), ("relaxed", "target/relaxed")] {
        let target = root().join(target);
        let mut build = command("cargo", ["build", "--release", "--package", "kernel-bench"]);
        build.args(["--target", "wasm32-unknown-unknown"]);
        build.env("CARGO_TARGET_DIR", &target);
        if name == "relaxed" {
            // Joined to the flags of .cargo/config.toml, where $RUSTFLAGS would replace them.
            build.args([
                "--config",
                "target.wasm32-unknown-unknown.rustflags=[\"-C\", \"target-feature=+relaxed-simd\"]",
            ]);
        }
        run_command(build)?;
        let module = target.join("wasm32-unknown-unknown/release/kernel_bench.wasm");
        modules.push(format!("{name}={}", module.display()));
    }
    Ok(modules)
}
