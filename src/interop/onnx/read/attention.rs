//! Self-attention, which exporters take apart: products of queries and keys, and of weights and values,
//! between two projections.
use super::Res;
use super::build::at;
use super::elementwise::settle;
use super::file::Node;
use super::flow::{Flow, Part, Source};
use super::walk::{Value, Walk};
use crate::spec::{Framework, LayerKind};

/// What attention is put together from, until its last projection makes a layer of it.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Layers or parts of layers that give queries, keys and values.
    parts: [Option<Source>; 3],
    /// Steps, heads, and numbers of each head.
    sizes: [usize; 3],
    scale: f32,
    causal: bool,
    weighed: bool,
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
            image: false,
        };
        walk.give(node, k, Value::Flow(Flow::new(source)));
    }
    Ok(())
}

/// One of the equal parts of the last axis that a reshape took apart, by its number. None where the axis
/// is none of parts.
pub fn part(flow: &Flow, axis: usize, index: i64, keep: bool) -> Option<Flow> {
    let s = &flow.source;
    let n = s.real.len();
    let apart = s.dims.len() == n + 1 && s.dims[..n - 1] == s.real[..n - 1];
    if !apart || s.part != Part::Whole || flow.expr.is_some() || flow.groups.get(axis)?[..] != [n] {
        return None;
    }
    let parts = s.dims[n - 1];
    let k = super::fold::axis(index, parts)?;
    let mut groups = flow.groups.clone();
    match keep {
        true => groups[axis].clear(),
        false => drop(groups.remove(axis)),
    }
    for a in groups.iter_mut().flatten().filter(|a| **a > n) {
        *a -= 1;
    }
    let mut real = s.real.clone();
    *real.last_mut()? = s.dims[n];
    let source = Source {
        layer: s.layer,
        dims: real.clone(),
        real,
        part: Part::Slice(k, parts),
        image: false,
    };
    let expr = None;
    Some(Flow {
        source,
        groups,
        expr,
    })
}

/// A product of two values of the network: queries with keys, or weights with values.
pub fn product(walk: &mut Walk, node: &Node) -> Res<()> {
    let no = || at(node, "onnx-product", &[]);
    match (walk.value(node, 0)?, walk.value(node, 1)?) {
        (Some(Value::Flow(q)), Some(Value::Flow(k))) => {
            // A scale of one number may stand on either of them.
            let mut scale = 1.0;
            let mut plain = |walk: &mut Walk, flow: &Flow| -> Res<Flow> {
                let e = flow.expr.as_ref().and_then(|e| super::expr::recognise(e));
                let Some(super::expr::Known::Affine(a, 0.0)) = e else {
                    return settle(walk, flow, node);
                };
                scale *= a as f32;
                let expr = None;
                Ok(Flow {
                    expr,
                    ..flow.clone()
                })
            };
            let (q, k) = (plain(walk, &q)?, plain(walk, &k)?);
            let sizes = heads(&q, [0, 2, 1, 3]).ok_or_else(no)?;
            if heads(&k, [0, 2, 3, 1]) != Some(sizes) {
                return Err(no());
            }
            walk.attentions.push(Attention {
                parts: [Some(q.source), Some(k.source), None],
                sizes,
                scale,
                causal: false,
                weighed: false,
            });
            let value = Value::Attention(walk.attentions.len() - 1);
            walk.give(node, 0, value);
        }
        (Some(Value::Attention(n)), Some(Value::Flow(v))) => {
            let v = settle(walk, &v, node)?;
            let attention = &mut walk.attentions[n];
            let sizes = attention.sizes;
            if !attention.weighed || heads(&v, [0, 2, 1, 3]) != Some(sizes) {
                return Err(no());
            }
            attention.parts[2] = Some(v.source.clone());
            let [t, heads, each] = sizes;
            let mut flow = Flow::new(Source {
                layer: None,
                real: vec![t, heads * each],
                dims: sizes.to_vec(),
                part: Part::Attended(n),
                image: false,
            });
            flow.groups.swap(1, 2);
            walk.give(node, 0, Value::Flow(flow));
        }
        _ => return Err(no()),
    }
    Ok(())
}

/// Steps, heads and numbers of each head of a value whose last axis was taken apart into heads; `order`: what
/// its axes are, of the batch, the steps, the heads and the numbers. None where it is no such value.
fn heads(flow: &Flow, order: [usize; 4]) -> Option<[usize; 3]> {
    let shape = flow.shape()?;
    let &[t, width] = &flow.source.real[..] else {
        return None;
    };
    let at = |what: usize| order.iter().position(|o| *o == what);
    let size = |what: usize| shape.get(at(what)?).and_then(|n| usize::try_from(*n).ok());
    let (h, each) = (size(2)?, size(3)?);
    if shape.len() != 4 || flow.expr.is_some() || h.checked_mul(each) != Some(width) {
        return None;
    }
    let whole = Flow::new(Source {
        dims: flow.source.real.clone(),
        ..flow.source.clone()
    });
    let made = whole.reshape(&[0, t as i64, h as i64, each as i64])?;
    let made = made.transpose(&order)?;
    made.lies_as(flow).then_some([t, h, each])
}

