//! Layers as Keras has them.
use super::data::Needs;
use super::helpers;
use super::lines::{num, string, tuple};
use super::net::Net;
use super::unsupported;
use crate::spec::*;

fn size(s: Size) -> String {
    match s {
        Size::One(n) => n.to_string(),
        Size::Two(pair) => tuple(pair),
    }
}

fn line_size(s: Size) -> String {
    s.pair()[0].to_string()
}

/// The value of `activation=`.
fn function(f: Activation, framework: Framework) -> String {
    match f {
        Activation::Step => "lambda x: keras.ops.cast(x > 0, \"float32\")".into(),
        Activation::Sigmoid => "\"sigmoid\"".into(),
        Activation::Tanh => "\"tanh\"".into(),
        Activation::Relu => "\"relu\"".into(),
        Activation::LeakyRelu if framework == Framework::Pytorch => {
            "keras.layers.LeakyReLU(negative_slope=0.01)".into()
        }
        Activation::LeakyRelu => "\"leaky_relu\"".into(),
        Activation::Elu => "\"elu\"".into(),
        Activation::Gelu => "\"gelu\"".into(),
        Activation::GeluTanh => "keras.ops.gelu".into(),
        Activation::Silu => "\"silu\"".into(),
        Activation::Softplus => "\"softplus\"".into(),
        Activation::Softmax => "\"softmax\"".into(),
    }
}

fn initializer(init: Init, fan_in: usize) -> String {
    let all = |text: String| format!("keras.initializers.{text}");
    match init {
        Init::Zeros => "\"zeros\"".into(),
        Init::Ones => "\"ones\"".into(),
        Init::Constant { value } => all(format!("Constant({})", num(value))),
        Init::Uniform { low, high } => all(format!("RandomUniform({}, {})", num(low), num(high))),
        Init::Normal { mean, std } => all(format!("RandomNormal({}, {})", num(mean), num(std))),
        Init::TruncatedNormal { mean, std } => {
            all(format!("TruncatedNormal({}, {})", num(mean), num(std)))
        }
        Init::TorchDefault => {
            let bound = (1.0 / fan_in.max(1) as f64).sqrt() as f32;
            all(format!("RandomUniform({}, {})", num(-bound), num(bound)))
        }
        Init::GlorotUniform => "\"glorot_uniform\"".into(),
        Init::GlorotNormal => "\"glorot_normal\"".into(),
        Init::HeUniform => "\"he_uniform\"".into(),
        Init::HeNormal => "\"he_normal\"".into(),
        Init::LecunUniform => "\"lecun_uniform\"".into(),
        Init::LecunNormal => "\"lecun_normal\"".into(),
        Init::Orthogonal { gain: 1.0 } => "\"orthogonal\"".into(),
        Init::Orthogonal { gain } => all(format!("Orthogonal({})", num(gain))),
        Init::UnitForgetBias => "\"zeros\"".into(),
    }
}

/// Layers in the order in which they are applied: the spec's own comes last but for what must
/// follow it. `main` is the place of the one that bears the layer's name.
pub(super) fn layer(net: &Net, i: usize, needs: &mut Needs) -> Result<Vec<String>, Problem> {
    let one = One { net, i, needs };
    one.write().map_err(|p| p.layer(&net.spec.layers[i].id))
}

struct One<'n, 'a> {
    net: &'n Net<'a>,
    i: usize,
    needs: &'n mut Needs,
}

impl One<'_, '_> {
    fn refuse<T>(&self, what: &str) -> Result<T, Problem> {
        Err(unsupported(what, Framework::Keras))
    }

    fn torch(&self) -> bool {
        self.net.spec.framework == Framework::Pytorch
    }

    fn named(&self, kind: &str, args: &str) -> String {
        let name = string(&self.net.spec.layers[self.i].id);
        match args {
            "" => format!("layers.{kind}(name={name})"),
            args => format!("layers.{kind}({args}, name={name})"),
        }
    }

