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
    let words = spec.data.text.is_some();
    if words != network.tokens {
        return None;
    }
    if network.tokens {
        let text = spec.data.text.as_mut()?;
        text.length = *network.input.first()?;
        text.words = vocabulary(network)?;
    }
    spec.data.flatten = false;
    let sample = spec.data.shape()?.sample;
    let bare = |s: &[usize]| -> Vec<usize> { s.iter().copied().filter(|d| *d != 1).collect() };
    spec.data.flatten = match (&network.input[..], &sample[..]) {
        (a, b) if a == b => false,
        // A picture of one channel.
        ([1, rest @ ..], b) if rest == b => false,
        ([n], b) if *n == b.iter().product::<usize>() && b.len() > 1 => true,
        (a, b) if bare(a) == bare(b) && a.len() == b.len() => false,
        _ => return None,
    };
    if let Some(by) = network.divide {
        spec.data.scale = Scale::Divide { by };
    }
    // What the file gives is in the target's own units.
    spec.data.scale_target = false;
    if network.scaled {
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
                Loss::BinaryCrossEntropy { .. } => Loss::BinaryCrossEntropy { from_logits: true },
                loss => loss,
            }
        }
        (Some(2), _) if binary => Loss::BinaryCrossEntropy { from_logits: true },
        (Some(_), _) => Loss::CrossEntropy { from_logits: true },
        (None, loss) if loss.is_classification() && spec.data.target != TargetOf::Input => {
            Loss::Mse
        }
        (None, loss) => loss,
    };
    if spec.train.optimizer == Optimizer::ClosedForm || given.framework != Framework::Pytorch {
        spec.train.optimizer = Optimizer::default_of("adam", Framework::Pytorch)?;
    }
    Some(with_layers(spec, network))
}

fn vocabulary(network: &Network) -> Option<usize> {
    network.layers.iter().find_map(|l| match l.kind {
        LayerKind::Embedding { vocab, .. } => Some(vocab),
        _ => None,
    })
}

/// The network's layers; a last softmax or sigmoid is left to the loss, which has it inside.
fn with_layers(mut spec: Spec, network: &Network) -> Spec {
    spec.framework = Framework::Pytorch;
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
                TargetOf::Labels => {
                    spec.layers.pop();
                }
            }
        }
        (Some(Activation::Step), loss) if loss.is_classification() => {
            spec.train.loss = Loss::Perceptron;
        }
        _ => {}
    }
    spec
}