/// Scale, mask and softmax of attention's scores. False where the node is none of these.
pub fn scores(walk: &mut Walk, node: &Node, n: usize) -> Res<bool> {
    let no = || at(node, "onnx-product", &[]);
    let passes = matches!(&node.op[..], "Identity" | "Dropout" | "Cast");
    if walk.attentions[n].weighed && !passes {
        return Ok(false);
    }
    match node.op.as_str() {
        "Softmax" if matches!(node.int("axis", -1), -1 | 3) => walk.attentions[n].weighed = true,
        "Mul" | "Div" => {
            let k = usize::from(matches!(walk.value(node, 0)?, Some(Value::Attention(_))));
            let v = walk.held(node, k)?.scalar().ok_or_else(no)?;
            if k == 0 && node.op == "Div" {
                return Err(no());
            }
            walk.attentions[n].scale *= if node.op == "Mul" { v } else { 1.0 / v };
        }
        "Add" => {
            let k = usize::from(matches!(walk.value(node, 0)?, Some(Value::Attention(_))));
            let mask = walk.held(node, k)?;
            let t = walk.attentions[n].sizes[0];
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

/// Names of an attention's last projection.
fn projection(framework: Framework) -> &'static str {
    match framework {
        Framework::Pytorch => "out_proj",
        Framework::Keras => "attention_output",
    }
}

/// The layer of an attention, made by its last projection `weight[out, in]` of `flow`, in which the heads
/// stand side by side along the last axis.
pub fn project(
    walk: &mut Walk,
    node: &Node,
    flow: &Flow,
    n: usize,
    weight: Vec<f32>,
    name: Option<&str>,
    bias: Option<Vec<f32>>,
) -> Res<()> {
    let no = || at(node, "onnx-product", &[]);
    let a = walk.attentions[n].clone();
    let [Some(q), Some(k), Some(v)] = a.parts else {
        return Err(no());
    };
    let [t, heads, each] = a.sizes;
    // Whatever becomes of samples and steps, it comes out as it went in.
    let mut groups = flow.groups.clone();
    let last = groups.pop().unwrap_or_default();
    let long = |a: &usize| flow.source.dims.get(a - 1).is_some_and(|n| *n != 1);
    let side_by_side = [2, 3].into_iter().filter(long);
    if last.contains(&0)
        || !side_by_side.eq(last.iter().copied().filter(long))
        || groups.iter().flatten().any(|a| *a > 1 && long(a))
    {
        return Err(no());
    }
    groups.iter_mut().for_each(|g| g.retain(|a| *a < 2));
    groups.push(vec![2]);
    let d = heads * each;
    let right = 1.0 / (each as f32).sqrt();
    if (a.scale - right).abs() > 1e-5 * right || weight.len() != d * d {
        return Err(no());
    }
    let mut three = Vec::new();
    let mut inputs = Vec::new();
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
        let weight = weight.values[k * size..(k + 1) * size].to_vec();
        let bias = match walk.build.find(layer, "bias") {
            Some(bias) => bias.values[k * d..(k + 1) * d].to_vec(),
            None => vec![0.0; d],
        };
        three.push((weight, bias));
        // It was the attention's own, which takes its name.
        if !walk.build.is_read(layer) && !walk.build.layers[layer].id.ends_with("_parts") {
            walk.build.layers[layer].id.push_str("_parts");
        }
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
    let build = &mut walk.build;
    let layer = build.layer(node, own, "attention", kind, inputs.remove(0))?;
    match build.framework {
        Framework::Pytorch => {
            let (w, b): (Vec<_>, Vec<_>) = three.into_iter().unzip();
            build.param(layer, "in_proj_weight", &[3 * d, d], w.concat());
            build.param(layer, "in_proj_bias", &[3 * d], b.concat());
        }
        Framework::Keras => {
            for (name, (w, b)) in ["query", "key", "value"].into_iter().zip(three) {
                build.param(layer, &format!("{name}.weight"), &[d, d], w);
                build.param(layer, &format!("{name}.bias"), &[d], b);
            }
        }
    }
    let last = projection(build.framework);
    let bias = bias.unwrap_or(vec![0.0; d]);
    build.param(layer, &format!("{last}.weight"), &[d, d], weight);
    build.param(layer, &format!("{last}.bias"), &[d], bias);
    walk.bounded(&[t, d], node)?;
    let made = Flow::of(Some(layer), vec![t, d]);
    walk.give(node, 0, Value::Flow(Flow { groups, ..made }));
    Ok(())
}

/// A bias behind an attention's last projection. None where the flow comes from none.
pub fn into_projection(
    walk: &mut Walk,
    flow: &Flow,
    a: &[f32],
    b: &[f32],
    axis: Option<usize>,
) -> Option<Flow> {
    let layer = flow.source.layer?;
    if !matches!(
        walk.build.layers[layer].kind,
        LayerKind::MultiHeadAttention { .. }
    ) {
        return None;
    }
    let along = match axis {
        Some(k) => flow.groups[k][..] == [2],
        None => flow.source.real.last() == Some(&1),
    };
    if !flow.unsplit()
        || walk.build.is_read(layer)
        || !walk.one_way(Some(layer))
        || a != [1.0]
        || !along
    {
        return None;
    }
    let bias = format!("{}.bias", projection(walk.build.framework));
    let param = walk.build.find(layer, &bias)?;
    if param.values.len() != b.len() {
        return None;
    }
    for (v, b) in param.values.iter_mut().zip(b) {
        *v += b;
    }
    Some(flow.clone())
}
