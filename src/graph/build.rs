//! From a spec to programs: the forward pass, the loss, and what the host reads.
use super::optim::Knobs;
use super::*;
use crate::backend::cpu::kernels::Act;
use crate::ops::{self, optimizer::hyper};
use crate::spec::*;

/// What the compiler must know of the data and the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub data: DataShape,
    /// Rows of the whole data set.
    pub rows: usize,
    pub dtype: Dtype,
    /// Whether features are scaled by `mul` and `add` when a batch is gathered.
    pub scaled: bool,
    /// Rows of the training part.
    pub train: usize,
    pub seed: u32,
}

impl Facts {
    pub fn batch(&self, spec: &Spec) -> usize {
        spec.train
            .batch_size
            .unwrap_or(self.train)
            .clamp(1, self.train.max(1))
    }
    /// Rows of an epoch's last batch where it is smaller than the others, else 0.
    pub fn tail(&self, spec: &Spec) -> usize {
        self.train % self.batch(spec)
    }
}

/// Rows that one run of the evaluation takes, at most.
const EVAL_BATCH: usize = 256;
/// Rows that one run of a prediction takes.
pub const PREDICT_BATCH: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProgramKind {
    /// One training step on a full batch.
    Train,
    /// The same on an epoch's last, smaller batch.
    TrainTail,
    /// Loss and outputs of rows of the data set, dropout off.
    Eval,
    /// Outputs for rows that the host wrote.
    Predict,
    /// One row that the host wrote; every layer's output can be read.
    Inspect,
}

pub type Programs = Vec<(ProgramKind, usize, Graph)>;

/// Steps that one call of `Backend::run` may take: the length of the host's tables.
pub fn steps_per_run(batch: usize) -> usize {
    (65_536 / batch.max(1)).clamp(1, 256)
}

/// What a row of the history holds, in order.
pub fn columns(classes: Option<usize>) -> Vec<&'static str> {
    match classes {
        Some(_) => vec!["loss", "accuracy", "gradNorm"],
        None => vec!["loss", "gradNorm"],
    }
}

/// The op for an activation. `layer` tells an activation layer from an activation within Dense:
/// Keras' leaky ReLU has slope 0.3 as a layer and 0.2 as a function.
fn act_of(f: Activation, alpha: Option<f32>, framework: Framework, layer: bool) -> Option<Act> {
    let alpha = alpha.unwrap_or_else(|| {
        if f == Activation::LeakyRelu && framework == Framework::Keras && !layer {
            0.2
        } else {
            f.default_alpha(framework)
        }
    });
    Some(match f {
        Activation::Softmax => return None,
        Activation::Step => Act::Step,
        Activation::Sigmoid => Act::Sigmoid,
        Activation::Tanh => Act::Tanh,
        Activation::Relu => Act::Relu,
        Activation::LeakyRelu => Act::LeakyRelu(alpha),
        Activation::Elu => Act::Elu(alpha),
        Activation::Gelu => Act::Gelu,
        Activation::GeluTanh => Act::GeluTanh,
        Activation::Silu => Act::Silu,
        Activation::Softplus => Act::Softplus(alpha),
    })
}

/// Largest tensor of one sample, and of a parameter.
const TENSOR: usize = 1 << 26;

/// Adds the layers after `input`. The output of each is returned, None where it or what it reads
/// is wrong; `problems` then says why.
pub(super) fn layers(
    g: &mut Graph,
    layout: &mut Layout,
    spec: &Spec,
    input: ValueId,
    training: Option<u32>,
    problems: &mut Vec<Problem>,
) -> Vec<Option<ValueId>> {
    let mut outputs: Vec<Option<ValueId>> = Vec::new();
    for (i, layer) in spec.layers.iter().enumerate() {
        g.mark(Phase::Forward, Some(i));
        let named = |id: &String| {
            if id == "input" {
                return Some(input);
            }
            let at = spec.layers[..i].iter().position(|l| l.id == *id)?;
            outputs[at]
        };
        let before = match i {
            0 => Some(input),
            _ => outputs[i - 1],
        };
        let inputs: Option<Vec<ValueId>> = if layer.inputs.is_empty() {
            before.map(|v| vec![v])
        } else {
            layer.inputs.iter().map(named).collect()
        };
        let made = inputs.map(|x| one_layer(g, layout, spec, i, &x, training));
        outputs.push(match made {
            Some(Ok(v)) => Some(v),
            Some(Err(p)) => {
                problems.push(p.layer(&layer.id));
                None
            }
            None => None,
        });
    }
    outputs
}

