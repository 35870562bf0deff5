//! Runs: sessions over a backend, the messages that drive them, metrics, checkpoints.
pub mod protocol;
