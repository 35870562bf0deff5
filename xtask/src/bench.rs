//! `cargo xtask bench`.
use crate::process::{Result, command, root, run as run_command};
use crate::setup::{Need, ensure};
use crate::{browser, site};

/// Builds the site and times its presets in Chrome.
pub fn run(args: &[String]) -> Result<()> {
    ensure(&[Need::NodeModules, Need::Chrome])?;
    site::run()?;
    if !root().join("dist/engine.html").exists() {
        return Err("there is no www/engine.html, the bare page that presets are timed on".into());
    }
    let mut node = command("node", ["tests/e2e/bench.mjs"]);
    node.args(args).env("CHROME", browser::chrome()?.browser);
    run_command(node)
}
