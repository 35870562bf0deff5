//! Ready groups of layers: what the menu offers beside single layers.
use super::{free_group, free_id, new_layer, path};
use crate::spec::{
    Activation, Conv, Framework, LayerKind, LayerSpec, Padding, PaddingName, Recurrence, Size, Spec,
};

/// Blocks that can be added, in the order of the menu.
pub const BLOCKS: &[&str] = &["residual-block", "transformer-block", "branches"];

/// The layers of a block for a place in the list, each with an id that no other layer has.
/// `shape` is that of a sample there (`[C, H, W]` for images, whatever the framework), where it is
/// known: a block that adds gives the shape that it gets.
pub fn block(spec: &Spec, at: usize, kind: &str, shape: Option<&[usize]>) -> Vec<LayerSpec> {
    let mut b = Block::new(spec, at, kind);
    let source = b.source.clone();
    match (kind, shape) {
        ("residual-block", Some([c, _, _])) => {
            let conv = || LayerKind::Conv2d(same(*c));
            b.push("conv", conv());
            b.push("bn", batch_norm());
            b.push("relu", relu());
            b.push("conv", conv());
            let last = b.push("bn", batch_norm());
            b.join("add", LayerKind::Add, &[&source, &last]);
            b.push("relu", relu());
        }
        ("residual-block", shape) => {
            let width = width(shape);
            let base = b.dense();
            b.push(base, linear(width));
            b.push("relu", relu());
            let last = b.push(base, linear(width));
            b.join("add", LayerKind::Add, &[&source, &last]);
            b.push("relu", relu());
        }
        ("transformer-block", shape) => {
            let width = width(shape);
            let heads = (1..=4)
                .rev()
                .find(|h| width.is_multiple_of(*h))
                .unwrap_or(1);
            // Its two halves, each a group within it.
            b.part("self-attention");
            b.push("ln", layer_norm());
            let attention = b.push(
                "attention",
                LayerKind::MultiHeadAttention {
                    heads,
                    causal: false,
                },
            );
            let first = b.join("add", LayerKind::Add, &[&source, &attention]);
            b.part("feed-forward");
            b.push("ln", layer_norm());
            let base = b.dense();
            b.push(base, linear(width.saturating_mul(4)));
            b.push("gelu", activation(Activation::Gelu));
            let last = b.push(base, linear(width));
            b.join("add", LayerKind::Add, &[&first, &last]);
        }
        // Two ways that see the same and are joined: PyTorch has the channels of an image first.
        ("branches", Some([_, _, _])) => {
            let narrow = LayerKind::Conv2d(Conv {
                kernel: Size::One(1),
                padding: Padding::By(Size::One(0)),
                ..same(16)
            });
            let one = b.join("conv", narrow, &[&source]);
            let two = b.join("conv", LayerKind::Conv2d(same(16)), &[&source]);
            let axis = match spec.framework {
                Framework::Pytorch => 1,
                Framework::Keras => -1,
            };
            b.join("concat", LayerKind::Concatenate { axis }, &[&one, &two]);
        }
        ("branches", Some([_, _])) => {
            let layer = Recurrence {
                units: 16,
                bidirectional: false,
                return_sequences: true,
            };
            let one = b.join("lstm", LayerKind::Lstm(layer), &[&source]);
            let two = b.join("gru", LayerKind::Gru(layer), &[&source]);
            b.join("concat", LayerKind::Concatenate { axis: -1 }, &[&one, &two]);
        }
        ("branches", _) => {
            let base = b.dense();
            let one = b.join(base, linear(16), &[&source]);
            let two = b.join(base, linear(16), &[&source]);
            b.join("concat", LayerKind::Concatenate { axis: -1 }, &[&one, &two]);
        }
        (kind, _) => return new_layer(spec, at, kind).into_iter().collect(),
    }
    b.layers
}

/// Numbers per sample, or per step of it.
fn width(shape: Option<&[usize]>) -> usize {
    shape.and_then(|s| s.last()).copied().unwrap_or(32)
}

fn linear(units: usize) -> LayerKind {
    LayerKind::Linear {
        units,
        bias: true,
        activation: None,
        weight_init: None,
        bias_init: None,
    }
}

/// A convolution that keeps an image's size.
fn same(filters: usize) -> Conv {
    Conv {
        padding: Padding::Named(PaddingName::Same),
        ..Conv::new(filters, 3)
    }
}

fn activation(function: Activation) -> LayerKind {
    LayerKind::Activation {
        function,
        alpha: None,
    }
}

fn relu() -> LayerKind {
    activation(Activation::Relu)
}

fn batch_norm() -> LayerKind {
    LayerKind::BatchNorm {
        momentum: None,
        epsilon: None,
        affine: true,
    }
}

fn layer_norm() -> LayerKind {
    LayerKind::LayerNorm {
        axes: 1,
        epsilon: None,
        bias: true,
    }
}

struct Block {
    /// The network with the block's layers at its end, for ids that are free.
    taken: Spec,
    name: String,
    /// The group within it that layers are put into.
    part: Option<String>,
    source: String,
    layers: Vec<LayerSpec>,
}

impl Block {
    fn new(spec: &Spec, at: usize, kind: &str) -> Block {
        let source = match at.min(spec.layers.len()) {
            0 => "input".to_string(),
            n => spec.layers[n - 1].id.clone(),
        };
        let base = kind.strip_suffix("-block").unwrap_or(kind);
        Block {
            taken: spec.clone(),
            name: free_group(spec, base),
            part: None,
            source,
            layers: Vec::new(),
        }
    }

    /// What follows is a group of its own within the block.
    fn part(&mut self, base: &str) {
        self.part = Some(free_group(&self.taken, base));
    }

    fn dense(&self) -> &'static str {
        match self.taken.framework {
            Framework::Pytorch => "fc",
            Framework::Keras => "dense",
        }
    }

    /// A layer that reads the one before it.
    fn push(&mut self, base: &str, kind: LayerKind) -> String {
        self.join(base, kind, &[])
    }

    /// A layer that reads these.
    fn join(&mut self, base: &str, kind: LayerKind, inputs: &[&str]) -> String {
        let mut layer = LayerSpec::new(&free_id(&self.taken, base), kind);
        layer.inputs = inputs.iter().map(|i| i.to_string()).collect();
        layer.group = path::join(Some(&self.name), self.part.as_deref());
        self.taken.layers.push(layer.clone());
        let id = layer.id.clone();
        self.layers.push(layer);
        id
    }
}
