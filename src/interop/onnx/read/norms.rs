//! Normalisations, whole or put together from means.
use super::Res;
use super::build::at;
use super::elementwise;
use super::expr::Binary;
use super::file::Node;
use super::flow::Flow;
use super::fold;
use super::nodes::{setting, unfit};
use super::walk::{Stage, Stat, Value, Walk};
use crate::spec::*;

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
            if s.stage == Stage::Centred && o.stage == Stage::Centred && s.of_same(&o) =>
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
        (Binary::Div, Value::Stat(x), Value::Stat(s))
            if x.stage == Stage::Centred && x.of_same(&s) =>
        {
            let Stage::Root(true, eps) = s.stage else {
                return Err(no());
            };
            return normalised(walk, node, &s, true, eps);
        }
        (Binary::Mul, Value::Stat(x), Value::Stat(s))
            if x.stage == Stage::Centred && x.of_same(&s) =>
        {
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
    // Keras' last axis is that of the channels; over several it sees an image with its channels first.
    let image = flow.source.image && sample.len() == 3;
    let from = match image && axes > 1 && flow.whole_image() {
        true => walk.build.source(flow, node)?,
        false if image && axes > 1 => return Err(at(node, "onnx-order", &[])),
        false => walk.build.shaped(flow, &sample, node)?,
    };
    let over = sample[sample.len() - axes..].to_vec();
    let name = node.input(1).map(str::to_string);
    let (kind, what) = match centred {
        true => {
            let epsilon = walk.build.usual(eps, Norm::Layer);
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
            let epsilon = walk.build.usual(eps, Norm::Rms);
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
    walk.bounded(&sample, node)?;
    let mut made = Flow::of(Some(layer), sample);
    made.source.image = image && axes == 1;
    walk.give(node, 0, Value::Flow(made));
    Ok(())
}

/// Weights behind a normalisation that had none. False where the flow is none of these.
/// `axis`: the value's axis along which the numbers lie; None for one number for all, or for all axes of
/// the normalisation.
pub fn into_norm(walk: &mut Walk, flow: &Flow, a: &[f32], b: &[f32], axis: Option<usize>) -> bool {
    let Some(layer) = flow.source.layer else {
        return false;
    };
    if walk.build.is_read(layer) || !walk.one_way(Some(layer)) {
        return false;
    }
    let (axes, with_bias) = match walk.build.layers[layer].kind {
        LayerKind::LayerNorm { axes, .. } => (axes, true),
        LayerKind::RmsNorm { axes, .. } => (axes, false),
        _ => return false,
    };
    let along = match axis {
        Some(k) => axes == 1 && flow.groups[k][..] == [flow.source.real.len()],
        None => a.len() <= 1 && b.len() <= 1 || flow.in_order(),
    };
    if !flow.unsplit() || !along {
        return false;
    }
    let Some(weight) = walk.build.find(layer, "weight") else {
        return false;
    };
    let (n, dims) = (weight.values.len(), weight.dims.clone());
    let shifts = b.iter().any(|b| *b != 0.0);
    let fits = |v: &[f32]| v.len() == 1 || v.len() == n;
    if !fits(a) || !fits(b) || shifts && !with_bias {
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
        let values = (0..n).map(|k| of(b, k)).collect();
        walk.build.param(layer, "bias", &dims, values);
        if let LayerKind::LayerNorm { bias, .. } = &mut walk.build.layers[layer].kind {
            *bias = true;
        }
    }
    true
}

pub fn batch_norm(walk: &mut Walk, node: &Node) -> Res<()> {
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
    let from = match (bare, sample.len()) {
        (true, _) => return Err(unfit(node)),
        (_, 2 | 3) => walk.channels(&flow, &sample, node)?,
        _ => walk.build.shaped(&flow, &sample, node)?,
    };
    let kind = LayerKind::BatchNorm {
        momentum: None,
        epsilon: (walk.build).usual(node.float("epsilon", 1e-5), Norm::Batch),
        affine: true,
    };
    let layer = walk
        .build
        .layer(node, node.input(1), "batch_norm", kind, vec![from])?;
    let names = ["weight", "bias", "running_mean", "running_var"];
    for (name, values) in names.into_iter().zip(values) {
        walk.build.param(layer, name, &[c], values);
    }
    match sample.len() {
        2 | 3 => walk.give_channels(node, layer, &sample).map(drop),
        _ => walk.give_layer(node, layer, sample),
    }
}

pub fn layer_norm(walk: &mut Walk, node: &Node) -> Res<()> {
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
