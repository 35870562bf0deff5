//! Keras: layers, models, `compile` and `fit`.
use super::calls::Args;
use super::data::{Data, Part, Role};
use super::machine::{Batch, Machine};
use super::network::{Kind, Node, Tensor};
use super::torch::{activation, float, size};
use super::value::*;
use serde_json::{Map, Value as Json, json};
use std::rc::Rc;

/// The spec's name of an activation of Keras.
fn function_of(v: Option<&Value>) -> Result<Option<&'static str>, &'static str> {
    let name = match v {
        None | Some(Value::None) => return Ok(None),
        Some(Value::Str(s)) => s.to_string(),
        Some(Value::Path(p)) => match &**p {
            "keras.ops.gelu" => return Ok(Some("gelu_tanh")),
            p => p.rsplit('.').next().unwrap_or_default().to_string(),
        },
        Some(Value::Lib(l)) => match l.kind() {
            "ReLU" => "relu".into(),
            "LeakyReLU" => "leaky_relu".into(),
            "ELU" => "elu".into(),
            "Softmax" => "softmax".into(),
            _ => return Err("note-activation"),
        },
        Some(_) => return Err("note-activation"),
    };
    Ok(Some(match name.as_str() {
        "linear" => return Ok(None),
        "relu" => "relu",
        "sigmoid" => "sigmoid",
        "tanh" => "tanh",
        "leaky_relu" => "leaky_relu",
        "elu" => "elu",
        "gelu" => "gelu",
        "silu" | "swish" => "silu",
        "softplus" => "softplus",
        "softmax" => "softmax",
        _ => return Err("note-activation"),
    }))
}

fn init_of(v: Option<&Value>) -> Option<Json> {
    let (name, lib) = match v? {
        Value::Str(s) => (s.to_string(), None),
        Value::Lib(l) => (l.kind().to_string(), Some(l)),
        Value::Path(p) => (p.rsplit('.').next()?.to_string(), None),
        _ => return None,
    };
    let number = |at, name, or: f64| {
        json!(
            lib.and_then(|l| l.arg(at, name))
                .and_then(Value::number)
                .unwrap_or(or) as f32
        )
    };
    Some(match name.to_lowercase().replace('_', "").as_str() {
        "zeros" => json!({"kind": "zeros"}),
        "ones" => json!({"kind": "ones"}),
        "constant" => json!({"kind": "constant", "value": number(0, "value", 0.0)}),
        "randomuniform" | "uniform" => {
            json!({"kind": "uniform", "low": number(0, "minval", -0.05), "high": number(1, "maxval", 0.05)})
        }
        "randomnormal" | "normal" => {
            json!({"kind": "normal", "mean": number(0, "mean", 0.0), "std": number(1, "stddev", 0.05)})
        }
        "truncatednormal" => {
            json!({"kind": "truncated_normal", "mean": number(0, "mean", 0.0), "std": number(1, "stddev", 0.05)})
        }
        "glorotuniform" | "xavieruniform" => json!({"kind": "glorot_uniform"}),
        "glorotnormal" => json!({"kind": "glorot_normal"}),
        "heuniform" => json!({"kind": "he_uniform"}),
        "henormal" => json!({"kind": "he_normal"}),
        "lecununiform" => json!({"kind": "lecun_uniform"}),
        "lecunnormal" => json!({"kind": "lecun_normal"}),
        "orthogonal" => json!({"kind": "orthogonal", "gain": number(0, "gain", 1.0)}),
        _ => return None,
    })
}

/// λ₁ and λ₂ of a regularizer.
fn penalty_of(v: Option<&Value>) -> Option<(f64, f64)> {
    match v? {
        Value::Lib(l) => {
            let n = |at, name, or| l.arg(at, name).and_then(Value::number).unwrap_or(or);
            Some(match l.kind() {
                "L1" | "l1" => (n(0, "l1", 0.01), 0.0),
                "L2" | "l2" => (0.0, n(0, "l2", 0.01)),
                _ => (n(0, "l1", 0.0), n(1, "l2", 0.0)),
            })
        }
        Value::Str(s) => Some(match &**s {
            "l1" => (0.01, 0.0),
            "l2" => (0.0, 0.01),
            _ => (0.01, 0.01),
        }),
        _ => None,
    }
}

