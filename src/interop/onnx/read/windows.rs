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
        "SAME_UPPER" => Ok((0..n).map(|a| same(size[a], span[a], stride[a])).collect()),
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

/// The input of a layer on images or sequences.
struct Reading {
    from: Option<usize>,
    channels: usize,
    /// Behind the channels, as the node has it.
    size: Vec<usize>,
    /// A sequence that is written as an image of one row.
    lifted: bool,
}

impl Reading {
    /// `kernel`: the window's, for a node that has one.
    fn of(walk: &mut Walk, node: &Node, kernel: &[usize]) -> Res<Reading> {
        let mut flow = walk.flow(node, 0)?;
        let mut sample = walk.sample(&flow, node)?;
        if !(2..=3).contains(&sample.len()) {
            return Err(at(node, "onnx-axes", &[]));
        }
        walk.bounded(&sample, node)?;
        let size = sample[1..].to_vec();
        let line = flow.source.real.len() == 2 && !flow.source.image && sample[0] != 1;
        let lifted = line && size.len() == 2 && size[0] == 1 && kernel.first() == Some(&1);
        if lifted {
            flow = flow.squeeze(Some(&[2])).ok_or_else(|| unfit(node))?;
            sample.remove(1);
        }
        Ok(Reading {
            from: walk.channels(&flow, &sample, node)?,
            channels: sample[0],
            size,
            lifted,
        })
    }

    /// What a layer gives whose sizes are `size`, as the node has them.
    fn give(
        &self,
        walk: &mut Walk,
        node: &Node,
        layer: usize,
        c: usize,
        size: &[usize],
    ) -> Res<()> {
        let mut shape = vec![c];
        shape.extend(&size[usize::from(self.lifted)..]);
        let flow = walk.give_channels(node, layer, &shape)?;
        if self.lifted {
            let flow = flow.unsqueeze(&[2]).ok_or_else(|| unfit(node))?;
            walk.give(node, 0, Value::Flow(flow));
        }
        Ok(())
    }
}

/// How a window goes over the axes behind the channels.
struct Window {
    kernel: Vec<usize>,
    stride: Vec<usize>,
    dilation: Vec<usize>,
    /// From the first of its numbers to the last.
    span: Vec<usize>,
    pads: Vec<[usize; 2]>,
    /// The axes' sizes before.
    size: Vec<usize>,
}

impl Window {
    fn of(node: &Node, kernel: &[usize], x: &Reading) -> Res<Window> {
        let n = x.size.len();
        if kernel.len() != n || kernel.iter().any(|k| !(1..=4096).contains(k)) {
            return Err(at(node, "onnx-op-weights", &[]));
        }
        let (stride, dilation) = (sizes(node, "strides", n)?, sizes(node, "dilations", n)?);
        let span: Vec<usize> = (0..n).map(|a| (kernel[a] - 1) * dilation[a] + 1).collect();
        let mut window = Window {
            pads: pads(node, &x.size, &span, &stride)?,
            kernel: kernel.to_vec(),
            stride,
            dilation,
            span,
            size: x.size.clone(),
        };
        if x.lifted {
            let Window { pads, stride, .. } = &window;
            if pads[0] != [0, 0] || stride[0] != 1 {
                return Err(at(node, "onnx-axes", &[]));
            }
            window.pads.remove(0);
            let w = &mut window;
            for v in [
                &mut w.kernel,
                &mut w.stride,
                &mut w.dilation,
                &mut w.span,
                &mut w.size,
            ] {
                v.remove(0);
            }
        }
        Ok(window)
    }

    /// Sizes behind the window, as the node has them.
    fn left(&self, x: &Reading) -> Option<Vec<usize>> {
        let axis = |a: usize| {
            let padded = self.size[a]
                .checked_add(self.pads[a][0])?
                .checked_add(self.pads[a][1])?;
            Some(padded.checked_sub(self.span[a])? / self.stride[a] + 1)
        };
        let made: Option<Vec<usize>> = (0..self.size.len()).map(axis).collect();
        made.map(|made| [vec![1; usize::from(x.lifted)], made].concat())
    }

    /// The frameworks’ name or number for the padding of a window that shrinks what it goes over. Under
    /// the name “same”, PyTorch has no convolution that skips.
    fn padding(&self, framework: Framework, strided: bool) -> Option<Padding> {
        let n = self.size.len();
        let same = (0..n).all(|a| self.pads[a] == same(self.size[a], self.span[a], self.stride[a]))
            && (strided || self.stride.iter().all(|s| *s == 1));
        self.named(framework, same)
    }

