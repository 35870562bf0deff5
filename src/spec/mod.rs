//! The one source of truth: what is trained, on what data, and how.
//!
//! A [`Spec`] is plain JSON. Every field is always written, so that a file shows what it means;
//! fields with a default may be left out when reading. Unknown fields are an error.
pub mod compare;
mod data;
pub mod edit;
pub mod flow;
mod layer;
pub mod presets;
mod problem;
mod short;
mod spatial;
mod train;
mod validate;

pub use data::*;
pub use layer::*;
pub use problem::{PROBLEMS, Problem, Problems};
use serde::{Deserialize, Serialize};
pub use spatial::*;
pub use train::*;
pub use validate::limits;

/// The version of the JSON form. Readers accept this and older ones.
pub const VERSION: u32 = 1;

/// Whose names, initialisers, epsilons and conventions the spec follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Framework {
    #[default]
    Pytorch,
    Keras,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    pub version: u32,
    /// Id of the preset it came from (`mnist-mlp`), or any short name.
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub framework: Framework,
    /// Seeds initial weights, splits, shuffling and dropout.
    #[serde(default)]
    pub seed: u32,
    pub data: DataSpec,
    /// In the order of computation. A layer without `inputs` reads the one before it.
    pub layers: Vec<LayerSpec>,
    pub train: TrainSpec,
}

impl Spec {
    /// Reads a spec from JSON, refusing what is malformed, unknown or out of bounds.
    /// Shapes are checked later, by [`crate::graph::check`].
    pub fn from_json(text: &str) -> Result<Spec, Problems> {
        validate::parse(text)
    }

    /// Pretty JSON with every field.
    pub fn to_json(&self) -> String {
        format!("{:#}", crate::json::value(self))
    }

    /// Bounds on sizes and numbers; no shapes. Empty when all is well.
    pub fn validate(&self) -> Vec<Problem> {
        validate::validate(self)
    }
}