/// `conv2d` of `Conv2D`: Keras' own way from a class to a name.
fn snake(kind: &str) -> String {
    match kind {
        "LSTM" => return "lstm".into(),
        "GRU" => return "gru".into(),
        "SimpleRNN" => return "simple_rnn".into(),
        "ReLU" => return "re_lu".into(),
        _ => {}
    }
    let mut out = String::new();
    let chars: Vec<char> = kind.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        if c.is_uppercase()
            && i > 0
            && (chars[i - 1].is_lowercase() || chars.get(i + 1).is_some_and(|n| n.is_lowercase()))
        {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

type Fields = Result<Json, &'static str>;

fn fields(lib: &Lib) -> Fields {
    let arg = |at, name| lib.arg(at, name);
    let key = |name| lib.arg(usize::MAX, name);
    let whole = |at, name| {
        arg(at, name)
            .and_then(Value::int)
            .filter(|v| *v >= 0)
            .ok_or("note-argument")
    };
    let flag = |name, or| key(name).and_then(Value::truth).unwrap_or(or);
    let padding = |v: Option<&Value>| json!(v.and_then(Value::text).unwrap_or("valid"));
    let one = || json!(1);
    let rest = |map: &mut Json| -> Result<(), &'static str> {
        map["activation"] = json!(function_of(key("activation"))?);
        map["bias"] = json!(flag("use_bias", true));
        for (from, to) in [
            ("kernel_initializer", "weight_init"),
            ("bias_initializer", "bias_init"),
        ] {
            if let Some(v) = key(from) {
                map[to] = init_of(Some(v)).ok_or("note-initializer")?;
            }
        }
        Ok(())
    };
    let kind = lib.kind();
    Ok(match kind {
        "Dense" => {
            let mut map = json!({"kind": "linear", "units": whole(0, "units")?});
            rest(&mut map)?;
            if key("activation").is_none() {
                map["activation"] = json!(function_of(lib.args.get(1))?);
            }
            map
        }
        "Conv1D" | "Conv2D" | "Conv2DTranspose" | "Convolution2D" => {
            let mut map = json!({
                "kind": match kind { "Conv1D" => "conv1d", "Conv2DTranspose" => "conv_transpose2d", _ => "conv2d" },
                "filters": whole(0, "filters")?,
                "kernel": size(arg(1, "kernel_size")).ok_or("note-argument")?,
                "stride": size(arg(2, "strides")).unwrap_or_else(one),
                "padding": padding(arg(3, "padding")),
                "dilation": size(key("dilation_rate")).unwrap_or_else(one),
                "groups": key("groups").and_then(Value::int).unwrap_or(1),
            });
            if kind == "Conv2DTranspose" {
                map["output_padding"] = size(key("output_padding")).unwrap_or(json!(0));
            }
            rest(&mut map)?;
            map
        }
        "MaxPooling1D" | "MaxPooling2D" | "AveragePooling1D" | "AveragePooling2D" | "MaxPool1D"
        | "MaxPool2D" | "AvgPool2D" | "AvgPool1D" => {
            let name = match (kind.contains("Max"), kind.ends_with("1D")) {
                (true, true) => "max_pool1d",
                (true, false) => "max_pool2d",
                (false, true) => "avg_pool1d",
                (false, false) => "avg_pool2d",
            };
            json!({
                "kind": name,
                "kernel": size(arg(0, "pool_size")).unwrap_or(json!(2)),
                "stride": size(arg(1, "strides")),
                "padding": padding(arg(2, "padding")),
            })
        }
        "GlobalAveragePooling2D" | "GlobalAveragePooling1D" | "GlobalAvgPool2D" => {
            json!({"kind": "global_avg_pool"})
        }
        "GlobalMaxPooling2D" | "GlobalMaxPooling1D" | "GlobalMaxPool2D" => {
            json!({"kind": "global_max_pool"})
        }
        "UpSampling2D" | "UpSampling1D" => {
            json!({"kind": "upsample", "factor": size(arg(0, "size")).unwrap_or(json!(2))})
        }
        "Dropout" | "SpatialDropout1D" | "SpatialDropout2D" => {
            json!({"kind": "dropout", "rate": float(arg(0, "rate")).ok_or("note-argument")?})
        }
        "Flatten" => json!({"kind": "flatten"}),
        "Reshape" => {
            let to: Vec<i64> = arg(0, "target_shape")
                .and_then(Value::items)
                .ok_or("note-argument")?
                .iter()
                .filter_map(Value::int)
                .collect();
            json!({"kind": "reshape", "shape": to})
        }
        "Add" => json!({"kind": "add"}),
        "Concatenate" => {
            json!({"kind": "concatenate", "axis": arg(0, "axis").and_then(Value::int).unwrap_or(-1)})
        }
        "BatchNormalization" => json!({
            "kind": "batch_norm", "momentum": float(key("momentum")), "epsilon": float(key("epsilon")),
            "affine": flag("scale", true),
        }),
        "LayerNormalization" | "RMSNormalization" => {
            let axes = key("axis").and_then(Value::items).map_or(1, |a| a.len());
            let name = if kind == "LayerNormalization" {
                "layer_norm"
            } else {
                "rms_norm"
            };
            let mut map = json!({"kind": name, "axes": axes, "epsilon": float(key("epsilon"))});
            if name == "layer_norm" {
                map["bias"] = json!(flag("center", true));
            }
            map
        }
        "Embedding" => {
            json!({"kind": "embedding", "vocab": whole(0, "input_dim")?, "dim": whole(1, "output_dim")?})
        }
        "NablaPositionalEmbedding" => json!({"kind": "positional_embedding"}),
        "NablaSampling" => {
            json!({"kind": "sampling", "kl": float(arg(0, "kl")).unwrap_or(json!(1.0))})
        }
        "LSTM" | "GRU" | "SimpleRNN" => {
            let mut map = json!({
                "kind": match kind { "LSTM" => "lstm", "GRU" => "gru", _ => "rnn" },
                "units": whole(0, "units")?,
                "return_sequences": flag("return_sequences", false),
            });
            if kind == "SimpleRNN" {
                map["activation"] = json!(function_of(key("activation"))?.unwrap_or("tanh"));
            }
            map
        }
        "Bidirectional" => match arg(0, "layer") {
            Some(Value::Lib(inner)) => {
                let mut map = fields(inner)?;
                map["bidirectional"] = json!(true);
                map
            }
            _ => return Err("note-argument"),
        },
        "MultiHeadAttention" => {
            json!({"kind": "multi_head_attention", "heads": whole(0, "num_heads")?})
        }
        "Activation" => match function_of(arg(0, "activation"))? {
            Some(f) => activation(f, None),
            None => json!(null),
        },
        "ReLU" => activation("relu", None),
        "Softmax" => activation("softmax", None),
        "LeakyReLU" => activation(
            "leaky_relu",
            float(arg(0, "negative_slope").or(key("alpha"))),
        ),
        "ELU" => activation("elu", float(arg(0, "alpha"))),
        "Lambda" => {
            let step = matches!(arg(0, "function"), Some(Value::Func(_)));
            return Err(if step { "note-lambda" } else { "note-layer" });
        }
        "InputLayer" | "Rescaling" | "Permute" => json!(null),
        _ => return Err("note-layer"),
    })
}

impl<'a> Machine<'a> {
    /// A layer or model by its constructor.
    pub fn keras_made(&mut self, path: &str, args: Args<'a>, line: usize) -> Value<'a> {
        self.found.keras = true;
        let kind = path.rsplit('.').next().unwrap_or_default().to_string();
        if kind == "Input" {
            let shape = args.get(0, "shape").cloned().unwrap_or(Value::None);
            return Value::Tensor(Tensor::input(
                Value::Lib(Lib::new("keras.layers.Input", vec![shape], vec![], line)),
                line,
            ));
        }
        let lib = Lib::new(path, args.list, args.named, line);
        let name = match lib.arg(usize::MAX, "name").and_then(Value::text) {
            Some(name) => name.to_string(),
            None => {
                let base = snake(&kind);
                let at = match self.counts.iter_mut().find(|(n, _)| *n == base) {
                    Some((_, n)) => {
                        *n += 1;
                        *n
                    }
                    None => {
                        self.counts.push((base.clone(), 0));
                        0
                    }
                };
                if at == 0 {
                    base
                } else {
                    format!("{base}_{at}")
                }
            }
        };
        *lib.name.borrow_mut() = Some(name);
        if kind == "Sequential" {
            for part in lib
                .arg(0, "layers")
                .and_then(Value::items)
                .unwrap_or_default()
            {
                lib.parts.borrow_mut().push(("layer".into(), part));
            }
        }
        let value = Value::Lib(lib);
        if matches!(kind.as_str(), "Sequential" | "Model") {
            self.found.model = Some(value.clone());
        }
        value
    }

    pub fn call_keras(&mut self, lib: &Rc<Lib<'a>>, args: &Args<'a>, line: usize) -> Value<'a> {
        self.found.keras = true;
        let given = args.get(0, "inputs").cloned().unwrap_or(Value::Unknown);
        if matches!(lib.kind(), "Sequential" | "Model") {
            return self.apply_model(lib, given, line);
        }
        let all = given.items().unwrap_or_else(|| vec![given.clone()]);
        let mut tensors = Vec::new();
        for v in &all {
            match self.enter(v, line) {
                Some(t) => tensors.push(t),
                None => return Value::Unknown,
            }
        }
        let Some(first) = tensors.first().cloned() else {
            return Value::Unknown;
        };
        if !tensors.iter().all(|t| t.same(&first)) {
            self.note(line, "note-two-inputs", &[]);
            return Value::Tensor(first);
        }
        let mut map = match fields(lib) {
            Ok(Json::Object(map)) => map,
            Ok(_) => return Value::Tensor(first),
            Err("note-lambda") => match self.step_function(lib, line) {
                Some(map) => map,
                None => return Value::Tensor(first),
            },
            Err(code) => {
                self.note(lib.line, code, &[("name", lib.path.to_string())]);
                return Value::Tensor(first);
            }
        };
        if lib.kind() == "MultiHeadAttention" {
            let causal = args.named("use_causal_mask").and_then(Value::truth) == Some(true);
            map.insert("causal".into(), json!(causal));
        }
        if lib.kind() == "Rescaling" {
            self.note(lib.line, "note-rescaling", &[]);
        }
        for name in ["kernel_regularizer", "embeddings_regularizer"] {
            if let Some(p) = penalty_of(lib.arg(usize::MAX, name)) {
                self.penalty = Some(p);
            }
        }
        if lib.uses.replace(lib.uses.get() + 1) > 0 && lib.kind() == "Dense" {
            self.note(lib.line, "note-shared", &[]);
        }
        let mut node = Node::new(
            Kind::Layer(map),
            tensors.iter().map(|t| t.node).collect(),
            lib.line,
        );
        if lib.kind() == "MultiHeadAttention" {
            node.inputs.truncate(1);
        }
        node.id = lib.name.borrow().clone();
        node.module = true;
        Value::Tensor(first.then(node))
    }

    /// `Lambda` of a function that is the step.
    fn step_function(&mut self, lib: &Rc<Lib<'a>>, line: usize) -> Option<Map<String, Json>> {
        let f = lib.arg(0, "function")?.clone();
        let source = match &f {
            Value::Func(f) => match f.body {
                Body::Lambda(e) => {
                    use ruff_text_size::Ranged;
                    let r = e.range();
                    self.source[r.start().to_usize()..r.end().to_usize()].to_string()
                }
                Body::Block(_) => String::new(),
            },
            _ => String::new(),
        };
        if source == "keras.ops.cast(x > 0, \"float32\")" {
            return activation("step", None).as_object().cloned();
        }
        let softplus = source
            .strip_prefix("keras.ops.softplus(")
            .and_then(|s| s.split_once(" * x) / "))
            .filter(|(a, b)| a == b)
            .and_then(|(a, _)| a.parse::<f32>().ok());
        if let Some(alpha) = softplus {
            return activation("softplus", Some(json!(alpha)))
                .as_object()
                .cloned();
        }
        self.note(line, "note-layer", &[("name", "Lambda".into())]);
        None
    }

    /// A model on a value.
    pub fn apply_model(&mut self, lib: &Rc<Lib<'a>>, x: Value<'a>, line: usize) -> Value<'a> {
        if lib.kind() == "Model" {
            // The functional graph is there already; inside another it would have to be copied.
            if matches!(x, Value::Tensor(_)) {
                self.note(line, "note-nested-model", &[]);
            }
            return lib.arg(1, "outputs").cloned().unwrap_or(Value::Unknown);
        }
        let parts = lib.parts.borrow().clone();
        let mut x = x;
        for (_, part) in parts {
            // An Input at the head says only the shape.
            if matches!(&part, Value::Tensor(t) if t.node == 0) {
                continue;
            }
            if self.nested >= 24 {
                return Value::Unknown;
            }
            self.nested += 1;
            x = self.call(
                &part,
                Args {
                    list: vec![x],
                    named: vec![],
                },
                line,
            );
            self.nested -= 1;
        }
        x
    }

    pub fn keras_method(
        &mut self,
        lib: &Rc<Lib<'a>>,
        name: &str,
        args: &Args<'a>,
        line: usize,
    ) -> Value<'a> {
        match name {
            "add" => {
                let part = args.list.first().cloned().unwrap_or(Value::Unknown);
                if lib.parts.borrow().len() < 1000 {
                    lib.parts.borrow_mut().push(("layer".into(), part));
                }
                Value::None
            }
            "compile" => {
                self.compile(args, line);
                Value::None
            }
            "fit" => {
                self.fit(Value::Lib(Rc::clone(lib)), args, line);
                Value::Unknown
            }
            _ => Value::Unknown,
        }
    }

    /// `compile` and `fit` of the script's own subclass of Model.
    pub fn keras_object(
        &mut self,
        o: &Rc<Object<'a>>,
        name: &str,
        args: &Args<'a>,
        line: usize,
    ) -> Value<'a> {
        match name {
            "compile" => self.compile(args, line),
            "fit" => self.fit(Value::Object(Rc::clone(o)), args, line),
            _ => {}
        }
        Value::Unknown
    }

    fn compile(&mut self, args: &Args<'a>, line: usize) {
        self.found.keras = true;
        let optimizer = match args.get(0, "optimizer") {
            Some(Value::Lib(l)) => Rc::clone(l),
            Some(Value::Str(s)) => {
                let kind = match s.to_lowercase().as_str() {
                    "sgd" => "SGD",
                    "adam" => "Adam",
                    "rmsprop" => "RMSprop",
                    "adagrad" => "Adagrad",
                    "adamw" => "AdamW",
                    _ => "other",
                };
                Lib::new(&format!("keras.optimizers.{kind}"), vec![], vec![], line)
            }
            _ => Lib::new("keras.optimizers.RMSprop", vec![], vec![], line),
        };
        self.found.optimizer = Some(optimizer);
        let name = match args.get(1, "loss") {
            Some(Value::Str(s)) => s.to_lowercase(),
            Some(Value::Lib(l)) => snake(l.kind()),
            Some(Value::Path(p)) => snake(p.rsplit('.').next().unwrap_or_default()),
            _ => String::new(),
        };
        let lib = match args.get(1, "loss") {
            Some(Value::Lib(l)) => Some(Rc::clone(l)),
            _ => None,
        };
        let logits = lib
            .as_ref()
            .and_then(|l| l.arg(0, "from_logits"))
            .and_then(Value::truth)
            == Some(true);
        self.one_hot_loss = name == "categorical_crossentropy";
        let spec = match name.as_str() {
            "mse" | "mean_squared_error" => json!({"kind": "mse"}),
            "mae" | "mean_absolute_error" => json!({"kind": "mae"}),
            "huber" | "huber_loss" => {
                let delta = lib.as_ref().and_then(|l| float(l.arg(0, "delta")));
                json!({"kind": "huber", "delta": delta.unwrap_or(json!(1.0))})
            }
            "categorical_crossentropy" | "sparse_categorical_crossentropy" => {
                json!({"kind": "cross_entropy", "from_logits": logits})
            }
            "binary_crossentropy" => json!({"kind": "binary_cross_entropy", "from_logits": logits}),
            "hinge" => json!({"kind": "hinge"}),
            _ => {
                self.note(line, "note-loss", &[("name", name)]);
                return;
            }
        };
        self.compiled = Some((spec, line));
    }

    fn fit(&mut self, model: Value<'a>, args: &Args<'a>, line: usize) {
        let x = args.get(0, "x").cloned().unwrap_or(Value::Unknown);
        let y = args.get(1, "y").cloned().unwrap_or(Value::Unknown);
        self.found.trained = true;
        self.found.keras = true;
        self.found.batch = Some(match args.get(2, "batch_size") {
            Some(Value::Int(n)) => Batch::Of(*n),
            Some(Value::Batch) => Batch::Whole,
            _ => Batch::Of(32),
        });
        self.found.epochs = Some(args.int(3, "epochs").unwrap_or(1));
        self.found.shuffle = Some(args.named("shuffle").and_then(Value::truth).unwrap_or(true));
        self.found.validation = args
            .number(usize::MAX, "validation_split")
            .filter(|v| *v > 0.0);
        for callback in args
            .named("callbacks")
            .and_then(Value::items)
            .unwrap_or_default()
        {
            self.callback(&callback, line);
        }
        // Keras holds the last samples out, unshuffled.
        let mut x = x;
        if let (Some(share), Value::Data(d)) = (self.found.validation, &x) {
            let mut d: Data = (**d).clone();
            d.validation = share;
            if d.part == Part::Whole {
                d.shuffle = false;
            }
            x = Value::Data(Rc::new(d));
        }
        let output = match &model {
            Value::Lib(lib) if lib.kind() == "Model" => {
                lib.arg(1, "outputs").cloned().unwrap_or(Value::Unknown)
            }
            Value::Lib(lib) => self.apply_model(lib, x.clone(), line),
            model => self.call(
                model,
                Args {
                    list: vec![x.clone()],
                    named: vec![],
                },
                line,
            ),
        };
        let Some((spec, at)) = self.compiled.clone() else {
            self.note(line, "note-no-compile", &[]);
            return;
        };
        if let Value::Data(d) = &y
            && d.set()
                .is_some_and(|(s, role)| role == Role::Y && s.classes.is_some())
            && spec["kind"] == "cross_entropy"
            && d.one_hot != self.one_hot_loss
        {
            let code = if d.one_hot {
                "note-one-hot"
            } else {
                "note-not-one-hot"
            };
            self.note(at, code, &[]);
        }
        self.fitted = Some(x);
        self.found.loss = Some(Rc::new(Loss {
            spec,
            output,
            target: y,
            line: at,
            sum: false,
            kl: None,
            penalty: self.penalty.unwrap_or((0.0, 0.0)),
        }));
    }

    fn callback(&mut self, callback: &Value<'a>, line: usize) {
        let Value::Lib(lib) = callback else { return };
        match lib.kind() {
            "LearningRateScheduler" => {
                let f = lib.arg(0, "schedule").cloned().unwrap_or(Value::Unknown);
                self.schedule_of(&f, lib.line);
            }
            "RateByStep" => {
                self.rate_by_step(lib, line);
            }
            "EarlyStopping" | "ModelCheckpoint" | "ReduceLROnPlateau" => self.watcher(lib),
            "TensorBoard" | "CSVLogger" | "History" => {}
            _ => self.note(line, "note-callback", &[("name", lib.kind().to_string())]),
        }
    }

    /// A callback that watches the end of an epoch.
    fn watcher(&mut self, lib: &Rc<Lib<'a>>) {
        let key = |name: &str| lib.arg(usize::MAX, name);
        let first = usize::from(lib.kind() == "ModelCheckpoint");
        let monitor = lib.arg(first, "monitor").and_then(Value::text).unwrap_or("val_loss");
        let monitor = match monitor {
            "val_loss" | "val_accuracy" | "loss" => monitor.to_string(),
            "val_acc" => "val_accuracy".to_string(),
            other => {
                self.note(lib.line, "note-monitor", &[("name", other.to_string())]);
                "val_loss".to_string()
            }
        };
        let number = |name: &str, or: f64| key(name).and_then(Value::number).unwrap_or(or);
        match lib.kind() {
            "EarlyStopping" => {
                let patience = number("patience", 0.0).clamp(0.0, 1e6) as u64;
                let restore = key("restore_best_weights").and_then(Value::truth).unwrap_or(false);
                self.early_stopping = Some(json!({
                    "monitor": monitor, "patience": patience, "min_delta": number("min_delta", 0.0) as f32,
                    "restore_best": restore,
                }));
            }
            "ModelCheckpoint" => {
                let best = key("save_best_only").and_then(Value::truth).unwrap_or(false);
                self.checkpoints = Some(json!({"monitor": monitor, "best_only": best}));
            }
            _ => {
                self.found.schedule = Some(json!({
                    "kind": "plateau", "monitor": monitor, "factor": number("factor", 0.1) as f32,
                    "patience": number("patience", 10.0).clamp(0.0, 1e6) as u64, "least": number("min_lr", 0.0) as f32,
                }));
            }
        }
    }

    /// The schedule that a function of the epoch follows, told from its values.
    fn schedule_of(&mut self, f: &Value<'a>, line: usize) {
        let epochs = self.found.epochs.unwrap_or(1).clamp(1, 200);
        let mut rates = Vec::new();
        let own = self
            .found
            .optimizer
            .as_ref()
            .and_then(|o| o.arg(0, "learning_rate"))
            .and_then(Value::number);
        for epoch in 0..epochs.max(4) {
            let given = vec![
                Value::Int(epoch),
                Value::Float(rates.last().copied().or(own).unwrap_or(1e-3)),
            ];
            match self
                .call(
                    f,
                    Args {
                        list: given,
                        named: vec![],
                    },
                    line,
                )
                .number()
            {
                Some(r) => rates.push(r),
                None => {
                    self.note(line, "note-schedule", &[]);
                    return;
                }
            }
        }
        match super::schedules::known(&rates, epochs as usize) {
            Some(json) => self.found.schedule = Some(json),
            None => self.note(line, "note-schedule", &[]),
        }
    }

    fn rate_by_step(&mut self, lib: &Rc<Lib<'a>>, line: usize) {
        let f = lib.arg(0, "factor").cloned().unwrap_or(Value::Unknown);
        // The text of our own script's two lambdas says which.
        let Value::Func(func) = &f else { return };
        let Body::Lambda(e) = func.body else { return };
        use ruff_text_size::Ranged;
        let source = &self.source[e.range().start().to_usize()..e.range().end().to_usize()];
        let number = |before: &str, after: &str| -> Option<f32> {
            source
                .strip_prefix(before)?
                .strip_suffix(after)?
                .parse()
                .ok()
        };
        if let Some(epochs) = number("min(1, (step + 1) / (", " * steps))") {
            self.found.schedule = Some(json!({"kind": "warmup", "epochs": epochs}));
        } else if let Some(w) = number("one_cycle(step, EPOCHS * steps, ", ")") {
            self.found.schedule = Some(json!({"kind": "one_cycle", "warmup": w}));
        } else {
            self.note(line, "note-schedule", &[]);
        }
    }
}

