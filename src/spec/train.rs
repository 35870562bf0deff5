//! Loss, optimiser, schedule and the course of a run.
use super::Framework;
use lean_json::Deserialize;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainSpec {
    pub loss: Loss,
    pub optimizer: Optimizer,
    /// Samples per step; null takes the whole training part at once.
    #[serde(default)]
    pub batch_size: Option<usize>,
    pub epochs: usize,
    /// Shuffle the training samples anew in every epoch.
    #[serde(default = "yes")]
    pub shuffle: bool,
    #[serde(default)]
    pub schedule: Schedule,
    #[serde(default)]
    pub clip: Clip,
    /// How much a sample of each class counts in the training loss, in the order of the classes. Keras'
    /// `class_weight`: Σ w·loss over the number of samples. Under PyTorch what its losses do: for
    /// cross-entropy `weight`, Σ w·loss / Σ w; for two classes Σ w·loss over the number of samples, of which
    /// `BCEWithLogitsLoss(pos_weight)` is the case `[1, pos_weight]`. Evaluations weigh nothing.
    #[serde(default)]
    pub class_weight: Option<Vec<f32>>,
    /// λ₁·Σ|w| over the weights (not the biases) is added to the loss.
    #[serde(default)]
    pub l1: f32,
    /// λ₂·Σw² over the weights (not the biases) is added to the loss.
    #[serde(default)]
    pub l2: f32,
    /// Round every multiplication and addition by itself, so that all machines give the same bits.
    /// Otherwise a build with relaxed-simd may fuse them, which is faster.
    #[serde(default)]
    pub strict: bool,
    /// Ends the run when it no longer gets better.
    #[serde(default)]
    pub early_stopping: Option<EarlyStopping>,
    /// Keeps the run's state at the ends of epochs.
    #[serde(default)]
    pub checkpoints: Option<Checkpoints>,
}

/// What is watched at the end of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    #[default]
    ValLoss,
    ValAccuracy,
    /// Mean over the epoch's training samples, as they were when they were trained on.
    Loss,
}

impl Monitor {
    /// Keras' name of it.
    pub fn name(self) -> &'static str {
        match self {
            Monitor::ValLoss => "val_loss",
            Monitor::ValAccuracy => "val_accuracy",
            Monitor::Loss => "loss",
        }
    }
    pub fn larger_is_better(self) -> bool {
        self == Monitor::ValAccuracy
    }
    pub fn needs_validation(self) -> bool {
        self != Monitor::Loss
    }
}

/// Keras' `EarlyStopping`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    #[serde(default)]
    pub monitor: Monitor,
    /// Epochs without a gain after which it ends.
    pub patience: usize,
    /// A smaller gain is none.
    #[serde(default)]
    pub min_delta: f32,
    /// Go back to the weights of the best epoch at the end.
    #[serde(default)]
    pub restore_best: bool,
}

/// Keras' `ModelCheckpoint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoints {
    #[serde(default)]
    pub monitor: Monitor,
    /// Only epochs better than all before.
    #[serde(default = "yes")]
    pub best_only: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Loss {
    /// mean((ŷ − y)²)
    Mse,
    /// mean(|ŷ − y|)
    Mae,
    /// ½d² for |d| ≤ δ, else δ(|d| − ½δ).
    Huber { delta: f32 },
    /// −log p(class). From logits (PyTorch), or from probabilities that a softmax made (Keras).
    CrossEntropy { from_logits: bool },
    /// −y·log p − (1−y)·log(1−p).
    BinaryCrossEntropy { from_logits: bool },
    /// mean(max(0, 1 − y·ŷ)), y = ±1 (classes 0 and 1 become −1 and +1).
    Hinge,
    /// (ŷ − y)·z where the network ends in a step, ŷ = step(z): |z| where it is wrong, else 0. Gradient
    /// descent on it, a sample at a time, is the perceptron's rule w ← w − η(ŷ − y)x.
    Perceptron,
}

impl Loss {
    /// Whether targets are class indices rather than numbers.
    pub fn is_classification(&self) -> bool {
        !matches!(self, Loss::Mse | Loss::Mae | Loss::Huber { .. })
    }
}

