//! Layers as attributes of a PyTorch module and as lines of its `forward`.
use super::lines::{num, tuple};
use super::net::{From, Net};
use super::unsupported;
use crate::spec::*;

/// What one layer becomes.
#[derive(Default)]
pub(super) struct Torch {
    /// `nn.Linear(64, 10)`, the attribute's value.
    pub module: Option<String>,
    /// Lines of `__init__` after it.
    pub init: Vec<String>,
    /// Lines of `forward`.
    pub forward: Vec<String>,
}

fn size(s: Size) -> String {
    match s {
        Size::One(n) => n.to_string(),
        Size::Two(pair) => tuple(pair),
    }
}

fn line_size(s: Size) -> String {
    s.pair()[0].to_string()
}

/// An activation as an expression of `x`.
fn function(f: Activation, x: &str, framework: Framework) -> String {
    let slope = || match framework {
        Framework::Keras => ", 0.2",
        Framework::Pytorch => "",
    };
    match f {
        Activation::Step => format!("({x} > 0).float()"),
        Activation::Sigmoid => format!("torch.sigmoid({x})"),
        Activation::Tanh => format!("torch.tanh({x})"),
        Activation::Relu => format!("F.relu({x})"),
        Activation::LeakyRelu => format!("F.leaky_relu({x}{})", slope()),
        Activation::Elu => format!("F.elu({x})"),
        Activation::Gelu => format!("F.gelu({x})"),
        Activation::GeluTanh => format!("F.gelu({x}, approximate=\"tanh\")"),
        Activation::Silu => format!("F.silu({x})"),
        Activation::Softplus => format!("F.softplus({x})"),
        Activation::Softmax => format!("F.softmax({x}, dim=-1)"),
    }
}

fn activation(f: Activation, alpha: Option<f32>, framework: Framework) -> Option<String> {
    let default = |f: Activation| match framework {
        Framework::Pytorch => None,
        Framework::Keras => Some(f.default_alpha(framework)),
    };
    let given = |v: Option<f32>, name: &str| match v {
        Some(a) => format!("{name}{}", num(a)),
        None => String::new(),
    };
    Some(match f {
        Activation::Step => return None,
        Activation::Sigmoid => "nn.Sigmoid()".into(),
        Activation::Tanh => "nn.Tanh()".into(),
        Activation::Relu => "nn.ReLU()".into(),
        Activation::LeakyRelu => format!("nn.LeakyReLU({})", given(alpha.or(default(f)), "")),
        Activation::Elu => format!("nn.ELU({})", given(alpha, "alpha=")),
        Activation::Gelu => "nn.GELU()".into(),
        Activation::GeluTanh => "nn.GELU(approximate=\"tanh\")".into(),
        Activation::Silu => "nn.SiLU()".into(),
        Activation::Softplus => format!("nn.Softplus({})", given(alpha, "beta=")),
        Activation::Softmax => "nn.Softmax(dim=-1)".into(),
    })
}

/// A line that gives `tensor` its initial values.
fn init_line(init: Init, tensor: &str) -> Result<String, Problem> {
    Ok(match init {
        Init::Zeros => format!("nn.init.zeros_({tensor})"),
        Init::Ones => format!("nn.init.ones_({tensor})"),
        Init::Constant { value } => format!("nn.init.constant_({tensor}, {})", num(value)),
        Init::Uniform { low, high } => {
            format!("nn.init.uniform_({tensor}, {}, {})", num(low), num(high))
        }
        Init::Normal { mean, std } => {
            format!("nn.init.normal_({tensor}, {}, {})", num(mean), num(std))
        }
        Init::TruncatedNormal { mean, std } => format!(
            "nn.init.trunc_normal_({tensor}, {}, {}, {}, {})",
            num(mean),
            num(std),
            num(mean - 2.0 * std),
            num(mean + 2.0 * std)
        ),
        Init::TorchDefault => format!("nn.init.kaiming_uniform_({tensor}, a=math.sqrt(5))"),
        Init::GlorotUniform => format!("nn.init.xavier_uniform_({tensor})"),
        Init::GlorotNormal => format!("nn.init.xavier_normal_({tensor})"),
        Init::HeUniform => format!("nn.init.kaiming_uniform_({tensor}, nonlinearity=\"relu\")"),
        Init::HeNormal => format!("nn.init.kaiming_normal_({tensor}, nonlinearity=\"relu\")"),
        Init::LecunUniform => {
            format!("nn.init.kaiming_uniform_({tensor}, nonlinearity=\"linear\")")
        }
        Init::LecunNormal => format!("nn.init.kaiming_normal_({tensor}, nonlinearity=\"linear\")"),
        Init::Orthogonal { gain } => format!("nn.init.orthogonal_({tensor}, {})", num(gain)),
        Init::UnitForgetBias => {
            return Err(unsupported(
                "unit_forget_bias of this layer",
                Framework::Pytorch,
            ));
        }
    })
}

