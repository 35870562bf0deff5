//! What each operation is as a layer.
use super::attention;
use super::build::at;
use super::elementwise;
use super::expr;
use super::file::Node;
use super::flow::{BATCH, Flow, Part};
use super::fold;
use super::norms;
use super::recurrent;
use super::walk::{Value, Walk, axes_of};
use super::windows;
use super::{Note, Res};
use crate::interop::onnx::tensor::Tensor;
use crate::spec::*;

pub fn node(walk: &mut Walk, node: &Node) -> Res<()> {
    for k in 0..node.inputs.len() {
        if let Some(Value::Attention(n)) = walk.value(node, k)? {
            if node.op == "MatMul" {
                break;
            }
            return match attention::scores(walk, node, n)? {
                true => Ok(()),
                false => Err(at(node, "onnx-product", &[])),
            };
        }
    }
    if elementwise::unary(walk, node)? || elementwise::binary(walk, node)? {
        return Ok(());
    }
    if let Some(cell) = recurrent::cell(&node.op) {
        return recurrent::recurrent(walk, node, cell);
    }
    match node.op.as_str() {
        "Identity" | "Dropout" => passed(walk, node),
        "Cast" => elementwise::cast(walk, node),
        "Transpose" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => moved(walk, node),
        "Gemm" => gemm(walk, node),
        "MatMul" => match walk.value(node, 1)? {
            Some(Value::Held(w)) => matmul(walk, node, &w),
            _ => attention::product(walk, node),
        },
        "Conv" | "ConvTranspose" => windows::conv(walk, node, node.op == "ConvTranspose"),
        "MaxPool" | "AveragePool" => windows::pool(walk, node),
        "GlobalAveragePool" | "GlobalMaxPool" => windows::global(walk, node, true),
        "ReduceMean" | "ReduceMax" => windows::reduce(walk, node),
        "BatchNormalization" => norms::batch_norm(walk, node),
        "LayerNormalization" | "RMSNormalization" => norms::layer_norm(walk, node),
        "Softmax" => softmax(walk, node),
        "Concat" => concat(walk, node),
        "Gather" => gather(walk, node),
        "Slice" => slice(walk, node),
        "Split" => attention::split(walk, node),
        "Resize" | "Upsample" => windows::resize(walk, node),
        _ => Err(at(node, "onnx-op-unknown", &[])),
    }
}

pub fn unfit(node: &Node) -> Note {
    at(node, "onnx-op-use", &[])
}

pub fn setting(node: &Node, name: &str) -> Note {
    at(node, "onnx-op-setting", &[("name", name.to_string())])
}

/// What changes nothing here; a Dropout keeps its rate.
fn passed(walk: &mut Walk, node: &Node) -> Res<()> {
    let Some(value) = walk.value(node, 0)? else {
        return Err(unfit(node));
    };
    if node.op == "Dropout" && matches!(value, Value::Flow(_)) {
        let rate = match walk.held_if(node, 1)? {
            Some(t) => t.scalar().unwrap_or(0.5),
            None => node.float("ratio", 0.5),
        };
        let flow = walk.flow(node, 0)?;
        let from = walk.build.source(&flow, node)?;
        let kind = LayerKind::Dropout { rate };
        let layer = walk.build.layer(node, None, "dropout", kind, vec![from])?;
        walk.give(node, 0, Value::Flow(flow.over(layer)));
        return Ok(());
    }
    walk.give(node, 0, value);
    Ok(())
}

