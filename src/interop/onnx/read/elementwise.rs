//! Functions of each number: activations and what they are put together from, scales, sums.
use super::Res;
use super::build::at;
use super::expr::{self, Binary, Expr, Known, Unary};
use super::file::Node;
use super::flow::{Flow, Part};
use super::walk::{Stage, Stat, Value, Walk};
use crate::interop::onnx::proto::dtype;
use crate::interop::onnx::tensor::Tensor;
use crate::spec::{Activation, LayerKind, Norm};
use std::rc::Rc;

/// The flow with its function as a layer of its own, or worked into the layer before it.
pub fn settle(walk: &mut Walk, flow: &Flow, node: &Node) -> Res<Flow> {
    let Some(e) = flow.expr.clone() else {
        return Ok(flow.clone());
    };
    let bare = Flow {
        expr: None,
        ..flow.clone()
    };
    match expr::recognise(&e) {
        Some(Known::Activation(function, alpha)) => activation(walk, &bare, function, alpha, node),
        Some(Known::Affine(1.0, 0.0)) => Ok(bare),
        Some(Known::Affine(a, b)) => affine(walk, &bare, &[a as f32], &[b as f32], None, node),
        None => apart(walk, &bare, &e, node),
    }
}

fn activation(
    walk: &mut Walk,
    flow: &Flow,
    function: Activation,
    alpha: Option<f32>,
    node: &Node,
) -> Res<Flow> {
    let from = walk.build.source(flow, node)?;
    let usual = function.default_alpha(walk.build.framework);
    let alpha = alpha.filter(|a| (usual - a).abs() > 1e-6 * (1.0 + usual.abs()));
    let kind = LayerKind::Activation { function, alpha };
    let name = match function {
        Activation::Relu => "relu",
        Activation::Sigmoid => "sigmoid",
        Activation::Tanh => "tanh",
        Activation::Softmax => "softmax",
        _ => "act",
    };
    let layer = walk.build.layer(node, None, name, kind, vec![from])?;
    Ok(flow.over(layer))
}

/// A function that is none by itself: its outermost operation, over layers for what is inside.
fn apart(walk: &mut Walk, bare: &Flow, e: &Rc<Expr>, node: &Node) -> Res<Flow> {
    let inner = |walk: &mut Walk, e: &Rc<Expr>| {
        let flow = Flow {
            expr: Some(e.clone()),
            ..bare.clone()
        };
        settle(walk, &flow, node)
    };
    match &**e {
        Expr::Two(Binary::Add, a, b)
            if !matches!(**a, Expr::Number(_)) && !matches!(**b, Expr::Number(_)) =>
        {
            let (a, b) = (inner(walk, a)?, inner(walk, b)?);
            sum(walk, &a, &b, node)
        }
        Expr::One(f, a) if !matches!(**a, Expr::X) => {
            let flow = inner(walk, a)?;
            let flow = Flow {
                expr: Some(Rc::new(Expr::One(*f, Rc::new(Expr::X)))),
                ..flow
            };
            settle(walk, &flow, node)
        }
        Expr::Two(f, a, b) => {
            let (held, rest, first) = match (&**a, &**b) {
                (Expr::Number(_), _) => (a, b, true),
                (_, Expr::Number(_)) => (b, a, false),
                _ => return Err(at(node, "onnx-function", &[])),
            };
            if matches!(**rest, Expr::X) {
                return Err(at(node, "onnx-function", &[]));
            }
            let flow = inner(walk, rest)?;
            let x = Rc::new(Expr::X);
            let two = match first {
                true => Expr::Two(*f, held.clone(), x),
                false => Expr::Two(*f, x, held.clone()),
            };
            let flow = Flow {
                expr: Some(Rc::new(two)),
                ..flow
            };
            settle(walk, &flow, node)
        }
        _ => Err(at(node, "onnx-function", &[])),
    }
}

/// An Add layer.
fn sum(walk: &mut Walk, a: &Flow, b: &Flow, node: &Node) -> Res<Flow> {
    let alike =
        a.groups == b.groups && a.source.dims == b.source.dims && a.source.image == b.source.image;
    let (inputs, out) = if alike && a.source.real == b.source.real {
        let inputs = vec![walk.build.source(a, node)?, walk.build.source(b, node)?];
        (inputs, None)
    } else {
        let sample = walk.sample(a, node)?;
        if walk.sample(b, node)? != sample {
            return Err(at(node, "onnx-op-use", &[]));
        }
        let inputs = vec![
            walk.build.shaped(a, &sample, node)?,
            walk.build.shaped(b, &sample, node)?,
        ];
        (inputs, Some(sample))
    };
    let layer = walk
        .build
        .layer(node, None, "add", LayerKind::Add, inputs)?;
    Ok(match out {
        Some(sample) => Flow::of(Some(layer), sample),
        None => a.over(layer),
    })
}

