//! The messages between a page and its trainer worker. JSON in both directions; arrays and
//! files travel beside it and are named by their place in the message's `buffers` or `files`.
//!
//! Page → worker: `{ id, body: JSON of `[`Request`]`, buffers: [ArrayBuffer], files: [File] }`.
//! Worker → page: `{ id, ok: true, body: JSON of the answer, buffers }` or
//! `{ id, ok: false, body: JSON of `[`Failure`]` }`, and, at any time, events:
//! `{ event: JSON of `[`Event`]`, buffers }`. The worker says `{ ready: true }` once, and, when
//! it can go on no more, `{ fatal: JSON of `[`Failure`]` }`.
//!
//! A number that is not finite is null in JSON.
mod answers;
mod look;

pub use super::described::*;
pub use super::failure::Failure;
use crate::json::{nan_f32, nan_f64};
use crate::spec::{Missing, Problem, Spec};
pub use answers::*;
use lean_json::Deserialize;
pub use look::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// Chosen by the page, one per run; an answer or event of a disposed run is dropped.
pub type RunId = u32;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Request {
    /// → [`Hello`]
    Hello,
    /// → `[`[`PresetInfo`]`]`
    Presets,
    /// → [`Spec`]
    Preset { id: String },
    /// → [`CheckReport`]. Takes any JSON: what is malformed is reported, not refused.
    Check { spec: serde_json::Value },
    /// → the spec without fields whose value is the default, as links hold it
    Short { spec: serde_json::Value },
    /// → the spec with every field, those that were left out with their default
    Whole { spec: serde_json::Value },
    /// → [`RunInfo`]. Replaces a run of the same id.
    Load {
        run: RunId,
        spec: serde_json::Value,
        #[serde(default)]
        options: LoadOptions,
    },
    /// Gives up the `Load` of this run while its files are being read. → null. The `Load` then fails with
    /// `cancelled`, and no run is lost by it.
    CancelLoad { run: RunId },
    /// → [`RunEnd`], when the training ends. Neither field: until stopped or the spec's epochs
    /// are done. Counted from where the run is.
    Train {
        run: RunId,
        #[serde(default)]
        steps: Option<u32>,
        #[serde(default)]
        epochs: Option<u32>,
    },
    /// → null. The `Train` under way then answers with `stopped: cancelled`.
    Stop { run: RunId },
    /// One step. → [`StepReport`]
    Step { run: RunId },
    /// Initial weights and step 0 again, with this seed or the one it had. → [`RunInfo`]
    Reset {
        run: RunId,
        #[serde(default)]
        seed: Option<u32>,
    },
    /// Changes hyper-parameters between steps: `learningRate`, `momentum`, `weightDecay`,
    /// `beta1`, `beta2`, `epsilon`, `rho`, `l1`, `l2`, `clip`, and `stepsPerSecond` (0: as fast
    /// as possible). → all of them as they are now
    Set {
        run: RunId,
        values: BTreeMap<String, f64>,
    },
    /// → [`Evaluation`]
    Evaluate { run: RunId, part: Part },
    /// `buffers[0]`: f32 values, already scaled as the network sees them when `scaled`, else raw
    /// as in the data. → [`ArrayInfo`], `buffers[0]`: f32 outputs (class probabilities where the
    /// loss is on logits).
    Predict {
        run: RunId,
        shape: Vec<usize>,
        #[serde(default)]
        scaled: bool,
    },
    /// → `[`[`TensorInfo`]`]`
    Tensors { run: RunId },
    /// → [`ArrayInfo`], `buffers[0]`: f32
    Tensor { run: RunId, name: String },
    /// Samples of a part, from `start` on. → [`Samples`], buffers: [x raw f32 `[count, shape…]`,
    /// y f32 `[count, targets]` in original units, rows as u32]
    Samples {
        run: RunId,
        part: Part,
        start: usize,
        count: usize,
    },
    /// As `Samples`, of one class only where one is given; `total` counts that class. → [`Samples`] and its buffers
    Browse {
        run: RunId,
        part: Part,
        class: Option<u32>,
        start: usize,
        count: usize,
    },
    /// What the samples of a part are like. → [`Description`]
    Describe { run: RunId, part: Part },
    /// A text as a sample of data that are texts. → [`Encoded`], `buffers[0]`: f32
    Encode { run: RunId, text: String },
    /// Carries on the series that ends in the raw sample in `buffers[0]`, f32. → null, `buffers[0]`: f32 forecasts
    CarryOn { run: RunId, steps: usize },
    /// What the numbers in `buffers[0]`, f32, stand for, where the data are texts. → list of words
    WordsOf { run: RunId },
    /// As `Saliency`, of the raw sample in `buffers[0]`, f32.
    Attribute { run: RunId, output: usize },
    /// Outputs, targets and losses of all samples of a part, as an evaluation sees them. →
    /// [`ArrayInfo`] `[rows, outputs]`, buffers: [outputs f32, targets f32, losses f32 `[samples]`]
    Outputs { run: RunId, part: Part },
    /// A closer look, see [`Ask`]; nothing is changed by it.
    Look { run: RunId, ask: Ask },
    /// → null, `buffers[0]`: safetensors, names and layouts of the spec's framework
    Weights { run: RunId },
    /// → null, `buffers[0]`
    Checkpoint { run: RunId },
    /// `buffers[0]`: a checkpoint; the data as for `Load`. → [`RunInfo`]
    Resume {
        run: RunId,
        #[serde(default)]
        options: LoadOptions,
    },
    /// How samples and targets are scaled. → null, buffers of f32: factors and summands by feature,
    /// means and deviations by target; empty where nothing is scaled
    Scaling { run: RunId },
    /// States kept at the ends of epochs, the oldest first. → `[`[`SavedInfo`]`]`
    Saved { run: RunId },
    /// One of them. → null, `buffers[0]`: a checkpoint
    SavedFile { run: RunId, name: String },
    /// All of them. → `[`[`SavedInfo`]`]`, `buffers`: their checkpoints
    SavedFiles { run: RunId },
    /// States that the run had kept before it moved here, in the place of this run's.
    /// `buffers`: their checkpoints. → null
    Keep { run: RunId, states: Vec<SavedInfo> },
    /// `buffers[0]`: a newer checkpoint of the run that this one goes on with. → [`RunInfo`]
    Restore { run: RunId },
    /// Trains on: at least `steps` steps (about a second when absent) after `warmup`; more where
    /// the clock is too coarse for so few. → [`Timing`]
    Time {
        run: RunId,
        #[serde(default)]
        steps: Option<u32>,
        #[serde(default)]
        warmup: Option<u32>,
    },
    /// Goes on with another backend, from the very step where the run is. → [`RunInfo`]
    Move { run: RunId, backend: BackendChoice },
    /// → [`Disposed`]
    Dispose { run: RunId },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LoadOptions {
    pub backend: BackendChoice,
    pub threads: Option<usize>,
    pub seed: Option<u32>,
    /// Place in `buffers` of a safetensors file.
    pub weights: Option<usize>,
    pub data: Option<DataArrays>,
    /// Whether `files` of the message hold the data of a `files` source.
    pub files: bool,
    /// Paths of the files within the folder that they came from; empty where there is none.
    pub paths: Vec<String>,
    /// Why the page chose a build without a GPU backend, where it looked for a GPU.
    pub gpu: Option<NoGpu>,
}

/// What the page found in a GPU's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoGpu {
    None,
    /// One that computes on the CPU.
    Software,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    #[default]
    Auto,
    Cpu,
    Webgpu,
}