    fn named(&self, framework: Framework, same: bool) -> Option<Padding> {
        let each: Option<Vec<usize>> = self
            .pads
            .iter()
            .map(|[a, b]| (a == b).then_some(*a))
            .collect();
        match each {
            Some(each) if each.iter().all(|p| *p == 0) => Some(Padding::Named(PaddingName::Valid)),
            Some(each) if !same || framework == Framework::Pytorch => {
                Some(Padding::By(size(&each)))
            }
            _ => same.then_some(Padding::Named(PaddingName::Same)),
        }
    }

    /// The same of a transposed convolution, with what it adds behind and the sizes that it gives.
    fn grown(&self, node: &Node, framework: Framework) -> Res<(Padding, Size, Vec<usize>)> {
        let more = node.ints("output_padding").unwrap_or_default();
        let (mut sizes, mut extra) = (Vec::new(), Vec::new());
        let (mut plain, mut same, mut valid) = (true, true, true);
        for a in 0..self.size.len() {
            let (stride, span, pads) = (self.stride[a], self.span[a], self.pads[a]);
            let m = usize::try_from(more.get(a).copied().unwrap_or(0)).ok();
            let m = m.filter(|m| *m <= 4096);
            let m = m.ok_or_else(|| setting(node, "output_padding"))?;
            let whole = (self.size[a] - 1) * stride + span + m;
            let out = whole.checked_sub(pads[0] + pads[1]).filter(|n| *n > 0);
            let out = out.ok_or_else(|| setting(node, "pads"))?;
            let rest = span.saturating_sub(stride);
            same &= pads == [rest / 2, rest - rest / 2] && out == self.size[a] * stride;
            valid &= pads == [0, 0] && out == self.size[a] * stride + rest;
            plain &= pads[0] == pads[1] && (m < stride || m == 0);
            sizes.push(out);
            extra.push(m);
        }
        let keras = framework == Framework::Keras;
        let none = Size::One(0);
        let (padding, extra) = match () {
            () if keras && valid => (Padding::Named(PaddingName::Valid), none),
            () if same && (keras || !plain) => (Padding::Named(PaddingName::Same), none),
            () if plain => {
                let padding = match keras {
                    true => Some(Padding::By(size(
                        &self.pads.iter().map(|p| p[0]).collect::<Vec<_>>(),
                    ))),
                    false => self.named(framework, false),
                };
                (padding.ok_or_else(|| setting(node, "pads"))?, size(&extra))
            }
            () => return Err(setting(node, "pads")),
        };
        Ok((padding, extra, sizes))
    }
}

/// Zeros before and behind an axis with which a window gives one number for each of its strides.
fn same(size: usize, span: usize, stride: usize) -> [usize; 2] {
    let last = (size.div_ceil(stride) - 1) * stride + span;
    let all = last.saturating_sub(size);
    [all / 2, all - all / 2]
}

/// A convolution, or a transposed one.
pub fn conv(walk: &mut Walk, node: &Node, transposed: bool) -> Res<()> {
    let w = walk.held(node, 1)?;
    let wrong = || at(node, "onnx-op-weights", &[]);
    let [first, second, kernel @ ..] = &w.dims[..] else {
        return Err(wrong());
    };
    let x = Reading::of(walk, node, kernel)?;
    let groups = usize::try_from(node.int("group", 1)).unwrap_or(0);
    let all = second
        .checked_mul(groups)
        .filter(|n| *n > 0)
        .ok_or_else(wrong)?;
    let (channels, filters) = match transposed {
        false => (all, *first),
        true => (*first, all),
    };
    if channels != x.channels || filters == 0 {
        return Err(wrong());
    }
    if transposed && (kernel.len() != 2 || x.lifted) {
        return Err(at(node, "onnx-axes", &[]));
    }
    if transposed
        && (node.has("output_shape") || node.text("auto_pad").is_some_and(|a| a != "NOTSET"))
    {
        return Err(setting(node, "auto_pad"));
    }
    let window = Window::of(node, kernel, &x)?;
    let framework = walk.build.framework;
    let (padding, output_padding, out) = match transposed {
        true => window.grown(node, framework)?,
        false => {
            let strided = framework == Framework::Keras;
            let padding = window
                .padding(framework, strided)
                .ok_or_else(|| setting(node, "pads"))?;
            let out = window
                .left(&x)
                .ok_or_else(|| setting(node, "kernel_shape"))?;
            (padding, Size::One(0), out)
        }
    };
    let bias = walk.held_if(node, 2)?.map(|b| b.to_floats());
    if bias.as_ref().is_some_and(|b| b.len() != filters) {
        return Err(wrong());
    }
    let conv = Conv {
        filters,
        kernel: size(&window.kernel),
        stride: size(&window.stride),
        padding,
        dilation: size(&window.dilation),
        groups,
        bias: bias.is_some(),
        activation: None,
        weight_init: None,
        bias_init: None,
    };
    let (name, kind) = match (transposed, window.kernel.len()) {
        (true, _) => {
            let kind = LayerKind::ConvTranspose2d {
                conv,
                output_padding,
            };
            ("conv_transpose", kind)
        }
        (_, 1) => ("conv", LayerKind::Conv1d(conv)),
        _ => ("conv", LayerKind::Conv2d(conv)),
    };
    let layer = walk
        .build
        .layer(node, node.input(1), name, kind, vec![x.from])?;
    let dims = [&[*first, *second][..], &window.kernel].concat();
    walk.build.param(layer, "weight", &dims, w.to_floats());
    if let Some(bias) = bias {
        walk.build.param(layer, "bias", &[filters], bias);
    }
    x.give(walk, node, layer, filters, &out)
}

