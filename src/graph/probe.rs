//! The program behind the look inside: a forward pass whose layers can all be read, and the
//! gradient of a chosen output by the input and by what embeddings look up.
use super::build::{Facts, ProgramKind, Programs};
use super::head::outputs;
use super::layers::layers;
use super::*;
use crate::backend::cpu::kernels::Act;
use crate::ops;
use crate::spec::{Problems, Spec, TargetOf};

/// Rows that one run takes.
pub const PROBE_BATCH: usize = 32;

/// The output before what turns it into a probability or a class: the gradient of a class does not
/// fade where the network is sure.
fn score(g: &Graph, out: ValueId) -> ValueId {
    let last = g.nodes.iter().find(|n| n.outputs == [out]);
    let squashes = |op: &Op| match op {
        Op::Softmax(_) => true,
        Op::Activation(a) => matches!(a.act, Act::Sigmoid | Act::Step),
        _ => false,
    };
    match last {
        Some(n) if squashes(&n.op) => n.inputs[0],
        _ => out,
    }
}

/// What layers hold on the way to their outputs, by name.
fn within(g: &Graph, spec: &Spec) -> Vec<(String, ValueId)> {
    let mut all = Vec::new();
    for (i, layer) in spec.layers.iter().enumerate() {
        let mut direction = 0;
        for node in g.nodes.iter().filter(|n| n.layer == Some(i)) {
            let id = &layer.id;
            match &node.op {
                Op::Recurrent(_) => {
                    all.push((format!("states:{id}.{direction}"), node.outputs[0]));
                    direction += 1;
                }
                Op::Attention(_) => {
                    for (k, v) in node.inputs.iter().enumerate() {
                        all.push((format!("attention:{id}.{k}"), *v));
                    }
                    all.push((format!("attention:{id}.l"), node.outputs[1]));
                }
                _ => {}
            }
        }
    }
    all
}

/// One program under [`ProgramKind::Inspect`], over a layout of its own. It reads `probe.x`
/// `[B, sample…]` and `probe.pick` `[B, outputs]`, and writes `activation:<layer>` of all layers,
/// `probe.score` `[B, outputs]`, `probe.dx` `[B, sample…]`: the gradient of the mean of score·pick
/// over all its elements, where the input has one, and for embedding i `probe.embedding.<i>` and
/// `probe.dembedding.<i>` `[B, T, E]`. Of recurrent layers it writes `states:<layer>.<direction>` `[B, T, H]`,
/// of attention the op's inputs `attention:<layer>.<i>` and `attention:<layer>.l`, see [`ops::Attention`].
/// Where the target is the input itself, `probe.score` is the output as a prediction has it.
pub fn probe(spec: &Spec, facts: &Facts) -> Result<(Layout, Programs), Problems> {
    let mut layout = Layout::default();
    let mut g = Graph::default();
    let mut shape = vec![PROBE_BATCH];
    shape.extend(&facts.data.sample);
    let slot = layout.slot(Slab::Io, "probe.x", &shape, Dtype::F32);
    let x = g.slot(&layout, slot);
    let mut problems = Vec::new();
    let outs = layers(&mut g, &mut layout, spec, x, None, &mut problems);
    let (Some(out), true) = (outs.last().copied().flatten(), problems.is_empty()) else {
        return Err(Problems(problems));
    };
    let out = out.seen(&mut g, spec.framework)?;
    let within = within(&g, spec);
    let embedded: Vec<ValueId> = g
        .nodes
        .iter()
        .filter(|n| matches!(n.op, Op::Embedding(_)))
        .map(|n| n.outputs[0])
        .collect();
    g.mark(Phase::Forward, None);
    // What gives its input back is asked how well it does.
    let told = match spec.data.target {
        TargetOf::Input => outputs(&mut g, spec, out)?,
        _ => score(&g, out),
    };
    let width = numel(&g.shape(told)[1..]);
    let flat = vec![PROBE_BATCH, width];
    let told = g.push1(
        ops::Reshape {
            shape: flat.clone(),
        },
        &[told],
        "score",
    )?;
    let pick = layout.slot(Slab::Io, "probe.pick", &flat, Dtype::F32);
    let pick = g.slot(&layout, pick);
    let how = ops::Pair::Mul;
    let picked = g.push1(ops::Pairwise { how }, &[told, pick], "picked")?;
    let shape = vec![PROBE_BATCH * width];
    let picked = g.push1(ops::Reshape { shape }, &[picked], "picked")?;
    let total = g.push1(ops::Mean, &[picked], "total")?;
    let mut wanted = vec![x];
    wanted.extend(&embedded);
    let grads = differentiate(&mut g, total, &wanted)?;
    g.mark(Phase::Forward, None);
    let mut tell = |g: &mut Graph, name: &str, v: ValueId| {
        let shape = g.shape(v).to_vec();
        let to = layout.slot(Slab::Io, name, &shape, Dtype::F32);
        g.write_to(&layout, v, to);
    };
    for (layer, v) in spec.layers.iter().zip(&outs) {
        let v = v.expect("no problems, so every layer has an output");
        let v = v.seen(&mut g, spec.framework)?;
        tell(&mut g, &format!("activation:{}", layer.id), v);
    }
    tell(&mut g, "probe.score", told);
    if let Some(dx) = grads[0] {
        tell(&mut g, "probe.dx", dx);
    }
    for (i, (v, dv)) in embedded.iter().zip(&grads[1..]).enumerate() {
        if let Some(dv) = dv {
            tell(&mut g, &format!("probe.embedding.{i}"), *v);
            tell(&mut g, &format!("probe.dembedding.{i}"), *dv);
        }
    }
    for (name, v) in within {
        tell(&mut g, &name, v);
    }
    g.drop_unread();
    fuse(&mut g);
    Ok((layout, vec![(ProgramKind::Inspect, PROBE_BATCH, g)]))
}