/// `a·x + b` worked into the layer that gives x. `axis`: the value's axis along which they lie; None for
/// one number each.
fn affine(
    walk: &mut Walk,
    flow: &Flow,
    a: &[f32],
    b: &[f32],
    axis: Option<usize>,
    node: &Node,
) -> Res<Flow> {
    let no = || at(node, "onnx-scale", &[]);
    let plain = flow.source.part == Part::Whole && flow.source.dims == flow.source.real;
    let Some(layer) = flow.source.layer else {
        return input_affine(walk, flow, a, b, axis, node);
    };
    if super::norms::into_norm(walk, flow, a, b, axis) {
        return Ok(flow.clone());
    }
    if let Some(flow) = super::attention::into_projection(walk, flow, a, b, axis) {
        return Ok(flow);
    }
    // Rows of the weight that belong to the channel's place on the given axis.
    let channels = walk.build.channel_axis(&flow.source);
    let (channel, first) = match &walk.build.layers[layer].kind {
        _ if !plain || walk.build.is_read(layer) || !walk.one_way(Some(layer)) => {
            return by_channel(walk, flow, a, b, axis, node);
        }
        LayerKind::Linear { .. } => (flow.source.real.len(), true),
        LayerKind::Conv1d(c) | LayerKind::Conv2d(c) if c.activation.is_none() => (channels, true),
        LayerKind::BatchNorm { .. } => (channels, true),
        LayerKind::ConvTranspose2d { conv, .. }
            if conv.groups == 1 && conv.activation.is_none() =>
        {
            (channels, false)
        }
        _ => return by_channel(walk, flow, a, b, axis, node),
    };
    if axis.is_some_and(|k| flow.groups.get(k).is_none_or(|g| g[..] != [channel])) {
        return Err(no());
    }
    let n = flow.source.real[channel - 1];
    let of = |v: &[f32], k: usize| v[if v.len() == 1 { 0 } else { k }];
    if a.len() != 1 && a.len() != n || b.len() != 1 && b.len() != n {
        return Err(no());
    }
    if a.iter().any(|a| *a != 1.0) {
        let weight = walk.build.find(layer, "weight").ok_or_else(no)?;
        let inner = match first {
            true => weight.values.len() / n.max(1),
            false => weight.values.len() / (weight.dims[0] * n).max(1),
        };
        for (i, w) in weight.values.iter_mut().enumerate() {
            *w *= of(a, i / inner.max(1) % n);
        }
    }
    if let Some(bias) = walk.build.find(layer, "bias") {
        for (k, v) in bias.values.iter_mut().enumerate() {
            *v = *v * of(a, k) + of(b, k);
        }
    } else if b.iter().any(|b| *b != 0.0) {
        let values = (0..n).map(|k| of(b, k)).collect();
        walk.build.param(layer, "bias", &[n], values);
        match &mut walk.build.layers[layer].kind {
            LayerKind::Linear { bias, .. } => *bias = true,
            LayerKind::Conv1d(c) | LayerKind::Conv2d(c) => c.bias = true,
            LayerKind::ConvTranspose2d { conv, .. } => conv.bias = true,
            _ => {}
        }
    }
    Ok(flow.clone())
}