    /// `, kernel_initializer=…` and so on where the framework's default differs.
    fn inits(
        &self,
        weight: Option<Init>,
        bias: Option<Init>,
        has_bias: bool,
        fan_in: usize,
    ) -> String {
        let torch = self.torch().then_some(Init::TorchDefault);
        let mut out = String::new();
        if let Some(init) = weight.or(torch) {
            out += &format!(", kernel_initializer={}", initializer(init, fan_in));
        }
        if let Some(init) = bias.or(torch).filter(|_| has_bias) {
            out += &format!(", bias_initializer={}", initializer(init, fan_in));
        }
        out + &self.penalty("kernel")
    }

    fn penalty(&self, what: &str) -> String {
        let t = &self.net.spec.train;
        match t.l1 == 0.0 && t.l2 == 0.0 {
            true => String::new(),
            false => format!(", {what}_regularizer=PENALTY"),
        }
    }

    fn norm_epsilon(&self, given: Option<f32>, norm: Norm) -> Option<f32> {
        let framework = self.net.spec.framework;
        given.or(self.torch().then(|| norm.default_epsilon(framework)))
    }

    fn conv(&self, c: &Conv, kind: &str, line: bool, more: &str) -> Result<Vec<String>, Problem> {
        let show = if line { line_size } else { size };
        let mut before = Vec::new();
        let mut args = format!("{}, {}", c.filters, show(c.kernel));
        if c.stride != Size::One(1) {
            args += &format!(", strides={}", show(c.stride));
        }
        let transpose = kind.contains("Transpose");
        let half = |k: usize, d: usize| (k - 1) * d / 2;
        match c.padding {
            Padding::Named(PaddingName::Valid) => {}
            Padding::Named(PaddingName::Same) => args += ", padding=\"same\"",
            Padding::By(by) if by.pair() == [0, 0] => {}
            Padding::By(_) if transpose => {
                return self.refuse("padding of a transposed convolution");
            }
            Padding::By(by) => {
                let (k, d, p) = (c.kernel.pair(), c.dilation.pair(), by.pair());
                let odd = (0..2).all(|a| k[a] % 2 == 1 && half(k[a], d[a]) == p[a]);
                if odd && c.stride.pair() == [1, 1] {
                    args += ", padding=\"same\"";
                } else {
                    let kind = if line {
                        "ZeroPadding1D"
                    } else {
                        "ZeroPadding2D"
                    };
                    before.push(format!("layers.{kind}({})", show(by)));
                }
            }
        }
        args += more;
        if c.dilation != Size::One(1) {
            args += &format!(", dilation_rate={}", show(c.dilation));
        }
        if c.groups != 1 {
            if transpose {
                return self.refuse("groups of a transposed convolution");
            }
            args += &format!(", groups={}", c.groups);
        }
        if let Some(f) = c.activation {
            args += &format!(", activation={}", function(f, self.net.spec.framework));
        }
        if !c.bias {
            args += ", use_bias=False";
        }
        let shape = self.net.shape(self.net.inputs(self.i)[0]);
        let channels = if shape.len() < if line { 2 } else { 3 } {
            1
        } else if line && !self.torch() {
            shape[1]
        } else {
            shape[0]
        };
        let area: usize = if line {
            c.kernel.pair()[0]
        } else {
            c.kernel.pair().iter().product()
        };
        let fan = if transpose { c.filters } else { channels } / c.groups.max(1) * area;
        args += &self.inits(c.weight_init, c.bias_init, c.bias, fan);
        before.push(self.named(kind, &args));
        Ok(before)
    }

    fn pool(&self, p: &Pool, line: bool, max: bool) -> Result<Vec<String>, Problem> {
        let show = if line { line_size } else { size };
        let mut args = show(p.kernel);
        if let Some(s) = p.stride {
            args += &format!(", strides={}", show(s));
        }
        let mut before = Vec::new();
        match p.padding {
            Padding::Named(PaddingName::Valid) => {}
            Padding::Named(PaddingName::Same) => args += ", padding=\"same\"",
            Padding::By(by) if by.pair() == [0, 0] => {}
            // PyTorch's average counts the padding's zeros.
            Padding::By(by) if !max => {
                let kind = if line {
                    "ZeroPadding1D"
                } else {
                    "ZeroPadding2D"
                };
                before.push(format!("layers.{kind}({})", show(by)));
            }
            Padding::By(_) => return self.refuse("a number as the padding of max pooling"),
        }
        let kind = if max { "Max" } else { "Average" };
        before.push(self.named(
            &format!("{kind}Pooling{}D", if line { 1 } else { 2 }),
            &args,
        ));
        Ok(before)
    }

