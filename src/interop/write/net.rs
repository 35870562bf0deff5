//! What both writers ask of a network: shapes by layer, and which variable holds which output.
use super::lines::ident;
use crate::spec::{Activation, DataShape, LayerKind, LayerSpec, Loss, Spec, TargetOf};
use crate::train::protocol::CheckReport;

pub(super) struct Net<'a> {
    pub spec: &'a Spec,
    /// Shape of one sample.
    pub input: Vec<usize>,
    /// Each layer's output shape, as PyTorch sees it.
    pub shapes: Vec<Vec<usize>>,
    /// The samples, where they are known before the data is.
    pub data: DataShape,
    /// Each layer's Python name.
    pub names: Vec<String>,
}

/// Where a layer's input comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Input,
    Layer(usize),
}

impl<'a> Net<'a> {
    pub fn new(spec: &'a Spec, report: &CheckReport) -> Net<'a> {
        let mut names: Vec<String> = Vec::new();
        for layer in &spec.layers {
            let mut name = ident(&layer.id);
            while names.contains(&name) {
                name.push('_');
            }
            names.push(name);
        }
        Net {
            spec,
            input: report.input.clone(),
            shapes: report.layers.iter().map(|l| l.shape.clone()).collect(),
            data: spec.data.shape().unwrap_or(DataShape {
                sample: report.input.clone(),
                classes: None,
                targets: 1,
            }),
            names,
        }
    }

    pub fn inputs(&self, i: usize) -> Vec<From> {
        let layer = &self.spec.layers[i];
        if layer.inputs.is_empty() {
            return vec![if i == 0 {
                From::Input
            } else {
                From::Layer(i - 1)
            }];
        }
        let find = |id: &String| {
            let at = self.spec.layers[..i].iter().position(|l| l.id == *id);
            at.map_or(From::Input, From::Layer)
        };
        layer.inputs.iter().map(find).collect()
    }

    pub fn shape(&self, from: From) -> &[usize] {
        match from {
            From::Input => &self.input,
            From::Layer(i) => &self.shapes[i],
        }
    }

    /// Whether a value is read by anything but the layer right after it.
    pub fn kept(&self, from: From) -> bool {
        if self
            .sampling()
            .is_some_and(|(_, mean, logvar)| [mean, logvar].contains(&from))
        {
            return true;
        }
        let next = match from {
            From::Input => 0,
            From::Layer(i) => i + 1,
        };
        (next + 1..self.spec.layers.len()).any(|i| self.inputs(i).contains(&from))
            || matches!(from, From::Layer(_))
                && next < self.spec.layers.len()
                && !self.inputs(next).contains(&from)
    }

    /// Whether the network is a chain, each layer reading the one before it.
    pub fn is_chain(&self) -> bool {
        (0..self.spec.layers.len()).all(|i| match self.inputs(i)[..] {
            [From::Input] => i == 0,
            [From::Layer(k)] => k + 1 == i,
            _ => false,
        })
    }

    /// Variable of what runs through the network.
    pub fn running(&self) -> &'static str {
        if self.kept(From::Input) { "h" } else { "x" }
    }

    /// Variable that holds a value.
    pub fn variable(&self, from: From) -> &str {
        match from {
            From::Input => "x",
            From::Layer(i) if self.kept(from) || unnamed(&self.spec.layers[i].kind) => {
                &self.names[i]
            }
            From::Layer(_) => self.running(),
        }
    }

    /// The layer that draws a variational code, with its two inputs.
    pub fn sampling(&self) -> Option<(f32, From, From)> {
        self.spec
            .layers
            .iter()
            .enumerate()
            .find_map(|(i, l)| match l.kind {
                LayerKind::Sampling { kl } => {
                    let x = self.inputs(i);
                    Some((kl, x[0], x[1]))
                }
                _ => None,
            })
    }

    pub fn last(&self) -> &LayerSpec {
        self.spec.layers.last().expect("a checked spec has layers")
    }

    pub fn output(&self) -> &[usize] {
        self.shapes.last().expect("a checked spec has layers")
    }

    /// Whether targets are the inputs.
    pub fn itself(&self) -> bool {
        self.spec.data.target == TargetOf::Input
    }

    /// A class for each step.
    pub fn each_step(&self) -> bool {
        self.data.classes.is_some() && self.data.targets > 1
    }

    /// Cross-entropy over class indices.
    pub fn indices(&self) -> bool {
        matches!(self.spec.train.loss, Loss::CrossEntropy { .. })
    }

    /// Whether the last layer is the step that the perceptron's loss has inside.
    pub fn step_in_loss(&self) -> bool {
        let step = matches!(
            self.last().kind,
            LayerKind::Activation {
                function: Activation::Step,
                ..
            }
        );
        step && self.spec.train.loss == Loss::Perceptron
    }

    /// Whether the last layer's softmax goes into PyTorch's cross-entropy, which has one inside.
    pub fn softmax_in_loss(&self) -> bool {
        let ends = match &self.last().kind {
            LayerKind::Linear { activation, .. } => *activation == Some(Activation::Softmax),
            LayerKind::Activation { function, .. } => *function == Activation::Softmax,
            _ => false,
        };
        ends && self.spec.train.loss == Loss::CrossEntropy { from_logits: false }
    }
}

/// Layers that no attribute of a PyTorch module stands for: the variable carries their id.
pub(super) fn unnamed(kind: &LayerKind) -> bool {
    matches!(
        kind,
        LayerKind::Add
            | LayerKind::Concatenate { .. }
            | LayerKind::Reshape { .. }
            | LayerKind::GlobalAvgPool
            | LayerKind::GlobalMaxPool
            | LayerKind::Sampling { .. }
            | LayerKind::Activation {
                function: Activation::Step,
                ..
            }
    )
}
