//! Layers, their activations and initialisers.
use super::{Conv, Framework, Pool, Size};
use serde::{Deserialize, Serialize};

/// One layer: `{"id": "fc1", "inputs": [], "kind": "linear", "units": 32, …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSpec {
    /// Unique within the network; also the prefix of its parameters (`fc1.weight`).
    pub id: String,
    /// Ids of the layers it reads (`input` is the data); empty means the layer before it.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Layers of one group stand together; they are shown as one card. A path: `encoder/residual1` is the group
    /// `residual1` within `encoder`. It changes nothing of what is computed.
    #[serde(default)]
    pub group: Option<String>,
    #[serde(flatten)]
    pub kind: LayerKind,
}

impl LayerSpec {
    pub fn new(id: &str, kind: LayerKind) -> Self {
        LayerSpec {
            id: id.to_string(),
            inputs: Vec::new(),
            group: None,
            kind,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LayerKind {
    /// `x[…,in] · weight[out,in]ᵀ + bias[out]`, then the activation. Keras' Dense.
    Linear {
        units: usize,
        #[serde(default = "yes")]
        bias: bool,
        #[serde(default)]
        activation: Option<Activation>,
        /// The framework's default when null.
        #[serde(default)]
        weight_init: Option<Init>,
        #[serde(default)]
        bias_init: Option<Init>,
    },
    Activation {
        function: Activation,
        /// Negative slope of leaky ReLU, alpha of ELU, beta of softplus; the framework's
        /// default when null.
        #[serde(default)]
        alpha: Option<f32>,
    },
    /// Zeroes each element with probability `rate` while training and scales the rest by 1/(1−rate).
    Dropout {
        rate: f32,
    },
    /// [N, …] → [N, product of …].
    Flatten,
    /// Shape of one sample; at most one −1 is worked out.
    Reshape {
        shape: Vec<i64>,
    },
    /// Elementwise sum of all inputs, which have the same shape.
    Add,
    /// Joins its inputs along an axis of the batch (axis 0 is the sample, so 1 is the first; −1 the last).
    Concatenate {
        #[serde(default = "last_axis")]
        axis: i64,
    },
    /// Sequences: `[C,L] → [filters,L′]` (PyTorch) or `[L,C] → [L′,filters]` (Keras). Weight
    /// `[filters, C/groups, kernel]`.
    Conv1d(Conv),
    /// Images `[C,H,W] → [filters,H′,W′]`; `[H,W]` counts as one channel. Weight
    /// `[filters, C/groups, rows, columns]`.
    Conv2d(Conv),
    /// Images `[C,H,W] → [filters,H′,W′]`, the gradient of a convolution. Weight
    /// `[C, filters/groups, rows, columns]`.
    ConvTranspose2d {
        #[serde(flatten)]
        conv: Conv,
        /// Rows and columns added at the end, which a stride leaves open.
        #[serde(default = "zero")]
        output_padding: Size,
    },
    MaxPool1d(Pool),
    MaxPool2d(Pool),
    AvgPool1d(Pool),
    AvgPool2d(Pool),
    /// The mean of every channel: one number each.
    GlobalAvgPool,
    /// The largest value of every channel.
    GlobalMaxPool,
    /// Every pixel becomes a block of equal pixels.
    Upsample {
        factor: Size,
    },
    /// By channel: (x − mean)·weight/√(var + ε) + bias, with the batch's statistics while
    /// training and running ones otherwise.
    BatchNorm {
        /// PyTorch's counts for the new statistics (0.1), Keras' for the old (0.99); the
        /// framework's default when null.
        #[serde(default)]
        momentum: Option<f32>,
        #[serde(default)]
        epsilon: Option<f32>,
        /// With weight and bias.
        #[serde(default = "yes")]
        affine: bool,
    },
    /// By sample, over its last axes: (x − mean)·weight/√(var + ε) + bias.
    LayerNorm {
        /// How many axes.
        #[serde(default = "one")]
        axes: usize,
        #[serde(default)]
        epsilon: Option<f32>,
        #[serde(default = "yes")]
        bias: bool,
    },
    /// By sample, over its last axes: x·weight/√(mean x² + ε).
    RmsNorm {
        #[serde(default = "one")]
        axes: usize,
        #[serde(default)]
        epsilon: Option<f32>,
    },
    /// `id[T] → [T, dim]`: row id of weight`[vocab, dim]` for each number of the data.
    Embedding {
        vocab: usize,
        dim: usize,
    },
    /// `[T, D] → [T, D]`: adds weight`[T, D]`, one learned row for each step.
    PositionalEmbedding,
    /// `[T, I] → [units]` or `[T, units]`. Keras' SimpleRNN.
    Rnn {
        #[serde(flatten)]
        layer: Recurrence,
        /// tanh or ReLU.
        #[serde(default = "tanh")]
        activation: Activation,
    },
    Lstm(Recurrence),
    /// Under Keras with `reset_after=True`, its default.
    Gru(Recurrence),
    /// Self-attention `[T, D] → [T, D]`; each head takes D/heads numbers of a step.
    MultiHeadAttention {
        heads: usize,
        /// Each step sees only itself and earlier ones.
        #[serde(default)]
        causal: bool,
    },
    /// A variational autoencoder's code: reads mean and log-variance, gives mean + ε·exp(½·logvar)
    /// with ε from N(0,1) while training, else the mean.
    Sampling {
        /// This times the divergence from N(0, 1), summed over a sample's code, is added to the
        /// sample's loss. Where the loss is a mean over n numbers, 1/n weighs both as a sum would.
        #[serde(default = "whole")]
        kl: f32,
    },
}

impl LayerKind {
    /// The function that the layer ends in, if any.
    pub fn activation(&self) -> Option<Activation> {
        match self {
            LayerKind::Linear { activation, .. } => *activation,
            LayerKind::Activation { function, .. } => Some(*function),
            LayerKind::Conv1d(conv)
            | LayerKind::Conv2d(conv)
            | LayerKind::ConvTranspose2d { conv, .. } => conv.activation,
            _ => None,
        }
    }
}

/// The normalisations, for their frameworks' default ε.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    Batch,
    Layer,
    Rms,
}

impl Norm {
    pub fn default_epsilon(self, framework: Framework) -> f32 {
        match (self, framework) {
            (Norm::Rms, Framework::Pytorch) => f32::EPSILON,
            (Norm::Rms, Framework::Keras) => 1e-6,
            (_, Framework::Pytorch) => 1e-5,
            (_, Framework::Keras) => 1e-3,
        }
    }
}

/// Batch norm's momentum under the framework's own meaning of it.
pub fn default_momentum(framework: Framework) -> f32 {
    match framework {
        Framework::Pytorch => 0.1,
        Framework::Keras => 0.99,
    }
}

fn zero() -> Size {
    Size::One(0)
}
fn one() -> usize {
    1
}

/// What all recurrent layers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    pub units: usize,
    /// A second layer runs from the last step to the first; their outputs stand side by side.
    #[serde(default)]
    pub bidirectional: bool,
    /// The state after every step rather than after the last.
    #[serde(default)]
    pub return_sequences: bool,
}

impl Recurrence {
    /// What a simple RNN may have for its activation.
    pub const ACTIVATIONS: [Activation; 2] = [Activation::Tanh, Activation::Relu];
}

fn whole() -> f32 {
    1.0
}
fn tanh() -> Activation {
    Activation::Tanh
}

fn yes() -> bool {
    true
}
fn last_axis() -> i64 {
    -1
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// 1 where x > 0, else 0; its gradient is 0 everywhere.
    Step,
    Sigmoid,
    Tanh,
    Relu,
    LeakyRelu,
    Elu,
    /// x·Φ(x), with the error function.
    Gelu,
    /// GELU's tanh approximation.
    GeluTanh,
    Silu,
    Softplus,
    /// Over the last axis.
    Softmax,
}

impl Activation {
    pub const ALL: [Activation; 11] = [
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Softplus,
        Activation::Softmax,
        Activation::Step,
    ];