/// What only moves numbers about. A function of each number stays with them.
fn moved(walk: &mut Walk, node: &Node) -> Res<()> {
    let Some(Value::Flow(mut flow)) = walk.value(node, 0)? else {
        return Err(unfit(node));
    };
    // Several readers have it from one layer.
    let forks = node.outputs.first().is_some_and(|o| !walk.used_once(o));
    if forks && (flow.expr.as_ref()).is_some_and(|e| expr::recognise(e).is_some()) {
        flow = walk.flow(node, 0)?;
    }
    let made = match node.op.as_str() {
        "Transpose" => {
            let perm = match node.ints("perm") {
                Some(p) => fold::axes(p, flow.rank()),
                None => Some((0..flow.rank()).rev().collect()),
            };
            perm.and_then(|p| flow.transpose(&p))
        }
        "Flatten" => {
            let rank = flow.rank() as i64;
            let at = node.int("axis", 1);
            let at = if at < 0 { at + rank } else { at };
            match at {
                1 => flow.reshape(&[0, -1]),
                a if a == rank - 1 => {
                    let last = flow.shape().and_then(|s| s.last().copied());
                    last.and_then(|n| flow.reshape(&[-1, n]))
                }
                _ => None,
            }
        }
        "Reshape" => {
            let target = walk.held(node, 1)?;
            let target = target.to_longs().ok_or_else(|| unfit(node))?.to_vec();
            flow.reshape(&target).or_else(|| fixed(&flow, &target))
        }
        "Squeeze" => {
            let axes = axes_of(walk, node, 1, flow.rank())?;
            flow.squeeze(axes.as_deref())
        }
        _ => {
            let given = match node.ints("axes") {
                Some(a) => a.len(),
                None => walk.held(node, 1)?.len(),
            };
            let axes = axes_of(walk, node, 1, flow.rank() + given)?.unwrap_or_default();
            flow.unsqueeze(&axes)
        }
    };
    let made = made.ok_or_else(|| at(node, "onnx-order", &[]))?;
    let made = channels_first(walk, node, &flow, made);
    walk.give(node, 0, Value::Flow(made));
    Ok(())
}

/// A file for one sample has a 1 where the batch is.
fn fixed(flow: &Flow, target: &[i64]) -> Option<Flow> {
    let (first, rest) = target.split_first()?;
    let target: Vec<i64> = std::iter::once(BATCH).chain(rest.iter().copied()).collect();
    (*first == 1).then(|| flow.reshape(&target)).flatten()
}

/// An input whose channels are last, and which is turned round first of all, is taken to have them first,
/// as the page's data has.
fn channels_first(walk: &mut Walk, node: &Node, from: &Flow, made: Flow) -> Flow {
    let (Some(old), Some(new)) = (from.sample(), made.sample()) else {
        return made;
    };
    let &[h, w, c] = &old[..] else {
        return made;
    };
    let turned = node.ints("perm") == Some(&[0, 3, 1, 2]) || node.op == "Reshape" && c == 1;
    if !turned || new != [c, h, w] || !walk.is_fresh(from) || walk.build.input != old {
        return made;
    }
    walk.build.input.clone_from(&new);
    walk.first(new)
}

