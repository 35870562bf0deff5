//! Edits of the list of layers. Whatever they leave behind, the engine's check says what is
//! wrong with it.
use crate::spec::{
    Activation, Conv, DataShape, Framework, LayerKind, LayerSpec, Loss, Optimizer, Padding, Pool,
    Recurrence, Size, Spec, TrainSpec,
};

/// Kinds of layers that can be added, in the order of the menu.
pub const KINDS: &[&str] = &[
    "linear",
    "conv1d",
    "conv2d",
    "conv-transpose2d",
    "max-pool1d",
    "max-pool2d",
    "avg-pool1d",
    "avg-pool2d",
    "global-avg-pool",
    "global-max-pool",
    "upsample",
    "batch-norm",
    "layer-norm",
    "rms-norm",
    "activation",
    "dropout",
    "flatten",
    "reshape",
    "add",
    "concatenate",
    "embedding",
    "positional-embedding",
    "rnn",
    "lstm",
    "gru",
    "multi-head-attention",
    "sampling",
];

/// A new layer of a kind for a place in the list, with an id that no other layer has. One that
/// joins reads the two layers before it.
pub fn new_layer(spec: &Spec, at: usize, kind: &str) -> Option<LayerSpec> {
    let keras = spec.framework == Framework::Keras;
    let recurrence = Recurrence {
        units: 32,
        bidirectional: false,
        return_sequences: false,
    };
    let (base, kind) = match kind {
        "linear" => (
            if keras { "dense" } else { "fc" },
            LayerKind::Linear {
                units: 32,
                bias: true,
                activation: keras.then_some(Activation::Relu),
                weight_init: None,
                bias_init: None,
            },
        ),
        "activation" => (
            "relu",
            LayerKind::Activation {
                function: Activation::Relu,
                alpha: None,
            },
        ),
        "dropout" => ("dropout", LayerKind::Dropout { rate: 0.5 }),
        "flatten" => ("flatten", LayerKind::Flatten),
        "reshape" => ("reshape", LayerKind::Reshape { shape: vec![-1] }),
        "add" => ("add", LayerKind::Add),
        "concatenate" => ("concat", LayerKind::Concatenate { axis: -1 }),
        "embedding" => (
            "embedding",
            LayerKind::Embedding {
                vocab: 1000,
                dim: 32,
            },
        ),
        "positional-embedding" => ("position", LayerKind::PositionalEmbedding),
        "rnn" => (
            "rnn",
            LayerKind::Rnn {
                layer: recurrence,
                activation: Activation::Tanh,
            },
        ),
        "lstm" => ("lstm", LayerKind::Lstm(recurrence)),
        "gru" => ("gru", LayerKind::Gru(recurrence)),
        "sampling" => ("code", LayerKind::Sampling { kl: 1.0 }),
        "multi-head-attention" => (
            "attention",
            LayerKind::MultiHeadAttention {
                heads: 4,
                causal: false,
            },
        ),
        _ => {
            let mut kind = spatial(kind)?;
            if let LayerKind::Conv1d(c) | LayerKind::Conv2d(c) = &mut kind {
                // As the tutorials of either framework do.
                c.activation = keras.then_some(Activation::Relu);
                if !keras {
                    c.padding = Padding::By(Size::One(1));
                }
            }
            (kind_base(&kind), kind)
        }
    };
    let mut layer = LayerSpec::new(&free_id(spec, base), kind);
    if matches!(
        layer.kind,
        LayerKind::Add | LayerKind::Concatenate { .. } | LayerKind::Sampling { .. }
    ) {
        let earlier = spec.layers[..at.min(spec.layers.len())].iter();
        let mut ids: Vec<String> = std::iter::once("input".to_string())
            .chain(earlier.map(|l| l.id.clone()))
            .collect();
        layer.inputs = ids.split_off(ids.len().saturating_sub(2));
    }
    Some(layer)
}

/// A new layer on images or sequences.
fn spatial(kind: &str) -> Option<LayerKind> {
    Some(match kind {
        "conv1d" => LayerKind::Conv1d(Conv::new(16, 3)),
        "conv2d" => LayerKind::Conv2d(Conv::new(16, 3)),
        "conv-transpose2d" => LayerKind::ConvTranspose2d {
            conv: Conv {
                stride: Size::One(2),
                ..Conv::new(16, 2)
            },
            output_padding: Size::One(0),
        },
        "max-pool1d" => LayerKind::MaxPool1d(Pool::default()),
        "max-pool2d" => LayerKind::MaxPool2d(Pool::default()),
        "avg-pool1d" => LayerKind::AvgPool1d(Pool::default()),
        "avg-pool2d" => LayerKind::AvgPool2d(Pool::default()),
        "global-avg-pool" => LayerKind::GlobalAvgPool,
        "global-max-pool" => LayerKind::GlobalMaxPool,
        "upsample" => LayerKind::Upsample {
            factor: Size::One(2),
        },
        "batch-norm" => LayerKind::BatchNorm {
            momentum: None,
            epsilon: None,
            affine: true,
        },
        "layer-norm" => LayerKind::LayerNorm {
            axes: 1,
            epsilon: None,
            bias: true,
        },
        "rms-norm" => LayerKind::RmsNorm {
            axes: 1,
            epsilon: None,
        },
        _ => return None,
    })
}

