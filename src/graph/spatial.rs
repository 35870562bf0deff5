//! Layers on images and sequences. Their values lie with the channels last; what a person sees,
//! and what other layers read, has PyTorch's order.
use super::layers::{activate, bounded, default_inits, kind_name};
use super::norm::{batch_norm, layer_norm};
use super::*;
use crate::backend::cpu::kernels::Act;
use crate::ops::{self, Window};
use crate::spec::*;

/// A layer's output and how it lies in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    pub v: ValueId,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is seen.
    Plain,
    /// `[N,H,W,C]` for an image `[C,H,W]`.
    Image,
    /// `[N,1,L,C]` for a sequence, `[C,L]` in PyTorch and `[L,C]` in Keras.
    Line,
}

impl Out {
    pub fn plain(v: ValueId) -> Out {
        let form = Form::Plain;
        Out { v, form }
    }

    /// The shape as it is seen, with the batch.
    pub fn shape(self, g: &Graph, framework: Framework) -> Shape {
        let s = g.shape(self.v);
        match (self.form, framework) {
            (Form::Plain, _) => s.to_vec(),
            (Form::Image, _) => vec![s[0], s[3], s[1], s[2]],
            (Form::Line, Framework::Pytorch) => vec![s[0], s[3], s[2]],
            (Form::Line, Framework::Keras) => vec![s[0], s[2], s[3]],
        }
    }

    /// The value in the order in which it is seen.
    pub fn seen(self, g: &mut Graph, framework: Framework) -> Result<ValueId, Problem> {
        // Not by the shape: `[N,4,4,4]` is the same in either order, its values are not.
        if self.form == Form::Plain {
            return Ok(self.v);
        }
        let shape = self.shape(g, framework);
        let s = g.shape(self.v).to_vec();
        let name = g.value(self.v).name.clone();
        let same = s[3] == 1 || s[1] * s[2] == 1;
        if same || (self.form == Form::Line && framework == Framework::Keras) {
            return g.push1(ops::Reshape { shape }, &[self.v], &name);
        }
        let first = g.push1(ops::Channels { last: false }, &[self.v], &name)?;
        if g.shape(first) == shape {
            return Ok(first);
        }
        g.push1(ops::Reshape { shape }, &[first], &name)
    }

    /// As `[N,H,W,C]`.
    fn image(self, g: &mut Graph, framework: Framework, kind: &str) -> Result<ValueId, Problem> {
        if self.form == Form::Image {
            return Ok(self.v);
        }
        let v = self.seen(g, framework)?;
        let s = g.shape(v).to_vec();
        match *s {
            [n, h, w] => reshape(g, v, vec![n, h, w, 1]),
            [n, 1, h, w] => reshape(g, v, vec![n, h, w, 1]),
            [_, _, _, _] => channels_last(g, v),
            _ => Err(Problem::new("image-input")
                .arg("kind", kind)
                .arg(
                    "want",
                    "an image [channels, rows, columns] or [rows, columns]",
                )
                .arg("got", ops::show(&s[1..]))),
        }
    }

    /// As `[N,1,L,C]`.
    fn line(self, g: &mut Graph, framework: Framework, kind: &str) -> Result<ValueId, Problem> {
        if self.form == Form::Line {
            return Ok(self.v);
        }
        let v = self.seen(g, framework)?;
        let s = g.shape(v).to_vec();
        match (&s[..], framework) {
            (&[n, l], _) => reshape(g, v, vec![n, 1, l, 1]),
            (&[n, l, c], Framework::Keras) => reshape(g, v, vec![n, 1, l, c]),
            (&[n, c, l], Framework::Pytorch) => {
                let v = channels_last(g, v)?;
                reshape(g, v, vec![n, 1, l, c])
            }
            _ => Err(Problem::new("image-input")
                .arg("kind", kind)
                .arg(
                    "want",
                    match framework {
                        Framework::Pytorch => "a sequence [channels, length]",
                        Framework::Keras => "a sequence [length, channels]",
                    },
                )
                .arg("got", ops::show(&s[1..]))),
        }
    }

