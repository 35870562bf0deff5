//! What the worker answers.
use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub version: String,
    pub cpu: CpuInfo,
    /// None: no WebGPU here, or this build does not use it.
    pub webgpu: Option<serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CpuInfo {
    pub simd: bool,
    pub relaxed_simd: bool,
    pub threads: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresetInfo {
    pub id: String,
    pub title: String,
    pub framework: crate::spec::Framework,
    /// `regression` or `classification`.
    pub task: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    pub ok: bool,
    pub errors: Vec<Problem>,
    /// What trains, but hardly as it is meant.
    #[serde(default)]
    pub hints: Vec<Problem>,
    /// Shape of one sample as the first layer gets it; empty when unknown.
    pub input: Vec<usize>,
    /// As far as the shapes are known.
    pub layers: Vec<LayerReport>,
    pub params: usize,
    /// Forward pass of one sample; a multiply-add counts as two.
    pub flops: u64,
    /// Sums over the layers.
    #[serde(default)]
    pub memory: u64,
    #[serde(default)]
    pub batch_memory: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    pub id: String,
    pub kind: String,
    /// Shape of one sample.
    pub shape: Vec<usize>,
    pub params: usize,
    pub flops: u64,
    /// Bytes of what the layer computes of one sample, going forward. What a step takes in the end
    /// is less where memory is used again, and more for gradients.
    #[serde(default)]
    pub memory: u64,
    /// The same of a batch; 0 where a batch is the whole training part, whose size the data says.
    #[serde(default)]
    pub batch_memory: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunInfo {
    pub run: RunId,
    pub spec: Spec,
    pub backend: BackendChoice,
    /// Why this backend, as a code of the catalogue (`backend-<why>`).
    pub why: String,
    pub build: Build,
    pub threads: usize,
    pub layers: Vec<LayerReport>,
    pub params: usize,
    /// One training step: forward, backward and update.
    pub flops: u64,
    pub plan: String,
    /// Bytes of the plan's memory.
    pub memory: usize,
    pub batch_size: usize,
    pub steps_per_epoch: usize,
    /// What one row of a tick holds: `loss`, `accuracy` (classification), `gradNorm`, `learningRate`.
    pub columns: Vec<String>,
    pub data: DataInfo,
    /// Step that the run stands at: 0, or where a checkpoint left it.
    pub step: u32,
    pub hyper: BTreeMap<String, f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataInfo {
    pub name: String,
    /// One sample.
    pub shape: Vec<usize>,
    /// Height and width where samples are images.
    pub image: Option<[usize; 2]>,
    pub features: Vec<String>,
    /// Class names; empty for a regression.
    pub classes: Vec<String>,
    /// Training samples of each class, where each sample has one.
    pub class_counts: Vec<u32>,
    /// Target names of a regression.
    pub targets: Vec<String>,
    /// Mean and deviation by which a regression's targets were scaled.
    pub target_scale: Vec<(f32, f32)>,
    /// Smallest and largest raw value of each feature in the training part (at most 64 features).
    pub ranges: Vec<(f32, f32)>,
    pub train: usize,
    pub validation: usize,
    pub test: usize,
    /// Cells of a table that were missing, and what was done about them.
    #[serde(default)]
    pub missing: Option<MissingCells>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissingCells {
    /// Those that lack some of their cells, but not all.
    pub columns: Vec<MissingColumn>,
    /// Rows that were left out.
    pub dropped: usize,
    /// Columns without any value, which were left out.
    pub empty: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissingColumn {
    pub column: String,
    pub cells: usize,
    pub with: Missing,
    /// What stands there; None where rows were left out.
    pub value: Option<String>,
    /// Whether it holds texts, which have no mean.
    pub texts: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    pub step: u32,
    pub epoch: u32,
    /// Spent in training since `Load`, without pauses.
    pub seconds: f64,
    pub stopped: Option<Stopped>,
    /// The best epoch, from 1, where early stopping watches.
    #[serde(default)]
    pub best: Option<u32>,
    /// Where it diverged, if it did.
    #[serde(default)]
    pub diverged: Option<Divergence>,
}

/// Where a run left the finite numbers, or all bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// Counted from 0.
    pub step: u32,
    /// The first layer; None where all layers were well, or where it is not known.
    pub layer: Option<String>,
    pub part: DivergedIn,
}

/// What of the layer was first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DivergedIn {
    Outputs,
    Gradient,
    /// Its update was more than its weights could hold.
    Weights,
    Loss,
}

/// A state that was kept at an epoch's end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedInfo {
    /// As Keras names it: `model.07-0.83.safetensors`.
    pub name: String,
    /// From 1.
    pub epoch: u32,
    pub bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    EarlyStopping,
    Cancelled,
    Diverged,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    pub step: u32,
    #[serde(deserialize_with = "nan_f32")]
    pub loss: f32,
    #[serde(deserialize_with = "nan_f32")]
    pub grad_norm: f32,
    /// Rows of the data that made up the batch.
    pub batch: Vec<u32>,
}

/// Of one part, with dropout off. Fields that do not apply are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    pub samples: usize,
    #[serde(deserialize_with = "nan_f64")]
    pub loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Of class 1 where there are two, else the mean over the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    /// Share of samples whose class is among the five likeliest, where there are more than five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top5: Option<f64>,
    /// e to the loss, where each step has a class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perplexity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mse: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// `confusion[truth][predicted]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u32>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayInfo {
    pub shape: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorInfo {
    /// `fc1.weight`, `grad:fc1.weight`, `exp_avg:fc1.weight`, `activation:fc1`, …
    pub name: String,
    pub shape: Vec<usize>,
    pub role: Role,
    /// Layer that it belongs to.
    pub layer: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Param,
    Grad,
    Activation,
    Moment,
    /// A running statistic.
    State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    pub start: usize,
    pub count: usize,
    pub shape: Vec<usize>,
    /// Samples of the part in all.
    pub total: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposed {
    /// Bytes of the worker's memory, which never shrinks.
    pub memory: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// One entry per block of steps.
    pub ms_per_step: Vec<f64>,
    pub first_step_ms: f64,
    pub compile_ms: f64,
}