pub fn pool(walk: &mut Walk, node: &Node) -> Res<()> {
    let kernel = node.ints("kernel_shape").unwrap_or_default();
    let kernel = sizes(node, "kernel_shape", kernel.len())?;
    if !node.has("kernel_shape") {
        return Err(setting(node, "kernel_shape"));
    }
    let x = Reading::of(walk, node, &kernel)?;
    let window = Window::of(node, &kernel, &x)?;
    if window.dilation.iter().any(|d| *d != 1) {
        return Err(setting(node, "dilations"));
    }
    let max = node.op == "MaxPool";
    let out = window
        .left(&x)
        .ok_or_else(|| setting(node, "kernel_shape"))?;
    // Rounding up changes nothing where the window comes out even.
    let even = (0..window.size.len()).all(|a| {
        let [before, behind] = window.pads[a];
        (window.size[a] + before + behind - window.span[a]).is_multiple_of(window.stride[a])
    });
    if node.int("ceil_mode", 0) != 0 && !even {
        return Err(setting(node, "ceil_mode"));
    }
    // PyTorch counts the zeros of its padding, Keras leaves them out.
    let framework = walk.build.framework;
    let padded = window.pads.iter().any(|p| *p != [0, 0]);
    let counted = node.int("count_include_pad", 0) != 0;
    if !max && padded && counted != (framework == Framework::Pytorch) {
        return Err(setting(node, "count_include_pad"));
    }
    let padding = window
        .padding(framework, true)
        .ok_or_else(|| setting(node, "pads"))?;
    let pool = Pool {
        kernel: size(&window.kernel),
        stride: (window.kernel != window.stride).then(|| size(&window.stride)),
        padding,
    };
    let kind = match (window.kernel.len(), max) {
        (1, true) => LayerKind::MaxPool1d(pool),
        (1, false) => LayerKind::AvgPool1d(pool),
        (_, true) => LayerKind::MaxPool2d(pool),
        (_, false) => LayerKind::AvgPool2d(pool),
    };
    let layer = walk.build.layer(node, None, "pool", kind, vec![x.from])?;
    x.give(walk, node, layer, x.channels, &out)
}

/// The layer of a pooling over everything but the channels.
fn global_layer(walk: &mut Walk, node: &Node, from: Option<usize>) -> Res<usize> {
    let (kind, name) = match node.op.as_str() {
        "GlobalAveragePool" | "ReduceMean" => (LayerKind::GlobalAvgPool, "average"),
        _ => (LayerKind::GlobalMaxPool, "max"),
    };
    walk.build.layer(node, None, name, kind, vec![from])
}

/// One number for each channel; `keep`: whether the other axes stay, as ones.
pub fn global(walk: &mut Walk, node: &Node, keep: bool) -> Res<()> {
    let x = Reading::of(walk, node, &[])?;
    let layer = global_layer(walk, node, x.from)?;
    let mut flow = Flow::of(Some(layer), vec![x.channels]);
    if keep {
        let axes: Vec<usize> = (2..x.size.len() + 2).collect();
        flow = flow.unsqueeze(&axes).ok_or_else(|| unfit(node))?;
    }
    walk.give(node, 0, Value::Flow(flow));
    Ok(())
}

