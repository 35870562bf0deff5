//! New layers, with what is sensible where they are put.
use super::free_id;
use crate::spec::{
    Activation, Conv, Framework, LayerKind, LayerSpec, Padding, Pool, Recurrence, Size, Spec,
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
                // As many as the texts' words have numbers.
                vocab: spec.data.text.map_or(1000, |t| t.words),
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