/// `a·x + b` by channel as a batch norm of its own, as the statistics of one are written where they could
/// not be worked into a layer.
fn by_channel(
    walk: &mut Walk,
    flow: &Flow,
    a: &[f32],
    b: &[f32],
    axis: Option<usize>,
    node: &Node,
) -> Res<Flow> {
    let no = || at(node, "onnx-scale", &[]);
    let channel = walk.build.channel_axis(&flow.source);
    let n = channel.checked_sub(1).and_then(|k| flow.source.real.get(k));
    let n = *n.ok_or_else(no)?;
    let whole = flow.source.part == Part::Whole
        && flow.unsplit()
        && (1..=3).contains(&flow.source.real.len());
    let along = axis
        .and_then(|k| flow.groups.get(k))
        .is_some_and(|g| g[..] == [channel]);
    let fits = |v: &[f32]| v.len() == 1 || v.len() == n;
    let alike = a.len() == 1 && b.len() == 1;
    if !whole || !along && !alike || !fits(a) || !fits(b) {
        return Err(no());
    }
    let from = walk.build.source(flow, node)?;
    let kind = LayerKind::BatchNorm {
        momentum: None,
        epsilon: None,
        affine: true,
    };
    let layer = walk
        .build
        .layer(node, None, "batch_norm", kind, vec![from])?;
    let eps = Norm::Batch.default_epsilon(walk.build.framework);
    let of = |v: &[f32]| {
        (0..n)
            .map(|k| v[if v.len() == 1 { 0 } else { k }])
            .collect()
    };
    let values: [(&str, Vec<f32>); 4] = [
        ("weight", of(a)),
        ("bias", of(b)),
        ("running_mean", vec![0.0; n]),
        ("running_var", vec![1.0 - eps; n]),
    ];
    for (name, values) in values {
        walk.build.param(layer, name, &[n], values);
    }
    Ok(flow.over(layer))
}

/// Scaling of the data: kept until it is known what reads it.
fn input_affine(
    walk: &mut Walk,
    flow: &Flow,
    a: &[f32],
    b: &[f32],
    axis: Option<usize>,
    node: &Node,
) -> Res<Flow> {
    let n: usize = walk.build.input.iter().product();
    // An image's numbers are taken in the order in which they come.
    let alike = a.len() == 1 && b.len() == 1;
    let ordered = alike || flow.in_order() || flow.whole_image();
    let whole = ordered && (axis.is_none() || axis == Some(1) && flow.rank() == 2);
    let fits = |v: &[f32]| v.len() == 1 || v.len() == n;
    if !whole || !fits(a) || !fits(b) {
        return Err(at(node, "onnx-scale", &[]));
    }
    let of = |v: &[f32], k: usize| v[if v.len() == 1 { 0 } else { k }];
    if walk.build.input_read || !walk.one_way(None) {
        // Others read it as it is.
        let each = |v: &[f32]| (0..n).map(|k| of(v, k)).collect::<Vec<_>>();
        return walk.build.scaled_for_one(flow, (&each(a), &each(b)), node);
    }
    let (mut mul, mut add) = walk
        .build
        .affine
        .take()
        .unwrap_or((vec![1.0; n], vec![0.0; n]));
    for k in 0..n {
        mul[k] *= of(a, k);
        add[k] = add[k] * of(a, k) + of(b, k);
    }
    walk.build.affine = Some((mul, add));
    Ok(flow.clone())
}

/// A node of one input that is a function of each number.
pub fn unary(walk: &mut Walk, node: &Node) -> Res<bool> {
    let f = match node.op.as_str() {
        "Relu" => Unary::Relu,
        "Sigmoid" => Unary::Sigmoid,
        "Tanh" => Unary::Tanh,
        "LeakyRelu" => Unary::Leaky(f64::from(node.float("alpha", 0.01))),
        "Elu" => Unary::Elu(f64::from(node.float("alpha", 1.0))),
        "Softplus" => Unary::Softplus,
        "Erf" => Unary::Erf,
        "Exp" => Unary::Exp,
        "Log" => Unary::Log,
        "Neg" => Unary::Neg,
        "Abs" => Unary::Abs,
        "Sqrt" => Unary::Sqrt,
        "Reciprocal" => Unary::Reciprocal,
        "Not" => Unary::Not,
        "Swish" => Unary::Silu(f64::from(node.float("alpha", 1.0))),
        "Gelu" if node.text("approximate").as_deref() == Some("tanh") => Unary::GeluTanh,
        "Gelu" => Unary::Gelu,
        "Clip" => {
            let mut limit = |k: usize, name: &str, default: f64| -> Res<f64> {
                Ok(match walk.held_if(node, k)? {
                    Some(t) => f64::from(t.scalar().ok_or_else(|| at(node, "onnx-op-use", &[]))?),
                    None => f64::from(node.float(name, default as f32)),
                })
            };
            let low = limit(1, "min", f64::NEG_INFINITY)?;
            let high = limit(2, "max", f64::INFINITY)?;
            // The largest float stands for no bound.
            let high = if high > 3e38 { f64::INFINITY } else { high };
            Unary::Clip(low, high)
        }
        _ => return Ok(false),
    };
    match walk.value(node, 0)? {
        Some(Value::Flow(flow)) => {
            // One activation over another stays two.
            let known = flow.expr.as_ref().and_then(|e| expr::recognise(e));
            let flow = match known {
                Some(Known::Activation(..)) if f.is_activation() => walk.flow(node, 0)?,
                _ => flow,
            };
            let e = Expr::One(f, inner(&flow));
            give(walk, node, flow, e)?;
        }
        Some(Value::Stat(stat)) => {
            let stage = match (f, stat.stage) {
                (Unary::Sqrt, Stage::Sum(c, eps)) => Stage::Root(c, eps),
                (Unary::Reciprocal, Stage::Root(c, eps)) => Stage::Inverse(c, eps),
                _ => return Err(at(node, "onnx-op-use", &[])),
            };
            walk.give(node, 0, Value::Stat(Stat { stage, ..stat }));
        }
        _ => return Err(at(node, "onnx-op-use", &[])),
    }
    Ok(true)
}

