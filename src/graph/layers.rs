//! The layers of a spec as nodes.
use super::sequence::At;
use super::spatial::{self, Form, Out, Site};
use super::*;
use crate::backend::cpu::kernels::Act;
use crate::ops::{self, Cell};
use crate::spec::*;

/// The op for an activation. `layer` tells an activation layer from an activation within Dense:
/// Keras' leaky ReLU has slope 0.3 as a layer and 0.2 as a function.
fn act_of(f: Activation, alpha: Option<f32>, framework: Framework, layer: bool) -> Option<Act> {
    let alpha = alpha.unwrap_or_else(|| {
        if f == Activation::LeakyRelu && framework == Framework::Keras && !layer {
            0.2
        } else {
            f.default_alpha(framework)
        }
    });
    Some(match f {
        Activation::Softmax => return None,
        Activation::Step => Act::Step,
        Activation::Sigmoid => Act::Sigmoid,
        Activation::Tanh => Act::Tanh,
        Activation::Relu => Act::Relu,
        Activation::LeakyRelu => Act::LeakyRelu(alpha),
        Activation::Elu => Act::Elu(alpha),
        Activation::Gelu => Act::Gelu,
        Activation::GeluTanh => Act::GeluTanh,
        Activation::Silu => Act::Silu,
        Activation::Softplus => Act::Softplus(alpha),
    })
}

/// Largest tensor of one sample, and of a parameter.
pub(super) const TENSOR: usize = 1 << 26;

/// Adds the layers after `input`. The output of each is returned, None where it or what it reads
/// is wrong; `problems` then says why.
pub(super) fn layers(
    g: &mut Graph,
    layout: &mut Layout,
    spec: &Spec,
    input: ValueId,
    training: Option<u32>,
    problems: &mut Vec<Problem>,
) -> Vec<Option<Out>> {
    let mut outputs: Vec<Option<Out>> = Vec::new();
    let input = match spatial::input(g, input, spec.framework) {
        Ok(input) => input,
        Err(p) => {
            problems.push(p);
            return spec.layers.iter().map(|_| None).collect();
        }
    };
    for (i, layer) in spec.layers.iter().enumerate() {
        g.mark(Phase::Forward, Some(i));
        let named = |id: &String| {
            if id == "input" {
                return Some(input);
            }
            let at = spec.layers[..i].iter().position(|l| l.id == *id)?;
            outputs[at]
        };
        let before = match i {
            0 => Some(input),
            _ => outputs[i - 1],
        };
        let inputs: Option<Vec<Out>> = if layer.inputs.is_empty() {
            before.map(|v| vec![v])
        } else {
            layer.inputs.iter().map(named).collect()
        };
        let made = inputs.map(|x| any_layer(g, layout, spec, i, &x, training));
        outputs.push(match made {
            Some(Ok(v)) => Some(v),
            Some(Err(p)) => {
                problems.push(p.layer(&layer.id));
                None
            }
            None => None,
        });
    }
    outputs
}

fn any_layer(
    g: &mut Graph,
    layout: &mut Layout,
    spec: &Spec,
    index: usize,
    x: &[Out],
    training: Option<u32>,
) -> Result<Out, Problem> {
    let layer = &spec.layers[index];
    let framework = spec.framework;
    count_inputs(&layer.kind, x.len())?;
    let mut site = Site {
        layout,
        framework,
        id: &layer.id,
        kind: &layer.kind,
        training: training.is_some(),
    };
    let out = match spatial::layer(g, &mut site, x)? {
        Some(out) => out,
        None => {
            let kept = spatial::form_kept(&layer.kind, framework, x);
            let mut values = Vec::with_capacity(x.len());
            for out in x {
                values.push(match kept {
                    Some(_) => out.v,
                    None => out.seen(g, framework)?,
                });
            }
            let v = one_layer(g, layout, spec, index, &values, training)?;
            let form = kept.map_or(Form::Plain, |(_, form)| form);
            Out { v, form }
        }
    };
    bounded(numel(&g.shape(out.v)[1..]), TENSOR, "values per sample")?;
    let params: usize = layout.params().map(|s| numel(&s.shape)).sum();
    bounded(params, limits::PARAMS, "parameters")?;
    Ok(out)
}