/// The optimizer as the spec has it, and its clipping.
pub(super) fn optimizer(lib: &Lib) -> Option<(Json, Option<Json>)> {
    let key = |name: &str| lib.arg(usize::MAX, name).and_then(Value::number);
    let number = |name: &str, or: f64| json!(key(name).unwrap_or(or) as f32);
    let rate = |or: f64| match lib.arg(0, "learning_rate").or(lib.arg(usize::MAX, "lr")) {
        Some(Value::Lib(s)) => json!(
            s.arg(0, "initial_learning_rate")
                .and_then(Value::number)
                .unwrap_or(or) as f32
        ),
        v => json!(v.and_then(Value::number).unwrap_or(or) as f32),
    };
    let spec = match lib.kind() {
        "SGD" => json!({
            "kind": "sgd", "learning_rate": rate(0.01),
            "momentum": json!(lib.arg(1, "momentum").and_then(Value::number).unwrap_or(0.0) as f32),
            "nesterov": lib.arg(2, "nesterov").and_then(Value::truth).unwrap_or(false),
            "weight_decay": number("weight_decay", 0.0),
        }),
        "RMSprop" => json!({
            "kind": "rmsprop", "learning_rate": rate(0.001), "rho": number("rho", 0.9),
            "epsilon": number("epsilon", 1e-7), "momentum": number("momentum", 0.0),
            "weight_decay": number("weight_decay", 0.0),
        }),
        "Adagrad" => json!({
            "kind": "adagrad", "learning_rate": rate(0.001), "epsilon": number("epsilon", 1e-7),
            "initial_accumulator": number("initial_accumulator_value", 0.1),
            "weight_decay": number("weight_decay", 0.0),
        }),
        "Adam" | "AdamW" => {
            let w = lib.kind() == "AdamW";
            json!({
                "kind": if w { "adamw" } else { "adam" }, "learning_rate": rate(0.001),
                "beta1": number("beta_1", 0.9), "beta2": number("beta_2", 0.999),
                "epsilon": number("epsilon", 1e-7),
                "weight_decay": number("weight_decay", if w { 0.004 } else { 0.0 }),
            })
        }
        _ => return None,
    };
    let clip = match (key("clipvalue"), key("global_clipnorm").or(key("clipnorm"))) {
        (Some(v), _) => Some(json!({"kind": "value", "max": v as f32})),
        (_, Some(v)) => Some(json!({"kind": "global_norm", "max": v as f32})),
        _ => None,
    };
    Some((spec, clip))
}