    /// The framework's own default of the activation's parameter (0 where it has none).
    pub fn default_alpha(self, framework: Framework) -> f32 {
        match (self, framework) {
            (Activation::LeakyRelu, Framework::Pytorch) => 0.01,
            (Activation::LeakyRelu, Framework::Keras) => 0.3,
            (Activation::Elu | Activation::Softplus, _) => 1.0,
            _ => 0.0,
        }
    }
}

/// Initialisers under the frameworks' names. `fan_in` and `fan_out` are those of the weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Init {
    Zeros,
    Ones,
    Constant {
        value: f32,
    },
    /// U(low, high).
    Uniform {
        low: f32,
        high: f32,
    },
    /// N(mean, std²).
    Normal {
        mean: f32,
        std: f32,
    },
    /// N(mean, std²) drawn again beyond two standard deviations (Keras).
    TruncatedNormal {
        mean: f32,
        std: f32,
    },
    /// U(±1/√fan_in): what PyTorch's Linear and Conv do by default (Kaiming uniform, a = √5).
    TorchDefault,
    /// U(±√(6/(fan_in+fan_out))); Keras' default.
    GlorotUniform,
    /// Keras: truncated normal of variance 2/(fan_in+fan_out). PyTorch (xavier_normal_): normal.
    GlorotNormal,
    /// U(±√(6/fan_in)).
    HeUniform,
    /// Keras: truncated normal of variance 2/fan_in. PyTorch (kaiming_normal_): normal.
    HeNormal,
    /// U(±√(3/fan_in)).
    LecunUniform,
    /// Variance 1/fan_in; truncated under Keras.
    LecunNormal,
    /// Orthonormal rows or columns, times gain.
    Orthogonal {
        gain: f32,
    },
    /// 1 for an LSTM's forget gate, the second quarter, else 0 (Keras).
    UnitForgetBias,
}
