//! What follows the last layer: the loss, and the outputs that a person reads.
use super::*;
use crate::backend::cpu::kernels::Act;
use crate::ops;
use crate::spec::*;

/// Name of the loss for messages.
fn loss_name(loss: &Loss) -> &'static str {
    match loss {
        Loss::Mse => "MSE",
        Loss::Mae => "MAE",
        Loss::Huber { .. } => "Huber",
        Loss::CrossEntropy { .. } => "Cross-entropy",
        Loss::BinaryCrossEntropy { .. } => "Binary cross-entropy",
        Loss::Hinge => "Hinge",
        Loss::Perceptron => "Perceptron",
    }
}

/// Does the last layer's output (per sample) suit the loss, and the loss the data?
pub(super) fn check_head(spec: &Spec, out: &[usize], data: &DataShape) -> Result<(), Problem> {
    check_weights(spec, data)?;
    let loss = &spec.train.loss;
    let last = spec.layers.last().expect("validated");
    let wrong = |want: &str, got: &str| {
        Problem::new("loss-task")
            .arg("loss", loss_name(loss))
            .arg("want", want)
            .arg("got", got)
            .field("train.loss")
    };
    // A class for each step: the network ends in [steps, classes].
    if data.classes.is_some() && data.targets > 1 {
        if !matches!(loss, Loss::CrossEntropy { .. }) {
            return Err(wrong("one number per sample as", "a class per step"));
        }
        let want = [data.targets, data.classes.unwrap_or(0)];
        if out != want {
            return Err(Problem::new("output-shape")
                .arg("got", ops::show(out))
                .arg("what", "loss")
                .arg("want", ops::show(&want))
                .layer(&last.id)
                .field("units"));
        }
        return probabilities(loss, last);
    }
    let want = match (loss, data.classes) {
        (Loss::CrossEntropy { .. }, None) => return Err(wrong("class", "numbers")),
        (Loss::CrossEntropy { .. }, Some(k)) => k,
        (Loss::BinaryCrossEntropy { .. } | Loss::Hinge | Loss::Perceptron, Some(2)) => 1,
        (Loss::BinaryCrossEntropy { .. } | Loss::Hinge | Loss::Perceptron, Some(k)) => {
            return Err(Problem::new("loss-binary")
                .arg("loss", loss_name(loss))
                .arg("got", k)
                .field("train.loss"));
        }
        // Each number of the input as a probability.
        (Loss::BinaryCrossEntropy { .. }, None) if spec.data.target == TargetOf::Input => {
            data.targets
        }
        (Loss::BinaryCrossEntropy { .. } | Loss::Hinge | Loss::Perceptron, None) => {
            return Err(wrong("class", "numbers"));
        }
        // Two classes may be regressed as the numbers 0 and 1.
        (_, Some(2)) => 1,
        (_, Some(_)) => return Err(wrong("numeric", "classes")),
        (_, None) => data.targets,
    };
    let rows = matches!(loss, Loss::CrossEntropy { .. }) && out.len() != 1;
    if numel(out) != want || rows {
        return Err(Problem::new("output-shape")
            .arg("got", ops::show(out))
            .arg("what", "loss")
            .arg("want", want)
            .layer(&last.id)
            .field("units"));
    }
    probabilities(loss, last)
}

/// A weight for each class, where each sample has one.
fn check_weights(spec: &Spec, data: &DataShape) -> Result<(), Problem> {
    let Some(weights) = &spec.train.class_weight else {
        return Ok(());
    };
    let problem = match data.classes {
        Some(k) if data.targets == 1 && k == weights.len() => return Ok(()),
        Some(k) if data.targets == 1 => Problem::new("class-weights")
            .arg("got", weights.len())
            .arg("want", k),
        _ => Problem::new("class-weights-task"),
    };
    Err(problem.field("train.class_weight"))
}

