//! Convolutions, pooling and up-sampling.
use super::graph::{BATCH, Value, int, ints, text};
use super::layers::Writer;
use crate::spec::*;

impl Writer<'_> {
    pub fn upsample(&mut self, x: &Value, factors: &[usize]) -> Value {
        let mut shape = x.shape.clone();
        let mut scales = vec![1.0, 1.0];
        for (d, f) in shape[2..].iter_mut().zip(factors) {
            *d *= *f as i64;
            scales.push(*f as f32);
        }
        let name = self.graph.floats("scales", scales);
        let attributes = vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ];
        self.graph
            .node("Resize", &[&x.name, "", &name], attributes, shape)
    }

    /// `x[N,C,…] → [N,filters,…]` along `axes` axes.
    pub fn conv(&mut self, id: &str, x: &Value, c: &Conv, axes: usize) -> Value {
        let window = Window::of(c, x, axes);
        let pads = pads(c.padding, &window.size, &window.span, &window.stride);
        let out = |a: usize| {
            let padded = window.size[a] + pads[a] + pads[axes + a];
            (padded - window.span[a]) / window.stride[a] + 1
        };
        let out = (0..axes).map(out).collect();
        let dims = [c.filters, window.channels / c.groups];
        self.windowed("Conv", id, x, (c, &window), dims, (pads, None, out))
    }

    /// `x[N,C,H,W] → [N,filters,H′,W′]`; `more` rows and columns are added behind.
    pub fn conv_transpose(&mut self, id: &str, x: &Value, c: &Conv, more: [usize; 2]) -> Value {
        let window = Window::of(c, x, 2);
        let (mut begin, mut end, mut extra, mut out) = (vec![], vec![], vec![], vec![]);
        for (a, more) in more.into_iter().enumerate() {
            let (input, span, stride) = (window.size[a], window.span[a], window.stride[a]);
            let rest = span.saturating_sub(stride);
            let natural = (input - 1) * stride + span;
            let (p, size) = match c.padding {
                Padding::Named(PaddingName::Same) => ([rest / 2, rest - rest / 2], input * stride),
                Padding::Named(PaddingName::Valid) if self.keras() && more == 0 => {
                    ([0, 0], input * stride + rest)
                }
                padding => {
                    let p = match padding {
                        Padding::By(by) => by.pair()[a],
                        _ => 0,
                    };
                    ([p, p], natural + more - 2 * p)
                }
            };
            begin.push(p[0]);
            end.push(p[1]);
            extra.push(size + p[0] + p[1] - natural);
            out.push(size);
        }
        let dims = [window.channels, c.filters / c.groups];
        let pads = [begin, end].concat();
        self.windowed(
            "ConvTranspose",
            id,
            x,
            (c, &window),
            dims,
            (pads, Some(extra), out),
        )
    }

    /// The node of a convolution or a transposed one, with its weight `[…dims, …kernel]`, its bias and its
    /// activation. `pads`, what is added behind, and the sizes that come of it.
    fn windowed(
        &mut self,
        op: &str,
        id: &str,
        x: &Value,
        (c, window): (&Conv, &Window),
        dims: [usize; 2],
        (pads, more, out): (Vec<usize>, Option<Vec<usize>>, Vec<usize>),
    ) -> Value {
        let dims = [&dims[..], &window.kernel].concat();
        let mut inputs = vec![x.name.clone(), self.param(&format!("{id}.weight"), &dims)];
        if c.bias {
            inputs.push(self.param(&format!("{id}.bias"), &[c.filters]));
        }
        let mut attributes = vec![
            ints("dilations", &window.dilation),
            int("group", c.groups as i64),
            ints("kernel_shape", &window.kernel),
        ];
        attributes.extend(more.map(|more| ints("output_padding", &more)));
        attributes.push(ints("pads", &pads));
        attributes.push(ints("strides", &window.stride));
        let mut shape = vec![BATCH, c.filters as i64];
        shape.extend(out.into_iter().map(|n| n as i64));
        let inputs: Vec<&str> = inputs.iter().map(|s| &s[..]).collect();
        let y = self.graph.node(op, &inputs, attributes, shape);
        match c.activation {
            // The engine's softmax is over the channels here.
            Some(f) => self.activate(&y, f, None, false, 1),
            None => y,
        }
    }

    pub fn pool(&mut self, x: &Value, p: &Pool, axes: usize, max: bool) -> Value {
        let kernel = sizes(p.kernel, axes);
        let stride = sizes(p.stride.unwrap_or(p.kernel), axes);
        let size: Vec<usize> = x.shape[2..].iter().map(|d| *d as usize).collect();
        let pads = pads(p.padding, &size, &kernel, &stride);
        let mut shape = x.shape[..2].to_vec();
        for a in 0..axes {
            let padded = size[a] + pads[a] + pads[axes + a];
            shape.push(((padded - kernel[a]) / stride[a] + 1) as i64);
        }
        let mut attributes = vec![
            ints("kernel_shape", &kernel),
            ints("pads", &pads),
            ints("strides", &stride),
        ];
        if !max {
            // PyTorch counts the zeros of its padding, Keras leaves them out.
            attributes.push(int("count_include_pad", i64::from(!self.keras())));
        }
        let op = if max { "MaxPool" } else { "AveragePool" };
        self.graph.node(op, &[&x.name], attributes, shape)
    }
}

/// A convolution's window along each axis, and what it goes over.
struct Window {
    kernel: Vec<usize>,
    stride: Vec<usize>,
    dilation: Vec<usize>,
    /// From the first of its numbers to the last.
    span: Vec<usize>,
    channels: usize,
    size: Vec<usize>,
}

impl Window {
    fn of(c: &Conv, x: &Value, axes: usize) -> Window {
        let (kernel, dilation) = (sizes(c.kernel, axes), sizes(c.dilation, axes));
        Window {
            span: (0..axes)
                .map(|a| (kernel[a] - 1) * dilation[a] + 1)
                .collect(),
            kernel,
            stride: sizes(c.stride, axes),
            dilation,
            channels: x.shape[1] as usize,
            size: x.shape[2..].iter().map(|d| *d as usize).collect(),
        }
    }
}

/// A size along one axis or two.
fn sizes(size: Size, axes: usize) -> Vec<usize> {
    size.pair()[..axes].to_vec()
}

/// Zeros before the axes, then behind them, as ONNX lists them.
fn pads(padding: Padding, size: &[usize], span: &[usize], stride: &[usize]) -> Vec<usize> {
    let axes = size.len();
    let both: Vec<[usize; 2]> = (0..axes)
        .map(|a| match padding {
            Padding::Named(PaddingName::Valid) => [0, 0],
            Padding::Named(PaddingName::Same) => {
                let last = (size[a].div_ceil(stride[a]) - 1) * stride[a] + span[a];
                let all = last.saturating_sub(size[a]);
                [all / 2, all - all / 2]
            }
            Padding::By(by) => [by.pair()[a]; 2],
        })
        .collect();
    let (begin, end): (Vec<usize>, Vec<usize>) = both.iter().map(|[a, b]| (*a, *b)).unzip();
    [begin, end].concat()
}