fn kind_base(kind: &LayerKind) -> &'static str {
    match kind {
        LayerKind::Conv1d(_) | LayerKind::Conv2d(_) => "conv",
        LayerKind::ConvTranspose2d { .. } => "deconv",
        LayerKind::Upsample { .. } => "up",
        LayerKind::BatchNorm { .. } => "bn",
        LayerKind::LayerNorm { .. } => "ln",
        LayerKind::RmsNorm { .. } => "rms",
        _ => "pool",
    }
}

/// `base1`, `base2`, …: the first that no layer has.
fn free_id(spec: &Spec, base: &str) -> String {
    (1..)
        .map(|n| format!("{base}{n}"))
        .find(|id| spec.layers.iter().all(|l| l.id != *id))
        .expect("some number is free")
}

/// Takes a layer out; layers that read it read what it read.
pub fn remove(spec: &mut Spec, id: &str) {
    let Some(at) = spec.layers.iter().position(|l| l.id == id) else {
        return;
    };
    let gone = spec.layers.remove(at);
    let source = match gone.inputs.first() {
        Some(first) => first.clone(),
        None if at == 0 => "input".to_string(),
        None => spec.layers[at - 1].id.clone(),
    };
    for layer in &mut spec.layers[at..] {
        for input in &mut layer.inputs {
            if *input == gone.id {
                input.clone_from(&source);
            }
        }
    }
}

/// Moves the layer at `from` so that it stands before what is at `to` now.
pub fn shift(spec: &mut Spec, from: usize, to: usize) {
    if from >= spec.layers.len() || to > spec.layers.len() {
        return;
    }
    let layer = spec.layers.remove(from);
    let to = if to > from { to - 1 } else { to };
    spec.layers.insert(to, layer);
}

/// Gives a layer another id, also where others read it.
pub fn rename(spec: &mut Spec, id: &str, new: &str) {
    for layer in &mut spec.layers {
        if layer.id == id {
            layer.id = new.to_string();
        }
        for input in &mut layer.inputs {
            if input == id {
                *input = new.to_string();
            }
        }
    }
}

/// Makes the end of the network and the loss fit the data: as many outputs as it takes, and a
/// loss for the task. Leaves alone what fits. Says whether it changed anything.
pub fn fit_head(spec: &mut Spec, data: &DataShape) -> bool {
    let before = spec.clone();
    let keras = spec.framework == Framework::Keras;
    let binary = matches!(
        spec.train.loss,
        Loss::BinaryCrossEntropy { .. } | Loss::Hinge | Loss::Perceptron
    );
    let (outputs, loss) = match data.classes {
        None => {
            let keep = !spec.train.loss.is_classification();
            let loss = if keep { spec.train.loss } else { Loss::Mse };
            (data.targets.max(1), loss)
        }
        Some(2) if binary => (1, spec.train.loss),
        Some(k) => {
            let loss = match spec.train.loss {
                loss @ Loss::CrossEntropy { .. } => loss,
                _ => Loss::CrossEntropy {
                    from_logits: !keras,
                },
            };
            (k, loss)
        }
    };
    spec.train.loss = loss;
    let last = spec
        .layers
        .iter()
        .rposition(|l| matches!(l.kind, LayerKind::Linear { .. }));
    let Some(last) = last else {
        return *spec != before;
    };
    let end = match loss {
        Loss::CrossEntropy { from_logits: false } => Some(Activation::Softmax),
        Loss::BinaryCrossEntropy { from_logits: false } => Some(Activation::Sigmoid),
        Loss::Perceptron => Some(Activation::Step),
        _ => None,
    };
    // A squashing function behind the last units is part of the head.
    let squashes = |a: &Activation| {
        matches!(
            a,
            Activation::Softmax | Activation::Sigmoid | Activation::Step
        )
    };
    let tail = spec.layers.split_off(last + 1);
    let mut squashed = false;
    for layer in tail {
        match &layer.kind {
            LayerKind::Activation { function, .. } if squashes(function) => {
                if end != Some(*function) {
                    continue;
                }
                squashed = true;
            }
            _ => {}
        }
        spec.layers.push(layer);
    }
    if let LayerKind::Linear {
        units, activation, ..
    } = &mut spec.layers[last].kind
    {
        *units = outputs;
        if activation.as_ref().is_none_or(squashes) {
            *activation = if squashed { None } else { end };
        }
    }
    *spec != before
}

/// Another optimiser with the framework's defaults, at a rate of its own.
pub fn set_optimizer(train: &mut TrainSpec, kind: &str, framework: Framework) {
    if kind != train.optimizer.kind()
        && let Some(o) = Optimizer::default_of(kind, framework)
    {
        train.optimizer = o;
        if o == Optimizer::ClosedForm {
            train.batch_size = None;
        }
    }
}