/// Formulas follow the spec's framework (where epsilon stands, how momentum is scaled).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Optimizer {
    Sgd {
        learning_rate: f32,
        #[serde(default)]
        momentum: f32,
        #[serde(default)]
        nesterov: bool,
        #[serde(default)]
        weight_decay: f32,
    },
    Rmsprop {
        learning_rate: f32,
        rho: f32,
        epsilon: f32,
        #[serde(default)]
        momentum: f32,
        #[serde(default)]
        weight_decay: f32,
    },
    Adagrad {
        learning_rate: f32,
        epsilon: f32,
        #[serde(default)]
        initial_accumulator: f32,
        #[serde(default)]
        weight_decay: f32,
    },
    Adam {
        learning_rate: f32,
        beta1: f32,
        beta2: f32,
        epsilon: f32,
        #[serde(default)]
        weight_decay: f32,
    },
    /// Adam with decoupled weight decay.
    Adamw {
        learning_rate: f32,
        beta1: f32,
        beta2: f32,
        epsilon: f32,
        weight_decay: f32,
    },
    /// No descent: a step computes the best weights from the whole training part. Under binary
    /// cross-entropy that is Gaussian discriminant analysis: both classes normally distributed
    /// with one covariance.
    ClosedForm,
}

impl Optimizer {
    /// The framework's defaults, by the optimiser's `kind`; None for an unknown kind.
    pub fn default_of(kind: &str, framework: Framework) -> Option<Optimizer> {
        let keras = framework == Framework::Keras;
        let eps = if keras { 1e-7 } else { 1e-8 };
        Some(match kind {
            "sgd" => Optimizer::Sgd {
                learning_rate: 0.01,
                momentum: 0.0,
                nesterov: false,
                weight_decay: 0.0,
            },
            "rmsprop" => Optimizer::Rmsprop {
                learning_rate: if keras { 0.001 } else { 0.01 },
                rho: if keras { 0.9 } else { 0.99 },
                epsilon: eps,
                momentum: 0.0,
                weight_decay: 0.0,
            },
            "adagrad" => Optimizer::Adagrad {
                learning_rate: if keras { 0.001 } else { 0.01 },
                epsilon: if keras { 1e-7 } else { 1e-10 },
                initial_accumulator: if keras { 0.1 } else { 0.0 },
                weight_decay: 0.0,
            },
            "adam" => Optimizer::Adam {
                learning_rate: 0.001,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: eps,
                weight_decay: 0.0,
            },
            "adamw" => Optimizer::Adamw {
                learning_rate: 0.001,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: eps,
                weight_decay: if keras { 0.004 } else { 0.01 },
            },
            "closed_form" => Optimizer::ClosedForm,
            _ => return None,
        })
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Optimizer::Sgd { .. } => "sgd",
            Optimizer::Rmsprop { .. } => "rmsprop",
            Optimizer::Adagrad { .. } => "adagrad",
            Optimizer::Adam { .. } => "adam",
            Optimizer::Adamw { .. } => "adamw",
            Optimizer::ClosedForm => "closed_form",
        }
    }

    /// 0 where there is none.
    pub fn learning_rate(&self) -> f32 {
        match *self {
            Optimizer::Sgd { learning_rate, .. }
            | Optimizer::Rmsprop { learning_rate, .. }
            | Optimizer::Adagrad { learning_rate, .. }
            | Optimizer::Adam { learning_rate, .. }
            | Optimizer::Adamw { learning_rate, .. } => learning_rate,
            Optimizer::ClosedForm => 0.0,
        }
    }

    pub fn set_learning_rate(&mut self, rate: f32) {
        match self {
            Optimizer::Sgd { learning_rate, .. }
            | Optimizer::Rmsprop { learning_rate, .. }
            | Optimizer::Adagrad { learning_rate, .. }
            | Optimizer::Adam { learning_rate, .. }
            | Optimizer::Adamw { learning_rate, .. } => *learning_rate = rate,
            Optimizer::ClosedForm => {}
        }
    }
}

/// The learning rate over the run, as a factor on the optimiser's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    #[default]
    Constant,
    /// × gamma after every `every` epochs (PyTorch's StepLR).
    Step { every: usize, gamma: f32 },
    /// × gamma after every epoch (ExponentialLR).
    Exponential { gamma: f32 },
    /// Half a cosine from the rate to `final_factor` of it over the run's epochs (CosineAnnealingLR).
    Cosine { final_factor: f32 },
    /// Linear from 0 over the first `epochs` epochs, then constant.
    Warmup { epochs: f32 },
    /// × factor when `patience` epochs brought no gain in what is watched, down to `least` of the rate.
    /// Under Keras its ReduceLROnPlateau, a gain being more than 1e-4; under PyTorch its own, where
    /// a gain is more than 1e-4 of the best and `patience` epochs without one are borne.
    Plateau {
        #[serde(default)]
        monitor: Monitor,
        factor: f32,
        patience: usize,
        #[serde(default)]
        least: f32,
    },
    /// Up to the rate over `warmup` (share of the run), then down, both as cosines (OneCycleLR).
    OneCycle { warmup: f32 },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Clip {
    #[default]
    None,
    /// Each element of the gradient is kept within ±max.
    Value { max: f32 },
    /// The norm over all parameters is kept at or below max.
    GlobalNorm { max: f32 },
}
