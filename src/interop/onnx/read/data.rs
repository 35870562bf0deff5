//! What a network that was read is trained on: an ONNX file says nothing of it. The data and the training
//! at hand are kept where they fit; else those of a network of the list whose data does; else the data is
//! left to be dropped.
use super::build::{Network, shown};
use super::{Note, Res, trouble};
use crate::graph;
use crate::spec::*;

/// A spec around the network's layers.
pub fn around(network: &Network, keep: Option<&Spec>) -> Res<(Spec, Vec<Note>)> {
    let presets = presets::PRESETS.iter().map(|p| p.spec());
    let mut first = None;
    for (k, given) in keep.cloned().into_iter().chain(presets).enumerate() {
        let Some(mut spec) = fitted(network, &given) else {
            continue;
        };
        let report = graph::check(&spec, None);
        if report.ok {
            if k > 0 || keep.is_none() {
                spec.name = "onnx".into();
            }
            let kept = k == 0 && keep.is_some();
            let notes = match kept {
                true => Vec::new(),
                false => vec![trouble("onnx-data", &[("shape", shown(&network.input))])],
            };
            return Ok((spec, notes));
        }
        first.get_or_insert(report.errors);
    }
    let mut spec = presets::PRESETS[0].spec();
    spec.name = "onnx".into();
    spec.data.source = DataSource::Files {
        name: "data".into(),
        format: match network.input.len() {
            1 => FileFormat::Csv,
            _ => FileFormat::Images,
        },
        shape: network.input.clone(),
        classes: None,
        target: None,
    };
    spec.data.flatten = false;
    spec.data.scale = Scale::None;
    let outputs: usize = network.output.iter().product();
    let classes = if outputs == 1 { None } else { Some(outputs) };
    if let DataSource::Files { classes: c, .. } = &mut spec.data.source {
        *c = classes;
    }
    spec.train.loss = match classes {
        Some(_) => Loss::CrossEntropy { from_logits: true },
        None => Loss::Mse,
    };
    let spec = with_layers(spec, network);
    let report = graph::check(&spec, None);
    if !report.ok {
        // What the engine says of the network with data of its own shape is what is wrong with it.
        let all: Vec<String> = report.errors.iter().map(|p| p.to_string()).collect();
        return Err(trouble("onnx-network", &[("detail", all.join(" "))]));
    }
    let notes = vec![trouble("onnx-no-data", &[("shape", shown(&network.input))])];
    Ok((spec, notes))
}

/// A spec's data and training with the network's layers, if the shapes allow it.
fn fitted(network: &Network, given: &Spec) -> Option<Spec> {
    let mut spec = given.clone();
    // Whole numbers are words of a text, or what a table of the network at hand is asked for.
    let known = vocabulary(&spec.layers);
    match (&mut spec.data.text, network.tokens) {
        (Some(text), true) => {
            text.length = *network.input.first()?;
            text.words = vocabulary(&network.layers)?;
        }
        (None, true) if known.is_some() && known <= vocabulary(&network.layers) => {}
        (None, false) => {}
        _ => return None,
    }
    spec.data.flatten = false;
    let sample = spec.data.shape()?.sample;
    let bare = |s: &[usize]| -> Vec<usize> { s.iter().copied().filter(|d| *d != 1).collect() };
    spec.data.flatten = match (&network.input[..], &sample[..]) {
        (a, b) if a == b => false,
        // A picture of one channel.
        ([1, rest @ ..] | [rest @ .., 1], b) if rest == b => false,
        ([n], b) if *n == b.iter().product::<usize>() && b.len() > 1 => true,
        (a, b) if bare(a) == bare(b) && [a.len(), b.len()] == [3, 3] => false,
        _ => return None,
    };
    if let Some(by) = network.divide {
        spec.data.scale = Scale::Divide { by };
    }
    // What the file gives is in the target's own units.
    spec.data.scale_target = false;
    if network.scaled && network.divide.is_none() {
        spec.data.scale = Scale::None;
    }
    if spec.data.target == TargetOf::Input && network.output != network.input {
        return None;
    }
    let shape = spec.data.shape()?;
    let outputs: usize = network.output.iter().product();
    if shape.classes != given.data.shape()?.classes {
        return None;
    }
    let binary = shape.classes == Some(2) && outputs == 1;
    // Probabilities at the end are kept where the network at hand has them there.
    let ends = |f| network.ends_in(f) && given.framework == network.framework;
    let fits = match shape.classes {
        Some(k) => outputs == k || binary,
        None => outputs == shape.targets,
    };
    if !fits {
        return None;
    }
    spec.train.loss = match (shape.classes, given.train.loss) {
        (Some(_), Loss::BinaryCrossEntropy { .. } | Loss::Hinge | Loss::Mse) if binary => {
            match given.train.loss {
                Loss::BinaryCrossEntropy { from_logits } => Loss::BinaryCrossEntropy {
                    from_logits: from_logits || !ends(Activation::Sigmoid),
                },
                loss => loss,
            }
        }
        (Some(2), _) if binary => Loss::BinaryCrossEntropy { from_logits: true },
        (Some(_), loss) => Loss::CrossEntropy {
            from_logits: loss != Loss::CrossEntropy { from_logits: false }
                || !ends(Activation::Softmax),
        },
        (None, loss) if loss.is_classification() && spec.data.target != TargetOf::Input => {
            Loss::Mse
        }
        (None, loss) => loss,
    };
    if spec.train.optimizer == Optimizer::ClosedForm || given.framework != network.framework {
        spec.train.optimizer = Optimizer::default_of("adam", network.framework)?;
    }
    Some(with_layers(spec, network))
}