/// The Linear layer for `weight[out, in]`, applied to the last axis.
fn linear(
    walk: &mut Walk,
    node: &Node,
    flow: &Flow,
    mut weight: Vec<f32>,
    name: Option<&str>,
    bias: Option<Vec<f32>>,
) -> Res<()> {
    let wrong = || at(node, "onnx-op-weights", &[]);
    let shape = flow.shape();
    let (rows, last) = match (&shape, flow.groups.last()) {
        (Some(s), _) => (flow.rank() == 2, *s.last().ok_or_else(wrong)? as usize),
        // The batch and the steps as one axis.
        (None, Some(g)) => (false, g.iter().map(|a| flow.source.dims[a - 1]).product()),
        _ => return Err(wrong()),
    };
    if last == 0 || weight.is_empty() || !weight.len().is_multiple_of(last) {
        return Err(wrong());
    }
    let units = weight.len() / last;
    let mut bias = bias;
    let (from, out) = if rows {
        let order = flow
            .permutation()
            .ok_or_else(|| at(node, "onnx-order", &[]))?;
        let mut flow = flow.clone();
        if !order.is_sorted() {
            // The layer before gives its numbers in another order: the weights follow.
            weight = columns(&weight, units, &order, &flow.source.dims).ok_or_else(wrong)?;
            flow = Flow::new(flow.source.clone())
                .reshape(&[0, -1])
                .ok_or_else(wrong)?;
        } else if flow.source.layer.is_none() {
            scaled_input(walk, &mut weight, &mut bias, units);
        }
        let out = Flow::of(None, vec![units]);
        (walk.build.shaped(&flow, &[last], node)?, out)
    } else {
        // The last axis alone, whatever the others are.
        let dims = flow.source.dims.clone();
        let real = flow.source.real.clone();
        let own = flow.groups.last().is_some_and(|g| g[..] == [dims.len()]);
        let ordered = flow.in_order();
        match shape {
            Some(_) if ordered => {
                let sample = walk.sample(flow, node)?;
                let from = walk.build.shaped(flow, &sample, node)?;
                let mut out = sample;
                *out.last_mut().ok_or_else(wrong)? = units;
                let mut out = Flow::of(None, out);
                out.source.image = flow.source.image;
                (from, out)
            }
            _ if own && dims == real && dims.len() > 1 => {
                let from = walk.build.source(flow, node)?;
                let mut out = real;
                *out.last_mut().ok_or_else(wrong)? = units;
                let mut made = Flow::of(None, out);
                made.source.image = flow.source.image;
                let groups = flow.groups.clone();
                (from, Flow { groups, ..made })
            }
            _ => return Err(at(node, "onnx-order", &[])),
        }
    };
    if bias.as_ref().is_some_and(|b| b.len() != units) {
        return Err(wrong());
    }
    let kind = LayerKind::Linear {
        units,
        bias: bias.is_some(),
        activation: None,
        weight_init: None,
        bias_init: None,
    };
    let layer = walk.build.layer(node, name, "linear", kind, vec![from])?;
    walk.build.param(layer, "weight", &[units, last], weight);
    if let Some(bias) = bias {
        walk.build.param(layer, "bias", &[units], bias);
    }
    let mut flow = out;
    walk.bounded(&flow.source.real, node)?;
    flow.source.layer = Some(layer);
    walk.give(node, 0, Value::Flow(flow));
    Ok(())
}

/// A scaling of the input number by number, worked into the layer that reads it. One factor for all is
/// left, for it is a setting of the data.
fn scaled_input(walk: &mut Walk, weight: &mut [f32], bias: &mut Option<Vec<f32>>, units: usize) {
    let Some((mul, add)) = &walk.build.affine else {
        return;
    };
    let n = mul.len();
    let alike = mul.iter().all(|m| *m == mul[0]) && mul[0] > 0.0;
    let setting = alike && add.iter().all(|a| *a == 0.0);
    if setting || weight.len() != n * units || !walk.one_way(None) {
        return;
    }
    let mut shift = bias.take().unwrap_or(vec![0.0; units]);
    for (row, b) in weight.chunks_exact_mut(n).zip(&mut shift) {
        *b += row.iter().zip(add).map(|(w, a)| w * a).sum::<f32>();
        for (w, m) in row.iter_mut().zip(mul) {
            *w *= m;
        }
    }
    *bias = Some(shift);
    walk.build.affine = None;
    walk.build.scaled = true;
}

/// `weight[units, …]` whose columns lie in the order of axes `order`, in the order of `dims`.
fn columns(weight: &[f32], units: usize, order: &[usize], dims: &[usize]) -> Option<Vec<f32>> {
    // Axes of size 1 are not among them.
    let long: Vec<usize> = (0..dims.len()).filter(|k| dims[*k] != 1).collect();
    let place = |axis: usize| order.iter().position(|a| *a == axis);
    let mut perm = vec![0];
    for axis in &long {
        perm.push(place(*axis)? + 1);
    }
    let mut shape = vec![units];
    shape.extend(order.iter().map(|a| dims[*a]));
    let t = fold::transpose(&Tensor::floats(&shape, weight.to_vec()), &perm)?;
    Some(t.to_floats())
}

