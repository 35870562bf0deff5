//! `cargo xtask serve`.
use crate::process::{Result, command};
use crate::{setup, site};

/// Serves the page with Trunk, which rebuilds on every change.
pub fn run(args: &[String]) -> Result<()> {
    // wasm-opt runs in release builds only.
    if args.iter().any(|arg| arg == "--release") {
        site::ensure_tools()?;
    } else {
        setup::ensure(&site::TOOLS)?;
    }
    let mut trunk = command("trunk", ["serve"]);
    trunk.args(args);
    crate::process::run(trunk)
}
