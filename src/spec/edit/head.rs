//! The end of a network, and the training, made to fit.
use crate::spec::{Activation, DataShape, Framework, LayerKind, Loss, Optimizer, Spec, TrainSpec};

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
