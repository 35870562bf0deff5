//! Networks as ONNX files, out and in.
//!
//! What is written: opset 17, IR version 8, which every onnxruntime since 1.12 reads; the first axis
//! is the batch, and any size of it will do. The graph takes the data as it is before scaling and gives
//! what the page predicts; where the loss is on logits, these are a second output.
mod gates;
mod proto;
pub mod read;
mod tensor;
pub mod write;

/// The opset that is written: the first with LayerNormalization, and old enough for every runtime in use.
pub const OPSET: i64 = 17;
/// The file format's version that goes with it.
pub const IR_VERSION: i64 = 8;

/// Name of the metadata entry with the spec, as JSON.
const SPEC: &str = "nabla.spec";
/// Initializers that scale the input, and the output back into the target's own units.
const INPUT_SCALE: &str = "input.scale";
const INPUT_SHIFT: &str = "input.shift";
const OUTPUT_SCALE: &str = "output.scale";
const OUTPUT_SHIFT: &str = "output.shift";

/// How a run scales: numbers of the data become x·mul + add on the way in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaling {
    /// By feature; empty where nothing is scaled.
    pub mul: Vec<f32>,
    pub add: Vec<f32>,
    /// (mean, standard deviation) by target; empty where targets are not scaled.
    pub target: Vec<(f32, f32)>,
}
