//! Data sets: formats, generators, splits, scaling, batching, the seeded generator.
//! Knows no browser: bytes come in, a [`Dataset`] comes out.

/// Raw values as they came, one after the other, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    F32(Vec<f32>),
    U8(Vec<u8>),
}

/// What is to be predicted.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One class index per sample; `names[k]` is class k.
    Classes { names: Vec<String> },
    /// Numbers per sample, one per name.
    Values { names: Vec<String> },
}

/// Everything a run needs to know of its data. Rows are addressed by index into `x` and `y`;
/// `train`, `validation` and `test` hold disjoint row indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What the data is, as a person would call it ("MNIST", "iris.csv").
    pub name: String,
    /// Shape of one sample as it came: `[28, 28]`, `[30]`.
    pub shape: Vec<usize>,
    /// `[rows, shape…]`, not yet scaled.
    pub x: Values,
    /// What the network sees is `x·mul + add`, per feature (length = product of shape), or both
    /// empty when the values are used as they are. From the training part only.
    pub mul: Vec<f32>,
    pub add: Vec<f32>,
    /// `[rows]` class indices, or `[rows, names.len()]` numbers (already scaled).
    pub y: Vec<f32>,
    /// A scaled regression target is `(original − mean) / std`; `(mean, std)` per target
    /// column, empty when not scaled.
    pub y_scale: Vec<(f32, f32)>,
    pub target: Target,
    /// One name per feature, or empty (images).
    pub features: Vec<String>,
    pub train: Vec<u32>,
    pub validation: Vec<u32>,
    pub test: Vec<u32>,
}