    /// With channels last, whatever it is: a sequence or an image.
    fn any(self, g: &mut Graph, framework: Framework, kind: &str) -> Result<Out, Problem> {
        let form = match self.form {
            Form::Plain if g.shape(self.v).len() == 3 => Form::Line,
            Form::Plain => Form::Image,
            form => form,
        };
        let v = match form {
            Form::Line => self.line(g, framework, kind)?,
            _ => self.image(g, framework, kind)?,
        };
        Ok(Out { v, form })
    }
}

/// The data as the first layer reads it: Keras sees images with their channels last.
pub(super) fn input(g: &mut Graph, v: ValueId, framework: Framework) -> Result<Out, Problem> {
    if framework == Framework::Pytorch || g.shape(v).len() != 4 {
        return Ok(Out::plain(v));
    }
    let v = Out::plain(v).image(g, framework, "input")?;
    let form = Form::Image;
    Ok(Out { v, form })
}

pub(super) fn reshape(g: &mut Graph, v: ValueId, shape: Shape) -> Result<ValueId, Problem> {
    let name = g.value(v).name.clone();
    g.push1(ops::Reshape { shape }, &[v], &name)
}

fn channels_last(g: &mut Graph, v: ValueId) -> Result<ValueId, Problem> {
    let name = g.value(v).name.clone();
    g.push1(ops::Channels { last: true }, &[v], &name)
}

/// The form in which a layer that is none of this file's reads its inputs and gives its output;
/// None where it wants them as they are seen.
pub(super) fn form_kept(kind: &LayerKind, framework: Framework, x: &[Out]) -> Option<(Form, Form)> {
    let form = x.first()?.form;
    if form == Form::Plain || x.iter().any(|o| o.form != form) {
        return None;
    }
    let keras = framework == Framework::Keras;
    match kind {
        LayerKind::Dropout { .. } | LayerKind::Add => Some((form, form)),
        LayerKind::Activation { function, .. } if *function != Activation::Softmax || keras => {
            Some((form, form))
        }
        // Keras' last axis is that of the channels, and it flattens in its own order.
        LayerKind::Linear { .. } if keras => Some((form, form)),
        LayerKind::Flatten if keras => Some((form, Form::Plain)),
        _ => None,
    }
}

/// What a layer is built from.
pub(super) struct Site<'a> {
    pub layout: &'a mut Layout,
    pub framework: Framework,
    pub id: &'a str,
    pub kind: &'a LayerKind,
    pub training: bool,
}