struct One<'n, 'a> {
    net: &'n Net<'a>,
    i: usize,
    name: &'n str,
    x: Vec<(String, Vec<usize>)>,
    to: &'n str,
    out: Torch,
}

/// The layer `i`.
pub(super) fn layer(net: &Net, i: usize) -> Result<Torch, Problem> {
    let inputs = net.inputs(i);
    let x = inputs
        .iter()
        .map(|f| (net.variable(*f).to_string(), net.shape(*f).to_vec()))
        .collect();
    let mut one = One {
        net,
        i,
        name: &net.names[i],
        x,
        to: net.variable(From::Layer(i)),
        out: Torch::default(),
    };
    one.write().map_err(|p| p.layer(&net.spec.layers[i].id))?;
    Ok(one.out)
}

impl One<'_, '_> {
    fn refuse<T>(&self, what: &str) -> Result<T, Problem> {
        Err(unsupported(what, Framework::Pytorch))
    }

    /// `self.name = nn…`, and the call of it on `x`.
    fn module(&mut self, text: String, x: &str) -> String {
        self.out.module = Some(text);
        format!("self.{}({x})", self.name)
    }

    fn give(&mut self, text: String) {
        self.out.forward.push(format!("{} = {text}", self.to));
    }

    fn inits(&mut self, weight: Option<Init>, bias: Option<Init>) -> Result<(), Problem> {
        let keras = self.net.spec.framework == Framework::Keras;
        let weight = weight.or(keras.then_some(Init::GlorotUniform));
        let bias = bias.or(keras.then_some(Init::Zeros));
        let has_bias = match &self.net.spec.layers[self.i].kind {
            LayerKind::Linear { bias, .. } => *bias,
            LayerKind::Conv1d(c)
            | LayerKind::Conv2d(c)
            | LayerKind::ConvTranspose2d { conv: c, .. } => c.bias,
            _ => false,
        };
        for (init, part) in [(weight, "weight"), (bias.filter(|_| has_bias), "bias")] {
            if let Some(init) = init {
                let tensor = format!("self.{}.{part}", self.name);
                let line = match (init, part) {
                    // PyTorch's bound for a bias needs its weight's fan.
                    (Init::TorchDefault, "bias") => continue,
                    _ => init_line(init, &tensor)?,
                };
                self.out.init.push(line);
            }
        }
        Ok(())
    }

    /// Whether the input is Keras' `[length, channels]`.
    fn channels_last(&self) -> bool {
        self.net.spec.framework == Framework::Keras && self.x[0].1.len() == 2
    }

    /// The input as `[N,C,H,W]`, or with `line` as `[N,C,L]`.
    fn spatial(&self, line: bool) -> String {
        let (x, shape) = &self.x[0];
        let want = if line { 2 } else { 3 };
        match line && self.channels_last() {
            _ if shape.len() < want => format!("{x}.unsqueeze(1)"),
            true => format!("{x}.transpose(1, 2)"),
            false => x.clone(),
        }
    }

    /// What [`Self::spatial`] made of the input with `line`, in the order of the spec's framework again.
    fn back(&self, line: bool, call: String) -> String {
        let keras = self.net.spec.framework == Framework::Keras;
        match line && keras {
            true => format!("{call}.transpose(1, 2)"),
            false => call,
        }
    }

    fn channels(&self, line: bool) -> usize {
        let shape = &self.x[0].1;
        let want = if line { 2 } else { 3 };
        match line && self.channels_last() {
            _ if shape.len() < want => 1,
            true => shape[1],
            false => shape[0],
        }
    }

    fn epsilon(&self, given: Option<f32>, norm: Norm) -> String {
        let framework = self.net.spec.framework;
        let cross = framework != Framework::Pytorch;
        match given.or(cross.then(|| norm.default_epsilon(framework))) {
            Some(e) => format!(", eps={}", num(e)),
            None => String::new(),
        }
    }

