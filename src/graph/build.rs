//! From a spec to programs, over one layout of persistent tensors.
use super::head::{Told, loss, outputs};
use super::layers::layers;
use super::optim::Knobs;
use super::spatial::Out;
use super::*;
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

fn last_output(
    g: &mut Graph,
    spec: &Spec,
    outputs: &[Option<Out>],
    problems: Vec<Problem>,
) -> Result<ValueId, Problems> {
    match outputs.last().copied().flatten() {
        Some(out) if problems.is_empty() => Ok(out.seen(g, spec.framework)?),
        _ => Err(Problems(problems)),
    }
}

/// Whether the penalties cover a parameter: all but biases.
fn is_weight(name: &str) -> bool {
    let own = name.rsplit('.').next().unwrap_or(name);
    ["weight", "kernel", "embeddings"]
        .iter()
        .any(|w| own.contains(w))
}

/// The slot of the spec's class weights `[classes]`.
pub const CLASS_WEIGHT: &str = "data.class_weight";

struct Slots {
    x: SlotId,
    /// None where the target is x itself.
    y: Option<SlotId>,
    scale: Option<(SlotId, SlotId)>,
}

fn data_slots(layout: &mut Layout, spec: &Spec, facts: &Facts) -> Slots {
    let mut shape = vec![facts.rows];
    shape.extend(&facts.data.sample);
    let features = [numel(&facts.data.sample)];
    let f32 = Dtype::F32;
    Slots {
        x: layout.slot(Slab::Data, "data.x", &shape, facts.dtype),
        y: (spec.data.target == TargetOf::Labels)
            .then(|| layout.slot(Slab::Data, "data.y", &[facts.rows, facts.data.targets], f32)),
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
    let Some(y) = slots.y else {
        let shape = vec![batch, facts.data.targets];
        return Ok((x, g.push1(ops::Reshape { shape }, &[x], "y")?));
    };
    let y = g.slot(layout, y);
    let op = ops::Gather {
        batch,
        dtype: Dtype::F32,
        scaled: false,
    };
    Ok((x, g.push1(op, &[y, order], "y")?))
}

fn train_graph(
    spec: &Spec,
    layout: &mut Layout,
    facts: &Facts,
    batch: usize,
) -> Result<Graph, Problems> {
    let mut g = Graph::default();
    let k = steps_per_run(facts.batch(spec));
    let slots = data_slots(layout, spec, facts);
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
    let out = last_output(&mut g, spec, &outs, problems)?;
    g.mark(Phase::Forward, None);
    let weights = spec.train.class_weight.as_ref().map(|w| {
        let slot = layout.slot(Slab::Data, CLASS_WEIGHT, &[w.len()], Dtype::F32);
        g.slot(layout, slot)
    });
    let Told { losses, accuracy } = loss(&mut g, spec, out, y, weights)?;
    let mut total = g.push1(ops::Mean, &[losses], "loss")?;
    let params: Vec<SlotId> = (0..layout.slots.len() as u32)
        .map(SlotId)
        .filter(|s| layout.slots[s.0 as usize].slab == Slab::Param)
        .collect();
    if spec.train.l1 > 0.0 || spec.train.l2 > 0.0 {
        let h = g.slot(layout, knobs.hyper);
        for p in &params {
            if is_weight(&layout.slots[p.0 as usize].name) {
                let w = g.slot(layout, *p);
                let penalty = g.push1(ops::Penalty, &[w, h], "penalty")?;
                total = g.push1(ops::Add, &[total, penalty], "loss")?;
            }
        }
    }
    let mut record = vec![g.slot(layout, history), total];
    if facts.data.classes.is_some() {
        let (told, classes, threshold) = accuracy;
        let op = ops::Correct { threshold };
        record.push(g.push1(op, &[told, classes], "accuracy")?);
    }
    let wanted: Vec<ValueId> = params.iter().map(|p| g.slot(layout, *p)).collect();
    let grads = differentiate(&mut g, total, &wanted)?;
    let norm = route(&mut g, layout, &params, &grads)?;
    if spec.train.optimizer == Optimizer::ClosedForm {
        solve(&mut g, layout, &params, (x, y))?;
    } else {
        let how = (&spec.train.optimizer, spec.train.clip, spec.framework);
        update(&mut g, layout, &params, norm, how, &knobs)?;
    }
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
    let slots = data_slots(layout, spec, facts);
    let order = layout.slot(Slab::Io, "eval.order", &[batch], Dtype::F32);
    let (x, y) = gather(&mut g, layout, facts, &slots, (order, batch))?;
    let mut problems = Vec::new();
    let outs = layers(&mut g, layout, spec, x, None, &mut problems);
    let out = last_output(&mut g, spec, &outs, problems)?;
    g.mark(Phase::Forward, None);
    let Told { losses, .. } = loss(&mut g, spec, out, y, None)?;
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
    let out = last_output(&mut g, spec, &outs, problems)?;
    g.mark(Phase::Forward, None);
    if inspect {
        for (layer, v) in spec.layers.iter().zip(&outs) {
            let out = v.expect("no problems, so every layer has an output");
            let v = out.seen(&mut g, spec.framework)?;
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
