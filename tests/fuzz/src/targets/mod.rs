//! The readers that meet input from outside, with what they are tried on.
mod code;
mod files;
mod link;
mod networks;

use super::rng::Rng;

type Change = fn(&mut Rng, &mut Vec<u8>, &[&[&str]], &[Vec<u8>]);

pub struct Target {
    pub name: &'static str,
    /// Good inputs, which are changed.
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// What the format is made of.
    pub words: &'static [&'static [&'static str]],
    /// How they are changed, given those words and all good inputs.
    pub change: Change,
    /// Reads it; must come back.
    pub run: fn(&[u8]),
    /// The most bytes that reading may have live at once: some, and so many for each of the input.
    pub memory: (usize, usize),
    /// Its share of the cases of a run over all targets.
    pub share: u64,
}

/// Every one is compiled and run by a test; `cargo xtask fuzz` runs them at length.
pub const TARGETS: &[Target] = &[
    code::CODE,
    link::SPEC,
    link::LINK,
    files::WEIGHTS,
    files::CHECKPOINT,
    files::PROJECT,
    networks::ONNX,
];

/// Marks that JSON and Python have in common.
const MARKS: &[&str] = &["{", "}", "[", "]", ",", ":", "\""];
