//! What each operation is as a layer.
use super::build::at;
use super::elementwise;
use super::expr::Binary;
use super::file::Node;
use super::flow::{BATCH, Flow};
use super::fold;
use super::recurrent;
use super::walk::{Stage, Stat, Value, Walk, axes_of};
use super::{Note, Res};
use crate::interop::onnx::tensor::Tensor;
use crate::spec::*;

pub fn node(walk: &mut Walk, node: &Node) -> Res<()> {
    for k in 0..node.inputs.len() {
        if let Some(Value::Attention(n)) = walk.value(node, k)? {
            if node.op == "MatMul" {
                break;
            }
            return match recurrent::scores(walk, node, n)? {
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
        "Identity" | "Dropout" | "Cast" => passed(walk, node),
        "Transpose" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => moved(walk, node),
        "Gemm" => gemm(walk, node),
        "MatMul" => match walk.value(node, 1)? {
            Some(Value::Held(w)) => matmul(walk, node, &w),
            _ => recurrent::product(walk, node),
        },
        "Conv" => conv(walk, node),
        "ConvTranspose" => conv_transpose(walk, node),
        "MaxPool" | "AveragePool" => pool(walk, node),
        "GlobalAveragePool" | "GlobalMaxPool" => global(walk, node, None),
        "ReduceMean" | "ReduceMax" => reduce(walk, node),
        "BatchNormalization" => batch_norm(walk, node),
        "LayerNormalization" | "RMSNormalization" => layer_norm(walk, node),
        "Softmax" => softmax(walk, node),
        "Concat" => concat(walk, node),
        "Gather" => gather(walk, node),
        "Slice" => slice(walk, node),
        "Split" => recurrent::split(walk, node),
        "Resize" | "Upsample" => resize(walk, node),
        _ => Err(at(node, "onnx-op-unknown", &[])),
    }
}

fn unfit(node: &Node) -> Note {
    at(node, "onnx-op-use", &[])
}

fn setting(node: &Node, name: &str) -> Note {
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
    let Some(Value::Flow(flow)) = walk.value(node, 0)? else {
        return Err(unfit(node));
    };
    let made = match node.op.as_str() {
        "Transpose" => {
            let perm = match node.ints("perm") {
                Some(p) => fold::axes(p, flow.rank()),
                None => Some((0..flow.rank()).rev().collect()),
            };
            perm.and_then(|p| turned(walk, &flow, &p))
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
    walk.give(node, 0, Value::Flow(made));
    Ok(())
}

/// A file for one sample has a 1 where the batch is.
fn fixed(flow: &Flow, target: &[i64]) -> Option<Flow> {
    let (first, rest) = target.split_first()?;
    let target: Vec<i64> = std::iter::once(BATCH).chain(rest.iter().copied()).collect();
    (*first == 1).then(|| flow.reshape(&target)).flatten()
}

/// Transposed; an input whose channels are last is taken to have them first, as the page's data has.
fn turned(walk: &mut Walk, flow: &Flow, perm: &[usize]) -> Option<Flow> {
    let made = flow.transpose(perm)?;
    let input = flow.source.layer.is_none()
        && !walk.build.input_read
        && flow.in_order()
        && flow.expr.is_none()
        && walk.build.affine.is_none()
        && walk
            .file
            .inputs
            .first()
            .is_some_and(|p| walk.used_once(&p.name));
    if !input || perm != [0, 3, 1, 2] || made.in_order() {
        return Some(made);
    }
    let sample = made.sample()?;
    walk.build.input.clone_from(&sample);
    Some(Flow::of(None, sample))
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
                (from, Flow::of(None, out))
            }
            _ if own && dims == real && dims.len() > 1 => {
                let from = walk.build.source(flow, node)?;
                let mut out = real;
                *out.last_mut().ok_or_else(wrong)? = units;
                let made = Flow::of(None, out);
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
    if alike && add.iter().all(|a| *a == 0.0) || weight.len() != n * units {
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
    linear(walk, node, &flow, weight, node.input(1), bias)
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
    if let super::flow::Part::Attended(n) = flow.source.part {
        let whole = flow.in_order() && flow.rank() == 3;
        if !whole || w.dims[0] != w.dims[1] {
            return Err(at(node, "onnx-product", &[]));
        }
        let zeros = vec![0.0; w.dims[1]];
        return recurrent::project(walk, node, n, weight, name.as_deref(), zeros);
    }
    linear(walk, node, &flow, weight, name.as_deref(), None)
}

/// Zeros around the axes `[begin…, end…]` of a window, worked out from `auto_pad` where that is given.
fn pads(node: &Node, size: &[usize], span: &[usize], stride: &[usize]) -> Res<Vec<[usize; 2]>> {
    let n = size.len();
    let auto = node.text("auto_pad").unwrap_or_default();
    match auto.as_str() {
        "" | "NOTSET" => {
            let all = node.ints("pads").unwrap_or_default();
            let get = |k: usize| match all.get(k) {
                None if all.is_empty() => Some(0),
                v => v.and_then(|v| usize::try_from(*v).ok()),
            };
            let both = (0..n).map(|a| Some([get(a)?, get(n + a)?]));
            both.collect::<Option<_>>()
                .ok_or_else(|| setting(node, "pads"))
        }
        "VALID" => Ok(vec![[0, 0]; n]),
        "SAME_UPPER" => Ok((0..n)
            .map(|a| {
                let last = (size[a].div_ceil(stride[a]) - 1) * stride[a] + span[a];
                let all = last.saturating_sub(size[a]);
                [all / 2, all - all / 2]
            })
            .collect()),
        _ => Err(setting(node, "auto_pad")),
    }
}

/// Numbers of an attribute, one for each axis.
fn sizes(node: &Node, name: &str, n: usize) -> Res<Vec<usize>> {
    match node.ints(name) {
        None => Ok(vec![1; n]),
        Some(v) if v.len() == n => v
            .iter()
            .map(|v| usize::try_from(*v).ok().filter(|v| (1..=4096).contains(v)))
            .collect::<Option<_>>()
            .ok_or_else(|| setting(node, name)),
        Some(_) => Err(setting(node, name)),
    }
}

fn size(v: &[usize]) -> Size {
    match v {
        [n] => Size::One(*n),
        [a, b] if a == b => Size::One(*a),
        [a, b] => Size::Two([*a, *b]),
        _ => Size::One(1),
    }
}

/// As PyTorch writes it; None where before and behind differ.
fn padding(pads: &[[usize; 2]]) -> Option<Padding> {
    let each: Option<Vec<usize>> = pads.iter().map(|[a, b]| (a == b).then_some(*a)).collect();
    let each = each?;
    Some(match each.iter().all(|p| *p == 0) {
        true => Padding::Named(PaddingName::Valid),
        false => Padding::By(size(&each)),
    })
}

/// The input of a layer on images or sequences, `[C, …]`, and its sizes.
fn channels(walk: &mut Walk, node: &Node) -> Res<(Option<usize>, Vec<usize>)> {
    let flow = walk.flow(node, 0)?;
    let sample = walk.sample(&flow, node)?;
    if !(2..=3).contains(&sample.len()) {
        return Err(at(node, "onnx-axes", &[]));
    }
    // A picture of one channel may lack its axis.
    let bare = sample[0] == 1 && flow.in_order() && flow.source.real == sample[1..];
    let from = match bare {
        true => walk.build.source(&flow, node)?,
        false => walk.build.shaped(&flow, &sample, node)?,
    };
    Ok((from, sample))
}

/// What a window leaves of an axis.
fn left(size: usize, pad: [usize; 2], span: usize, stride: usize) -> Option<usize> {
    let padded = size.checked_add(pad[0])?.checked_add(pad[1])?;
    Some(padded.checked_sub(span)? / stride + 1)
}

fn conv(walk: &mut Walk, node: &Node) -> Res<()> {
    let w = walk.held(node, 1)?;
    let (from, x) = channels(walk, node)?;
    let n = x.len() - 1;
    let groups = usize::try_from(node.int("group", 1)).unwrap_or(0);
    let wrong = || at(node, "onnx-op-weights", &[]);
    if w.dims.len() != n + 2 || groups == 0 || w.dims[1].checked_mul(groups) != Some(x[0]) {
        return Err(wrong());
    }
    let filters = w.dims[0];
    let kernel = w.dims[2..].to_vec();
    let (stride, dilation) = (sizes(node, "strides", n)?, sizes(node, "dilations", n)?);
    if kernel.iter().any(|k| !(1..=4096).contains(k)) {
        return Err(wrong());
    }
    let span: Vec<usize> = (0..n).map(|a| (kernel[a] - 1) * dilation[a] + 1).collect();
    let pads = pads(node, &x[1..], &span, &stride)?;
    let same = (0..n).all(|a| {
        let all = span[a] - 1;
        stride[a] == 1 && pads[a] == [all / 2, all - all / 2]
    });
    let padding = match padding(&pads) {
        Some(p) => p,
        None if same => Padding::Named(PaddingName::Same),
        None => return Err(setting(node, "pads")),
    };
    let out: Option<Vec<usize>> = (0..n)
        .map(|a| left(x[1 + a], pads[a], span[a], stride[a]))
        .collect();
    let out = out.ok_or_else(|| setting(node, "kernel_shape"))?;
    let bias = walk.held_if(node, 2)?;
    let conv = Conv {
        filters,
        kernel: size(&kernel),
        stride: size(&stride),
        padding,
        dilation: size(&dilation),
        groups,
        bias: bias.is_some(),
        activation: None,
        weight_init: None,
        bias_init: None,
    };
    let kind = match n {
        1 => LayerKind::Conv1d(conv),
        _ => LayerKind::Conv2d(conv),
    };
    let layer = walk
        .build
        .layer(node, node.input(1), "conv", kind, vec![from])?;
    walk.build.param(layer, "weight", &w.dims, w.to_floats());
    if let Some(bias) = bias {
        if bias.len() != filters {
            return Err(wrong());
        }
        walk.build
            .param(layer, "bias", &[filters], bias.to_floats());
    }
    let shape = std::iter::once(filters).chain(out).collect();
    walk.give_layer(node, layer, shape)
}

fn conv_transpose(walk: &mut Walk, node: &Node) -> Res<()> {
    let w = walk.held(node, 1)?;
    let (from, x) = channels(walk, node)?;
    let wrong = || at(node, "onnx-op-weights", &[]);
    let groups = usize::try_from(node.int("group", 1)).unwrap_or(0);
    if x.len() != 3 {
        return Err(at(node, "onnx-axes", &[]));
    }
    if w.dims.len() != 4 || groups == 0 || w.dims[0] != x[0] {
        return Err(wrong());
    }
    if node.has("output_shape") || node.text("auto_pad").is_some_and(|a| a != "NOTSET") {
        return Err(setting(node, "auto_pad"));
    }
    let filters = w.dims[1].checked_mul(groups).ok_or_else(wrong)?;
    let kernel = w.dims[2..].to_vec();
    if kernel.iter().any(|k| !(1..=4096).contains(k)) {
        return Err(wrong());
    }
    let (stride, dilation) = (sizes(node, "strides", 2)?, sizes(node, "dilations", 2)?);
    let span: Vec<usize> = (0..2).map(|a| (kernel[a] - 1) * dilation[a] + 1).collect();
    let pads = pads(node, &x[1..], &span, &stride)?;
    let more: Vec<i64> = node
        .ints("output_padding")
        .map_or(vec![0, 0], <[i64]>::to_vec);
    let mut shape = vec![filters];
    let mut extra = Vec::new();
    let mut plain = true;
    let mut same = true;
    for a in 0..2 {
        let m = more.get(a).and_then(|m| usize::try_from(*m).ok());
        let m = m
            .filter(|m| *m <= 4096)
            .ok_or_else(|| setting(node, "output_padding"))?;
        let natural = (x[1 + a] - 1) * stride[a] + span[a] + m;
        let out = natural
            .checked_sub(pads[a][0] + pads[a][1])
            .filter(|n| *n > 0);
        shape.push(out.ok_or_else(|| setting(node, "pads"))?);
        let rest = span[a].saturating_sub(stride[a]);
        same &= pads[a] == [rest / 2, rest - rest / 2] && shape[1 + a] == x[1 + a] * stride[a];
        plain &= pads[a][0] == pads[a][1] && (m < stride[a] || m == 0);
        extra.push(m);
    }
    let (padding, extra) = match (plain, same) {
        (true, _) => (padding(&pads).ok_or_else(|| setting(node, "pads"))?, extra),
        (_, true) => (Padding::Named(PaddingName::Same), vec![0, 0]),
        _ => return Err(setting(node, "pads")),
    };
    let bias = walk.held_if(node, 2)?;
    let kind = LayerKind::ConvTranspose2d {
        conv: Conv {
            filters,
            kernel: size(&kernel),
            stride: size(&stride),
            padding,
            dilation: size(&dilation),
            groups,
            bias: bias.is_some(),
            activation: None,
            weight_init: None,
            bias_init: None,
        },
        output_padding: size(&extra),
    };
    let layer = walk
        .build
        .layer(node, node.input(1), "conv_transpose", kind, vec![from])?;
    walk.build.param(layer, "weight", &w.dims, w.to_floats());
    if let Some(bias) = bias {
        if bias.len() != filters {
            return Err(wrong());
        }
        walk.build
            .param(layer, "bias", &[filters], bias.to_floats());
    }
    walk.give_layer(node, layer, shape)
}

fn pool(walk: &mut Walk, node: &Node) -> Res<()> {
    let (from, x) = channels(walk, node)?;
    let n = x.len() - 1;
    if !node.has("kernel_shape") {
        return Err(setting(node, "kernel_shape"));
    }
    let (kernel, stride) = (sizes(node, "kernel_shape", n)?, sizes(node, "strides", n)?);
    if sizes(node, "dilations", n)?.iter().any(|d| *d != 1) {
        return Err(setting(node, "dilations"));
    }
    let max = node.op == "MaxPool";
    let pads = pads(node, &x[1..], &kernel, &stride)?;
    let out: Option<Vec<usize>> = (0..n)
        .map(|a| left(x[1 + a], pads[a], kernel[a], stride[a]))
        .collect();
    let out = out.ok_or_else(|| setting(node, "kernel_shape"))?;
    // Rounding up changes nothing where the window comes out even.
    let even =
        |a: usize| (x[1 + a] + pads[a][0] + pads[a][1] - kernel[a]).is_multiple_of(stride[a]);
    if node.int("ceil_mode", 0) != 0 && !(0..n).all(even) {
        return Err(setting(node, "ceil_mode"));
    }
    let padded = pads.iter().any(|p| *p != [0, 0]);
    if !max && padded && node.int("count_include_pad", 0) == 0 {
        return Err(setting(node, "count_include_pad"));
    }
    let same = (0..n).all(|a| {
        let last = (x[1 + a].div_ceil(stride[a]) - 1) * stride[a] + kernel[a];
        let all = last.saturating_sub(x[1 + a]);
        pads[a] == [all / 2, all - all / 2]
    });
    let padding = match padding(&pads) {
        Some(p) => p,
        None if same => Padding::Named(PaddingName::Same),
        None => return Err(setting(node, "pads")),
    };
    let pool = Pool {
        kernel: size(&kernel),
        stride: (kernel != stride).then(|| size(&stride)),
        padding,
    };
    let kind = match (n, max) {
        (1, true) => LayerKind::MaxPool1d(pool),
        (1, false) => LayerKind::AvgPool1d(pool),
        (_, true) => LayerKind::MaxPool2d(pool),
        (_, false) => LayerKind::AvgPool2d(pool),
    };
    let layer = walk.build.layer(node, None, "pool", kind, vec![from])?;
    let shape = std::iter::once(x[0]).chain(out).collect();
    walk.give_layer(node, layer, shape)
}

/// One number for each channel; `keep`: whether the other axes stay, as ones.
fn global(walk: &mut Walk, node: &Node, keep: Option<bool>) -> Res<()> {
    let (from, x) = channels(walk, node)?;
    let (kind, name) = match node.op.as_str() {
        "GlobalAveragePool" | "ReduceMean" => (LayerKind::GlobalAvgPool, "average"),
        _ => (LayerKind::GlobalMaxPool, "max"),
    };
    let layer = walk.build.layer(node, None, name, kind, vec![from])?;
    let mut flow = Flow::of(Some(layer), vec![x[0]]);
    if keep.unwrap_or(true) {
        let axes: Vec<usize> = (2..=x.len()).collect();
        flow = flow.unsqueeze(&axes).ok_or_else(|| unfit(node))?;
    }
    walk.give(node, 0, Value::Flow(flow));
    Ok(())
}

fn reduce(walk: &mut Walk, node: &Node) -> Res<()> {
    let value = walk.value(node, 0)?;
    let rank = match &value {
        Some(Value::Flow(flow)) => flow.rank(),
        Some(Value::Stat(stat)) => stat.flow.rank(),
        _ => return Err(unfit(node)),
    };
    let mut axes = axes_of(walk, node, 1, rank)?.ok_or_else(|| setting(node, "axes"))?;
    axes.sort_unstable();
    let keep = node.int("keepdims", 1) != 0;
    let over_last = axes
        .iter()
        .rev()
        .enumerate()
        .all(|(k, a)| a + 1 + k == rank);
    let mean = node.op == "ReduceMean";
    match value {
        Some(Value::Stat(stat)) => {
            let fits = mean && keep && over_last && axes.len() == stat.axes;
            if !fits || stat.stage != Stage::CentredSquare {
                return Err(unfit(node));
            }
            let stage = Stage::Square(true);
            walk.give(node, 0, Value::Stat(Stat { stage, ..stat }));
            Ok(())
        }
        Some(Value::Flow(flow)) => {
            let square = flow.expr.as_ref().is_some_and(|e| {
                (-8..=8).all(|k| {
                    let x = f64::from(k) * 0.7 + 0.1;
                    (e.at(x) - x * x).abs() < 1e-6
                })
            });
            if square && mean && keep && over_last {
                let bare = Flow { expr: None, ..flow };
                let (axes, stage) = (axes.len(), Stage::Square(false));
                let stat = Stat {
                    flow: bare,
                    axes,
                    stage,
                };
                walk.give(node, 0, Value::Stat(stat));
                return Ok(());
            }
            // Over the pixels or the steps: a pooling; over the last axis: a normalisation begins.
            let pixels = axes[..] == (2..rank).collect::<Vec<_>>() && rank > 2;
            let statistic = walk.file.nodes.iter().any(|n| {
                n.op == "Sub" && n.inputs.get(1).is_some_and(|i| node.outputs.contains(i))
            });
            if mean && keep && over_last && statistic {
                let flow = walk.flow(node, 0)?;
                let (axes, stage) = (axes.len(), Stage::Mean);
                walk.give(node, 0, Value::Stat(Stat { flow, axes, stage }));
                return Ok(());
            }
            match pixels {
                true => global(walk, node, Some(keep)),
                false => Err(setting(node, "axes")),
            }
        }
        _ => Err(unfit(node)),
    }
}

/// Normalisations that are put together from means.
pub fn statistics(walk: &mut Walk, node: &Node, f: Binary, a: Value, b: Value) -> Res<()> {
    let no = || unfit(node);
    let stat = match (f, a, b) {
        (Binary::Sub, Value::Flow(x), Value::Stat(s)) if s.stage == Stage::Mean => {
            let x = elementwise::settle(walk, &x, node)?;
            if !x.beside(&s.flow) {
                return Err(no());
            }
            let stage = Stage::Centred;
            Stat { stage, ..s }
        }
        (Binary::Pow, Value::Stat(s), Value::Held(t))
            if s.stage == Stage::Centred && t.scalar() == Some(2.0) =>
        {
            let stage = Stage::CentredSquare;
            Stat { stage, ..s }
        }
        (Binary::Mul, Value::Stat(s), Value::Stat(o))
            if s.stage == Stage::Centred && o.stage == Stage::Centred =>
        {
            let stage = Stage::CentredSquare;
            Stat { stage, ..s }
        }
        (Binary::Add, Value::Stat(s), Value::Held(t))
        | (Binary::Add, Value::Held(t), Value::Stat(s)) => {
            let (Stage::Square(centred), Some(eps)) = (s.stage, t.scalar()) else {
                return Err(no());
            };
            let stage = Stage::Sum(centred, eps);
            Stat { stage, ..s }
        }
        (Binary::Div, Value::Held(t), Value::Stat(s)) if t.scalar() == Some(1.0) => {
            let Stage::Root(c, eps) = s.stage else {
                return Err(no());
            };
            let stage = Stage::Inverse(c, eps);
            Stat { stage, ..s }
        }
        (Binary::Div, Value::Stat(x), Value::Stat(s)) if x.stage == Stage::Centred => {
            let Stage::Root(true, eps) = s.stage else {
                return Err(no());
            };
            return normalised(walk, node, &s, true, eps);
        }
        (Binary::Mul, Value::Stat(x), Value::Stat(s)) if x.stage == Stage::Centred => {
            let Stage::Inverse(true, eps) = s.stage else {
                return Err(no());
            };
            return normalised(walk, node, &s, true, eps);
        }
        (Binary::Div | Binary::Mul, Value::Flow(x), Value::Stat(s)) => {
            let eps = match (f, s.stage) {
                (Binary::Div, Stage::Root(false, eps)) => eps,
                (Binary::Mul, Stage::Inverse(false, eps)) => eps,
                _ => return Err(no()),
            };
            if x.expr.is_some() || !x.beside(&s.flow) {
                return Err(no());
            }
            return normalised(walk, node, &s, false, eps);
        }
        _ => return Err(no()),
    };
    walk.give(node, 0, Value::Stat(stat));
    Ok(())
}

/// A layer norm or RMS norm whose weights are still ones.
fn normalised(walk: &mut Walk, node: &Node, s: &Stat, centred: bool, eps: f32) -> Res<()> {
    let sample = walk.sample(&s.flow, node)?;
    if s.axes > sample.len() {
        return Err(unfit(node));
    }
    walk.bounded(&sample, node)?;
    let over = sample[sample.len() - s.axes..].to_vec();
    let ones = vec![1.0; over.iter().product()];
    norm_layer(
        walk,
        node,
        &s.flow,
        sample,
        (s.axes, eps, centred),
        ones,
        None,
    )
}

fn norm_layer(
    walk: &mut Walk,
    node: &Node,
    flow: &Flow,
    sample: Vec<usize>,
    (axes, eps, centred): (usize, f32, bool),
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
) -> Res<()> {
    let from = walk.build.shaped(flow, &sample, node)?;
    let over = sample[sample.len() - axes..].to_vec();
    let name = node.input(1).map(str::to_string);
    let (kind, what) = match centred {
        true => {
            let epsilon = usual(eps, Norm::Layer);
            let bias = bias.is_some();
            (
                LayerKind::LayerNorm {
                    axes,
                    epsilon,
                    bias,
                },
                "layer_norm",
            )
        }
        false => {
            let epsilon = usual(eps, Norm::Rms);
            (LayerKind::RmsNorm { axes, epsilon }, "rms_norm")
        }
    };
    let native = node.op.ends_with("Normalization");
    let layer = walk.build.layer(
        node,
        name.as_deref().filter(|_| native),
        what,
        kind,
        vec![from],
    )?;
    walk.build.param(layer, "weight", &over, weight);
    if let Some(bias) = bias {
        walk.build.param(layer, "bias", &over, bias);
    }
    walk.give_layer(node, layer, sample)
}

/// An epsilon, None where it is PyTorch's default.
fn usual(eps: f32, norm: Norm) -> Option<f32> {
    (eps != norm.default_epsilon(Framework::Pytorch)).then_some(eps)
}

/// Weights behind a normalisation that had none. False where the flow is none of these.
pub fn into_norm(walk: &mut Walk, flow: &Flow, a: &[f32], b: &[f32]) -> bool {
    let Some(layer) = flow.source.layer else {
        return false;
    };
    let read = |l: &super::build::Layer| l.inputs.contains(&Some(layer));
    if walk.build.layers.iter().any(read) {
        return false;
    }
    let with_bias = match walk.build.layers[layer].kind {
        LayerKind::LayerNorm { .. } => true,
        LayerKind::RmsNorm { .. } => false,
        _ => return false,
    };
    let Some(weight) = walk.build.find(layer, "weight") else {
        return false;
    };
    let (n, dims) = (weight.values.len(), weight.dims.clone());
    let shifts = b.iter().any(|b| *b != 0.0);
    if a.len() != n && a != [1.0] || shifts && (b.len() != n || !with_bias) {
        return false;
    }
    let of = |v: &[f32], k: usize| v[if v.len() == 1 { 0 } else { k }];
    for (k, w) in weight.values.iter_mut().enumerate() {
        *w *= of(a, k);
    }
    if let Some(bias) = walk.build.find(layer, "bias") {
        for (k, v) in bias.values.iter_mut().enumerate() {
            *v = *v * of(a, k) + of(b, k);
        }
    } else if shifts {
        walk.build.param(layer, "bias", &dims, b.to_vec());
        if let LayerKind::LayerNorm { bias, .. } = &mut walk.build.layers[layer].kind {
            *bias = true;
        }
    }
    true
}

fn batch_norm(walk: &mut Walk, node: &Node) -> Res<()> {
    if node.int("training_mode", 0) != 0 {
        return Err(setting(node, "training_mode"));
    }
    let flow = walk.flow(node, 0)?;
    let sample = walk.sample(&flow, node)?;
    let c = *sample.first().ok_or_else(|| unfit(node))?;
    let mut values = Vec::new();
    for k in 1..5 {
        let t = walk.held(node, k)?;
        if t.len() != c {
            return Err(at(node, "onnx-op-weights", &[]));
        }
        values.push(t.to_floats());
    }
    let bare = c == 1 && sample.len() == 3 && flow.source.real == sample[1..];
    let from = match bare {
        true => return Err(unfit(node)),
        false => walk.build.shaped(&flow, &sample, node)?,
    };
    let kind = LayerKind::BatchNorm {
        momentum: None,
        epsilon: usual(node.float("epsilon", 1e-5), Norm::Batch),
        affine: true,
    };
    let layer = walk
        .build
        .layer(node, node.input(1), "batch_norm", kind, vec![from])?;
    let names = ["weight", "bias", "running_mean", "running_var"];
    for (name, values) in names.into_iter().zip(values) {
        walk.build.param(layer, name, &[c], values);
    }
    walk.give_layer(node, layer, sample)
}

fn layer_norm(walk: &mut Walk, node: &Node) -> Res<()> {
    let flow = walk.flow(node, 0)?;
    let sample = walk.sample(&flow, node)?;
    let first = fold::axis(node.int("axis", -1), flow.rank()).filter(|a| *a > 0);
    let axes = flow.rank() - first.ok_or_else(|| setting(node, "axis"))?;
    let n: usize = sample[sample.len() - axes..].iter().product();
    let weight = walk.held(node, 1)?.to_floats();
    let bias = walk.held_if(node, 2)?.map(|t| t.to_floats());
    if weight.len() != n || bias.as_ref().is_some_and(|b| b.len() != n) {
        return Err(at(node, "onnx-op-weights", &[]));
    }
    let centred = node.op == "LayerNormalization";
    let eps = node.float("epsilon", 1e-5);
    norm_layer(
        walk,
        node,
        &flow,
        sample,
        (axes, eps, centred),
        weight,
        bias,
    )
}

fn softmax(walk: &mut Walk, node: &Node) -> Res<()> {
    let flow = walk.flow(node, 0)?;
    let old = walk.file.opset < 13;
    let axis = fold::axis(node.int("axis", if old { 1 } else { -1 }), flow.rank());
    let sample = walk.sample(&flow, node)?;
    if axis.is_none_or(|a| a + 1 != flow.rank()) {
        return Err(setting(node, "axis"));
    }
    let from = walk.build.shaped(&flow, &sample, node)?;
    let kind = LayerKind::Activation {
        function: Activation::Softmax,
        alpha: None,
    };
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

fn gather(walk: &mut Walk, node: &Node) -> Res<()> {
    if let Some(Value::Flow(_)) = walk.value(node, 0)? {
        let flow = walk.flow(node, 0)?;
        let index = walk.held(node, 1)?;
        let axis = fold::axis(node.int("axis", 0), flow.rank()).ok_or_else(|| unfit(node))?;
        let [i] = index.to_longs().unwrap_or_default() else {
            return Err(unfit(node));
        };
        let keep = !index.dims.is_empty();
        let last = recurrent::last_state(&flow, axis, *i, 1, keep)
            .or_else(|| recurrent::direction(&flow, axis, *i, keep));
        let last = last.ok_or_else(|| at(node, "onnx-states", &[]))?;
        walk.give(node, 0, Value::Flow(last));
        return Ok(());
    }
    let table = walk.held(node, 0)?;
    let ids = walk.flow(node, 1)?;
    let wrong = || at(node, "onnx-op-weights", &[]);
    let [vocab, dim] = table.dims[..] else {
        return Err(wrong());
    };
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
    walk.build
        .param(layer, "weight", &[vocab, dim], table.to_floats());
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

fn resize(walk: &mut Walk, node: &Node) -> Res<()> {
    let (from, x) = channels(walk, node)?;
    if node.text("mode").is_some_and(|m| m != "nearest") {
        return Err(setting(node, "mode"));
    }
    let scales = match node.op.as_str() {
        "Upsample" => walk.held_if(node, 1)?,
        _ => walk.held_if(node, 2)?,
    };
    let scales: Vec<f32> = match scales.filter(|t| t.len() > 0) {
        Some(t) => t.to_floats(),
        None => {
            let sizes = walk.held(node, 3)?;
            let sizes = sizes.to_longs().unwrap_or_default();
            let of = |(k, s): (usize, &i64)| match k {
                0 => 1.0,
                k => x.get(k - 1).map_or(0.0, |x| *s as f32 / *x as f32),
            };
            sizes.iter().enumerate().map(of).collect()
        }
    };
    let whole = |v: &f32| v.fract() == 0.0 && (1.0..=64.0).contains(v);
    let fits = scales.len() == x.len() + 1 && scales.iter().all(whole) && scales[..2] == [1.0, 1.0];
    if !fits {
        return Err(setting(node, "scales"));
    }
    let factors: Vec<usize> = scales[2..].iter().map(|v| *v as usize).collect();
    let kind = LayerKind::Upsample {
        factor: size(&factors),
    };
    let layer = walk.build.layer(node, None, "upsample", kind, vec![from])?;
    let mut shape = x;
    for (d, f) in shape[1..].iter_mut().zip(&factors) {
        *d *= f;
    }
    walk.give_layer(node, layer, shape)
}
