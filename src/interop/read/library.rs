//! Calls of libraries: modules, losses, optimizers, scalers, and what is passed over.
use super::calls::Args;
use super::data::{Data, Scaling};
use super::machine::Machine;
use super::value::*;
use serde_json::{Value as Json, json};
use std::rc::Rc;

/// Calls that do nothing to what is trained.
const PASSED: &[&str] = &[
    "matplotlib",
    "seaborn",
    "builtins.print",
    "time",
    "logging",
    "warnings",
    "tqdm",
    "os",
    "sys",
    "pathlib",
    "torch.cuda",
    "torch.backends",
    "torch.save",
    "torch.load",
    "torch.set_",
    "torch.device",
    "torch.no_grad",
    "torch.distributed",
    "torch.inference_mode",
    "torch.manual",
    "torch.get_",
    "torch.utils.tensorboard",
    "torchsummary",
    "torchinfo",
    "torch.autograd",
    "torch.max",
    "torch.argmax",
    "torch.eq",
    "torchvision.utils",
    "sklearn.metrics",
    "keras.backend",
    "keras.utils.plot_model",
    "keras.models.load_model",
    "keras.metrics",
    "IPython",
    "json",
    "pickle",
    "copy",
    "random",
    "wandb",
    "tf.config",
    "tf.random",
    "datetime",
    "argparse",
    "torch.amp",
    "typing",
    "collections",
    "numpy.set_printoptions",
    "numpy.mean",
    "numpy.argmax",
    "keras.saving",
    "torch.round",
    "numpy.round",
    "numpy.unique",
    "pandas.DataFrame",
    "builtins.open",
    "builtins.input",
    "builtins.display",
    "builtins.property",
    "functools",
    "itertools",
    "scipy",
];

