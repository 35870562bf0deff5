//! `cargo xtask fuzz`.
use crate::process::{Result, command, run as run_command};

/// Fuzzes the readers of input from outside, in an optimised build that unwinds.
pub fn run(args: &[String]) -> Result<()> {
    let mut cargo = command(
        "cargo",
        [
            "run",
            "--quiet",
            "--profile",
            "fuzz",
            "--package",
            "nabla-fuzz",
            "--",
        ],
    );
    cargo.args(args);
    run_command(cargo)
}
