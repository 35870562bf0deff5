//! Runs: sessions over a backend, the messages that drive them, metrics, checkpoints.
pub mod checkpoint;
pub mod protocol;
pub mod weights;
