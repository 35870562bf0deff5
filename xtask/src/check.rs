//! `cargo xtask check`: what needs no test to be wrong.
use crate::process::{Result, command, run as run_command};
use crate::setup::{Need, ensure};

/// The GPU backend is in no build that does not ask for it.
const GPU: [&str; 2] = ["--features", "nabla/gpu"];
const WASM: [&str; 2] = ["--target", "wasm32-unknown-unknown"];

/// Runs every check, also after one has failed.
pub fn run() -> Result<()> {
    match counts()? {
        (_, 0) => Ok(()),
        (passed, failed) => Err(format!("{failed} of {} checks failed", passed + failed)),
    }
}

/// How many checks passed and failed.
pub fn counts() -> Result<(usize, usize)> {
    ensure(&[Need::Lints, Need::WasmTarget])?;
    let lint = ["--all-targets", "--", "-D", "warnings"];
    let checks = [
        [&["fmt", "--all", "--check"][..], &[]].concat(),
        [&["clippy", "--workspace"][..], &GPU, &lint].concat(),
        [&["clippy", "--package", "nabla"], &WASM[..], &lint].concat(),
        [&["clippy", "--package", "nabla"], &WASM[..], &GPU, &lint].concat(),
        [&["doc", "--no-deps", "--workspace"][..], &GPU].concat(),
        [&["doc", "--no-deps", "--package", "nabla"], &WASM[..]].concat(),
    ];
    let (mut passed, mut failed) = (0, 0);
    for args in checks {
        let mut cargo = command("cargo", args);
        cargo.env("RUSTDOCFLAGS", "-D warnings");
        match run_command(cargo) {
            Ok(()) => passed += 1,
            Err(message) => {
                failed += 1;
                println!("{message}");
            }
        }
    }
    Ok((passed, failed))
}
