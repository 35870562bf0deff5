//! Merges nodes that one kernel can do.
use super::*;
use crate::backend::cpu::kernels::Act;

/// Linear or a convolution, then an activation whose gradient needs only its output: one op, if nobody else
/// reads what lies between.
pub fn fuse(graph: &mut Graph) {
    let mut readers = vec![0u32; graph.values.len()];
    for v in graph.nodes.iter().flat_map(|n| &n.inputs) {
        readers[v.0 as usize] += 1;
    }
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
