//! `cargo xtask accuracy`.
use crate::process::{Result, command, run as run_command};
use crate::setup::{Need, ensure};
use crate::{browser, site};

/// Builds the site and trains the tutorial networks to their end in Chrome; `--no-build` takes the
/// site that `dist/` holds, other arguments are those of `tests/accuracy/accuracy.mjs`.
pub fn run(args: &[String]) -> Result<()> {
    ensure(&[Need::NodeModules, Need::Chrome])?;
    let (skip, args): (Vec<&String>, Vec<&String>) = args.iter().partition(|a| *a == "--no-build");
    if skip.is_empty() {
        site::run()?;
    }
    let mut node = command("node", ["tests/accuracy/accuracy.mjs"]);
    node.args(args).env("CHROME", browser::chrome()?.browser);
    run_command(node)
}
