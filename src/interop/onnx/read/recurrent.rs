//! Recurrent layers and attention.
use super::Res;
use super::build::at;
use super::elementwise::settle;
use super::file::Node;
use super::flow::{Flow, Part, Source};
use super::walk::{Value, Walk};
use crate::interop::onnx::gates::{self, Cell};
use crate::interop::onnx::tensor::Tensor;
use crate::spec::{Activation, Framework, LayerKind, Recurrence};

/// What attention is put together from, until its last projection makes a layer of it.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Layers or parts of layers that give queries, keys and values.
    parts: [Option<Source>; 3],
    heads: usize,
    scale: f32,
    causal: bool,
    weighed: bool,
    /// Its layer, once there is one.
    layer: Option<usize>,
}

pub fn cell(op: &str) -> Option<Cell> {
    [Cell::Rnn, Cell::Lstm, Cell::Gru]
        .into_iter()
        .find(|c| c.op() == op)
}

/// `X[T,N,I], W, R, B? → Y[T,D,N,H], Y_h[D,N,H]`.
pub fn recurrent(walk: &mut Walk, node: &Node, cell: Cell) -> Res<()> {
    let setting = |name: &str| at(node, "onnx-op-setting", &[("name", name.to_string())]);
    let x = walk.flow(node, 0)?;
    let x = match node.int("layout", 0) {
        0 => x.transpose(&[1, 0, 2]),
        _ => return Err(setting("layout")),
    };
    let x = x.ok_or_else(|| at(node, "onnx-op-use", &[]))?;
    let sample = walk.sample(&x, node)?;
    let (w, r) = (walk.held(node, 1)?, walk.held(node, 2)?);
    let (&[directions, rows, inputs], &[_, _, h]) = (&w.dims[..], &r.dims[..]) else {
        return Err(at(node, "onnx-op-weights", &[]));
    };
    let [steps, width] = sample[..] else {
        return Err(at(node, "onnx-op-use", &[]));
    };
    let fits = rows == cell.gates() * h && r.dims == [directions, rows, h] && width == inputs;
    if !fits || h == 0 || !(1..=2).contains(&directions) {
        return Err(at(node, "onnx-op-weights", &[]));
    }
    let bias = match walk.held_if(node, 3)? {
        Some(b) if b.len() == directions * 2 * rows => b.to_floats(),
        None => vec![0.0; directions * 2 * rows],
        Some(_) => return Err(at(node, "onnx-op-weights", &[])),
    };
    for k in [4, 5, 6] {
        // Lengths of sequences are not told apart; states begin as zeros.
        let Some(name) = node.input(k) else { continue };
        let zeros = |t: &Tensor| t.scalar_of_all() == Some(0.0);
        let ok = k != 4 && matches!(walk.value(node, k)?, Some(Value::Held(t)) if zeros(&t));
        if !ok {
            return Err(setting(name));
        }
    }
    if node.input(7).is_some() {
        return Err(setting("P"));
    }
    let both = match node.text("direction").as_deref() {
        None | Some("forward") => false,
        Some("bidirectional") => true,
        Some(other) => return Err(setting(other)),
    };
    if both != (directions == 2) {
        return Err(at(node, "onnx-op-weights", &[]));
    }
    let functions: Vec<String> = node
        .texts("activations")
        .iter()
        .map(|s| s.to_lowercase())
        .collect();
    let usual: &[&str] = match cell {
        Cell::Rnn => &["tanh"],
        Cell::Lstm => &["sigmoid", "tanh", "tanh"],
        Cell::Gru => &["sigmoid", "tanh"],
    };
    let relu = cell == Cell::Rnn && !functions.is_empty() && functions.iter().all(|f| f == "relu");
    let as_usual = functions
        .iter()
        .enumerate()
        .all(|(k, f)| f == usual[k % usual.len()]);
    if !relu && !as_usual {
        return Err(setting("activations"));
    }
    if node.has("clip") || node.int("input_forget", 0) != 0 {
        return Err(setting("clip"));
    }
    if cell == Cell::Gru && node.int("linear_before_reset", 0) == 0 {
        return Err(setting("linear_before_reset"));
    }
    let from = walk.build.shaped(&x, &sample, node)?;
    let layer = Recurrence {
        units: h,
        bidirectional: both,
        return_sequences: false,
    };
    let (name, kind) = match cell {
        Cell::Rnn => {
            let activation = if relu {
                Activation::Relu
            } else {
                Activation::Tanh
            };
            ("rnn", LayerKind::Rnn { layer, activation })
        }
        Cell::Lstm => ("lstm", LayerKind::Lstm(layer)),
        Cell::Gru => ("gru", LayerKind::Gru(layer)),
    };
    let key = walk
        .build
        .layer(node, node.input(1), name, kind, vec![from])?;
    let (w, r) = (w.to_floats(), r.to_floats());
    for (d, reverse) in [false, true].into_iter().take(directions).enumerate() {
        let part = |v: &[f32]| {
            let n = v.len() / directions;
            v[d * n..(d + 1) * n].to_vec()
        };
        let f = Framework::Pytorch;
        let values = gates::unpack(cell, f, &part(&w), &part(&r), &part(&bias));
        let dims: [&[usize]; 4] = [&[rows, inputs], &[rows, h], &[rows], &[rows]];
        let names = gates::names(f, cell, "", both, reverse);
        for ((name, dims), values) in names.iter().zip(dims).zip(values) {
            walk.build.param(key, &name[1..], dims, values);
        }
    }
    walk.bounded(&[steps, directions * h], node)?;
    let source = |part, real: Vec<usize>, dims| {
        Flow::new(Source {
            layer: Some(key),
            real,
            dims,
            part,
        })
    };
    let states = source(
        Part::States,
        vec![steps, directions * h],
        vec![steps, directions, h],
    );
    let last = source(Part::Last, vec![directions * h], vec![directions, h]);
    let states = states.transpose(&[1, 2, 0, 3]).expect("four axes");
    let last = last.transpose(&[1, 0, 2]).expect("three axes");
    walk.give(node, 0, Value::Flow(states));
    walk.give(node, 1, Value::Flow(last));
    Ok(())
}

