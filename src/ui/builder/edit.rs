//! Edits of the list of layers. Whatever they leave behind, the engine's check says what is
//! wrong with it.
use crate::spec::{
    Activation, DataShape, Framework, LayerKind, LayerSpec, Loss, Optimizer, Recurrence, Spec,
    TrainSpec,
};

/// Kinds of layers that can be added, in the order of the menu.
pub const KINDS: &[&str] = &[
    "linear",
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

/// A new layer of a kind, with an id that no other layer has.
pub fn new_layer(spec: &Spec, kind: &str) -> Option<LayerSpec> {
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
        _ => return None,
    };
    Some(LayerSpec::new(&free_id(spec, base), kind))
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
    let binary = matches!(spec.train.loss, Loss::BinaryCrossEntropy { .. });
    let (outputs, loss) = match data.classes {
        None => {
            let keep = !spec.train.loss.is_classification();
            let loss = if keep { spec.train.loss } else { Loss::Mse };
            (data.targets.max(1), loss)
        }
        Some(2) if binary || spec.train.loss == Loss::Hinge => (1, spec.train.loss),
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
        _ => None,
    };
    // A squashing function behind the last units is part of the head.
    let squashes = |a: &Activation| matches!(a, Activation::Softmax | Activation::Sigmoid);
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
    }
}
