//! The spec in other languages: scripts for PyTorch and Keras, their notebooks, and back.
//! Nothing here runs code: scripts are written from a [`crate::spec::Spec`] and read into one.
mod notes;
pub mod onnx;
pub mod read;
pub mod write;

pub use notes::Note;