fn inner(flow: &Flow) -> Rc<Expr> {
    flow.expr.clone().unwrap_or_else(|| Rc::new(Expr::X))
}

/// Gives a function of a flow; one that is used twice becomes a layer at once, so that it is one.
fn give(walk: &mut Walk, node: &Node, flow: Flow, e: Expr) -> Res<()> {
    if e.parts() > expr::PARTS {
        return Err(at(node, "onnx-function", &[]));
    }
    let mut flow = Flow {
        expr: Some(Rc::new(e)),
        ..flow
    };
    let name = node.outputs.first().map_or("", |s| s);
    let known = || flow.expr.as_ref().and_then(|e| expr::recognise(e));
    if !walk.used_once(name) && known().is_some() {
        flow = settle(walk, &flow, node)?;
    }
    walk.give(node, 0, Value::Flow(flow));
    Ok(())
}

/// A node of two inputs.
pub fn binary(walk: &mut Walk, node: &Node) -> Res<bool> {
    let f = match node.op.as_str() {
        "Add" | "Sum" => Binary::Add,
        "Sub" => Binary::Sub,
        "Mul" => Binary::Mul,
        "Div" => Binary::Div,
        "Pow" => Binary::Pow,
        "Max" => Binary::Max,
        "Min" => Binary::Min,
        "Greater" => Binary::Greater,
        "Less" => Binary::Less,
        "PRelu" => return leaky(walk, node).map(|()| true),
        _ => return Ok(false),
    };
    if node.inputs.len() != 2 {
        return Err(at(node, "onnx-op-use", &[]));
    }
    let (a, b) = (walk.value(node, 0)?, walk.value(node, 1)?);
    match (a, b) {
        (Some(Value::Flow(flow)), Some(Value::Held(t))) => {
            with_held(walk, node, f, flow, &t, false)?
        }
        (Some(Value::Held(t)), Some(Value::Flow(flow))) => {
            with_held(walk, node, f, flow, &t, true)?
        }
        (Some(Value::Flow(a)), Some(Value::Flow(b))) => {
            if a.beside(&b) && (a.expr.is_some() || b.expr.is_some() || f != Binary::Add) {
                let e = Expr::Two(f, inner(&a), inner(&b));
                return give(walk, node, a, e).map(|()| true);
            }
            if f != Binary::Add {
                return Err(at(node, "onnx-op-use", &[]));
            }
            let (a, b) = (walk.flow(node, 0)?, walk.flow(node, 1)?);
            let flow = sum(walk, &a, &b, node)?;
            walk.give(node, 0, Value::Flow(flow));
        }
        (Some(a), Some(b)) => super::norms::statistics(walk, node, f, a, b)?,
        _ => return Err(at(node, "onnx-op-use", &[])),
    }
    Ok(true)
}

/// To another kind of number: whole ones lose what is behind the point.
pub fn cast(walk: &mut Walk, node: &Node) -> Res<()> {
    let f = match i32::try_from(node.int("to", 0)) {
        Ok(dtype::FLOAT | dtype::DOUBLE | dtype::FLOAT16 | dtype::BFLOAT16) => None,
        Ok(dtype::INT64 | dtype::INT32) => Some(Unary::Whole),
        Ok(dtype::BOOL) => Some(Unary::Other),
        _ => return Err(super::nodes::setting(node, "to")),
    };
    match (walk.value(node, 0)?, f) {
        (Some(Value::Flow(flow)), Some(f)) => {
            let e = Expr::One(f, inner(&flow));
            give(walk, node, flow, e)
        }
        (Some(value), None) => {
            walk.give(node, 0, value);
            Ok(())
        }
        _ => Err(at(node, "onnx-op-use", &[])),
    }
}

