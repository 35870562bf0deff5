//! What a part of the data is like, as messages carry it.
use super::protocol::Spread;
use lean_json::Deserialize;
use serde::Serialize;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    pub rows: usize,
    /// Samples of each class, where each has one.
    pub classes: Vec<u32>,
    /// Of pictures: all pixels of each channel.
    pub channels: Vec<Column>,
    /// Of tables: each feature.
    pub columns: Vec<Column>,
    /// Features beyond those.
    pub more: usize,
    /// Of a regression: each target, in its own units.
    pub targets: Vec<Column>,
    pub text: Option<TextFacts>,
}

/// Numbers of one kind, as they came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub min: f32,
    pub max: f32,
    pub mean: f64,
    /// Of the population: divided by the number of values.
    pub deviation: f64,
    /// Values that are missing, or no finite numbers; they count for nothing else here.
    pub missing: u32,
    pub spread: Spread,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextFacts {
    /// Words that have a number, without padding and the unknown word.
    pub vocabulary: usize,
    /// Words of all texts, as the network gets them.
    pub words: u64,
    /// Of those, words outside the vocabulary; None where such words are left out.
    pub unknown: Option<u64>,
    /// Texts that were cut, or fill the length exactly.
    pub full: u32,
    /// Words of a sample.
    pub length: usize,
    /// How many texts have how many words.
    pub lengths: Spread,
    pub mean: f64,
    /// The most frequent words and how often they are there.
    pub frequent: Vec<(String, u32)>,
}

/// A text as the network gets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoded {
    /// What each number stands for; padding is empty.
    pub words: Vec<String>,
    /// Words that the text has, before it is cut.
    pub count: usize,
}