    fn recurrent(&self, kind: &str, r: &Recurrence, more: &str) -> Vec<String> {
        let mut args = format!("{}{more}", r.units);
        if r.return_sequences {
            args += ", return_sequences=True";
        }
        if self.torch() {
            let bound = initializer(Init::TorchDefault, r.units);
            for what in ["kernel", "recurrent", "bias"] {
                args += &format!(", {what}_initializer={bound}");
            }
            if kind == "LSTM" {
                args += ", unit_forget_bias=False";
            }
        }
        args += &self.penalty("kernel");
        args += &self.penalty("recurrent");
        vec![match r.bidirectional {
            true => self.named("Bidirectional", &format!("layers.{kind}({args})")),
            false => self.named(kind, &args),
        }]
    }

    fn write(self) -> Result<Vec<String>, Problem> {
        let (net, framework) = (self.net, self.net.spec.framework);
        let shape = net.shape(net.inputs(self.i)[0]).to_vec();
        let kind = &net.spec.layers[self.i].kind;
        let one = |text: String| Ok(vec![text]);
        match kind {
            LayerKind::Linear {
                units,
                bias,
                activation,
                weight_init,
                bias_init,
            } => {
                if self.torch() && shape.len() == 3 {
                    return self.refuse("a Linear over the columns of an image");
                }
                let mut args = units.to_string();
                if let Some(f) = activation {
                    args += &format!(", activation={}", function(*f, framework));
                }
                if !bias {
                    args += ", use_bias=False";
                }
                let fan = shape.last().copied().unwrap_or(1);
                args += &self.inits(*weight_init, *bias_init, *bias, fan);
                one(self.named("Dense", &args))
            }
            LayerKind::Activation { function: f, alpha } => {
                if net.step_in_loss() && self.i + 1 == net.spec.layers.len() {
                    return Ok(Vec::new());
                }
                let alpha = alpha.or(self.torch().then(|| f.default_alpha(framework)));
                let given =
                    |name: &str| alpha.map_or(String::new(), |a| format!("{name}={}", num(a)));
                match f {
                    Activation::LeakyRelu => one(self.named("LeakyReLU", &given("negative_slope"))),
                    Activation::Elu => one(self.named("ELU", &given("alpha"))),
                    Activation::Softplus if alpha.is_some_and(|a| a != 1.0) => {
                        let b = num(alpha.unwrap_or(1.0));
                        one(self.named(
                            "Lambda",
                            &format!("lambda x: keras.ops.softplus({b} * x) / {b}"),
                        ))
                    }
                    Activation::Step => one(self.named("Lambda", &function(*f, framework))),
                    f => one(self.named("Activation", &function(*f, framework))),
                }
            }
            LayerKind::Dropout { rate } => one(self.named("Dropout", &num(*rate))),
            LayerKind::Flatten => {
                let flatten = self.named("Flatten", "");
                Ok(match (self.torch(), shape.len()) {
                    // PyTorch flattens with the channels first.
                    (true, 3) => vec!["layers.Permute((3, 1, 2))".into(), flatten],
                    (true, 2) if self.line_before() => {
                        vec!["layers.Permute((2, 1))".into(), flatten]
                    }
                    _ => vec![flatten],
                })
            }
            LayerKind::Reshape { shape } => one(self.named("Reshape", &tuple(shape))),
            LayerKind::Add => one(self.named("Add", "")),
            LayerKind::Concatenate { axis } => {
                let axis = match shape.len() {
                    3 if *axis == -1 && !self.torch() => -1,
                    3 => [0, -1, 1, 2][axis.rem_euclid(4) as usize],
                    _ => *axis,
                };
                one(self.named(
                    "Concatenate",
                    &match axis {
                        -1 => String::new(),
                        a => format!("axis={a}"),
                    },
                ))
            }
            LayerKind::Conv1d(c) => self.conv(c, "Conv1D", true, ""),
            LayerKind::Conv2d(c) => self.conv(c, "Conv2D", false, ""),
            LayerKind::ConvTranspose2d {
                conv,
                output_padding,
            } => {
                let more = match output_padding {
                    Size::One(0) => String::new(),
                    p => format!(", output_padding={}", size(*p)),
                };
                self.conv(conv, "Conv2DTranspose", false, &more)
            }
            LayerKind::MaxPool1d(p) => self.pool(p, true, true),
            LayerKind::AvgPool1d(p) => self.pool(p, true, false),
            LayerKind::MaxPool2d(p) => self.pool(p, false, true),
            LayerKind::AvgPool2d(p) => self.pool(p, false, false),
            LayerKind::GlobalAvgPool | LayerKind::GlobalMaxPool => {
                let how = if *kind == LayerKind::GlobalAvgPool {
                    "Average"
                } else {
                    "Max"
                };
                let axes = if shape.len() == 3 { 2 } else { 1 };
                one(self.named(&format!("Global{how}Pooling{axes}D"), ""))
            }
            LayerKind::Upsample { factor } => {
                let (kind, factor) = match shape.len() {
                    3 => ("UpSampling2D", size(*factor)),
                    _ => ("UpSampling1D", line_size(*factor)),
                };
                one(self.named(kind, &factor))
            }
            LayerKind::BatchNorm {
                momentum,
                epsilon,
                affine,
            } => {
                let mut args = Vec::new();
                let momentum = match framework {
                    Framework::Keras => *momentum,
                    Framework::Pytorch => {
                        Some(1.0 - momentum.unwrap_or(default_momentum(framework)))
                    }
                };
                if let Some(m) = momentum {
                    args.push(format!("momentum={}", num(m)));
                }
                if let Some(e) = self.norm_epsilon(*epsilon, Norm::Batch) {
                    args.push(format!("epsilon={}", num(e)));
                }
                if !affine {
                    args.push("center=False, scale=False".into());
                }
                one(self.named("BatchNormalization", &args.join(", ")))
            }
            LayerKind::LayerNorm { axes, .. } | LayerKind::RmsNorm { axes, .. } => {
                if self.torch() && shape.len() == 3 {
                    return self
                        .refuse("a layer norm over the axes of an image in PyTorch's order");
                }
                let over: Vec<i64> = (1..=*axes as i64).rev().map(|a| -a).collect();
                let mut args = Vec::new();
                if *axes > 1 {
                    args.push(format!("axis={}", tuple(over)));
                }
                let (norm, epsilon, name) = match kind {
                    LayerKind::LayerNorm { epsilon, bias, .. } => {
                        if !bias {
                            args.push("center=False".into());
                        }
                        (Norm::Layer, *epsilon, "LayerNormalization")
                    }
                    LayerKind::RmsNorm { epsilon, .. } => (Norm::Rms, *epsilon, "RMSNormalization"),
                    _ => unreachable!("one of the two"),
                };
                if let Some(e) = self.norm_epsilon(epsilon, norm) {
                    args.push(format!("epsilon={}", num(e)));
                }
                one(self.named(name, &args.join(", ")))
            }
            LayerKind::Embedding { vocab, dim } => {
                let mut args = format!("{vocab}, {dim}");
                if self.torch() {
                    args += ", embeddings_initializer=keras.initializers.RandomNormal(0.0, 1.0)";
                }
                args += &self.penalty("embeddings");
                one(self.named("Embedding", &args))
            }
            LayerKind::PositionalEmbedding => {
                self.needs.helper(&helpers::POSITIONS);
                let text = self.named(helpers::POSITIONS.name, "");
                one(text.trim_start_matches("layers.").into())
            }
            LayerKind::Rnn { layer, activation } => {
                let more = match activation {
                    Activation::Relu => ", activation=\"relu\"",
                    _ => "",
                };
                Ok(self.recurrent("SimpleRNN", layer, more))
            }
            LayerKind::Lstm(r) => Ok(self.recurrent("LSTM", r, "")),
            LayerKind::Gru(r) => Ok(self.recurrent("GRU", r, "")),
            LayerKind::MultiHeadAttention { heads, .. } => {
                let each = shape.last().copied().unwrap_or(1) / (*heads).max(1);
                let args = format!("{heads}, key_dim={each}{}", self.penalty("kernel"));
                one(self.named("MultiHeadAttention", &args))
            }
            LayerKind::Sampling { kl } => {
                self.needs.helper(&helpers::SAMPLING);
                let text = self.named(helpers::SAMPLING.name, &num(*kl));
                one(text.trim_start_matches("layers.").into())
            }
            #[allow(unreachable_patterns, reason = "kinds of layers are added")]
            _ => self.refuse("this kind of layer"),
        }
    }