impl<'a> Machine<'a> {
    pub fn call_path(&mut self, path: &str, args: Args<'a>, line: usize) -> Value<'a> {
        if let Some(name) = path.strip_prefix("builtins.") {
            return self.builtin(name, args, line);
        }
        if let Some(done) = self.known_data(path, &args, line) {
            self.unasked_named(&args, path, line);
            return done;
        }
        let last = path.rsplit('.').next().unwrap_or_default();
        match path {
            "torch.manual_seed"
            | "numpy.random.seed"
            | "keras.utils.set_random_seed"
            | "tf.random.set_seed"
            | "random.seed" => {
                if let Some(seed) = args.int(0, "seed") {
                    self.found.seed = Some(seed);
                    self.reseed(seed);
                }
                return Value::None;
            }
            "numpy.random.default_rng" => {
                if let Some(seed) = args.int(0, "seed") {
                    self.reseed(seed);
                }
                return Value::path("numpy.random");
            }
            "os.environ.get" | "os.getenv" => {
                return args.list.get(1).cloned().unwrap_or(Value::None);
            }
            "torch.cuda.is_available" | "torch.backends.mps.is_available" => {
                return Value::Bool(false);
            }
            "torch.relu" | "torch.sigmoid" | "torch.tanh" | "torch.softmax" | "torch.flatten"
            | "torch.log_softmax" => {
                if let Some(v) = self.torch_function(last, &args, line) {
                    return v;
                }
            }
            "torch.nn.Parameter" => return Value::Unknown,
            "nabla.weighted" => {
                self.class_weight = args.list.get(1).and_then(Value::numbers);
                return args.list.into_iter().next().unwrap_or(Value::Unknown);
            }
            "nabla.hinge_loss" | "nabla.cross_entropy" | "nabla.perceptron_loss" => {
                let spec = match path {
                    "nabla.hinge_loss" => json!({"kind": "hinge"}),
                    "nabla.perceptron_loss" => json!({"kind": "perceptron"}),
                    _ => json!({"kind": "cross_entropy", "from_logits": false}),
                };
                return self.loss_call(spec, &args, line);
            }
            _ => {}
        }
        if let Some(name) = path.strip_prefix("torch.nn.init.") {
            return self.init_call(name, &args, line);
        }
        if (path.starts_with("torch.nn.functional.")
            || path.starts_with("torch.") && !path.starts_with("torch.nn."))
            && let Some(v) = self.torch_function(last, &args, line)
        {
            if super::torch_layers::makes_layer(last) {
                self.unasked_named(&args, path, line);
            }
            return v;
        }
        if path.starts_with("torch.nn.utils.clip_grad") {
            let max = args.number(1, "max_norm").or(args.number(1, "clip_value"));
            if let Some(max) = max {
                let kind = if last.contains("value") {
                    "value"
                } else {
                    "global_norm"
                };
                self.found.clip = Some(json!({"kind": kind, "max": max as f32}));
            }
            args.get(0, "parameters");
            self.unasked_named(&args, path, line);
            return Value::None;
        }
        if path.starts_with("torch.nn.") && !path.starts_with("torch.nn.functional")
            || path.starts_with("torchvision.transforms")
        {
            return self.torch_made(path, args, line);
        }
        if path.starts_with("torch.optim.") && !PASSED.iter().any(|p| path.starts_with(p)) {
            let made = Lib::new(path, args.list, args.named, line);
            if path.contains("lr_scheduler") {
                self.scheduler_made(&made);
            } else {
                self.found.torch = true;
                self.last_optimizer = Some(Rc::clone(&made));
            }
            return Value::Lib(made);
        }
        if path.starts_with("keras.layers.")
            || path.starts_with("keras.models.")
            || path == "keras.activations.relu"
        {
            if path.starts_with("keras.models.load") {
                return Value::Unknown;
            }
            // The layer as a function: made and applied at once.
            let function = match path {
                "keras.layers.concatenate" => Some("keras.layers.Concatenate"),
                "keras.layers.add" => Some("keras.layers.Add"),
                _ => None,
            };
            if let Some(layer) = function {
                let inputs = Args {
                    list: args.list.into_iter().take(1).collect(),
                    named: Vec::new(),
                    ..Args::default()
                };
                let made = Args {
                    list: Vec::new(),
                    named: args.named,
                    ..Args::default()
                };
                let Value::Lib(lib) = self.keras_made(layer, made, line) else {
                    return Value::Unknown;
                };
                return self.call_keras(&lib, &inputs, line);
            }
            return self.keras_made(path, args, line);
        }
        if PASSED.iter().any(|p| path.starts_with(p)) {
            return match path {
                "tqdm.tqdm" => Value::Lib(Lib::new(path, args.list, args.named, line)),
                "copy.deepcopy" | "collections.OrderedDict" => {
                    args.list.into_iter().next().unwrap_or(Value::Unknown)
                }
                _ => Value::Unknown,
            };
        }
        const MADE: &[&str] = &[
            "keras.optimizers.",
            "keras.losses.",
            "keras.callbacks.",
            "keras.initializers.",
            "keras.regularizers.",
            "torch.utils.data.",
            "sklearn.preprocessing.",
            "nabla.",
            "keras.constraints.",
        ];
        if MADE.iter().any(|p| path.starts_with(p)) {
            return Value::Lib(Lib::new(path, args.list, args.named, line));
        }
        if let Some(v) = self.numeric(path, &args, line) {
            self.unasked_named(&args, path, line);
            return v;
        }
        self.note(line, "note-call", &[("name", path.to_string())]);
        Value::Unknown
    }

    fn loss_call(&mut self, spec: Json, args: &Args<'a>, line: usize) -> Value<'a> {
        let output = args.get(0, "input").cloned().unwrap_or(Value::Unknown);
        let target = args.get(1, "target").cloned().unwrap_or(Value::Unknown);
        let Value::Tensor(_) = &output else {
            return Value::Unknown;
        };
        Value::Loss(Rc::new(Loss {
            spec,
            output,
            target,
            line,
            sum: false,
            kl: None,
            penalty: (0.0, 0.0),
        }))
    }

    fn reseed(&mut self, seed: i64) {
        self.rng = crate::data::rng::Rng::new(seed as u32, crate::data::rng::DATA);
    }

    /// A module, a container or a loss.
    fn torch_made(&mut self, path: &str, args: Args<'a>, line: usize) -> Value<'a> {
        self.found.torch = true;
        let lib = Lib::new(path, args.list, args.named, line);
        match lib.kind() {
            "Sequential" | "ModuleList" => {
                let mut list = lib.args.clone();
                if let [one] = &list[..]
                    && let Some(items) = one.items()
                {
                    list = items;
                }
                let mut parts = lib.parts.borrow_mut();
                if let [Value::Dict(d)] = &list[..] {
                    for (k, v) in d.borrow().iter() {
                        name_part(v, k.text());
                        parts.push((k.text().unwrap_or("part").to_string(), v.clone()));
                    }
                } else {
                    for (i, v) in list.iter().enumerate() {
                        // OrderedDict([("fc1", nn.Linear(…)), …])
                        let pair = v.items().filter(|p| p.len() == 2);
                        match pair.as_deref() {
                            Some([k, v]) => {
                                name_part(v, k.text());
                                parts.push((k.text().unwrap_or("part").to_string(), v.clone()));
                            }
                            _ => parts.push((i.to_string(), v.clone())),
                        }
                    }
                }
                drop(parts);
                let value = Value::Lib(lib);
                if path.ends_with("Sequential") {
                    self.found.model.get_or_insert(value.clone());
                }
                return value;
            }
            _ => {}
        }
        Value::Lib(lib)
    }

    fn init_call(&mut self, name: &str, args: &Args<'a>, line: usize) -> Value<'a> {
        let number = |at, key, or: f64| json!(args.number(at, key).unwrap_or(or) as f32);
        let kaiming = args
            .named("nonlinearity")
            .and_then(Value::text)
            .unwrap_or("leaky_relu");
        let a = args.number(1, "a").unwrap_or(0.0);
        let init = match name {
            "zeros_" => json!({"kind": "zeros"}),
            "ones_" => json!({"kind": "ones"}),
            "constant_" => json!({"kind": "constant", "value": number(1, "val", 0.0)}),
            "uniform_" => {
                json!({"kind": "uniform", "low": number(1, "a", 0.0), "high": number(2, "b", 1.0)})
            }
            "normal_" => {
                json!({"kind": "normal", "mean": number(1, "mean", 0.0), "std": number(2, "std", 1.0)})
            }
            "trunc_normal_" => {
                json!({"kind": "truncated_normal", "mean": number(1, "mean", 0.0), "std": number(2, "std", 1.0)})
            }
            "xavier_uniform_" => json!({"kind": "glorot_uniform"}),
            "xavier_normal_" => json!({"kind": "glorot_normal"}),
            "kaiming_uniform_" if (a - 5f64.sqrt()).abs() < 1e-9 => {
                json!({"kind": "torch_default"})
            }
            "kaiming_uniform_" if kaiming == "linear" => json!({"kind": "lecun_uniform"}),
            "kaiming_normal_" if kaiming == "linear" => json!({"kind": "lecun_normal"}),
            "kaiming_uniform_" if a == 0.0 => json!({"kind": "he_uniform"}),
            "kaiming_normal_" if a == 0.0 => json!({"kind": "he_normal"}),
            "orthogonal_" => json!({"kind": "orthogonal", "gain": number(1, "gain", 1.0)}),
            _ => {
                self.note(line, "note-initializer", &[("name", name.to_string())]);
                return Value::None;
            }
        };
        self.unasked_named(args, name, line);
        if let Some(Value::Param(Some(lib), which)) = args.list.first() {
            let plain = matches!(
                lib.kind(),
                "Linear" | "Conv1d" | "Conv2d" | "ConvTranspose2d"
            );
            if plain {
                lib.inits.borrow_mut().insert(format!("{which}_init"), init);
            } else {
                self.note(line, "note-initializer", &[("name", lib.path.to_string())]);
            }
        }
        Value::None
    }

    fn scheduler_made(&mut self, lib: &Rc<Lib<'a>>) {
        if let Some(json) = self.scheduler(lib) {
            self.unasked(lib);
            self.pending_schedule = Some(json);
            return;
        }
        // LambdaLR(optimizer, lambda …)
        let f = lib.arg(1, "lr_lambda").cloned();
        if let (Some(Value::Func(func)), "LambdaLR") = (&f, lib.kind())
            && let Body::Lambda(e) = func.body
        {
            use ruff_text_size::Ranged;
            let source = &self.source[e.range().start().to_usize()..e.range().end().to_usize()];
            let inner = source
                .strip_prefix("min(1, (step + 1) / (")
                .and_then(|s| s.strip_suffix(" * len(train_loader)))"))
                .and_then(|s| s.parse::<f32>().ok());
            if let Some(epochs) = inner {
                self.pending_schedule = Some(json!({"kind": "warmup", "epochs": epochs}));
                return;
            }
            let mut rates = Vec::new();
            for epoch in 0..60 {
                let args = Args {
                    list: vec![Value::Int(epoch)],
                    named: vec![],
                    ..Args::default()
                };
                if let Some(v) = f
                    .as_ref()
                    .and_then(|f| self.call(f, args, lib.line).number())
                {
                    rates.push(v);
                }
            }
            if let Some(json) = super::schedules::known(&rates, 60).filter(|_| rates.len() == 60) {
                self.pending_schedule = Some(json);
                return;
            }
        }
        self.note(lib.line, "note-schedule", &[]);
    }

    pub fn call_lib(&mut self, lib: &Rc<Lib<'a>>, args: Args<'a>, line: usize) -> Value<'a> {
        match lib.path.split('.').next() {
            Some("torch") if lib.path.starts_with("torch.nn") => self.call_torch(lib, &args, line),
            Some("keras") => self.call_keras(lib, &args, line),
            _ => Value::Unknown,
        }
    }

    pub fn lib_method(
        &mut self,
        lib: &Rc<Lib<'a>>,
        name: &str,
        args: Args<'a>,
        line: usize,
    ) -> Value<'a> {
        let this = Value::Lib(Rc::clone(lib));
        let path = lib.path.to_string();
        if path.starts_with("torch.optim.lr_scheduler") {
            if name == "step" {
                self.found.schedule = self.pending_schedule.clone();
            }
            return Value::Unknown;
        }
        if path.starts_with("torch.optim") {
            if name == "step" {
                self.optimizer_step(lib);
            }
            return Value::None;
        }
        if path.starts_with("keras.models") {
            return self.keras_method(lib, name, &args, line);
        }
        if path.starts_with("sklearn.preprocessing") {
            return self.scaler(lib, name, &args);
        }
        if path.starts_with("torch.nn") {
            match name {
                "append" => {
                    let part = args.list.into_iter().next().unwrap_or(Value::Unknown);
                    let n = lib.parts.borrow().len();
                    if n < 1000 {
                        lib.parts.borrow_mut().push((n.to_string(), part));
                    }
                    return this;
                }
                "add_module" => {
                    if let (Some(name), Some(v)) =
                        (args.list.first().and_then(Value::text), args.list.get(1))
                    {
                        name_part(v, Some(name));
                        lib.parts.borrow_mut().push((name.to_string(), v.clone()));
                    }
                    return Value::None;
                }
                _ => return self.module_method(&this, name, args, line),
            }
        }
        if path == "bunch" || lib.kind() == "dataset" {
            return Value::Unknown;
        }
        Value::Unknown
    }

    fn scaler(&mut self, lib: &Rc<Lib<'a>>, name: &str, args: &Args<'a>) -> Value<'a> {
        let scale = match lib.kind() {
            "StandardScaler" => Scaling::Standardize,
            "MinMaxScaler" => Scaling::MinMax,
            "OneHotEncoder" | "LabelBinarizer" => return self.one_hot(args.list.first()),
            _ => return args.list.first().cloned().unwrap_or(Value::Unknown),
        };
        match name {
            "fit" => Value::Lib(Rc::clone(lib)),
            "transform" | "fit_transform" => match args.list.first() {
                Some(Value::Data(d)) => {
                    let mut d: Data = (**d).clone();
                    d.scale = scale;
                    d.whole = false;
                    Value::Data(Rc::new(d))
                }
                v => v.cloned().unwrap_or(Value::Unknown),
            },
            _ => Value::Unknown,
        }
    }

    pub fn one_hot(&mut self, v: Option<&Value<'a>>) -> Value<'a> {
        match v {
            Some(Value::Data(d)) => {
                let mut d: Data = (**d).clone();
                d.one_hot = true;
                Value::Data(Rc::new(d))
            }
            v => v.cloned().unwrap_or(Value::Unknown),
        }
    }
}

fn name_part<'a>(v: &Value<'a>, name: Option<&str>) {
    if let (Value::Lib(lib), Some(name)) = (v, name) {
        lib.name
            .borrow_mut()
            .get_or_insert_with(|| name.to_string());
    }
}
