//! Layers as nodes. Values of images are `[N,C,H,W]`, of sequences that convolutions read `[N,C,L]`,
//! as ONNX has them; Keras' layers that look at the last axis get theirs turned round.
use super::graph::{BATCH, Graph, Numbers, Value, float, int, ints};
use crate::interop::onnx::gates;
use crate::spec::*;
use std::collections::HashMap;

/// A layer's output and what its axes are.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub value: Value,
    pub form: Form,
    /// Whole numbers rather than floats.
    pub tokens: bool,
}

/// How a value lies, where the spec's framework may see it otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is seen.
    Plain,
    /// `[C,H,W]`; Keras takes C for the last axis.
    Image,
    /// `[C,L]`; Keras sees `[L,C]`.
    Line,
}

pub(super) fn on_images(kind: &LayerKind) -> bool {
    use LayerKind::*;
    matches!(
        kind,
        Conv2d(_) | ConvTranspose2d { .. } | MaxPool2d(_) | AvgPool2d(_)
    )
}

pub(super) fn on_lines(kind: &LayerKind) -> bool {
    use LayerKind::*;
    matches!(kind, Conv1d(_) | MaxPool1d(_) | AvgPool1d(_))
}

pub(super) struct Writer<'a> {
    pub spec: &'a Spec,
    pub graph: Graph,
    values: Option<&'a HashMap<String, Vec<f32>>>,
}