    /// Whether a layer of sequences with channels came before, so that Keras has them last.
    fn line_before(&self) -> bool {
        self.net.spec.layers[..self.i].iter().any(|l| {
            matches!(
                l.kind,
                LayerKind::Conv1d(_) | LayerKind::MaxPool1d(_) | LayerKind::AvgPool1d(_)
            )
        })
    }
}

/// The optimizer as an expression.
pub(super) fn optimizer(t: &TrainSpec, framework: Framework) -> Result<String, Problem> {
    let o = &t.optimizer;
    let mut args = format!("learning_rate={}", num(o.learning_rate()));
    let mut list: Vec<(&str, f32, f32)> = Vec::new();
    let mut nested = "";
    let (kind, decay, plain) = match *o {
        Optimizer::Sgd {
            momentum,
            nesterov,
            weight_decay,
            ..
        } => {
            list.push(("momentum", momentum, 0.0));
            if nesterov {
                nested = ", nesterov=True";
            }
            ("SGD", weight_decay, momentum == 0.0)
        }
        Optimizer::Rmsprop {
            rho,
            epsilon,
            momentum,
            weight_decay,
            ..
        } => {
            list.extend([
                ("rho", rho, 0.9),
                ("momentum", momentum, 0.0),
                ("epsilon", epsilon, 1e-7),
            ]);
            ("RMSprop", weight_decay, false)
        }
        Optimizer::Adagrad {
            epsilon,
            initial_accumulator,
            weight_decay,
            ..
        } => {
            list.extend([
                ("initial_accumulator_value", initial_accumulator, 0.1),
                ("epsilon", epsilon, 1e-7),
            ]);
            ("Adagrad", weight_decay, false)
        }
        Optimizer::Adam {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            ..
        } => {
            list.extend([
                ("beta_1", beta1, 0.9),
                ("beta_2", beta2, 0.999),
                ("epsilon", epsilon, 1e-7),
            ]);
            ("Adam", weight_decay, false)
        }
        Optimizer::Adamw {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            ..
        } => {
            list.extend([
                ("beta_1", beta1, 0.9),
                ("beta_2", beta2, 0.999),
                ("epsilon", epsilon, 1e-7),
            ]);
            ("AdamW", weight_decay, true)
        }
        Optimizer::ClosedForm => return Err(super::pytorch_train::closed_form(Framework::Keras)),
    };
    if framework == Framework::Pytorch && decay != 0.0 && !plain {
        return Err(unsupported(
            "weight decay inside the gradient of this optimizer",
            Framework::Keras,
        )
        .field("train.optimizer.weight_decay"));
    }
    let usual = if kind == "AdamW" { 0.004 } else { 0.0 };
    list.push(("weight_decay", decay, usual));
    match t.clip {
        Clip::None => {}
        Clip::Value { max } => list.push(("clipvalue", max, -1.0)),
        Clip::GlobalNorm { max } => list.push(("global_clipnorm", max, -1.0)),
    }
    for (name, v, usual) in list {
        if v != usual {
            args += &format!(", {name}={}", num(v));
        }
    }
    Ok(format!("keras.optimizers.{kind}({args}{nested})"))
}