/// The last of all states, picked from them along the axis of the steps.
pub fn last_state(flow: &Flow, axis: usize, start: i64, len: usize, keep: bool) -> Option<Flow> {
    let s = &flow.source;
    let steps = *s.dims.first()?;
    let one = s.part == Part::States && s.dims.len() == 3 && s.dims[1] == 1;
    let at = if start < 0 {
        start + steps as i64
    } else {
        start
    };
    if !one || flow.groups.get(axis)?[..] != [1] || len != 1 || at != steps as i64 - 1 {
        return None;
    }
    let mut groups = flow.groups.clone();
    match keep {
        true => groups[axis].clear(),
        false => {
            groups.remove(axis);
        }
    }
    for a in groups.iter_mut().flatten() {
        if *a > 1 {
            *a -= 1;
        }
    }
    Some(Flow {
        source: Source {
            layer: s.layer,
            real: vec![s.dims[1] * s.dims[2]],
            dims: s.dims[1..].to_vec(),
            part: Part::Last,
        },
        groups,
        expr: None,
    })
}

/// One direction of a last state, or all of it where there is but one.
pub fn direction(flow: &Flow, axis: usize, index: i64, keep: bool) -> Option<Flow> {
    let s = &flow.source;
    let &[count, h] = &s.dims[..] else {
        return None;
    };
    let at = super::fold::axis(index, count)?;
    if s.part != Part::Last || flow.groups.get(axis)?[..] != [1] {
        return None;
    }
    let mut groups = flow.groups.clone();
    match keep {
        true => groups[axis].clear(),
        false => {
            groups.remove(axis);
        }
    }
    if count == 1 {
        return Some(Flow {
            groups,
            ..flow.clone()
        });
    }
    for a in groups.iter_mut().flatten() {
        *a = (*a).min(1);
    }
    Some(Flow {
        source: Source {
            layer: s.layer,
            real: vec![h],
            dims: vec![h],
            part: Part::Turn(at),
        },
        groups,
        expr: None,
    })
}

/// A last state whose directions were taken apart and stand side by side again.
pub fn joined(parts: &[Flow]) -> Option<Flow> {
    let first = parts.first()?;
    let h = *first.source.real.first()?;
    let turns = parts.iter().enumerate().all(|(k, f)| {
        f.source.layer == first.source.layer
            && f.source.part == Part::Turn(k)
            && f.groups == [vec![0], vec![1]]
    });
    (turns && parts.len() == 2).then(|| {
        Flow::new(Source {
            layer: first.source.layer,
            real: vec![2 * h],
            dims: vec![2 * h],
            part: Part::Last,
        })
    })
}