fn one_layer(
    g: &mut Graph,
    layout: &mut Layout,
    spec: &Spec,
    index: usize,
    x: &[ValueId],
    training: Option<u32>,
) -> Result<ValueId, Problem> {
    let layer = &spec.layers[index];
    let (id, framework) = (layer.id.as_str(), spec.framework);
    let (low, high, want) = match layer.kind {
        LayerKind::Add => (2, 64, "2 or more"),
        LayerKind::Concatenate { .. } => (2, 64, "2 or more"),
        _ => (1, 1, "1"),
    };
    if x.len() < low || x.len() > high {
        return Err(Problem::new("input-count")
            .arg("kind", kind_name(&layer.kind))
            .arg("want", want)
            .arg("got", x.len())
            .field("inputs"));
    }
    let shape = g.shape(x[0]).to_vec();
    let activate = |g: &mut Graph, v, f: Activation, alpha, layer: bool| {
        if f == Activation::Softmax && g.shape(v).last() == Some(&1) {
            return Err(Problem::new("softmax-one"));
        }
        match act_of(f, alpha, framework, layer) {
            Some(act) => g.push1(ops::Activation { act }, &[v], id),
            None => g.push1(ops::Softmax, &[v], id),
        }
    };
    let out = match &layer.kind {
        LayerKind::Linear {
            units,
            bias,
            activation,
            ..
        } => {
            if shape.len() < 2 {
                return Err(Problem::new("flat-input")
                    .arg("kind", "Linear")
                    .arg("got", ops::show(&shape[1..])));
            }
            // Two axes that are no sequence of rows: an image that was not flattened.
            let n = *shape.last().expect("has two axes");
            let mut values = vec![x[0]];
            let w = [*units, n];
            bounded(numel(&w), TENSOR, "weights")?;
            let slot = layout.slot(Slab::Param, &format!("{id}.weight"), &w, Dtype::F32);
            values.push(g.slot(layout, slot));
            if *bias {
                let slot = layout.slot(Slab::Param, &format!("{id}.bias"), &[*units], Dtype::F32);
                values.push(g.slot(layout, slot));
            }
            let op = ops::Linear {
                bias: *bias,
                act: Act::None,
            };
            let y = g.push1(op, &values, id)?;
            match activation {
                Some(f) => activate(g, y, *f, None, false)?,
                None => y,
            }
        }
        LayerKind::Activation { function, alpha } => activate(g, x[0], *function, *alpha, true)?,
        LayerKind::Dropout { rate } => match training {
            Some(seed) if *rate > 0.0 => {
                let op = ops::Dropout {
                    rate: *rate,
                    seed,
                    layer: index as u32,
                };
                g.push1(op, &[x[0]], id)?
            }
            _ => x[0],
        },
        LayerKind::Flatten => {
            let shape = vec![shape[0], numel(&shape[1..])];
            g.push1(ops::Reshape { shape }, &[x[0]], id)?
        }
        LayerKind::Reshape { shape: to } => {
            let have = numel(&shape[1..]);
            let known = to
                .iter()
                .filter(|d| **d >= 0)
                .try_fold(1usize, |p, d| p.checked_mul(*d as usize))
                .unwrap_or(usize::MAX);
            let to: Vec<usize> = to
                .iter()
                .map(|d| {
                    if *d < 0 {
                        have / known.max(1)
                    } else {
                        *d as usize
                    }
                })
                .collect();
            let want = to
                .iter()
                .try_fold(1usize, |p, d| p.checked_mul(*d))
                .unwrap_or(usize::MAX);
            if want != have {
                return Err(Problem::new("reshape-size")
                    .arg("from", ops::show(&shape[1..]))
                    .arg("have", have)
                    .arg("to", ops::show(&to))
                    .arg("want", want)
                    .field("shape"));
            }
            let mut full = vec![shape[0]];
            full.extend(to);
            g.push1(ops::Reshape { shape: full }, &[x[0]], id)?
        }
        LayerKind::Add => {
            let mut sum = x[0];
            for v in &x[1..] {
                sum = g.push1(ops::Add, &[sum, *v], id)?;
            }
            sum
        }
        LayerKind::Concatenate { axis } => {
            let rank = shape.len() as i64;
            let at = if *axis < 0 { rank + axis } else { *axis };
            if at < 1 || at >= rank {
                return Err(Problem::new("axis")
                    .arg("axis", axis)
                    .arg("rank", rank)
                    .field("axis"));
            }
            g.push1(ops::Concat { axis: at as usize }, x, id)?
        }
    };
    bounded(numel(&g.shape(out)[1..]), TENSOR, "values per sample")?;
    let params: usize = layout.params().map(|s| numel(&s.shape)).sum();
    bounded(params, limits::PARAMS, "parameters")?;
    Ok(out)
}