/// The layer's nodes, or None if it is none of this file's.
pub(super) fn layer(g: &mut Graph, site: &mut Site, x: &[Out]) -> Result<Option<Out>, Problem> {
    let (f, kind) = (site.framework, kind_name(site.kind));
    let one = x[0];
    let image = |v| {
        Some(Out {
            v,
            form: Form::Image,
        })
    };
    let line = |v| {
        Some(Out {
            v,
            form: Form::Line,
        })
    };
    Ok(match site.kind.clone() {
        LayerKind::Conv1d(c) => {
            let x = one.line(g, f, kind)?;
            line(conv(g, site, x, &c, true)?)
        }
        LayerKind::Conv2d(c) => {
            let x = one.image(g, f, kind)?;
            image(conv(g, site, x, &c, false)?)
        }
        LayerKind::ConvTranspose2d {
            conv,
            output_padding,
        } => {
            let x = one.image(g, f, kind)?;
            image(transpose(g, site, x, &conv, output_padding.pair())?)
        }
        LayerKind::MaxPool1d(p) => {
            let x = one.line(g, f, kind)?;
            line(pool(g, site, x, &p, true, true)?)
        }
        LayerKind::AvgPool1d(p) => {
            let x = one.line(g, f, kind)?;
            line(pool(g, site, x, &p, true, false)?)
        }
        LayerKind::MaxPool2d(p) => {
            let x = one.image(g, f, kind)?;
            image(pool(g, site, x, &p, false, true)?)
        }
        LayerKind::AvgPool2d(p) => {
            let x = one.image(g, f, kind)?;
            image(pool(g, site, x, &p, false, false)?)
        }
        LayerKind::GlobalAvgPool | LayerKind::GlobalMaxPool => {
            let x = one.any(g, f, kind)?.v;
            let s = g.shape(x).to_vec();
            let window = Window {
                kernel: [s[1], s[2]],
                stride: [1, 1],
                dilation: [1, 1],
                pad: [[0, 0]; 2],
            };
            let v = if *site.kind == LayerKind::GlobalMaxPool {
                g.push1(ops::MaxPool { window }, &[x], site.id)?
            } else {
                let count_pad = true;
                g.push1(ops::AvgPool { window, count_pad }, &[x], site.id)?
            };
            Some(Out::plain(reshape(g, v, vec![s[0], s[3]])?))
        }
        LayerKind::Upsample { factor } => {
            let x = one.any(g, f, kind)?;
            let factor = match (x.form, factor) {
                (Form::Line, Size::One(n)) => [1, n],
                (Form::Line, _) => {
                    return Err(Problem::new("one-number").arg("kind", kind).field("factor"));
                }
                (_, size) => size.pair(),
            };
            let v = g.push1(ops::Upsample { factor }, &[x.v], site.id)?;
            Some(Out { v, ..x })
        }
        LayerKind::BatchNorm {
            momentum,
            epsilon,
            affine,
        } => {
            let x = match g.shape(one.v).len() {
                2 => one,
                _ => one.any(g, f, kind)?,
            };
            let v = batch_norm(g, site, x.v, momentum, epsilon, affine)?;
            Some(Out { v, ..x })
        }
        LayerKind::LayerNorm {
            axes,
            epsilon,
            bias,
        } => {
            let eps = epsilon.unwrap_or(Norm::Layer.default_epsilon(f));
            Some(layer_norm(g, site, one, axes, (eps, true, bias))?)
        }
        LayerKind::RmsNorm { axes, epsilon } => {
            let eps = epsilon.unwrap_or(Norm::Rms.default_epsilon(f));
            Some(layer_norm(g, site, one, axes, (eps, false, false))?)
        }
        LayerKind::Concatenate { axis } => {
            let rank = g.shape(one.v).len();
            if one.form == Form::Plain || x.iter().any(|o| o.form != one.form) {
                return Ok(None);
            }
            // Keras counts from the end in its own order, where the channels are last.
            let keras = f == Framework::Keras;
            let seen = one.shape(g, f).len() as i64;
            let at = if axis < 0 { seen + axis } else { axis };
            let axis = match (one.form, at) {
                (_, _) if keras && axis == -1 => rank - 1,
                (Form::Image, 1) => 3,
                (Form::Image, 2 | 3) => at as usize - 1,
                (Form::Line, 1 | 2) => rank - if (at == 1) == keras { 2 } else { 1 },
                _ => {
                    return Err(Problem::new("axis")
                        .arg("axis", axis)
                        .arg("rank", seen)
                        .field("axis"));
                }
            };
            let values: Vec<ValueId> = x.iter().map(|o| o.v).collect();
            let v = g.push1(ops::Concat { axis }, &values, site.id)?;
            Some(Out { v, ..one })
        }
        _ => None,
    })
}

/// Rows and columns of a size; along a line there is one row.
fn pair(size: Size, line: bool, across: usize) -> [usize; 2] {
    match (line, size.pair()) {
        (true, [n, _]) => [across, n],
        (false, pair) => pair,
    }
}