/// `Split` of the last axis into equal parts.
pub fn split(walk: &mut Walk, node: &Node) -> Res<()> {
    let flow = walk.flow(node, 0)?;
    let no = || at(node, "onnx-op-use", &[]);
    let parts = node.outputs.len();
    let axis = super::fold::axis(node.int("axis", 0), flow.rank()).ok_or_else(no)?;
    let real = flow.source.real.clone();
    let plain = flow.in_order()
        && flow.source.part == Part::Whole
        && axis + 1 == flow.rank()
        && flow.sample().is_some_and(|s| s == real);
    let width = *real.last().ok_or_else(no)?;
    let sizes = match node.ints("split") {
        Some(s) => Some(s.to_vec()),
        None => walk
            .held_if(node, 1)?
            .and_then(|t| t.to_longs().map(<[i64]>::to_vec)),
    };
    let equal = parts > 0 && width.is_multiple_of(parts);
    let each = width / parts.max(1);
    let alike = sizes.is_none_or(|s| s.iter().all(|n| *n == each as i64));
    if !plain || !equal || !alike {
        return Err(no());
    }
    for k in 0..parts {
        let mut real = real.clone();
        *real.last_mut().ok_or_else(no)? = each;
        let source = Source {
            layer: flow.source.layer,
            dims: real.clone(),
            real,
            part: Part::Slice(k, parts),
        };
        walk.give(node, k, Value::Flow(Flow::new(source)));
    }
    Ok(())
}

/// A product of two values of the network: queries with keys, or weights with values.
pub fn product(walk: &mut Walk, node: &Node) -> Res<()> {
    let no = || at(node, "onnx-product", &[]);
    match (walk.value(node, 0)?, walk.value(node, 1)?) {
        (Some(Value::Flow(q)), Some(Value::Flow(k))) => {
            // A scale of one number may stand on either of them.
            let mut scale = 1.0;
            let mut plain = |flow: &Flow| -> Option<Flow> {
                if let Some(e) = &flow.expr {
                    match super::expr::recognise(e) {
                        Some(super::expr::Known::Affine(a, 0.0)) => scale *= a as f32,
                        _ => return None,
                    }
                }
                Some(Flow {
                    expr: None,
                    ..flow.clone()
                })
            };
            let (q, k) = (plain(&q).ok_or_else(no)?, plain(&k).ok_or_else(no)?);
            let heads = match (&q.source.dims[..], &q.groups[..], &k.groups[..]) {
                ([_, heads, _], [a, b, c, d], [e, f, g, h])
                    if a[..] == [0]
                        && b[..] == [2]
                        && c[..] == [1]
                        && d[..] == [3]
                        && e[..] == [0]
                        && f[..] == [2]
                        && g[..] == [3]
                        && h[..] == [1]
                        && k.source.dims == q.source.dims =>
                {
                    *heads
                }
                _ => return Err(no()),
            };
            walk.attentions.push(Attention {
                parts: [Some(q.source), Some(k.source), None],
                heads,
                scale,
                causal: false,
                weighed: false,
                layer: None,
            });
            let value = Value::Attention(walk.attentions.len() - 1);
            walk.give(node, 0, value);
        }
        (Some(Value::Attention(n)), Some(Value::Flow(v))) => {
            let v = settle(walk, &v, node)?;
            let attention = &mut walk.attentions[n];
            let dims = attention.parts[0].as_ref().map(|s| s.dims.clone());
            let groups: Vec<&[usize]> = v.groups.iter().map(|g| &g[..]).collect();
            let fits =
                groups == [&[0][..], &[2], &[1], &[3]] && Some(&v.source.dims) == dims.as_ref();
            if !attention.weighed || !fits {
                return Err(no());
            }
            attention.parts[2] = Some(v.source.clone());
            let flow = Flow {
                source: Source {
                    layer: None,
                    part: Part::Attended(n),
                    ..v.source
                },
                ..v
            };
            walk.give(node, 0, Value::Flow(flow));
        }
        _ => return Err(no()),
    }
    Ok(())
}