fn bounded(got: usize, max: usize, what: &str) -> Result<(), Problem> {
    if got <= max {
        return Ok(());
    }
    Err(Problem::new("too-big")
        .arg("got", got)
        .arg("what", what)
        .arg("max", max))
}

pub(super) fn kind_name(kind: &LayerKind) -> &'static str {
    match kind {
        LayerKind::Linear { .. } => "linear",
        LayerKind::Activation { .. } => "activation",
        LayerKind::Dropout { .. } => "dropout",
        LayerKind::Flatten => "flatten",
        LayerKind::Reshape { .. } => "reshape",
        LayerKind::Add => "add",
        LayerKind::Concatenate { .. } => "concatenate",
    }
}

/// Name of the loss for messages.
fn loss_name(loss: &Loss) -> &'static str {
    match loss {
        Loss::Mse => "MSE",
        Loss::Mae => "MAE",
        Loss::Huber { .. } => "Huber",
        Loss::CrossEntropy { .. } => "Cross-entropy",
        Loss::BinaryCrossEntropy { .. } => "Binary cross-entropy",
        Loss::Hinge => "Hinge",
    }
}

/// Does the last layer's output (per sample) suit the loss, and the loss the data?
pub(super) fn check_head(spec: &Spec, out: &[usize], data: &DataShape) -> Result<(), Problem> {
    let loss = &spec.train.loss;
    let last = spec.layers.last().expect("validated");
    let wrong = |want: &str, got: &str| {
        Problem::new("loss-task")
            .arg("loss", loss_name(loss))
            .arg("want", want)
            .arg("got", got)
            .field("train.loss")
    };
    let want = match (loss, data.classes) {
        (Loss::CrossEntropy { .. }, None) => return Err(wrong("class", "numbers")),
        (Loss::CrossEntropy { .. }, Some(k)) => k,
        (Loss::BinaryCrossEntropy { .. } | Loss::Hinge, Some(2)) => 1,
        (Loss::BinaryCrossEntropy { .. } | Loss::Hinge, Some(k)) => {
            return Err(Problem::new("loss-binary")
                .arg("loss", loss_name(loss))
                .arg("got", k)
                .field("train.loss"));
        }
        (Loss::BinaryCrossEntropy { .. } | Loss::Hinge, None) => {
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
    let ends_with = match &last.kind {
        LayerKind::Linear { activation, .. } => *activation,
        LayerKind::Activation { function, .. } => Some(*function),
        _ => None,
    };
    let (needs, fits) = match loss {
        Loss::CrossEntropy { from_logits: false } => (
            "softmax",
            matches!(ends_with, Some(Activation::Softmax | Activation::Sigmoid)),
        ),
        Loss::BinaryCrossEntropy { from_logits: false } => (
            "sigmoid",
            matches!(ends_with, Some(Activation::Softmax | Activation::Sigmoid)),
        ),
        _ => ("", true),
    };
    if !fits {
        return Err(Problem::new("needs-probabilities")
            .arg("loss", loss_name(loss))
            .arg("activation", needs)
            .layer(&last.id)
            .field("activation"));
    }
    Ok(())
}

/// The outputs that a person reads: probabilities where the loss is on logits.
fn outputs(g: &mut Graph, spec: &Spec, out: ValueId) -> Result<ValueId, Problem> {
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

/// Adds the loss. Returns (loss per sample `[B]`, what accuracy is told from and its threshold).
fn loss(
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
                let o = g.push(op, &[out, y], "loss")?;
                return Ok((o[0], o[1], 0.5));
            }
            // The softmax before the loss and the loss are one op, which is exact for small p.
            let softmax = g.nodes.iter().find(|n| n.outputs == [out]);
            if let Some(n) = softmax.filter(|n| n.op == Op::Softmax(ops::Softmax)) {
                let logits = n.inputs[0];
                let op = ops::SoftmaxCrossEntropy { clip: true };
                let o = g.push(op, &[logits, y], "loss")?;
                return Ok((o[0], o[1], 0.5));
            }
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
    };
    let at = match measure {
        Measure::BceLogits | Measure::Hinge => 0.0,
        _ => 0.5,
    };
    let v = g.push1(ops::PerSample { measure }, &[out, y], "loss")?;
    Ok((v, out, at))
}

struct Slots {
    x: SlotId,
    y: SlotId,
    scale: Option<(SlotId, SlotId)>,
}

fn data_slots(layout: &mut Layout, facts: &Facts) -> Slots {
    let mut shape = vec![facts.rows];
    shape.extend(&facts.data.sample);
    let features = [numel(&facts.data.sample)];
    let f32 = Dtype::F32;
    Slots {
        x: layout.slot(Slab::Data, "data.x", &shape, facts.dtype),
        y: layout.slot(Slab::Data, "data.y", &[facts.rows, facts.data.targets], f32),
        scale: facts.scaled.then(|| {
            (
                layout.slot(Slab::Data, "data.mul", &features, f32),
                layout.slot(Slab::Data, "data.add", &features, f32),
            )
        }),
    }
}

/// x and y of a batch, gathered by the table in `order`.
fn gather(
    g: &mut Graph,
    layout: &Layout,
    facts: &Facts,
    slots: &Slots,
    (order, batch): (SlotId, usize),
) -> Result<(ValueId, ValueId), Problem> {
    let order = g.slot(layout, order);
    let mut x = vec![g.slot(layout, slots.x), order];
    if let Some((mul, add)) = slots.scale {
        x.extend([g.slot(layout, mul), g.slot(layout, add)]);
    }
    let op = ops::Gather {
        batch,
        dtype: facts.dtype,
        scaled: facts.scaled,
    };
    let x = g.push1(op, &x, "x")?;
    let y = g.slot(layout, slots.y);
    let op = ops::Gather {
        batch,
        dtype: Dtype::F32,
        scaled: false,
    };
    Ok((x, g.push1(op, &[y, order], "y")?))
}

fn last_output(outputs: &[Option<ValueId>], problems: Vec<Problem>) -> Result<ValueId, Problems> {
    match outputs.last().copied().flatten() {
        Some(v) if problems.is_empty() => Ok(v),
        _ => Err(Problems(problems)),
    }
}

fn train_graph(
    spec: &Spec,
    layout: &mut Layout,
    facts: &Facts,
    batch: usize,
) -> Result<Graph, Problems> {
    let mut g = Graph::default();
    let k = steps_per_run(facts.batch(spec));
    let slots = data_slots(layout, facts);
    let order = layout.slot(Slab::Io, "order", &[k * facts.batch(spec)], Dtype::F32);
    let knobs = Knobs {
        rate: layout.slot(Slab::Io, "learning_rate", &[k], Dtype::F32),
        hyper: layout.slot(Slab::Io, "hyper", &[hyper::LEN], Dtype::F32),
    };
    let names = columns(facts.data.classes);
    let history = layout.slot(Slab::Io, "history", &[k, names.len()], Dtype::F32);
    let (x, y) = gather(&mut g, layout, facts, &slots, (order, batch))?;
    let mut problems = Vec::new();
    let outs = layers(&mut g, layout, spec, x, Some(facts.seed), &mut problems);
    let out = last_output(&outs, problems)?;
    g.mark(Phase::Forward, None);
    let (losses, told, at) = loss(&mut g, spec, out, y)?;
    let mut total = g.push1(ops::Mean, &[losses], "loss")?;
    let params: Vec<SlotId> = (0..layout.slots.len() as u32)
        .map(SlotId)
        .filter(|s| layout.slots[s.0 as usize].slab == Slab::Param)
        .collect();
    if spec.train.l1 > 0.0 || spec.train.l2 > 0.0 {
        let h = g.slot(layout, knobs.hyper);
        for p in &params {
            if layout.slots[p.0 as usize].name.ends_with(".weight") {
                let w = g.slot(layout, *p);
                let penalty = g.push1(ops::Penalty, &[w, h], "penalty")?;
                total = g.push1(ops::Add, &[total, penalty], "loss")?;
            }
        }
    }
    let mut record = vec![g.slot(layout, history), total];
    if facts.data.classes.is_some() {
        let op = ops::Correct { threshold: at };
        record.push(g.push1(op, &[told, y], "accuracy")?);
    }
    let wanted: Vec<ValueId> = params.iter().map(|p| g.slot(layout, *p)).collect();
    let grads = differentiate(&mut g, total, &wanted)?;
    let how = (&spec.train.optimizer, spec.train.clip, spec.framework);
    let norm = update(&mut g, layout, &params, &grads, how, &knobs)?;
    record.push(norm);
    let history = record[0];
    g.push_into(ops::Record, &record, &[history]);
    g.drop_unread();
    fuse(&mut g);
    Ok(g)
}

fn eval_graph(
    spec: &Spec,
    layout: &mut Layout,
    facts: &Facts,
    batch: usize,
) -> Result<Graph, Problems> {
    let mut g = Graph::default();
    let slots = data_slots(layout, facts);
    let order = layout.slot(Slab::Io, "eval.order", &[batch], Dtype::F32);
    let (x, y) = gather(&mut g, layout, facts, &slots, (order, batch))?;
    let mut problems = Vec::new();
    let outs = layers(&mut g, layout, spec, x, None, &mut problems);
    let out = last_output(&outs, problems)?;
    g.mark(Phase::Forward, None);
    let (losses, _, _) = loss(&mut g, spec, out, y)?;
    let read = outputs(&mut g, spec, out)?;
    let to = layout.slot(Slab::Io, "eval.loss", &[batch], Dtype::F32);
    g.write_to(layout, losses, to);
    let shape = g.shape(read).to_vec();
    let to = layout.slot(Slab::Io, "eval.out", &shape, Dtype::F32);
    g.write_to(layout, read, to);
    g.drop_unread();
    fuse(&mut g);
    Ok(g)
}

/// Rows written by the host; with `inspect`, every layer's output has a slot.
fn predict_graph(
    spec: &Spec,
    layout: &mut Layout,
    facts: &Facts,
    batch: usize,
    inspect: bool,
) -> Result<Graph, Problems> {
    let mut g = Graph::default();
    let mut shape = vec![batch];
    shape.extend(&facts.data.sample);
    let name = if inspect { "inspect" } else { "predict" };
    let x = layout.slot(Slab::Io, &format!("{name}.x"), &shape, Dtype::F32);
    let x = g.slot(layout, x);
    let mut problems = Vec::new();
    let outs = layers(&mut g, layout, spec, x, None, &mut problems);
    let out = last_output(&outs, problems)?;
    g.mark(Phase::Forward, None);
    if inspect {
        for (layer, v) in spec.layers.iter().zip(&outs) {
            let v = v.expect("no problems, so every layer has an output");
            let shape = g.shape(v).to_vec();
            let name = format!("activation:{}", layer.id);
            let to = layout.slot(Slab::Io, &name, &shape, Dtype::F32);
            g.write_to(layout, v, to);
        }
    }
    let read = outputs(&mut g, spec, out)?;
    let shape = g.shape(read).to_vec();
    let to = layout.slot(Slab::Io, &format!("{name}.out"), &shape, Dtype::F32);
    g.write_to(layout, read, to);
    g.drop_unread();
    fuse(&mut g);
    Ok(g)
}

/// All programs of a spec, over one layout.
pub fn programs(spec: &Spec, facts: &Facts) -> Result<(Layout, Programs), Problems> {
    let problems = spec.validate();
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let report = check(spec, Some(&facts.data));
    if !report.ok {
        return Err(Problems(report.errors));
    }
    let mut layout = Layout::default();
    let mut list: Programs = Vec::new();
    let batch = facts.batch(spec);
    list.push((
        ProgramKind::Train,
        batch,
        train_graph(spec, &mut layout, facts, batch)?,
    ));
    let tail = facts.tail(spec);
    if tail > 0 {
        let g = train_graph(spec, &mut layout, facts, tail)?;
        list.push((ProgramKind::TrainTail, tail, g));
    }
    let eval = facts.rows.clamp(1, EVAL_BATCH);
    let g = eval_graph(spec, &mut layout, facts, eval)?;
    list.push((ProgramKind::Eval, eval, g));
    for (kind, batch) in [
        (ProgramKind::Predict, PREDICT_BATCH),
        (ProgramKind::Inspect, 1),
    ] {
        let inspect = kind == ProgramKind::Inspect;
        let g = predict_graph(spec, &mut layout, facts, batch, inspect)?;
        list.push((kind, batch, g));
    }
    Ok((layout, list))
}