/// Zeros that “same” puts before and after an axis: the output is as long as the input divided
/// by the stride, rounded up, and the odd zero comes last.
fn same(size: usize, span: usize, stride: usize) -> [usize; 2] {
    let last = (size.div_ceil(stride) - 1) * stride + span;
    let all = last.saturating_sub(size);
    [all / 2, all - all / 2]
}

fn set_padding(window: &mut Window, padding: Padding, size: [usize; 2], line: bool) {
    window.pad = match padding {
        Padding::Named(PaddingName::Valid) => [[0, 0]; 2],
        Padding::Named(PaddingName::Same) => {
            std::array::from_fn(|a| same(size[a], window.span(a), window.stride[a]))
        }
        Padding::By(by) => pair(by, line, 0).map(|p| [p, p]),
    };
}

fn window_of(c: &Conv, line: bool) -> Window {
    Window {
        kernel: pair(c.kernel, line, 1),
        stride: pair(c.stride, line, 1),
        dilation: pair(c.dilation, line, 1),
        pad: [[0, 0]; 2],
    }
}

fn divisible(got: usize, what: &str, groups: usize) -> Result<(), Problem> {
    if got.is_multiple_of(groups) {
        return Ok(());
    }
    Err(Problem::new("groups")
        .arg("got", got)
        .arg("what", what)
        .arg("groups", groups)
        .field("groups"))
}

/// Weight and bias of a convolution as inputs of its op, the weight `[a,b,R,S]`.
fn parameters(
    g: &mut Graph,
    site: &mut Site,
    c: &Conv,
    shape: [usize; 4],
    line: bool,
) -> Result<Vec<ValueId>, Problem> {
    let [a, b, r, s] = shape;
    let count = [a, b, r, s]
        .iter()
        .try_fold(1usize, |n, v| n.checked_mul(*v));
    bounded(
        count.unwrap_or(usize::MAX),
        super::layers::TENSOR,
        "weights",
    )?;
    let (weight, bias) = default_inits(site.framework);
    let start = |init| Start {
        init,
        fan_in: b * r * s,
        fan_out: a * r * s,
    };
    let stored = if line { vec![a, b, s] } else { shape.to_vec() };
    let name = format!("{}.weight", site.id);
    let weight = start(c.weight_init.unwrap_or(weight));
    let slot = site.layout.param(&name, &stored, weight);
    let mut w = g.slot(site.layout, slot);
    if line {
        w = g.push1(
            ops::Reshape {
                shape: shape.to_vec(),
            },
            &[w],
            &name,
        )?;
    }
    let mut values = vec![w];
    if c.bias {
        let start = start(c.bias_init.unwrap_or(bias));
        let name = format!("{}.bias", site.id);
        let slot = site.layout.param(&name, &[c.filters], start);
        values.push(g.slot(site.layout, slot));
    }
    Ok(values)
}

fn conv(
    g: &mut Graph,
    site: &mut Site,
    x: ValueId,
    c: &Conv,
    line: bool,
) -> Result<ValueId, Problem> {
    let s = g.shape(x).to_vec();
    divisible(s[3], "channels of the input", c.groups)?;
    divisible(c.filters, "filters", c.groups)?;
    let mut window = window_of(c, line);
    let named = c.padding == Padding::Named(PaddingName::Same);
    if named && window.stride != [1, 1] && site.framework == Framework::Pytorch {
        return Err(Problem::new("padding-stride").field("padding"));
    }
    set_padding(&mut window, c.padding, [s[1], s[2]], line);
    let [r, q] = window.kernel;
    let shape = [c.filters, s[3] / c.groups, r, q];
    let mut values = vec![x];
    values.extend(parameters(g, site, c, shape, line)?);
    let op = ops::Conv2d {
        window,
        groups: c.groups,
        bias: c.bias,
        act: Act::None,
    };
    let y = g.push1(op, &values, site.id)?;
    match c.activation {
        Some(f) => activate(g, site.framework, y, (f, None), false, site.id),
        None => Ok(y),
    }
}