impl BackendChoice {
    pub const ALL: [BackendChoice; 3] = [
        BackendChoice::Auto,
        BackendChoice::Cpu,
        BackendChoice::Webgpu,
    ];
    pub fn name(self) -> &'static str {
        match self {
            BackendChoice::Auto => "auto",
            BackendChoice::Cpu => "cpu",
            BackendChoice::Webgpu => "webgpu",
        }
    }
}

/// Data given as arrays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataArrays {
    pub train: ArrayPair,
    #[serde(default)]
    pub validation: Option<ArrayPair>,
    #[serde(default)]
    pub test: Option<ArrayPair>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayPair {
    pub x: ArrayRef,
    pub y: ArrayRef,
}

/// An array in the message's `buffers`; the first axis counts the samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayRef {
    pub buffer: usize,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    F32,
    U8,
    I32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Train,
    Validation,
    Test,
}

/// Which of the engine's builds runs; the page loads the best that the browser can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Build {
    /// What every browser runs: 128-bit SIMD, one thread. The same bits everywhere.
    Plain,
    /// With relaxed SIMD, which rounds a·b + c once where the machine can.
    Relaxed,
    /// The same with threads, for pages that are isolated.
    Threads,
    /// The same with the GPU backend; without isolation it has one thread.
    Gpu,
}

impl Build {
    /// The one that this code was compiled into.
    pub const OURS: Build = if cfg!(feature = "gpu") {
        Build::Gpu
    } else if cfg!(target_feature = "atomics") {
        Build::Threads
    } else if cfg!(target_feature = "relaxed-simd") {
        Build::Relaxed
    } else {
        Build::Plain
    };
    pub fn name(self) -> &'static str {
        match self {
            Build::Plain => "plain",
            Build::Relaxed => "relaxed",
            Build::Threads => "threads",
            Build::Gpu => "gpu",
        }
    }
    /// Whether it rounds as every machine does, which a spec can ask for.
    pub fn strict(self) -> bool {
        self == Build::Plain
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// At most about 20 a second. `buffers[0]`: f32 `[steps, columns]` for the steps
    /// `first…first+steps−1`.
    Tick {
        run: RunId,
        first: u32,
        steps: u32,
        epoch: u32,
        /// Spent in training since `Load`, without pauses.
        seconds: f64,
        samples_per_second: f64,
    },
    /// An epoch is over. `validation` is absent when the data has no such part; then at most
    /// about 20 come a second, and short epochs between them have none.
    Epoch {
        run: RunId,
        epoch: u32,
        step: u32,
        validation: Option<Evaluation>,
        /// The state that was kept.
        #[serde(default)]
        saved: Option<String>,
    },
    /// The files of a `Load` that takes long: bytes read of all. Then they are unpacked and made ready: `prepared`, 0…1,
    /// says how much of that is done.
    Reading {
        run: RunId,
        read: f64,
        total: f64,
        prepared: f64,
    },
    /// `code` as in the API; training has stopped.
    Fault { run: RunId, failure: Failure },
    Backend {
        run: RunId,
        backend: BackendChoice,
        why: String,
    },
}