/// Scale, mask and softmax of attention's scores. False where the node is none of these.
pub fn scores(walk: &mut Walk, node: &Node, n: usize) -> Res<bool> {
    let no = || at(node, "onnx-product", &[]);
    match node.op.as_str() {
        "Softmax" if matches!(node.int("axis", -1), -1 | 3) => walk.attentions[n].weighed = true,
        "Mul" | "Div" => {
            let k = usize::from(matches!(walk.value(node, 0)?, Some(Value::Attention(_))));
            let v = walk.held(node, k)?.scalar().ok_or_else(no)?;
            walk.attentions[n].scale *= if node.op == "Mul" { v } else { 1.0 / v };
        }
        "Add" => {
            let k = usize::from(matches!(walk.value(node, 0)?, Some(Value::Attention(_))));
            let mask = walk.held(node, k)?;
            let t = walk.attentions[n].parts[0]
                .as_ref()
                .map_or(0, |s| s.dims[0]);
            let values = mask.to_floats();
            let later = |i: usize| i % t > i / t;
            let causal = t > 0
                && values.len() == t * t
                && (0..t * t).all(|i| match later(i) {
                    true => values[i] < -1e4,
                    false => values[i] == 0.0,
                });
            match (causal, values.iter().all(|v| *v == 0.0)) {
                (true, _) => walk.attentions[n].causal = true,
                (_, true) => {}
                _ => return Err(at(node, "onnx-mask", &[])),
            }
        }
        "Identity" | "Dropout" | "Cast" => {}
        _ => return Ok(false),
    }
    walk.give(node, 0, Value::Attention(n));
    Ok(true)
}

/// The layer of an attention, made by its last projection `weight[out, in]`.
pub fn project(
    walk: &mut Walk,
    node: &Node,
    n: usize,
    weight: Vec<f32>,
    name: Option<&str>,
    bias: Vec<f32>,
) -> Res<()> {
    let no = || at(node, "onnx-product", &[]);
    let a = walk.attentions[n].clone();
    let [Some(q), Some(k), Some(v)] = a.parts else {
        return Err(no());
    };
    let &[t, heads, each] = &q.dims[..] else {
        return Err(no());
    };
    let d = heads * each;
    let right = 1.0 / (each as f32).sqrt();
    if heads != a.heads || (a.scale - right).abs() > 1e-5 * right || weight.len() != d * d {
        return Err(no());
    }
    let (mut w, mut b) = (Vec::new(), Vec::new());
    let mut inputs = Vec::new();
    let mut of = Vec::new();
    for source in [q, k, v] {
        let layer = source.layer.ok_or_else(no)?;
        let (k, parts) = match source.part {
            Part::Slice(k, parts) => (k, parts),
            Part::Whole => (0, 1),
            _ => return Err(no()),
        };
        if !matches!(walk.build.layers[layer].kind, LayerKind::Linear { .. }) {
            return Err(no());
        }
        inputs.push(walk.build.layers[layer].inputs.clone());
        let weight = walk.build.find(layer, "weight").ok_or_else(no)?;
        let width = *weight.dims.last().ok_or_else(no)?;
        let size = weight.values.len() / parts;
        if width != d || size != d * d {
            return Err(no());
        }
        w.extend_from_slice(&weight.values[k * size..(k + 1) * size]);
        match walk.build.find(layer, "bias") {
            Some(bias) => b.extend_from_slice(&bias.values[k * d..(k + 1) * d]),
            None => b.resize(b.len() + d, 0.0),
        }
        of.push(layer);
    }
    if inputs.iter().any(|i| *i != inputs[0]) {
        return Err(no());
    }
    let kind = LayerKind::MultiHeadAttention {
        heads,
        causal: a.causal,
    };
    // Named as the module is: `attn.out_proj.weight`.
    let stem = name.and_then(|n| n.rsplit_once('.')).map(|(stem, _)| stem);
    let own = stem.filter(|s| s.contains('.'));
    let layer = walk
        .build
        .layer(node, own, "attention", kind, inputs.remove(0))?;
    walk.build.param(layer, "in_proj_weight", &[3 * d, d], w);
    walk.build.param(layer, "in_proj_bias", &[3 * d], b);
    walk.build.param(layer, "out_proj.weight", &[d, d], weight);
    walk.build.param(layer, "out_proj.bias", &[d], bias);
    walk.attentions[n].layer = Some(layer);
    walk.give_layer(node, layer, vec![t, d])
}

/// A bias behind an attention's last projection. None where the flow comes from none.
pub fn into_projection(walk: &mut Walk, flow: &Flow, a: &[f32], b: &[f32]) -> Option<Flow> {
    let layer = flow.source.layer?;
    if !matches!(
        walk.build.layers[layer].kind,
        LayerKind::MultiHeadAttention { .. }
    ) {
        return None;
    }
    let read = |l: &super::build::Layer| l.inputs.contains(&Some(layer));
    let bias = walk.build.layers.iter().any(read);
    if bias || a != [1.0] {
        return None;
    }
    let param = walk.build.find(layer, "out_proj.bias")?;
    if param.values.len() != b.len() {
        return None;
    }
    for (v, b) in param.values.iter_mut().zip(b) {
        *v += b;
    }
    Some(flow.clone())
}