fn gemm(walk: &mut Walk, node: &Node) -> Res<()> {
    for (name, usual) in [("alpha", 1.0), ("beta", 1.0)] {
        if node.float(name, usual) != usual {
            return Err(setting(node, name));
        }
    }
    if node.int("transA", 0) != 0 {
        return Err(setting(node, "transA"));
    }
    let flow = walk.flow(node, 0)?;
    let w = walk.held(node, 1)?;
    if w.dims.len() != 2 {
        return Err(at(node, "onnx-op-weights", &[]));
    }
    let weight = match node.int("transB", 0) {
        0 => turned_weight(&w, node)?,
        _ => w.to_floats(),
    };
    let units = w.dims[if node.int("transB", 0) == 0 { 1 } else { 0 }];
    let bias = walk.held_if(node, 2)?.map(|b| match b.scalar() {
        Some(v) => vec![v; units],
        None => b.to_floats(),
    });
    projected(walk, node, &flow, weight, node.input(1), bias)
}

/// A Linear layer, or the last projection of an attention.
fn projected(
    walk: &mut Walk,
    node: &Node,
    flow: &Flow,
    weight: Vec<f32>,
    name: Option<&str>,
    bias: Option<Vec<f32>>,
) -> Res<()> {
    match flow.source.part {
        Part::Attended(n) => attention::project(walk, node, flow, n, weight, name, bias),
        _ => linear(walk, node, flow, weight, name, bias),
    }
}

fn turned_weight(w: &Tensor, node: &Node) -> Res<Vec<f32>> {
    fold::transpose(w, &[1, 0])
        .map(|t| t.to_floats())
        .ok_or_else(|| at(node, "onnx-op-weights", &[]))
}

fn matmul(walk: &mut Walk, node: &Node, w: &Tensor) -> Res<()> {
    let flow = walk.flow(node, 0)?;
    if w.dims.len() != 2 {
        return Err(at(node, "onnx-op-weights", &[]));
    }
    let weight = turned_weight(w, node)?;
    // A name that says where the weights are from, through the transpose that was worked out.
    let source = walk
        .file
        .nodes
        .iter()
        .find(|n| n.outputs.first().map(String::as_str) == node.input(1));
    let name = source.and_then(|n| n.input(0)).or(node.input(1));
    let name = name.map(str::to_string);
    projected(walk, node, &flow, weight, name.as_deref(), None)
}

fn softmax(walk: &mut Walk, node: &Node) -> Res<()> {
    let flow = walk.flow(node, 0)?;
    let old = walk.file.opset < 13;
    let axis = fold::axis(node.int("axis", if old { 1 } else { -1 }), flow.rank());
    let axis = axis.filter(|a| !old || a + 1 == flow.rank());
    let axis = axis.ok_or_else(|| setting(node, "axis"))?;
    let source = &flow.source;
    let function = Activation::Softmax;
    let rank = source.real.len();
    let own = |k: usize| flow.unsplit() && flow.groups[axis] == [k];
    // Within a convolution it is over the channels.
    if let Some(layer) = source.layer
        && own(walk.build.channel_axis(source))
        && !own(rank)
        && !walk.build.is_read(layer)
        && walk.one_way(Some(layer))
        && let LayerKind::Conv1d(c)
        | LayerKind::Conv2d(c)
        | LayerKind::ConvTranspose2d { conv: c, .. } = &mut walk.build.layers[layer].kind
        && c.activation.is_none()
    {
        c.activation = Some(function);
        walk.give(node, 0, Value::Flow(flow));
        return Ok(());
    }
    let alpha = None;
    let kind = LayerKind::Activation { function, alpha };
    if own(rank) {
        let from = walk.build.source(&flow, node)?;
        let layer = walk.build.layer(node, None, "softmax", kind, vec![from])?;
        walk.give(node, 0, Value::Flow(flow.over(layer)));
        return Ok(());
    }
    let sample = walk.sample(&flow, node)?;
    if axis + 1 != flow.rank() {
        return Err(setting(node, "axis"));
    }
    let from = walk.build.shaped(&flow, &sample, node)?;
    let layer = walk.build.layer(node, None, "softmax", kind, vec![from])?;
    walk.give_layer(node, layer, sample)
}