fn vocabulary(layers: &[LayerSpec]) -> Option<usize> {
    layers.iter().find_map(|l| match l.kind {
        LayerKind::Embedding { vocab, .. } => Some(vocab),
        _ => None,
    })
}

/// The network's layers; a last softmax or sigmoid is left to the loss, which has it inside.
fn with_layers(mut spec: Spec, network: &Network) -> Spec {
    spec.framework = network.framework;
    spec.layers = network.layers.clone();
    let last = spec.layers.last().and_then(|l| match l.kind {
        LayerKind::Activation { function, .. } if l.inputs.is_empty() => Some(function),
        _ => None,
    });
    match (last, &mut spec.train.loss) {
        (Some(Activation::Softmax), Loss::CrossEntropy { from_logits: true }) => {
            spec.layers.pop();
        }
        (Some(Activation::Sigmoid), Loss::BinaryCrossEntropy { from_logits }) => {
            match spec.data.target {
                TargetOf::Input => *from_logits = false,
                TargetOf::Labels if *from_logits => {
                    spec.layers.pop();
                }
                TargetOf::Labels => {}
            }
        }
        (Some(Activation::Step), loss) if loss.is_classification() => {
            spec.train.loss = Loss::Perceptron;
        }
        _ => {}
    }
    if spec.framework == Framework::Keras {
        within(&mut spec.layers);
    }
    spec
}

impl Network {
    /// Whether its last layer is this function.
    fn ends_in(&self, f: Activation) -> bool {
        let kind = self.layers.last().map(|l| &l.kind);
        matches!(kind, Some(LayerKind::Activation { function, .. }) if *function == f)
    }
}

/// Activations as Keras' layers have them within, where nothing else reads what is before them.
fn within(layers: &mut Vec<LayerSpec>) {
    let mut k = 1;
    while k < layers.len() {
        let before = layers[k - 1].id.clone();
        let read = layers.iter().any(|l| l.inputs.contains(&before));
        let inside = match layers[k].kind {
            // Within a layer leaky ReLU has another slope.
            LayerKind::Activation { function, alpha } => match function {
                Activation::LeakyRelu => alpha == Some(0.2),
                _ => alpha.is_none(),
            }
            .then_some(function),
            _ => None,
        };
        let plain = !read && layers[k].inputs.is_empty();
        let place = match &mut layers[k - 1].kind {
            LayerKind::Linear { activation, .. } => Some(activation),
            LayerKind::Conv1d(c) | LayerKind::Conv2d(c) => Some(&mut c.activation),
            LayerKind::ConvTranspose2d { conv, .. } => Some(&mut conv.activation),
            _ => None,
        };
        match (place, inside) {
            (Some(place @ None), Some(function)) if plain => {
                *place = Some(function);
                let gone = layers.remove(k).id;
                let others = layers.iter_mut().flat_map(|l| &mut l.inputs);
                for id in others.filter(|id| **id == gone) {
                    id.clone_from(&before);
                }
            }
            _ => k += 1,
        }
    }
}