/// Does the network end in what the loss takes for probabilities?
fn probabilities(loss: &Loss, last: &LayerSpec) -> Result<(), Problem> {
    let ends_with = last.kind.activation();
    let (needs, fits) = match loss {
        Loss::CrossEntropy { from_logits: false } => (
            "softmax",
            matches!(ends_with, Some(Activation::Softmax | Activation::Sigmoid)),
        ),
        Loss::BinaryCrossEntropy { from_logits: false } => (
            "sigmoid",
            matches!(ends_with, Some(Activation::Softmax | Activation::Sigmoid)),
        ),
        Loss::Perceptron => ("step", ends_with == Some(Activation::Step)),
        _ => ("", true),
    };
    if !fits {
        let code = match loss {
            Loss::Perceptron => "needs-step",
            _ => "needs-probabilities",
        };
        return Err(Problem::new(code)
            .arg("loss", loss_name(loss))
            .arg("activation", needs)
            .layer(&last.id)
            .field("activation"));
    }
    Ok(())
}

/// What trains, but hardly as it is meant.
pub(super) fn hints(spec: &Spec) -> Vec<Problem> {
    let loss = &spec.train.loss;
    let (twice, name) = match loss {
        Loss::CrossEntropy { from_logits: true } => (Activation::Softmax, "softmax"),
        Loss::BinaryCrossEntropy { from_logits: true } => (Activation::Sigmoid, "sigmoid"),
        _ => return Vec::new(),
    };
    let ends = spec.layers.last();
    let ends = ends.filter(|last| last.kind.activation() == Some(twice));
    let hint = |last: &LayerSpec| {
        Problem::new("logits-expected")
            .arg("loss", loss_name(loss))
            .arg("activation", name)
            .layer(&last.id)
            .field("activation")
    };
    ends.map(hint).into_iter().collect()
}

/// The outputs that a person reads: probabilities where the loss is on logits.
pub(super) fn outputs(g: &mut Graph, spec: &Spec, out: ValueId) -> Result<ValueId, Problem> {
    match spec.train.loss {
        Loss::CrossEntropy { from_logits: true } => g.push1(ops::Softmax, &[out], "probabilities"),
        Loss::BinaryCrossEntropy { from_logits: true } => {
            let act = Act::Sigmoid;
            g.push1(ops::Activation { act }, &[out], "probabilities")
        }
        _ => Ok(out),
    }
}

/// Above which a single output means class 1, on what `outputs` gives.
pub fn threshold(loss: &Loss) -> f32 {
    if *loss == Loss::Hinge { 0.0 } else { 0.5 }
}

/// What [`loss`] gives.
pub(super) struct Told {
    /// Loss per sample `[B]`.
    pub losses: ValueId,
    /// What accuracy is told from, its classes and its threshold.
    pub accuracy: (ValueId, ValueId, f32),
}

/// Adds the loss, with what layers add to it. `weights[K]` are those of the classes in y`[B,1]`.
pub(super) fn loss(
    g: &mut Graph,
    spec: &Spec,
    out: ValueId,
    y: ValueId,
    weights: Option<ValueId>,
) -> Result<Told, Problem> {
    let mut told = own_loss(g, spec, out, y)?;
    if let Some(weights) = weights {
        // PyTorch divides by the weights' sum in its loss of several classes only.
        let several = matches!(spec.train.loss, Loss::CrossEntropy { .. });
        let normalized = several && spec.framework == Framework::Pytorch;
        let op = ops::ClassWeight { normalized };
        told.losses = g.push1(op, &[told.losses, y, weights], "loss")?;
    }
    for term in g.terms.clone() {
        told.losses = g.push1(ops::Add, &[told.losses, term], "loss")?;
    }
    Ok(told)
}