/// The same over these axes of a value, however it lies. False where they are not all but the channels.
fn over(walk: &mut Walk, node: &Node, flow: &Flow, axes: &[usize], keep: bool) -> Res<bool> {
    let rank = flow.source.real.len();
    let channel = walk.build.channel_axis(&flow.source);
    let mut gone: Vec<usize> = axes.iter().flat_map(|a| flow.groups[*a].clone()).collect();
    gone.sort_unstable();
    let others = (1..=rank).filter(|a| *a != channel);
    if !(2..=3).contains(&rank) || !flow.unsplit() || !others.eq(gone) {
        return Ok(false);
    }
    let from = walk.build.source(flow, node)?;
    let layer = global_layer(walk, node, from)?;
    let mut groups = Vec::new();
    for (k, group) in flow.groups.iter().enumerate() {
        match (axes.contains(&k), keep) {
            (true, true) => groups.push(Vec::new()),
            (true, false) => {}
            (false, _) => groups.push(group.iter().map(|a| usize::from(*a != 0)).collect()),
        }
    }
    let pooled = Flow::of(Some(layer), vec![flow.source.real[channel - 1]]);
    walk.give(node, 0, Value::Flow(Flow { groups, ..pooled }));
    Ok(true)
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
            let flow = walk.flow(node, 0)?;
            if over(walk, node, &flow, &axes, keep)? {
                return Ok(());
            }
            match pixels {
                true => global(walk, node, keep),
                false => Err(setting(node, "axes")),
            }
        }
        _ => Err(unfit(node)),
    }
}

pub fn resize(walk: &mut Walk, node: &Node) -> Res<()> {
    let x = Reading::of(walk, node, &[])?;
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
                1 => *s as f32 / x.channels as f32,
                k => x.size.get(k - 2).map_or(0.0, |x| *s as f32 / *x as f32),
            };
            sizes.iter().enumerate().map(of).collect()
        }
    };
    let whole = |v: &f32| v.fract() == 0.0 && (1.0..=64.0).contains(v);
    let fits =
        scales.len() == x.size.len() + 2 && scales.iter().all(whole) && scales[..2] == [1.0, 1.0];
    if !fits {
        return Err(setting(node, "scales"));
    }
    let factors: Vec<usize> = scales[2..].iter().map(|v| *v as usize).collect();
    repeats(node, &x.size, &factors)?;
    let kind = LayerKind::Upsample {
        factor: size(&factors),
    };
    let layer = walk
        .build
        .layer(node, None, "upsample", kind, vec![x.from])?;
    let out: Vec<usize> = x.size.iter().zip(&factors).map(|(d, f)| d * f).collect();
    x.give(walk, node, layer, x.channels, &out)
}

/// Checks that “nearest” is each number so many times over, as the page has it: that depends on where
/// positions are taken from, and how they are rounded.
fn repeats(node: &Node, size: &[usize], factors: &[usize]) -> Res<()> {
    if node.op == "Upsample" {
        return Ok(());
    }
    if node.has("axes") {
        return Err(setting(node, "axes"));
    }
    let from = node.text("coordinate_transformation_mode");
    let round = node.text("nearest_mode");
    let (from, round) = (
        from.as_deref().unwrap_or("half_pixel"),
        round.as_deref().unwrap_or("round_prefer_floor"),
    );
    for (n, factor) in size.iter().zip(factors) {
        let f = *factor as f64;
        let last = (n * factor - 1).max(1) as f64;
        for i in 0..n * factor {
            let i = i as f64;
            let at = match from {
                "asymmetric" => i / f,
                "half_pixel" | "half_pixel_symmetric" | "pytorch_half_pixel" => (i + 0.5) / f - 0.5,
                "tf_half_pixel_for_nn" => (i + 0.5) / f,
                "align_corners" => i * (n - 1) as f64 / last,
                _ => return Err(setting(node, "coordinate_transformation_mode")),
            };
            let at = match round {
                "round_prefer_floor" => (at - 0.5).ceil(),
                "round_prefer_ceil" => (at + 0.5).floor(),
                "floor" => at.floor(),
                "ceil" => at.ceil(),
                _ => return Err(setting(node, "nearest_mode")),
            };
            if at.clamp(0.0, (n - 1) as f64) != (i / f).floor() {
                return Err(setting(node, "nearest_mode"));
            }
        }
    }
    Ok(())
}