    fn pool(&mut self, p: &Pool, line: bool, max: bool) -> Result<(), Problem> {
        let show = if line { line_size } else { size };
        let mut args = show(p.kernel);
        if let Some(s) = p.stride {
            args += &format!(", stride={}", show(s));
        }
        match p.padding {
            Padding::Named(PaddingName::Valid) => {}
            Padding::By(by) => args += &format!(", padding={}", show(by)),
            Padding::Named(PaddingName::Same) => {
                let shape = &self.x[0].1;
                let axes = if line && self.channels_last() {
                    &shape[..1]
                } else if line {
                    &shape[shape.len() - 1..]
                } else {
                    &shape[shape.len() - 2..]
                };
                let stride = p.stride.unwrap_or(p.kernel);
                let fits =
                    p.kernel == stride && axes.iter().zip(stride.pair()).all(|(n, s)| n % s == 0);
                if !fits {
                    return self.refuse("pooling with padding “same”");
                }
            }
        }
        let kind = if max { "Max" } else { "Avg" };
        let axes = if line { 1 } else { 2 };
        let x = self.spatial(line);
        let call = self.module(format!("nn.{kind}Pool{axes}d({args})"), &x);
        self.give(self.back(line, call));
        Ok(())
    }

    fn conv(&mut self, c: &Conv, kind: &str, line: bool, more: &str) -> Result<(), Problem> {
        let show = if line { line_size } else { size };
        let framework = self.net.spec.framework;
        let mut args = format!("{}, {}, {}", self.channels(line), c.filters, show(c.kernel));
        if c.stride != Size::One(1) {
            args += &format!(", stride={}", show(c.stride));
        }
        match c.padding {
            Padding::Named(PaddingName::Valid) => {}
            Padding::By(by) => args += &format!(", padding={}", show(by)),
            Padding::Named(PaddingName::Same) => {
                if c.stride.pair() != [1, 1] || kind.contains("Transpose") {
                    return self.refuse("padding “same” with a stride");
                }
                args += ", padding=\"same\"";
            }
        }
        args += more;
        if c.dilation != Size::One(1) {
            args += &format!(", dilation={}", show(c.dilation));
        }
        if c.groups != 1 {
            args += &format!(", groups={}", c.groups);
        }
        if !c.bias {
            args += ", bias=False";
        }
        let x = self.spatial(line);
        let mut call = self.module(format!("nn.{kind}({args})"), &x);
        if let Some(f) = c.activation {
            call = function(f, &call, framework);
        }
        self.inits(c.weight_init, c.bias_init)?;
        self.give(self.back(line, call));
        Ok(())
    }

    fn recurrent(&mut self, kind: &str, r: &Recurrence, more: &str) {
        let width = self.x[0].1.last().copied().unwrap_or(1);
        let x = self.x[0].0.clone();
        let both = if r.bidirectional {
            ", bidirectional=True"
        } else {
            ""
        };
        let call = self.module(
            format!(
                "nn.{kind}({width}, {}{more}, batch_first=True{both})",
                r.units
            ),
            &x,
        );
        if self.net.spec.framework == Framework::Keras {
            self.keras_cell(kind, r);
        }
        let to = self.to.to_string();
        match (r.return_sequences, r.bidirectional) {
            (true, _) => self.out.forward.push(format!("{to}, _ = {call}")),
            (false, false) => {
                self.out.forward.push(format!("{to}, _ = {call}"));
                self.out.forward.push(format!("{to} = {to}[:, -1]"));
            }
            (false, true) => {
                let state = if kind == "LSTM" {
                    "_, (h_n, _)"
                } else {
                    "_, h_n"
                };
                self.out.forward.push(format!("{state} = {call}"));
                self.out
                    .forward
                    .push(format!("{to} = torch.cat((h_n[0], h_n[1]), dim=1)"));
            }
        }
    }

    /// Keras' initial values of a recurrent layer.
    fn keras_cell(&mut self, kind: &str, r: &Recurrence) {
        for reverse in ["", "_reverse"]
            .iter()
            .take(1 + usize::from(r.bidirectional))
        {
            let name = self.name;
            let init = &mut self.out.init;
            init.push(format!(
                "nn.init.xavier_uniform_(self.{name}.weight_ih_l0{reverse})"
            ));
            init.push(format!(
                "nn.init.orthogonal_(self.{name}.weight_hh_l0{reverse})"
            ));
            init.push(format!("nn.init.zeros_(self.{name}.bias_ih_l0{reverse})"));
            init.push(format!("nn.init.zeros_(self.{name}.bias_hh_l0{reverse})"));
            if kind == "LSTM" {
                let forget = format!(
                    "self.{name}.bias_ih_l0{reverse}[{}:{}]",
                    r.units,
                    2 * r.units
                );
                init.push(format!("nn.init.ones_({forget})"));
            }
        }
    }