fn concat(walk: &mut Walk, node: &Node) -> Res<()> {
    let mut parts = Vec::new();
    for k in 0..node.inputs.len() {
        parts.push(walk.flow(node, k)?);
    }
    if let Some(flow) = recurrent::joined(&parts)
        && fold::axis(node.int("axis", 1), 2) == Some(1)
    {
        walk.give(node, 0, Value::Flow(flow));
        return Ok(());
    }
    if let Some(value) = recurrent::stacked(&parts, node.int("axis", 1)) {
        walk.give(node, 0, value);
        return Ok(());
    }
    if let Some((flow, axis)) = alike(walk, node, &parts) {
        let mut inputs = Vec::new();
        for part in &parts {
            inputs.push(walk.build.source(part, node)?);
        }
        let kind = LayerKind::Concatenate { axis };
        let layer = walk.build.layer(node, None, "concat", kind, inputs)?;
        walk.bounded(&flow.source.real, node)?;
        walk.give(node, 0, Value::Flow(flow.over(layer)));
        return Ok(());
    }
    let mut inputs = Vec::new();
    let mut out: Option<Vec<usize>> = None;
    let mut axis = 0;
    for flow in parts {
        axis = fold::axis(node.int("axis", 1), flow.rank())
            .filter(|a| *a > 0)
            .ok_or_else(|| setting(node, "axis"))?;
        let sample = walk.sample(&flow, node)?;
        inputs.push(walk.build.shaped(&flow, &sample, node)?);
        match &mut out {
            None => out = Some(sample),
            Some(out) if out.len() == sample.len() => out[axis - 1] += sample[axis - 1],
            _ => return Err(unfit(node)),
        }
    }
    let out = out
        .filter(|_| inputs.len() > 1)
        .ok_or_else(|| unfit(node))?;
    let kind = LayerKind::Concatenate { axis: axis as i64 };
    let layer = walk.build.layer(node, None, "concat", kind, inputs)?;
    walk.give_layer(node, layer, out)
}

/// What comes of joining values that all lie in the same way, and the axis as their layers see it.
fn alike(walk: &Walk, node: &Node, parts: &[Flow]) -> Option<(Flow, i64)> {
    let first = parts.first().filter(|_| parts.len() > 1)?;
    let axis = fold::axis(node.int("axis", 1), first.rank())?;
    let [k] = first.groups[axis][..] else {
        return None;
    };
    let same = |f: &Flow| {
        f.unsplit()
            && f.groups == first.groups
            && f.source.image == first.source.image
            && f.source.real.len() == first.source.real.len()
    };
    let place = k.checked_sub(1).filter(|_| parts.iter().all(same))?;
    let mut flow = first.clone();
    let size = parts.iter().map(|f| f.source.real[place]).sum();
    for sizes in [&mut flow.source.real, &mut flow.source.dims] {
        sizes[place] = size;
    }
    let seen = match (walk.build.keras(), first.source.image) {
        // Keras' last axis is that of the channels.
        (true, _) if k == first.source.real.len() => -1,
        (_, true) => k as i64 + 1,
        _ => k as i64,
    };
    Some((flow, seen))
}