impl<'a> Writer<'a> {
    pub fn new(spec: &'a Spec, values: Option<&'a HashMap<String, Vec<f32>>>) -> Writer<'a> {
        Writer {
            spec,
            graph: Graph::default(),
            values,
        }
    }

    pub fn keras(&self) -> bool {
        self.spec.framework == Framework::Keras
    }

    /// Keras sees images with their channels last.
    pub fn input_form(&self, rank: usize) -> Form {
        match self.keras() && rank == 3 {
            true => Form::Image,
            false => Form::Plain,
        }
    }

    /// A parameter of the engine, under PyTorch's name.
    pub fn param(&mut self, name: &str, dims: &[usize]) -> String {
        let data = self.floats(name, |v| v.to_vec());
        let theirs = match name.strip_suffix(".embeddings") {
            Some(layer) => format!("{layer}.weight"),
            None => name.to_string(),
        };
        self.graph.weight(&theirs, dims, data)
    }

    /// Something made of a parameter's values, if these are asked for.
    pub fn floats(&self, name: &str, f: impl Fn(&[f32]) -> Vec<f32>) -> Numbers {
        match self.values.and_then(|values| values.get(name)) {
            Some(v) => Numbers::Floats(f(v)),
            None => Numbers::Absent,
        }
    }

    /// A node that reads `x` first, and whose output has this shape.
    pub fn then(&mut self, op: &str, x: &Value, more: &[&str], shape: Vec<i64>) -> Value {
        let inputs: Vec<&str> = std::iter::once(&x.name[..])
            .chain(more.iter().copied())
            .collect();
        self.graph.node(op, &inputs, Vec::new(), shape)
    }

    pub fn transpose(&mut self, x: &Value, perm: &[usize]) -> Value {
        let shape = perm.iter().map(|p| x.shape[*p]).collect();
        let attributes = vec![ints("perm", perm)];
        self.graph.node("Transpose", &[&x.name], attributes, shape)
    }

    /// Another shape of one sample.
    pub fn reshape(&mut self, x: &Value, sample: &[i64]) -> Value {
        let target: Vec<i64> = std::iter::once(0).chain(sample.iter().copied()).collect();
        let name = self.graph.longs("shape", &target);
        let shape = std::iter::once(BATCH)
            .chain(sample.iter().copied())
            .collect();
        self.then("Reshape", x, &[&name], shape)
    }

    fn unsqueeze(&mut self, x: &Value, axis: usize) -> Value {
        let name = self.graph.longs("axes", &[axis as i64]);
        let mut shape = x.shape.clone();
        shape.insert(axis, 1);
        self.then("Unsqueeze", x, &[&name], shape)
    }

    pub fn plain(value: Value) -> Flow {
        Flow {
            value,
            form: Form::Plain,
            tokens: false,
        }
    }

    /// The value in the order in which the framework sees it.
    pub fn seen(&mut self, x: &Flow) -> Flow {
        let value = match x.form {
            Form::Line if self.keras() => self.transpose(&x.value, &[0, 2, 1]),
            _ => x.value.clone(),
        };
        Flow {
            value,
            form: Form::Plain,
            ..*x
        }
    }

    fn image(&mut self, x: &Flow) -> Value {
        if x.form == Form::Image {
            return x.value.clone();
        }
        let v = self.seen(x).value;
        match v.shape.len() {
            3 => self.unsqueeze(&v, 1),
            _ => v,
        }
    }

    fn line(&mut self, x: &Flow) -> Value {
        if x.form == Form::Line {
            return x.value.clone();
        }
        let v = self.seen(x).value;
        match v.shape.len() {
            2 => self.unsqueeze(&v, 1),
            _ if self.keras() => self.transpose(&v, &[0, 2, 1]),
            _ => v,
        }
    }

    /// A sequence or an image, with the channels first.
    fn any(&mut self, x: &Flow) -> Flow {
        let form = match x.form {
            Form::Plain if x.value.shape.len() == 3 => Form::Line,
            Form::Plain => Form::Image,
            form => form,
        };
        let value = match form {
            Form::Line => self.line(x),
            _ => self.image(x),
        };
        Flow {
            value,
            form,
            tokens: false,
        }
    }

    /// Channels to the end: `f` of the value that then lies as Keras sees it, and back.
    pub fn with_channels_last(
        &mut self,
        x: &Flow,
        f: impl FnOnce(&mut Self, Value) -> Value,
    ) -> Flow {
        let (to, back): (&[usize], &[usize]) = match x.form {
            Form::Plain => (&[], &[]),
            Form::Image => (&[0, 2, 3, 1], &[0, 3, 1, 2]),
            Form::Line => (&[0, 2, 1], &[0, 2, 1]),
        };
        let mut v = match to.is_empty() {
            true => x.value.clone(),
            false => self.transpose(&x.value, to),
        };
        v = f(self, v);
        if !back.is_empty() {
            v = self.transpose(&v, back);
        }
        Flow {
            value: v,
            form: x.form,
            tokens: false,
        }
    }

    /// `x[…, in] · weight[out, in]ᵀ + bias`.
    pub fn linear(
        &mut self,
        x: &Value,
        (weight, bias): (&str, Option<&str>),
        [units, inputs]: [usize; 2],
    ) -> Value {
        let w = self.param(weight, &[units, inputs]);
        let b = bias.map(|b| self.param(b, &[units]));
        let mut shape = x.shape.clone();
        *shape.last_mut().expect("checked") = units as i64;
        if x.shape.len() == 2 {
            let inputs: Vec<&str> = [Some(&x.name[..]), Some(&w[..]), b.as_deref()]
                .into_iter()
                .flatten()
                .collect();
            return self
                .graph
                .node("Gemm", &inputs, vec![int("transB", 1)], shape);
        }
        let turned = self.graph.node(
            "Transpose",
            &[&w],
            vec![ints("perm", &[1, 0])],
            vec![inputs as i64, units as i64],
        );
        let y = self.then("MatMul", x, &[&turned.name], shape.clone());
        match b {
            Some(b) => self.then("Add", &y, &[&b], shape),
            None => y,
        }
    }

    /// An activation; `layer` tells a layer of its own from one within another, whose leaky ReLU has
    /// another slope in Keras. `axis`: that of softmax.
    pub fn activate(
        &mut self,
        x: &Value,
        f: Activation,
        alpha: Option<f32>,
        layer: bool,
        axis: i64,
    ) -> Value {
        let alpha = alpha.unwrap_or(match (f, layer) {
            (Activation::LeakyRelu, false) if self.keras() => 0.2,
            _ => f.default_alpha(self.spec.framework),
        });
        let shape = x.shape.clone();
        let with = |w: &mut Self, op: &str, attributes| {
            w.graph.node(op, &[&x.name], attributes, shape.clone())
        };
        match f {
            Activation::Relu => with(self, "Relu", vec![]),
            Activation::Sigmoid => with(self, "Sigmoid", vec![]),
            Activation::Tanh => with(self, "Tanh", vec![]),
            Activation::LeakyRelu => with(self, "LeakyRelu", vec![float("alpha", alpha)]),
            Activation::Elu => with(self, "Elu", vec![float("alpha", alpha)]),
            Activation::Softmax => with(self, "Softmax", vec![int("axis", axis)]),
            Activation::Softplus if alpha == 1.0 => with(self, "Softplus", vec![]),
            Activation::Softplus => {
                let beta = self.graph.scalar(alpha);
                let v = self.then("Mul", x, &[&beta], shape.clone());
                let v = self.then("Softplus", &v, &[], shape.clone());
                self.then("Div", &v, &[&beta], shape)
            }
            Activation::Silu => {
                let gate = with(self, "Sigmoid", vec![]);
                self.then("Mul", x, &[&gate.name], shape)
            }
            Activation::Gelu => {
                let root = self.graph.scalar(std::f32::consts::SQRT_2);
                let v = self.then("Div", x, &[&root], shape.clone());
                let v = self.then("Erf", &v, &[], shape.clone());
                let one = self.graph.scalar(1.0);
                let v = self.then("Add", &v, &[&one], shape.clone());
                let v = self.then("Mul", x, &[&v.name], shape.clone());
                let half = self.graph.scalar(0.5);
                self.then("Mul", &v, &[&half], shape)
            }
            Activation::GeluTanh => {
                let square = self.then("Mul", x, &[&x.name.clone()], shape.clone());
                let cube = self.then("Mul", &square, &[&x.name.clone()], shape.clone());
                let c = self.graph.scalar(0.044_715);
                let v = self.then("Mul", &cube, &[&c], shape.clone());
                let v = self.then("Add", x, &[&v.name], shape.clone());
                let c = self.graph.scalar(0.797_884_6);
                let v = self.then("Mul", &v, &[&c], shape.clone());
                let v = self.then("Tanh", &v, &[], shape.clone());
                let one = self.graph.scalar(1.0);
                let v = self.then("Add", &v, &[&one], shape.clone());
                let v = self.then("Mul", x, &[&v.name], shape.clone());
                let half = self.graph.scalar(0.5);
                self.then("Mul", &v, &[&half], shape)
            }
            Activation::Step => {
                let zero = self.graph.scalar(0.0);
                let v = self.then("Greater", x, &[&zero], shape.clone());
                let to = vec![int("to", 1)];
                self.graph.node("Cast", &[&v.name], to, shape)
            }
        }
    }

    /// Nodes of a layer, whose shapes have been checked.
    pub fn layer(&mut self, layer: &LayerSpec, x: &[Flow]) -> Flow {
        let id = layer.id.as_str();
        let form = x[0].form;
        let one = &x[0];
        let image = |value| Flow {
            value,
            form: Form::Image,
            tokens: false,
        };
        let line = |value| Flow {
            value,
            form: Form::Line,
            tokens: false,
        };
        // What keeps the form of its inputs, as the engine does.
        let alike = form != Form::Plain && x.iter().all(|o| o.form == form);
        match &layer.kind {
            LayerKind::Linear {
                units,
                bias,
                activation,
                ..
            } => {
                let x = match alike && self.keras() {
                    true => one.clone(),
                    false => self.seen(one),
                };
                let (w, b) = (format!("{id}.weight"), format!("{id}.bias"));
                self.with_channels_last(&x, |this, v| {
                    let inputs = *v.shape.last().expect("checked") as usize;
                    let b = bias.then_some(&b[..]);
                    let y = this.linear(&v, (&w, b), [*units, inputs]);
                    match activation {
                        Some(f) => this.activate(&y, *f, None, false, -1),
                        None => y,
                    }
                })
            }
            LayerKind::Activation { function, alpha } => {
                let softmax = *function == Activation::Softmax;
                let x = match alike && (!softmax || self.keras()) {
                    true => one.clone(),
                    false => self.seen(one),
                };
                let axis = if x.form == Form::Plain { -1 } else { 1 };
                let value = self.activate(&x.value, *function, *alpha, true, axis);
                Flow { value, ..x }
            }
            LayerKind::Dropout { rate } => {
                let x = match alike {
                    true => one.clone(),
                    false => self.seen(one),
                };
                let rate = self.graph.scalar(*rate);
                let value = self.then("Dropout", &x.value, &[&rate], x.value.shape.clone());
                Flow { value, ..x }
            }
            LayerKind::Flatten => {
                let v = match (form, self.keras()) {
                    (Form::Image, true) => self.transpose(&one.value, &[0, 2, 3, 1]),
                    _ => self.seen(one).value,
                };
                let n: i64 = v.shape[1..].iter().product();
                let attributes = vec![int("axis", 1)];
                let shape = vec![BATCH, n];
                Self::plain(self.graph.node("Flatten", &[&v.name], attributes, shape))
            }
            LayerKind::Reshape { shape } => {
                let v = self.seen(one).value;
                let all: i64 = v.shape[1..].iter().product();
                let known: i64 = shape.iter().filter(|d| **d >= 0).product();
                let to: Vec<i64> = shape
                    .iter()
                    .map(|d| if *d < 0 { all / known.max(1) } else { *d })
                    .collect();
                Self::plain(self.reshape(&v, &to))
            }
            LayerKind::Add => {
                let all: Vec<Flow> = match alike {
                    true => x.to_vec(),
                    false => x.iter().map(|x| self.seen(x)).collect(),
                };
                let mut sum = all[0].value.clone();
                for v in &all[1..] {
                    sum = self.then("Add", &sum, &[&v.value.name], sum.shape.clone());
                }
                Flow {
                    value: sum,
                    ..all[0]
                }
            }
            LayerKind::Concatenate { axis } => self.concatenate(*axis, x, alike),
            LayerKind::Conv1d(c) => {
                let x = self.line(one);
                line(self.conv(id, &x, c, 1))
            }
            LayerKind::Conv2d(c) => {
                let x = self.image(one);
                image(self.conv(id, &x, c, 2))
            }
            LayerKind::ConvTranspose2d {
                conv,
                output_padding,
            } => {
                let x = self.image(one);
                image(self.conv_transpose(id, &x, conv, output_padding.pair()))
            }
            LayerKind::MaxPool1d(p) | LayerKind::AvgPool1d(p) => {
                let x = self.line(one);
                let max = matches!(layer.kind, LayerKind::MaxPool1d(_));
                line(self.pool(&x, p, 1, max))
            }
            LayerKind::MaxPool2d(p) | LayerKind::AvgPool2d(p) => {
                let x = self.image(one);
                let max = matches!(layer.kind, LayerKind::MaxPool2d(_));
                image(self.pool(&x, p, 2, max))
            }
            LayerKind::GlobalAvgPool | LayerKind::GlobalMaxPool => {
                let x = self.any(one).value;
                let op = match layer.kind {
                    LayerKind::GlobalAvgPool => "GlobalAveragePool",
                    _ => "GlobalMaxPool",
                };
                let mut shape = x.shape.clone();
                shape[2..].fill(1);
                let c = shape[1];
                let v = self.then(op, &x, &[], shape);
                let attributes = vec![int("axis", 1)];
                Self::plain(
                    self.graph
                        .node("Flatten", &[&v.name], attributes, vec![BATCH, c]),
                )
            }
            LayerKind::Upsample { factor } => {
                let x = self.any(one);
                let factors: Vec<usize> = match x.form {
                    Form::Line => vec![factor.pair()[0]],
                    _ => factor.pair().to_vec(),
                };
                let value = self.upsample(&x.value, &factors);
                Flow { value, ..x }
            }
            LayerKind::BatchNorm {
                epsilon, affine, ..
            } => {
                let x = match one.value.shape.len() {
                    2 => one.clone(),
                    _ => self.any(one),
                };
                let eps = epsilon.unwrap_or(Norm::Batch.default_epsilon(self.spec.framework));
                let value = self.batch_norm(id, &x.value, eps, *affine);
                Flow { value, ..x }
            }
            LayerKind::LayerNorm { .. } | LayerKind::RmsNorm { .. } => self.norm(layer, one),
            LayerKind::Embedding { vocab, dim } => self.embedding(id, one, *vocab, *dim),
            LayerKind::PositionalEmbedding => {
                let x = self.seen(one).value;
                let name = match self.keras() {
                    true => format!("{id}.embeddings"),
                    false => format!("{id}.weight"),
                };
                let table = self.param(&name, &[x.shape[1] as usize, x.shape[2] as usize]);
                Self::plain(self.then("Add", &x, &[&table], x.shape.clone()))
            }
            LayerKind::Sampling { .. } => self.seen(one),
            LayerKind::MultiHeadAttention { heads, causal } => {
                let x = self.seen(one).value;
                Self::plain(self.attention(id, &x, *heads, *causal))
            }
            kind @ (LayerKind::Rnn { .. } | LayerKind::Lstm(_) | LayerKind::Gru(_)) => {
                let (cell, r) = gates::of(kind).expect("is one of these");
                let relu = matches!(
                    kind,
                    LayerKind::Rnn {
                        activation: Activation::Relu,
                        ..
                    }
                );
                let x = self.seen(one).value;
                Self::plain(self.recurrent(id, &x, cell, &r, relu))
            }
        }
    }

    fn concatenate(&mut self, axis: i64, x: &[Flow], alike: bool) -> Flow {
        let all: Vec<Flow> = match alike {
            true => x.to_vec(),
            false => x.iter().map(|x| self.seen(x)).collect(),
        };
        let rank = all[0].value.shape.len() as i64;
        // As seen; Keras' last axis is that of the channels.
        let at = match (axis < 0, all[0].form, self.keras()) {
            (true, Form::Image | Form::Line, true) if axis == -1 => 1,
            (true, Form::Line, true) => 3 - (rank + axis),
            (true, ..) => rank + axis,
            (false, Form::Line, true) => 3 - axis,
            (false, ..) => axis,
        };
        let mut shape = all[0].value.shape.clone();
        shape[at as usize] = all.iter().map(|f| f.value.shape[at as usize]).sum();
        let names: Vec<&str> = all.iter().map(|f| &f.value.name[..]).collect();
        let value = self
            .graph
            .node("Concat", &names, vec![int("axis", at)], shape);
        Flow { value, ..all[0] }
    }

    fn embedding(&mut self, id: &str, x: &Flow, vocab: usize, dim: usize) -> Flow {
        let mut ids = self.seen(x).value;
        if !x.tokens {
            let to = vec![int("to", 7)];
            let shape = ids.shape.clone();
            ids = self.graph.node("Cast", &[&ids.name], to, shape);
        }
        let name = match self.keras() {
            true => format!("{id}.embeddings"),
            false => format!("{id}.weight"),
        };
        let table = self.param(&name, &[vocab, dim]);
        let mut shape = ids.shape.clone();
        shape.push(dim as i64);
        let value = self
            .graph
            .node("Gather", &[&table, &ids.name], vec![int("axis", 0)], shape);
        Self::plain(value)
    }
}
