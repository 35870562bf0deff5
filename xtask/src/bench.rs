//! `cargo xtask bench`.
use crate::process::{Result, command, run as run_command};
use crate::setup::{Need, ensure};
use crate::{browser, site};

/// Builds the site and times its presets in Chrome.
pub fn run(args: &[String]) -> Result<()> {
    ensure(&[Need::NodeModules, Need::Chrome])?;
    site::run()?;
    let mut node = command("node", ["tests/e2e/bench.mjs"]);
    node.args(args).env("CHROME", browser::chrome()?.browser);
    run_command(node)
}