fn gather(walk: &mut Walk, node: &Node) -> Res<()> {
    if let Some(Value::Stack(stack)) = walk.value(node, 0)? {
        let index = walk.held(node, 1)?;
        let picked = match index.to_longs() {
            Some([i]) if node.int("axis", 0) == 0 => {
                recurrent::of_stack(&stack, *i, !index.dims.is_empty())
            }
            _ => None,
        };
        let flow = picked.ok_or_else(|| at(node, "onnx-states", &[]))?;
        walk.give(node, 0, Value::Flow(flow));
        return Ok(());
    }
    if let Some(Value::Flow(_)) = walk.value(node, 0)? {
        let flow = walk.flow(node, 0)?;
        let index = walk.held(node, 1)?;
        let axis = fold::axis(node.int("axis", 0), flow.rank()).ok_or_else(|| unfit(node))?;
        let [i] = index.to_longs().unwrap_or_default() else {
            return Err(unfit(node));
        };
        let keep = !index.dims.is_empty();
        let last = recurrent::last_state(&flow, axis, *i, 1, keep)
            .or_else(|| recurrent::direction(&flow, axis, *i, keep))
            .or_else(|| attention::part(&flow, axis, *i, keep));
        let last = last.ok_or_else(|| at(node, "onnx-states", &[]))?;
        walk.give(node, 0, Value::Flow(last));
        return Ok(());
    }
    let table = walk.held(node, 0)?;
    let wrong = || at(node, "onnx-op-weights", &[]);
    let [vocab, dim] = table.dims[..] else {
        return Err(wrong());
    };
    let Some(Value::Flow(mut ids)) = walk.value(node, 1)? else {
        return Err(unfit(node));
    };
    // TensorFlow counts negative numbers from the end, of which there are none.
    let same = |k: usize| {
        ids.expr
            .as_ref()
            .is_some_and(|e| e.at(k as f64) == k as f64)
    };
    if (0..vocab.min(64))
        .chain([vocab / 2, vocab.saturating_sub(1)])
        .all(same)
    {
        ids.expr = None;
    }
    let ids = elementwise::settle(walk, &ids, node)?;
    let input = ids.source.layer.is_none() && ids.in_order();
    let sample = walk.sample(&ids, node)?;
    if node.int("axis", 0) != 0 || !input || sample.len() != 1 {
        return Err(at(node, "onnx-op-use", &[]));
    }
    walk.build.tokens = true;
    let from = walk.build.shaped(&ids, &sample, node)?;
    let kind = LayerKind::Embedding { vocab, dim };
    let layer = walk
        .build
        .layer(node, node.input(0), "embedding", kind, vec![from])?;
    let what = walk.build.table();
    walk.build
        .param(layer, what, &[vocab, dim], table.to_floats());
    walk.give_layer(node, layer, vec![sample[0], dim])
}

/// The last of a recurrent layer's states.
fn slice(walk: &mut Walk, node: &Node) -> Res<()> {
    let flow = walk.flow(node, 0)?;
    let mut list = |k: usize, name: &str| -> Res<Option<Vec<i64>>> {
        Ok(match node.ints(name) {
            Some(v) => Some(v.to_vec()),
            None => walk
                .held_if(node, k)?
                .and_then(|t| t.to_longs().map(<[i64]>::to_vec)),
        })
    };
    let starts = list(1, "starts")?.unwrap_or_default();
    let ends = list(2, "ends")?.unwrap_or_default();
    let axes = list(3, "axes")?.unwrap_or((0..starts.len() as i64).collect());
    let steps = list(4, "steps")?.unwrap_or_default();
    let shape = flow.shape().ok_or_else(|| unfit(node))?;
    let mut out = flow;
    for (k, a) in axes.iter().enumerate() {
        let a = fold::axis(*a, shape.len()).ok_or_else(|| unfit(node))?;
        let (Some(start), Some(end)) = (starts.get(k), ends.get(k)) else {
            return Err(unfit(node));
        };
        if steps.get(k).is_some_and(|s| *s != 1) {
            return Err(setting(node, "steps"));
        }
        // All of an axis.
        if *start == 0 && (*end > 1 << 30 || *end == shape[a]) {
            continue;
        }
        if shape[a] == BATCH {
            return Err(unfit(node));
        }
        let (from, len) = fold::bounds(*start, *end, shape[a] as usize);
        out = recurrent::last_state(&out, a, from as i64, len, true)
            .ok_or_else(|| at(node, "onnx-states", &[]))?;
    }
    walk.give(node, 0, Value::Flow(out));
    Ok(())
}