/// The loss by itself. Where each of T steps has a class, out`[B,T,C]` and y`[B,T]` count as B·T rows,
/// and a sample's loss is the mean over its steps.
fn own_loss(g: &mut Graph, spec: &Spec, out: ValueId, y: ValueId) -> Result<Told, Problem> {
    let (batch, steps) = (g.shape(y)[0], g.shape(y)[1]);
    if g.shape(out).len() != 3 || !matches!(spec.train.loss, Loss::CrossEntropy { .. }) {
        let (losses, told, at) = row_loss(g, spec, out, y)?;
        let accuracy = (told, y, at);
        return Ok(Told { losses, accuracy });
    }
    let shape = vec![batch * steps, 1];
    let y = g.push1(ops::Reshape { shape }, &[y], "y")?;
    let (each, told, at) = row_loss(g, spec, out, y)?;
    let shape = vec![batch, steps];
    let each = g.push1(ops::Reshape { shape }, &[each], "loss")?;
    let op = ops::Reduce {
        how: ops::Fold::Mean,
        axes: vec![1],
    };
    let mean = g.push1(op, &[each], "loss")?;
    let losses = g.push1(ops::Reshape { shape: vec![batch] }, &[mean], "loss")?;
    let accuracy = (told, y, at);
    Ok(Told { losses, accuracy })
}

/// `[…, C]` as `[rows, C]`.
fn flat(g: &mut Graph, v: ValueId) -> Result<ValueId, Problem> {
    let (rows, last) = ops::rows_last(g.shape(v));
    if g.shape(v).len() == 2 {
        return Ok(v);
    }
    let shape = vec![rows, last];
    g.push1(ops::Reshape { shape }, &[v], "logits")
}

/// (loss per row, what accuracy is told from and its threshold)
fn row_loss(
    g: &mut Graph,
    spec: &Spec,
    out: ValueId,
    y: ValueId,
) -> Result<(ValueId, ValueId, f32), Problem> {
    use ops::Measure;
    let measure = match spec.train.loss {
        Loss::CrossEntropy { from_logits } => {
            if from_logits {
                let op = ops::SoftmaxCrossEntropy { clip: false };
                let out = flat(g, out)?;
                let o = g.push(op, &[out, y], "loss")?;
                return Ok((o[0], o[1], 0.5));
            }
            // The softmax before the loss and the loss are one op, which is exact for small p.
            let softmax = g.nodes.iter().find(|n| n.outputs == [out]);
            if let Some(n) = softmax.filter(|n| n.op == Op::Softmax(ops::Softmax)) {
                let logits = n.inputs[0];
                let logits = flat(g, logits)?;
                let op = ops::SoftmaxCrossEntropy { clip: true };
                let o = g.push(op, &[logits, y], "loss")?;
                return Ok((o[0], o[1], 0.5));
            }
            let out = flat(g, out)?;
            let v = g.push1(ops::CrossEntropyProbs, &[out, y], "loss")?;
            return Ok((v, out, 0.5));
        }
        Loss::Mse => Measure::Squared,
        Loss::Mae => Measure::Absolute,
        Loss::Huber { delta } => Measure::Huber { delta },
        Loss::BinaryCrossEntropy { from_logits: true } => Measure::BceLogits,
        Loss::BinaryCrossEntropy { from_logits: false } => Measure::BceProbs {
            framework: spec.framework,
        },
        Loss::Hinge => Measure::Hinge,
        Loss::Perceptron => {
            // The rule is about the sum before the step.
            let step = g.nodes.iter().find(|n| n.outputs == [out]);
            let act = Act::Step;
            let before = step.filter(|n| n.op == Op::Activation(ops::Activation { act }));
            let z = before.map_or(out, |n| n.inputs[0]);
            let measure = Measure::Perceptron;
            let v = g.push1(ops::PerSample { measure }, &[z, y], "loss")?;
            return Ok((v, z, 0.0));
        }
    };
    let at = match measure {
        Measure::BceLogits | Measure::Hinge => 0.0,
        _ => 0.5,
    };
    let v = g.push1(ops::PerSample { measure }, &[out, y], "loss")?;
    Ok((v, out, at))
}
