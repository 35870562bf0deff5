//! Convolutions, pooling, means over axes, and up-sampling.
use super::Res;
use super::build::at;
use super::file::Node;
use super::flow::Flow;
use super::nodes::{setting, unfit};
use super::walk::{Stage, Stat, Value, Walk, axes_of};
use crate::spec::*;

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

pub fn conv(walk: &mut Walk, node: &Node) -> Res<()> {
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

pub fn conv_transpose(walk: &mut Walk, node: &Node) -> Res<()> {
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

pub fn pool(walk: &mut Walk, node: &Node) -> Res<()> {
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
pub fn global(walk: &mut Walk, node: &Node, keep: Option<bool>) -> Res<()> {
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

pub fn reduce(walk: &mut Walk, node: &Node) -> Res<()> {
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

pub fn resize(walk: &mut Walk, node: &Node) -> Res<()> {
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