fn count_inputs(kind: &LayerKind, got: usize) -> Result<(), Problem> {
    let (low, high, want) = match kind {
        LayerKind::Add => (2, 64, "2 or more"),
        LayerKind::Concatenate { .. } => (2, 64, "2 or more"),
        LayerKind::Sampling { .. } => (2, 2, "2"),
        _ => (1, 1, "1"),
    };
    if got >= low && got <= high {
        return Ok(());
    }
    Err(Problem::new("input-count")
        .arg("kind", kind_name(kind))
        .arg("want", want)
        .arg("got", got)
        .field("inputs"))
}

/// An activation behind `v`; `layer` as for [`act_of`].
pub(super) fn activate(
    g: &mut Graph,
    framework: Framework,
    v: ValueId,
    (f, alpha): (Activation, Option<f32>),
    layer: bool,
    id: &str,
) -> Result<ValueId, Problem> {
    if f == Activation::Softmax && g.shape(v).last() == Some(&1) {
        return Err(Problem::new("softmax-one"));
    }
    match act_of(f, alpha, framework, layer) {
        Some(act) => g.push1(ops::Activation { act }, &[v], id),
        None => g.push1(ops::Softmax, &[v], id),
    }
}

fn one_layer(
    g: &mut Graph,
    layout: &mut Layout,
    spec: &Spec,
    index: usize,
    x: &[ValueId],
    training: Option<u32>,
) -> Result<ValueId, Problem> {
    let layer = &spec.layers[index];
    let (id, framework) = (layer.id.as_str(), spec.framework);
    let shape = g.shape(x[0]).to_vec();
    let out = match &layer.kind {
        LayerKind::Linear {
            units,
            bias,
            activation,
            weight_init,
            bias_init,
        } => {
            if shape.len() < 2 {
                return Err(Problem::new("flat-input")
                    .arg("kind", "Linear")
                    .arg("got", ops::show(&shape[1..])));
            }
            let n = *shape.last().expect("has two axes");
            bounded(units.saturating_mul(n), TENSOR, "weights")?;
            let (w, b) = default_inits(framework);
            let start = |init| Start {
                init,
                fan_in: n,
                fan_out: *units,
            };
            let weight = start(weight_init.unwrap_or(w));
            let slot = layout.param(&format!("{id}.weight"), &[*units, n], weight);
            let mut values = vec![x[0], g.slot(layout, slot)];
            if *bias {
                let start = start(bias_init.unwrap_or(b));
                let slot = layout.param(&format!("{id}.bias"), &[*units], start);
                values.push(g.slot(layout, slot));
            }
            let op = ops::Linear {
                bias: *bias,
                act: Act::None,
            };
            let y = g.push1(op, &values, id)?;
            match activation {
                Some(f) => activate(g, framework, y, (*f, None), false, id)?,
                None => y,
            }
        }
        LayerKind::Activation { function, alpha } => {
            activate(g, framework, x[0], (*function, *alpha), true, id)?
        }
        LayerKind::Dropout { rate } => match training {
            Some(seed) if *rate > 0.0 => {
                let op = ops::Dropout {
                    rate: *rate,
                    seed,
                    layer: index as u32,
                };
                g.push1(op, &[x[0]], id)?
            }
            _ => x[0],
        },
        LayerKind::Flatten => {
            let shape = vec![shape[0], numel(&shape[1..])];
            g.push1(ops::Reshape { shape }, &[x[0]], id)?
        }
        LayerKind::Reshape { shape: to } => {
            let have = numel(&shape[1..]);
            let known = to
                .iter()
                .filter(|d| **d >= 0)
                .try_fold(1usize, |p, d| p.checked_mul(*d as usize))
                .unwrap_or(usize::MAX);
            let to: Vec<usize> = to
                .iter()
                .map(|d| {
                    if *d < 0 {
                        have / known.max(1)
                    } else {
                        *d as usize
                    }
                })
                .collect();
            let want = to
                .iter()
                .try_fold(1usize, |p, d| p.checked_mul(*d))
                .unwrap_or(usize::MAX);
            if want != have {
                return Err(Problem::new("reshape-size")
                    .arg("from", ops::show(&shape[1..]))
                    .arg("have", have)
                    .arg("to", ops::show(&to))
                    .arg("want", want)
                    .field("shape"));
            }
            let mut full = vec![shape[0]];
            full.extend(to);
            g.push1(ops::Reshape { shape: full }, &[x[0]], id)?
        }
        LayerKind::Add => {
            let mut sum = x[0];
            for v in &x[1..] {
                sum = g.push1(ops::Add, &[sum, *v], id)?;
            }
            sum
        }
        LayerKind::Concatenate { axis } => {
            let rank = shape.len() as i64;
            let at = if *axis < 0 { rank + axis } else { *axis };
            if at < 1 || at >= rank {
                return Err(Problem::new("axis")
                    .arg("axis", axis)
                    .arg("rank", rank)
                    .field("axis"));
            }
            g.push1(ops::Concat { axis: at as usize }, x, id)?
        }
        LayerKind::Embedding { vocab, dim } => {
            bounded(vocab.saturating_mul(*dim), TENSOR, "weights")?;
            At::new(g, layout, framework, id).embedding(x[0], *vocab, *dim)?
        }
        LayerKind::PositionalEmbedding => {
            At::new(g, layout, framework, id).positional_embedding(x[0])?
        }
        LayerKind::Rnn { layer, activation } => {
            let relu = *activation == Activation::Relu;
            At::new(g, layout, framework, id).recurrent(x[0], Cell::Rnn { relu }, layer)?
        }
        LayerKind::Lstm(layer) => {
            At::new(g, layout, framework, id).recurrent(x[0], Cell::Lstm, layer)?
        }
        LayerKind::Gru(layer) => {
            let keras = framework == Framework::Keras;
            At::new(g, layout, framework, id).recurrent(x[0], Cell::Gru { keras }, layer)?
        }
        LayerKind::Sampling { kl } => {
            let seed = training.map(|seed| (seed, index as u32));
            At::new(g, layout, framework, id).sampling([x[0], x[1]], *kl, seed)?
        }
        LayerKind::MultiHeadAttention { heads, causal } => {
            At::new(g, layout, framework, id).attention(x[0], *heads, *causal)?
        }
        other => unreachable!("{} is built in spatial.rs", kind_name(other)),
    };
    Ok(out)
}

