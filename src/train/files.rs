//! The readers and writers of weights and checkpoints, which load when they are first needed.
use super::checkpoint::Checkpoint;
use super::protocol::Failure;
use super::weights;
use crate::lazy;
use crate::spec::{Framework, Problem, Problems, Spec};

type WriteWeights = fn(&Spec, &[(&str, &[usize], &[f32])]) -> Result<Vec<u8>, Problem>;
type ReadWeights = fn(Framework, &[u8], &[(&str, &[usize])]) -> Result<Vec<Vec<f32>>, Problems>;

/// See the functions of [`weights`] and of [`Checkpoint`].
#[derive(Clone, Copy)]
pub struct Files {
    pub write_weights: WriteWeights,
    pub read_weights: ReadWeights,
    pub write_checkpoint: fn(&Checkpoint) -> Result<Vec<u8>, Problem>,
    pub read_checkpoint: fn(&[u8]) -> Result<Checkpoint, Problem>,
    pub short: fn(&Spec) -> serde_json::Value,
}

lazy! {
    static FILES: Files, in engine files = Files {
        write_weights: weights::write_of,
        read_weights: weights::read,
        write_checkpoint: Checkpoint::to_bytes,
        read_checkpoint: Checkpoint::from_bytes,
        short: Spec::to_short,
    };
}

/// Fails with `part-not-loaded` when they do not come.
pub async fn files() -> Result<Files, Failure> {
    match FILES.load().await {
        Ok(files) => Ok(*files),
        Err(_) => Err(Failure::new(
            "internal",
            vec![Problem::new("part-not-loaded")],
        )),
    }
}
