//! `cargo xtask serve`.
use crate::process::{Result, run as run_command};
use crate::{setup, site};

/// Serves the page with Trunk, which rebuilds on every change.
pub fn run(args: &[String]) -> Result<()> {
    // wasm-opt runs in release builds only.
    if args.iter().any(|arg| arg == "--release") {
        site::ensure_tools()?;
    } else {
        setup::ensure(&site::TOOLS)?;
    }
    let mut trunk = site::trunk("serve");
    trunk.args(args);
    run_command(trunk)
}
