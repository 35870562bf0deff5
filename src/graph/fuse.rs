//! Merges nodes that one kernel can do.
use super::*;
use crate::backend::cpu::kernels::Act;

/// All mergers.
pub fn fuse(graph: &mut Graph) {
    activations(graph);
    pooled_relus(graph);
}

/// The gradient of max pooling, then that of the ReLU before it: one pass, since what a window's
/// largest value passes on is known from that value.
fn pooled_relus(graph: &mut Graph) {
    let readers = readers(graph);
    for i in 0..graph.nodes.len() {
        let relu = Op::ActivationGrad(crate::ops::ActivationGrad { act: Act::Relu });
        if graph.nodes[i].op != relu {
            continue;
        }
        let (saved, between) = (graph.nodes[i].inputs[0], graph.nodes[i].inputs[1]);
        let producer = graph.nodes.iter().position(|n| n.outputs == [between]);
        let Some(p) = producer else { continue };
        let once = readers[between.0 as usize] == 1 && graph.value(between).place == Place::Work;
        let same = graph.nodes[p].inputs.first() == Some(&saved);
        let out = graph.nodes[i].outputs.clone();
        if let Op::MaxPoolGrad(op) = &mut graph.nodes[p].op
            && once
            && same
        {
            op.relu = true;
            graph.nodes[p].outputs = out;
            graph.nodes[i].inputs.clear();
        }
    }
    graph
        .nodes
        .retain(|n| !(matches!(n.op, Op::ActivationGrad(_)) && n.inputs.is_empty()));
}

/// How many nodes read each value.
fn readers(graph: &Graph) -> Vec<u32> {
    let mut readers = vec![0u32; graph.values.len()];
    for v in graph.nodes.iter().flat_map(|n| &n.inputs) {
        readers[v.0 as usize] += 1;
    }
    readers
}

/// Linear or a convolution, then an activation whose gradient needs only its output: one op, if
/// nobody else reads what lies between.
fn activations(graph: &mut Graph) {
    let readers = readers(graph);
    for i in 0..graph.nodes.len() {
        let Op::Activation(a) = &graph.nodes[i].op else {
            continue;
        };
        // GELU, SiLU and softplus are kept apart: their kernels cost more than the pass saved.
        if !a.act.grad_from_output() {
            continue;
        }
        let (act, between, out) = (a.act, graph.nodes[i].inputs[0], graph.nodes[i].outputs[0]);
        if readers[between.0 as usize] != 1 || graph.value(between).place != Place::Work {
            continue;
        }
        let producer = graph.nodes.iter().position(|n| n.outputs == [between]);
        let Some(p) = producer else { continue };
        let room = match &mut graph.nodes[p].op {
            Op::Linear(op) => &mut op.act,
            Op::Conv2d(op) => &mut op.act,
            Op::ConvTranspose2d(op) => &mut op.act,
            _ => continue,
        };
        if *room != Act::None {
            continue;
        }
        *room = act;
        graph.nodes[p].outputs = vec![out];
        // An emptied node: a view of its own output is removed below.
        graph.nodes[i].inputs.clear();
    }
    graph
        .nodes
        .retain(|n| !(matches!(n.op, Op::Activation(_)) && n.inputs.is_empty()));
}