fn transpose(
    g: &mut Graph,
    site: &mut Site,
    x: ValueId,
    c: &Conv,
    more: [usize; 2],
) -> Result<ValueId, Problem> {
    let s = g.shape(x).to_vec();
    divisible(s[3], "channels of the input", c.groups)?;
    divisible(c.filters, "filters", c.groups)?;
    let mut window = window_of(c, false);
    let mut size = [0, 0];
    for a in 0..2 {
        let (input, stride, span) = (s[1 + a], window.stride[a], window.span(a));
        let keras = site.framework == Framework::Keras && more[a] == 0;
        let rest = span.saturating_sub(stride);
        match c.padding {
            Padding::Named(PaddingName::Same) if more[a] == 0 => {
                size[a] = input * stride;
                window.pad[a] = [rest / 2, rest - rest / 2];
            }
            Padding::Named(PaddingName::Valid) if keras => size[a] = input * stride + rest,
            Padding::Named(PaddingName::Same) => {
                return Err(Problem::new("output-padding")
                    .arg("got", more[a])
                    .field("output_padding"));
            }
            _ if more[a] >= stride => {
                return Err(Problem::new("output-padding")
                    .arg("got", more[a])
                    .field("output_padding"));
            }
            padding => {
                let p = match padding {
                    Padding::By(by) => by.pair()[a],
                    _ => 0,
                };
                window.pad[a] = [p, p];
                let full = (input - 1) * stride + span + more[a];
                size[a] = full.checked_sub(2 * p).filter(|n| *n > 0).ok_or_else(|| {
                    Problem::new("range")
                        .arg("name", "padding")
                        .arg("got", p)
                        .arg("min", 0)
                        .arg("max", (full - 1) / 2)
                        .field("padding")
                })?;
            }
        }
    }
    let pixels = s[0].saturating_mul(size[0]).saturating_mul(size[1]);
    bounded(
        pixels.saturating_mul(c.filters) / s[0].max(1),
        super::layers::TENSOR,
        "values per sample",
    )?;
    let [r, q] = window.kernel;
    let shape = [s[3], c.filters / c.groups, r, q];
    let mut values = vec![x];
    values.extend(parameters(g, site, c, shape, false)?);
    let op = ops::ConvTranspose2d {
        window,
        groups: c.groups,
        size,
        bias: c.bias,
        act: Act::None,
    };
    let y = g.push1(op, &values, site.id)?;
    match c.activation {
        Some(f) => activate(g, site.framework, y, (f, None), false, site.id),
        None => Ok(y),
    }
}

fn pool(
    g: &mut Graph,
    site: &Site,
    x: ValueId,
    p: &Pool,
    line: bool,
    max: bool,
) -> Result<ValueId, Problem> {
    let s = g.shape(x).to_vec();
    let mut window = Window {
        kernel: pair(p.kernel, line, 1),
        stride: pair(p.stride.unwrap_or(p.kernel), line, 1),
        dilation: [1, 1],
        pad: [[0, 0]; 2],
    };
    if let Padding::By(by) = p.padding {
        for (pad, k) in pair(by, line, 0).into_iter().zip(window.kernel) {
            if pad > k / 2 {
                return Err(Problem::new("range")
                    .arg("name", "padding")
                    .arg("got", pad)
                    .arg("min", 0)
                    .arg("max", k / 2)
                    .field("padding"));
            }
        }
    }
    set_padding(&mut window, p.padding, [s[1], s[2]], line);
    if max {
        return g.push1(ops::MaxPool { window }, &[x], site.id);
    }
    // PyTorch counts the zeros of its padding, Keras leaves them out.
    let count_pad = site.framework == Framework::Pytorch;
    g.push1(ops::AvgPool { window, count_pad }, &[x], site.id)
}
