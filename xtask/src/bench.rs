//! `cargo xtask bench`.
use crate::process::{Result, command, root, run as run_command};
use crate::setup::{Need, ensure};
use crate::{browser, site};

/// Builds the site and times training steps in Chrome, beside peers whose harness is there.
/// `--no-build` takes the site that `dist/` holds.
pub fn run(args: &[String]) -> Result<()> {
    ensure(&[Need::NodeModules, Need::Chrome])?;
    let (skip, args): (Vec<&String>, Vec<&String>) = args.iter().partition(|a| *a == "--no-build");
    if skip.is_empty() {
        site::run()?;
    }
    if !root().join("dist/engine.html").exists() {
        return Err("there is no dist/engine.html, the bare page that steps are timed on".into());
    }
    let mut node = command("node", ["tests/bench/bench.mjs"]);
    node.args(args).env("CHROME", browser::chrome()?.browser);
    run_command(node)
}
