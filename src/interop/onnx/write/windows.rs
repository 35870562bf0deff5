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
        let channels = x.shape[1] as usize;
        let (kernel, stride, dilation) = (
            sizes(c.kernel, axes),
            sizes(c.stride, axes),
            sizes(c.dilation, axes),
        );
        let span: Vec<usize> = (0..axes)
            .map(|a| (kernel[a] - 1) * dilation[a] + 1)
            .collect();
        let size: Vec<usize> = x.shape[2..].iter().map(|d| *d as usize).collect();
        let pads = pads(c.padding, &size, &span, &stride);
        let mut dims = vec![c.filters, channels / c.groups];
        dims.extend(&kernel);
        let mut shape = vec![BATCH, c.filters as i64];
        for a in 0..axes {
            let padded = size[a] + pads[a] + pads[axes + a];
            shape.push(((padded - span[a]) / stride[a] + 1) as i64);
        }
        let mut inputs = vec![x.name.clone(), self.param(&format!("{id}.weight"), &dims)];
        if c.bias {
            inputs.push(self.param(&format!("{id}.bias"), &[c.filters]));
        }
        let attributes = vec![
            ints("dilations", &dilation),
            int("group", c.groups as i64),
            ints("kernel_shape", &kernel),
            ints("pads", &pads),
            ints("strides", &stride),
        ];
        let inputs: Vec<&str> = inputs.iter().map(|s| &s[..]).collect();
        let y = self.graph.node("Conv", &inputs, attributes, shape);
        match c.activation {
            Some(f) => self.conv_activation(&y, f),
            None => y,
        }
    }

    /// An activation within a convolution: the engine's softmax is over the channels.
    fn conv_activation(&mut self, y: &Value, f: Activation) -> Value {
        self.activate(y, f, None, false, 1)
    }

    pub fn conv_transpose(&mut self, id: &str, x: &Value, c: &Conv, more: [usize; 2]) -> Value {
        let channels = x.shape[1] as usize;
        let (kernel, stride, dilation) =
            (sizes(c.kernel, 2), sizes(c.stride, 2), sizes(c.dilation, 2));
        let mut shape = vec![BATCH, c.filters as i64];
        let (mut begin, mut end, mut extra) = (vec![], vec![], vec![]);
        for a in 0..2 {
            let input = x.shape[2 + a] as usize;
            let span = (kernel[a] - 1) * dilation[a] + 1;
            let rest = span.saturating_sub(stride[a]);
            let natural = (input - 1) * stride[a] + span;
            let (p, size) = match c.padding {
                Padding::Named(PaddingName::Same) => {
                    ([rest / 2, rest - rest / 2], input * stride[a])
                }
                Padding::Named(PaddingName::Valid) if self.keras() && more[a] == 0 => {
                    ([0, 0], input * stride[a] + rest)
                }
                padding => {
                    let p = match padding {
                        Padding::By(by) => by.pair()[a],
                        _ => 0,
                    };
                    ([p, p], natural + more[a] - 2 * p)
                }
            };
            begin.push(p[0]);
            end.push(p[1]);
            extra.push(size + p[0] + p[1] - natural);
            shape.push(size as i64);
        }
        let dims = [channels, c.filters / c.groups, kernel[0], kernel[1]];
        let mut inputs = vec![x.name.clone(), self.param(&format!("{id}.weight"), &dims)];
        if c.bias {
            inputs.push(self.param(&format!("{id}.bias"), &[c.filters]));
        }
        let attributes = vec![
            ints("dilations", &dilation),
            int("group", c.groups as i64),
            ints("kernel_shape", &kernel),
            ints("output_padding", &extra),
            ints("pads", &[begin, end].concat()),
            ints("strides", &stride),
        ];
        let inputs: Vec<&str> = inputs.iter().map(|s| &s[..]).collect();
        let y = self.graph.node("ConvTranspose", &inputs, attributes, shape);
        match c.activation {
            Some(f) => self.conv_activation(&y, f),
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
