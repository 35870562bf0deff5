//! Runs: sessions over a backend, the messages that drive them, metrics, checkpoints.
pub mod callbacks;
pub mod checkpoint;
pub mod described;
mod failure;
pub mod files;
pub mod hyper;
pub mod init;
pub mod metrics;
pub mod project;
pub mod protocol;
pub mod schedule;
pub mod session;
pub mod tensors;
pub mod weights;
#[cfg(target_arch = "wasm32")]
pub mod worker;

pub use session::{Chunk, Evaluator, Session};