    fn write(&mut self) -> Result<(), Problem> {
        let framework = self.net.spec.framework;
        let (x, shape) = self.x[0].clone();
        let kind = &self.net.spec.layers[self.i].kind;
        let names: Vec<&str> = self.x.iter().map(|(x, _)| x.as_str()).collect();
        match kind {
            LayerKind::Linear {
                units,
                bias,
                activation: act,
                weight_init,
                bias_init,
            } => {
                let (weight_init, bias_init) = (*weight_init, *bias_init);
                let width = shape.last().copied().unwrap_or(1);
                let end = if *bias { "" } else { ", bias=False" };
                let mut call = self.module(format!("nn.Linear({width}, {units}{end})"), &x);
                let inside = self.net.softmax_in_loss() && self.i + 1 == self.net.spec.layers.len();
                if let Some(f) = act.filter(|_| !inside) {
                    call = function(f, &call, framework);
                }
                self.inits(weight_init, bias_init)?;
                self.give(call);
            }
            LayerKind::Activation { function: f, alpha } => {
                let inside = self.net.softmax_in_loss() || self.net.step_in_loss();
                if inside && self.i + 1 == self.net.spec.layers.len() {
                    return Ok(());
                }
                let call = match activation(*f, *alpha, framework) {
                    Some(module) => self.module(module, &x),
                    None => function(*f, &x, framework),
                };
                self.give(call);
            }
            LayerKind::Dropout { rate } => {
                let call = self.module(format!("nn.Dropout({})", num(*rate)), &x);
                self.give(call);
            }
            LayerKind::Flatten => {
                // Keras flattens with the channels last.
                let x = match (framework, shape.len()) {
                    (Framework::Keras, 3) => format!("{x}.permute(0, 2, 3, 1)"),
                    _ => x,
                };
                let call = self.module("nn.Flatten()".into(), &x);
                self.give(call);
            }
            LayerKind::Reshape { shape } => {
                let to: Vec<String> = shape.iter().map(i64::to_string).collect();
                self.give(format!("{x}.reshape({x}.size(0), {})", to.join(", ")));
            }
            LayerKind::Add => self.give(names.join(" + ")),
            LayerKind::Concatenate { axis } => {
                let axis = match (framework, shape.len()) {
                    // Keras' last axis of an image is that of the channels.
                    (Framework::Keras, 3) => [1, 2, 3, 1][axis.rem_euclid(4) as usize],
                    _ => *axis,
                };
                self.give(format!("torch.cat(({}), dim={axis})", names.join(", ")));
            }
            LayerKind::Conv1d(c) => {
                self.conv(&c.clone(), "Conv1d", true, "")?;
            }
            LayerKind::Conv2d(c) => self.conv(&c.clone(), "Conv2d", false, "")?,
            LayerKind::ConvTranspose2d {
                conv,
                output_padding,
            } => {
                let more = match output_padding {
                    Size::One(0) => String::new(),
                    p => format!(", output_padding={}", size(*p)),
                };
                self.conv(&conv.clone(), "ConvTranspose2d", false, &more)?;
            }
            LayerKind::MaxPool1d(p) => self.pool(&p.clone(), true, true)?,
            LayerKind::AvgPool1d(p) => self.pool(&p.clone(), true, false)?,
            LayerKind::MaxPool2d(p) => self.pool(&p.clone(), false, true)?,
            LayerKind::AvgPool2d(p) => self.pool(&p.clone(), false, false)?,
            LayerKind::GlobalAvgPool | LayerKind::GlobalMaxPool => {
                let how = if *kind == LayerKind::GlobalAvgPool {
                    "mean"
                } else {
                    "amax"
                };
                let dim = match (shape.len(), framework) {
                    (3, _) => "(2, 3)",
                    (_, Framework::Keras) => "1",
                    _ => "2",
                };
                self.give(format!("{x}.{how}(dim={dim})"));
            }
            LayerKind::Upsample { factor } => {
                let line = shape.len() == 2;
                let factor = if line {
                    line_size(*factor)
                } else {
                    size(*factor)
                };
                let x = if line { self.spatial(true) } else { x };
                let call = self.module(format!("nn.Upsample(scale_factor={factor})"), &x);
                self.give(self.back(line, call));
            }
            LayerKind::BatchNorm {
                momentum,
                epsilon,
                affine,
            } => {
                let (kind, n) = match shape.len() {
                    1 => ("BatchNorm1d", shape[0]),
                    2 => ("BatchNorm1d", self.channels(true)),
                    _ => ("BatchNorm2d", shape[0]),
                };
                let mut args = n.to_string();
                args += &self.epsilon(*epsilon, Norm::Batch);
                let momentum = match framework {
                    Framework::Pytorch => *momentum,
                    Framework::Keras => Some(1.0 - momentum.unwrap_or(default_momentum(framework))),
                };
                if let Some(m) = momentum {
                    args += &format!(", momentum={}", num(m));
                }
                if !affine {
                    args += ", affine=False";
                }
                let line = shape.len() == 2;
                let x = if line { self.spatial(true) } else { x };
                let call = self.module(format!("nn.{kind}({args})"), &x);
                self.give(self.back(line, call));
            }
            LayerKind::LayerNorm { axes, .. } | LayerKind::RmsNorm { axes, .. } => {
                if framework == Framework::Keras && shape.len() == 3 {
                    return self.refuse("a layer norm over channels that lie last");
                }
                let over = &shape[shape.len().saturating_sub(*axes)..];
                let mut args = match over {
                    [n] => n.to_string(),
                    more => tuple(more),
                };
                let call = match kind {
                    LayerKind::LayerNorm { epsilon, bias, .. } => {
                        args += &self.epsilon(*epsilon, Norm::Layer);
                        if !bias {
                            args += ", bias=False";
                        }
                        self.module(format!("nn.LayerNorm({args})"), &x)
                    }
                    LayerKind::RmsNorm { epsilon, .. } => {
                        args += &self.epsilon(*epsilon, Norm::Rms);
                        self.module(format!("nn.RMSNorm({args})"), &x)
                    }
                    _ => unreachable!("one of the two"),
                };
                self.give(call);
            }
            LayerKind::Embedding { vocab, dim } => {
                let call = self.module(
                    format!("nn.Embedding({vocab}, {dim})"),
                    &format!("{x}.long()"),
                );
                if framework == Framework::Keras {
                    let line = format!("nn.init.uniform_(self.{}.weight, -0.05, 0.05)", self.name);
                    self.out.init.push(line);
                }
                self.give(call);
            }
            LayerKind::PositionalEmbedding => {
                let (t, d) = (shape[0], shape.get(1).copied().unwrap_or(1));
                self.out.module = Some(format!("nn.Embedding({t}, {d})"));
                let name = self.name;
                self.give(format!("{x} + self.{name}.weight"));
            }
            LayerKind::Rnn { layer, activation } => {
                let more = match activation {
                    Activation::Relu => ", nonlinearity=\"relu\"",
                    _ => "",
                };
                self.recurrent("RNN", &layer.clone(), more);
            }
            LayerKind::Lstm(r) => self.recurrent("LSTM", &r.clone(), ""),
            LayerKind::Gru(r) => self.recurrent("GRU", &r.clone(), ""),
            LayerKind::MultiHeadAttention { heads, causal } => {
                let d = shape.last().copied().unwrap_or(1);
                let mut args = format!("{x}, {x}, {x}, need_weights=False");
                if *causal {
                    self.out.forward.push(format!(
                        "mask = nn.Transformer.generate_square_subsequent_mask({}, device=x.device)",
                        shape[0]
                    ));
                    args += ", attn_mask=mask, is_causal=True";
                }
                let call = self.module(
                    format!("nn.MultiheadAttention({d}, {heads}, batch_first=True)"),
                    &args,
                );
                let to = self.to.to_string();
                self.out.forward.push(format!("{to}, _ = {call}"));
            }
            LayerKind::Sampling { .. } => {
                let (mean, logvar) = (names[0].to_string(), names[1].to_string());
                self.give(format!(
                    "{mean} + torch.randn_like({mean}) * torch.exp(0.5 * {logvar}) if self.training else {mean}"
                ));
            }
            #[allow(unreachable_patterns, reason = "kinds of layers are added")]
            _ => return self.refuse("this kind of layer"),
        }
        Ok(())
    }
}