/// PRelu with one slope for all is a leaky ReLU whose slope was learnt.
fn leaky(walk: &mut Walk, node: &Node) -> Res<()> {
    let slope = walk
        .held(node, 1)?
        .scalar_of_all()
        .ok_or_else(|| at(node, "onnx-op-use", &[]))?;
    let Some(Value::Flow(flow)) = walk.value(node, 0)? else {
        return Err(at(node, "onnx-op-use", &[]));
    };
    let e = Expr::One(Unary::Leaky(f64::from(slope)), inner(&flow));
    give(walk, node, flow, e)
}

/// A flow and numbers of the file. `first`: these stand first.
fn with_held(
    walk: &mut Walk,
    node: &Node,
    f: Binary,
    flow: Flow,
    t: &Tensor,
    first: bool,
) -> Res<()> {
    let scalar = t.scalar().filter(|_| t.dims.len() <= flow.rank());
    if let Some(v) = scalar {
        let number = Rc::new(Expr::Number(f64::from(v)));
        let e = match first {
            true => Expr::Two(f, number, inner(&flow)),
            false => Expr::Two(f, inner(&flow), number),
        };
        return give(walk, node, flow, e);
    }
    let maker = walk.maker(node, usize::from(first));
    let flow = settle(walk, &flow, maker)?;
    let values = t.to_floats();
    let no = || at(node, "onnx-scale", &[]);
    let shape = flow.shape().ok_or_else(no)?;
    // The axis along which the numbers lie.
    let long: Vec<usize> = (0..t.dims.len()).filter(|k| t.dims[*k] != 1).collect();
    if t.dims.len() > shape.len() {
        return Err(no());
    }
    let lead = shape.len() - t.dims.len();
    let fits = long.iter().all(|k| shape[lead + k] == t.dims[*k] as i64);
    if !fits {
        return Err(no());
    }
    let whole = (flow.sample()).is_some_and(|s| s.iter().product::<usize>() == values.len());
    let out = match (f, &long[..]) {
        (Binary::Add, [_, _]) if whole && shape.len() == 3 && flow.source.layer.is_some() => {
            positions(walk, node, &flow, values)?
        }
        (Binary::Add | Binary::Mul | Binary::Sub | Binary::Div, axes)
            if !first || matches!(f, Binary::Add | Binary::Mul) =>
        {
            let (a, b) = match f {
                Binary::Add => (vec![1.0], values),
                Binary::Sub => (vec![1.0], values.iter().map(|v| -v).collect()),
                Binary::Mul => (values, vec![0.0]),
                _ => (values.iter().map(|v| 1.0 / v).collect(), vec![0.0]),
            };
            let axis = match axes {
                [k] => Some(lead + k),
                _ => None,
            };
            // All that a normalisation is over.
            let last = long.iter().all(|k| k + long.len() >= t.dims.len());
            if axis.is_none() && last && super::norms::into_norm(walk, &flow, &a, &b, None) {
                flow
            } else if let Some(flow) = super::attention::into_projection(walk, &flow, &a, &b, axis)
            {
                flow
            } else if axis.is_some() || whole && flow.source.layer.is_none() {
                affine(walk, &flow, &a, &b, axis, node)?
            } else {
                return Err(no());
            }
        }
        _ => return Err(no()),
    };
    walk.give(node, 0, Value::Flow(out));
    Ok(())
}

/// A learned row for each step.
fn positions(walk: &mut Walk, node: &Node, flow: &Flow, values: Vec<f32>) -> Res<Flow> {
    let sample = walk.sample(flow, node)?;
    let from = walk.build.shaped(flow, &sample, node)?;
    let name = node
        .inputs
        .iter()
        .find(|n| walk.file.tensors.contains_key(*n));
    let layer = walk.build.layer(
        node,
        name.map(|s| &s[..]),
        "positions",
        LayerKind::PositionalEmbedding,
        vec![from],
    )?;
    let what = walk.build.table();
    walk.build.param(layer, what, &sample, values);
    Ok(Flow::of(Some(layer), sample))
}