/// What a weight and a bias begin with unless the layer says otherwise.
pub(super) fn default_inits(framework: Framework) -> (Init, Init) {
    match framework {
        Framework::Pytorch => (Init::TorchDefault, Init::TorchDefault),
        Framework::Keras => (Init::GlorotUniform, Init::Zeros),
    }
}

pub(super) fn bounded(got: usize, max: usize, what: &str) -> Result<(), Problem> {
    if got <= max {
        return Ok(());
    }
    Err(Problem::new("too-big")
        .arg("got", got)
        .arg("what", what)
        .arg("max", max))
}

pub(super) fn kind_name(kind: &LayerKind) -> &'static str {
    match kind {
        LayerKind::Linear { .. } => "linear",
        LayerKind::Activation { .. } => "activation",
        LayerKind::Dropout { .. } => "dropout",
        LayerKind::Flatten => "flatten",
        LayerKind::Reshape { .. } => "reshape",
        LayerKind::Add => "add",
        LayerKind::Concatenate { .. } => "concatenate",
        LayerKind::Conv1d(_) => "conv1d",
        LayerKind::Conv2d(_) => "conv2d",
        LayerKind::ConvTranspose2d { .. } => "conv_transpose2d",
        LayerKind::MaxPool1d(_) => "max_pool1d",
        LayerKind::MaxPool2d(_) => "max_pool2d",
        LayerKind::AvgPool1d(_) => "avg_pool1d",
        LayerKind::AvgPool2d(_) => "avg_pool2d",
        LayerKind::GlobalAvgPool => "global_avg_pool",
        LayerKind::GlobalMaxPool => "global_max_pool",
        LayerKind::Upsample { .. } => "upsample",
        LayerKind::BatchNorm { .. } => "batch_norm",
        LayerKind::LayerNorm { .. } => "layer_norm",
        LayerKind::RmsNorm { .. } => "rms_norm",
        LayerKind::Embedding { .. } => "embedding",
        LayerKind::PositionalEmbedding => "positional_embedding",
        LayerKind::Rnn { .. } => "rnn",
        LayerKind::Lstm(_) => "lstm",
        LayerKind::Gru(_) => "gru",
        LayerKind::Sampling { .. } => "sampling",
        LayerKind::MultiHeadAttention { .. } => "multi_head_attention",
    }
}
