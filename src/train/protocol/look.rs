//! The closer look inside a run: what can be asked, and what is answered.
use super::Part;
use crate::json::nan_f64;
use lean_json::Deserialize;
use serde::Serialize;

/// What a closer look is for. It changes nothing of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Ask {
    /// What the next training step would do, and how the layers' activations are. → [`Vitals`]
    Vitals,
    /// What of one sample speaks for an output, a class or a target. → [`Saliency`], buffers:
    /// [gradient × input f32, integrated gradients f32 (absent for tokens)]
    Saliency {
        part: Part,
        /// Place within the part.
        number: usize,
        output: usize,
    },
    /// What a recurrent or attention layer holds of one sample. → [`Within`], `buffers[0]`: f32
    Within {
        part: Part,
        number: usize,
        layer: String,
    },
    /// What the units of a layer give over a plane of two features. → [`super::ArrayInfo`]
    /// `[units, side, side]`, `buffers[0]`: f32
    Field(FieldAsk),
    /// How well one sample is given back. → [`Reconstruction`], buffers: [what the network gives, squared
    /// errors, slopes of their mean by the sample's values], each f32
    Reconstruction { part: Part, number: usize },
    /// The rows of a parameter `[rows, dims]` on the plane of their first two principal components.
    /// → [`Projection`], `buffers[0]`: f32 `[rows, 2]`
    Project { name: String },
    /// The `count` rows most like row `row`. → `[`[`Neighbour`]`]`
    Neighbours {
        name: String,
        row: usize,
        count: usize,
    },
    /// What a layer makes of the first `count` samples of a part: the layer named, where the network can
    /// be cut behind it, else the narrowest. → [`Codes`], buffers: [places on a plane f32 `[count, 2]`,
    /// class of each sample f32 (empty where there are none), the plane's basis f32 `[3, width]`: a
    /// point is row 0 + u·row 1 + v·row 2]
    Codes {
        part: Part,
        layer: Option<String>,
        count: usize,
    },
    /// What the layers after one make of points of such a plane. → [`super::ArrayInfo`], `buffers[0]`:
    /// f32 outputs, as a prediction has them
    Decode {
        layer: String,
        basis: Vec<f32>,
        places: Vec<f32>,
    },
    /// What they make of codes drawn at random. → as for `Decode`
    Dreams {
        layer: String,
        count: usize,
        seed: u32,
    },
    /// → the words behind the numbers of texts, by number; none where the data are no texts
    Words,
    /// Begins a loss surface around the present parameters, in the place of one before. →
    /// [`SurfaceInfo`]
    Surface(SurfaceAsk),
    /// Some milliseconds' worth of its next points. → [`SurfaceChunk`], `buffers[0]`: f32
    SurfacePoints { id: u32 },
    /// Notes where the run is. → [`Mark`]
    Mark,
    /// Forgets surface and marks. → null
    SurfaceEnd,
}

/// Of the next training step: what is read of it after clipping, penalties included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vitals {
    /// Steps taken before it.
    pub step: u32,
    /// Training samples that the activations are of.
    pub samples: usize,
    pub tensors: Vec<TensorVitals>,
    pub layers: Vec<LayerVitals>,
}

/// Of one parameter. Norms are Euclidean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorVitals {
    /// `fc1.weight`
    pub name: String,
    pub layer: String,
    pub shape: Vec<usize>,
    #[serde(deserialize_with = "nan_f64")]
    pub weight: f64,
    #[serde(deserialize_with = "nan_f64")]
    pub gradient: f64,
    /// Of what the step adds to the parameter.
    #[serde(deserialize_with = "nan_f64")]
    pub update: f64,
    pub weights: Spread,
    /// Of log10 |gradient|.
    pub gradients: Spread,
}

/// How values spread: counts of equal-width bins over `lo…hi`; empty where no value is finite.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub lo: f32,
    pub hi: f32,
    pub counts: Vec<u32>,
    /// Values that no bin holds: NaN, infinite, and zeros where a logarithm is binned.
    pub outside: u32,
}

/// Of a layer with an activation that can die or saturate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerVitals {
    pub layer: String,
    pub function: crate::spec::Activation,
    /// Features, or channels of a convolution.
    pub units: usize,
    /// Units that are 0 on all samples.
    pub dead: usize,
    /// Share of outputs where |tanh| > 0.97, or a sigmoid is outside 0.03…0.97.
    pub saturated: f64,
}

/// Of a score, which is the output before softmax or sigmoid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saliency {
    /// One sample's, or `[tokens]`.
    pub shape: Vec<usize>,
    /// What the tokens stand for, where the data are texts; padding is empty.
    #[serde(default)]
    pub words: Vec<String>,
    #[serde(deserialize_with = "nan_f64")]
    pub score: f64,
    /// Of the blank sample: raw zeros.
    #[serde(deserialize_with = "nan_f64")]
    pub blank: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Within {
    pub kind: WithinKind,
    /// `[steps, units]`, or `[heads, queries, keys]`.
    pub shape: Vec<usize>,
    /// What the steps stand for, where the data are texts; padding is empty.
    #[serde(default)]
    pub words: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WithinKind {
    States,
    Attention,
}

/// A plane of the data's two features, raw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldAsk {
    pub layer: String,
    pub x: (f32, f32),
    pub y: (f32, f32),
    /// Points along each side.
    pub side: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reconstruction {
    /// One sample's.
    pub shape: Vec<usize>,
    /// Mean squared error, of values as the network sees them.
    #[serde(deserialize_with = "nan_f64")]
    pub mean: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    pub rows: usize,
    pub dims: usize,
    /// Share of the variance along each axis.
    pub explained: [f64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    pub row: usize,
    /// Of the angle between the rows.
    pub cosine: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurfaceAsk {
    pub directions: Directions,
    /// Points along each side.
    pub side: usize,
    /// Training samples, spread evenly over the part.
    pub samples: usize,
    /// How far to go along either direction; the trajectory's says so itself.
    pub range: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Directions {
    /// Drawn from the seed and normalised filter by filter.
    Random { seed: u32 },
    /// The first two principal components of the marks.
    Trajectory,
    /// Two single parameters, counted through all of them in order.
    Parameters { first: usize, second: usize },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurfaceInfo {
    pub id: u32,
    /// Steps that the run had taken.
    pub step: u32,
    pub side: usize,
    pub samples: usize,
    /// Ends of the axes; the parameters are at (0, 0).
    pub x: (f32, f32),
    pub y: (f32, f32),
    /// Share of the variance of the trajectory along each direction.
    pub explained: Option<[f64; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurfaceChunk {
    /// Whether all points are known.
    pub done: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub step: u32,
    /// Noted so far.
    pub marks: usize,
    /// Whether they are enough for the directions of the trajectory.
    pub enough: bool,
    /// On the surface, where there is one: the nearest place, and which share of the way to the parameters
    /// leaves its plane.
    pub at: Option<[f32; 2]>,
    pub away: Option<f32>,
    /// The places of all marks, with their steps.
    pub path: Vec<(u32, [f32; 2])>,
}

/// Of the layer whose output stands for an autoencoder's code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Codes {
    pub layer: String,
    /// One sample's code.
    pub shape: Vec<usize>,
    /// Names of the samples' classes; empty where the data has none.
    pub classes: Vec<String>,
    /// How much of the codes' variance their plane shows; absent where it shows all.
    pub share: Option<f64>,
    /// Whether it is a variational autoencoder's, whose codes are drawn from N(0, 1).
    pub drawn: bool,
}
