//! Bounds of layers.
use super::*;

pub(super) fn layer(l: &LayerSpec, c: &mut Check) {
    match &l.kind {
        LayerKind::Linear {
            units,
            weight_init,
            bias_init,
            ..
        } => {
            c.int("units", *units, 1, limits::UNITS);
            inits(*weight_init, *bias_init, c);
        }
        LayerKind::Activation { alpha, .. } => {
            if let Some(a) = alpha {
                c.num("alpha", *a, 0.0, 100.0);
            }
        }
        LayerKind::Dropout { rate } => c.num("rate", *rate, 0.0, 0.99),
        LayerKind::Reshape { shape } => {
            c.int("shape", shape.len(), 1, 6);
            let unknown = shape.iter().filter(|d| **d == -1).count();
            if unknown > 1 {
                c.int("shape", unknown, 0, 1);
            }
            for d in shape {
                if *d != -1 && !(1..=(1 << 24)).contains(d) {
                    c.0.push(range("shape", d, 1, 1 << 24));
                }
            }
        }
        LayerKind::Concatenate { axis } => {
            if *axis == 0 || !(-6..=6).contains(axis) {
                c.0.push(range("axis", axis, -6, 6));
            }
        }
        LayerKind::Conv1d(v) => conv(v, true, c),
        LayerKind::Conv2d(v) => conv(v, false, c),
        LayerKind::ConvTranspose2d {
            conv: v,
            output_padding,
        } => {
            conv(v, false, c);
            c.size("output_padding", *output_padding, 0, limits::KERNEL);
        }
        LayerKind::MaxPool1d(v) | LayerKind::AvgPool1d(v) => pool(v, true, c),
        LayerKind::MaxPool2d(v) | LayerKind::AvgPool2d(v) => pool(v, false, c),
        LayerKind::Upsample { factor } => c.size("factor", *factor, 1, 64),
        LayerKind::BatchNorm {
            momentum, epsilon, ..
        } => {
            c.num("momentum", momentum.unwrap_or(0.0), 0.0, 1.0);
            c.num("epsilon", epsilon.unwrap_or(1.0), 1e-12, 1.0);
        }
        LayerKind::LayerNorm { axes, epsilon, .. } | LayerKind::RmsNorm { axes, epsilon } => {
            c.int("axes", *axes, 1, 6);
            c.num("epsilon", epsilon.unwrap_or(1.0), 1e-12, 1.0);
        }
        LayerKind::Embedding { vocab, dim } => {
            c.int("vocab", *vocab, 1, limits::VOCAB);
            c.int("dim", *dim, 1, limits::UNITS);
        }
        LayerKind::Rnn { layer, activation } => {
            c.int("units", layer.units, 1, limits::UNITS);
            if !Recurrence::ACTIVATIONS.contains(activation) {
                c.0.push(Problem::new("rnn-activation").field("activation"));
            }
        }
        LayerKind::Lstm(layer) | LayerKind::Gru(layer) => {
            c.int("units", layer.units, 1, limits::UNITS);
        }
        LayerKind::Sampling { kl } => c.num("kl", *kl, 0.0, 1e3),
        LayerKind::MultiHeadAttention { heads, .. } => c.int("heads", *heads, 1, 256),
        LayerKind::Flatten
        | LayerKind::Add
        | LayerKind::GlobalAvgPool
        | LayerKind::GlobalMaxPool
        | LayerKind::PositionalEmbedding => {}
    }
}

fn inits(weight: Option<Init>, bias: Option<Init>, c: &mut Check) {
    for (name, init) in [("weight_init", weight), ("bias_init", bias)] {
        match init {
            Some(Init::Constant { value: a }) | Some(Init::Orthogonal { gain: a }) => {
                c.num(name, a, -1e6, 1e6)
            }
            Some(Init::Uniform { low: a, high: b }) => {
                c.num(name, a, -1e6, 1e6);
                c.num(name, b, a, 1e6);
            }
            Some(Init::Normal { mean: a, std: b })
            | Some(Init::TruncatedNormal { mean: a, std: b }) => {
                c.num(name, a, -1e6, 1e6);
                c.num(name, b, 0.0, 1e6);
            }
            _ => {}
        }
    }
}

fn conv(v: &Conv, line: bool, c: &mut Check) {
    c.int("filters", v.filters, 1, limits::UNITS);
    c.int("groups", v.groups, 1, limits::UNITS);
    for (name, size) in [
        ("kernel", v.kernel),
        ("stride", v.stride),
        ("dilation", v.dilation),
    ] {
        c.size(name, size, 1, limits::KERNEL);
        c.line(name, size, line);
    }
    padding(v.padding, line, c);
    inits(v.weight_init, v.bias_init, c);
}

fn pool(v: &Pool, line: bool, c: &mut Check) {
    for (name, size) in [
        ("kernel", v.kernel),
        ("stride", v.stride.unwrap_or(v.kernel)),
    ] {
        c.size(name, size, 1, limits::KERNEL);
        c.line(name, size, line);
    }
    padding(v.padding, line, c);
}

fn padding(p: Padding, line: bool, c: &mut Check) {
    if let Padding::By(size) = p {
        c.size("padding", size, 0, limits::KERNEL);
        c.line("padding", size, line);
    }
}
