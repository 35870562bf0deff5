//! Calls of libraries: data sets, losses, optimizers, and what is passed over.
use super::calls::Args;
use super::data::{Data, Part, Role, Scaling, Set};
use super::machine::{Machine, same};
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
    "torch.optim.lr_scheduler.ReduceLROnPlateau",
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
        if path.starts_with("torch.nn.functional.")
            || path.starts_with("torch.") && !path.starts_with("torch.nn.")
        {
            if let Some(v) = self.torch_function(last, &args, line) {
                return v;
            }
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
            return self.keras_made(path, args, line);
        }
        if PASSED.iter().any(|p| path.starts_with(p)) {
            return match path {
                "tqdm.tqdm" => Value::Lib(Lib::new(path, args.list, args.named, line)),
                "copy.deepcopy" => args.list.into_iter().next().unwrap_or(Value::Unknown),
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

    /// Both roles of a set, as a part of it.
    fn pair(set: &Rc<Set>, part: Part) -> [Value<'a>; 2] {
        [Role::X, Role::Y].map(|r| Value::Data(Rc::new(Data::of_set(set, r, part))))
    }

    fn known_data(&mut self, path: &str, args: &Args<'a>, line: usize) -> Option<Value<'a>> {
        let int = |at, name, or: i64| args.int(at, name).unwrap_or(or).max(0);
        let num = |at, name, or: f64| args.number(at, name).unwrap_or(or) as f32;
        let set = |source: Json, sample: &[usize], rows: i64, classes: Option<usize>| {
            Rc::new(Set {
                source,
                sample: sample.to_vec(),
                rows: usize::try_from(rows).ok(),
                classes,
                own_test: false,
                bytes: false,
                test: 0.0,
                shuffle: true,
            })
        };
        if let Some(seed) = args
            .int(usize::MAX, "random_state")
            .filter(|_| path.contains("sklearn.datasets.make"))
        {
            self.found.seed.get_or_insert(seed);
        }
        let name = path.rsplit('.').next().unwrap_or_default();
        let generated = match path {
            "sklearn.datasets.make_regression" => {
                let (n, f) = (int(0, "n_samples", 100), int(1, "n_features", 100));
                set(
                    json!({"kind": "make_regression", "samples": n, "features": f, "noise": num(6, "noise", 0.0), "bias": num(4, "bias", 0.0)}),
                    &[f as usize],
                    n,
                    None,
                )
            }
            "sklearn.datasets.make_blobs" => {
                let (n, k) = (
                    int(0, "n_samples", 100),
                    match args.get(2, "centers") {
                        Some(v) => v.int().or(v.items().map(|i| i.len() as i64)).unwrap_or(3),
                        None => 3,
                    },
                );
                if int(1, "n_features", 2) != 2 {
                    self.note(line, "note-blobs", &[]);
                }
                set(
                    json!({"kind": "blobs", "samples": n, "centers": k, "std": num(3, "cluster_std", 1.0)}),
                    &[2],
                    n,
                    Some(k as usize),
                )
            }
            "sklearn.datasets.make_circles" => {
                let n = int(0, "n_samples", 100);
                set(
                    json!({"kind": "circles", "samples": n, "noise": num(2, "noise", 0.0), "factor": num(4, "factor", 0.8)}),
                    &[2],
                    n,
                    Some(2),
                )
            }
            "sklearn.datasets.make_moons" => {
                let n = int(0, "n_samples", 100);
                set(
                    json!({"kind": "moons", "samples": n, "noise": num(2, "noise", 0.0)}),
                    &[2],
                    n,
                    Some(2),
                )
            }
            "sklearn.datasets.make_classification" => {
                self.note(line, "note-classification", &[]);
                let (n, k) = (int(0, "n_samples", 100), int(usize::MAX, "n_classes", 2));
                set(
                    json!({"kind": "blobs", "samples": n, "centers": k, "std": 2.0}),
                    &[2],
                    n,
                    Some(k as usize),
                )
            }
            "nabla.make_xor" => {
                let n = int(0, "samples", 200);
                set(
                    json!({"kind": "xor", "samples": n, "noise": num(1, "noise", 0.0)}),
                    &[2],
                    n,
                    Some(2),
                )
            }
            "nabla.make_separable" => {
                let n = int(0, "samples", 200);
                set(
                    json!({"kind": "separable", "samples": n, "margin": num(1, "margin", 0.0)}),
                    &[2],
                    n,
                    Some(2),
                )
            }
            "nabla.make_sine" => {
                let (n, w) = (int(0, "samples", 200), int(1, "window", 25));
                set(
                    json!({"kind": "sine", "samples": n, "window": w, "period": num(2, "period", 40.0), "noise": num(3, "noise", 0.0)}),
                    &[w as usize, 1],
                    n,
                    None,
                )
            }
            "nabla.make_spirals" => {
                let (n, k) = (int(0, "samples", 200), int(1, "arms", 2));
                set(
                    json!({"kind": "spirals", "samples": n, "arms": k, "turns": num(2, "turns", 1.0), "noise": num(3, "noise", 0.0)}),
                    &[2],
                    n,
                    Some(k as usize),
                )
            }
            _ => return self.loaded(path, name, args, line),
        };
        Some(Value::tuple(Self::pair(&generated, Part::Whole).to_vec()))
    }

    fn loaded(
        &mut self,
        path: &str,
        name: &str,
        args: &Args<'a>,
        line: usize,
    ) -> Option<Value<'a>> {
        let bundled = |name: &str, sample: &[usize], rows: usize, classes: Option<usize>| {
            Rc::new(Set {
                source: json!({"kind": "bundled", "name": name}),
                sample: sample.to_vec(),
                rows: Some(rows),
                classes,
                own_test: false,
                bytes: false,
                test: 0.0,
                shuffle: true,
            })
        };
        let sklearn = match path {
            "sklearn.datasets.load_digits" => Some(bundled("digits", &[8, 8], 1797, Some(10))),
            "sklearn.datasets.load_iris" => Some(bundled("iris", &[4], 150, Some(3))),
            "sklearn.datasets.load_breast_cancer" => {
                Some(bundled("breast_cancer", &[30], 569, Some(2)))
            }
            "sklearn.datasets.load_diabetes" => Some(bundled("diabetes", &[10], 442, None)),
            _ => None,
        };
        if let Some(set) = sklearn {
            let [x, y] = Self::pair(&set, Part::Whole);
            let flat = match (&x, name) {
                (Value::Data(d), "load_digits") => d
                    .reshaped(&[-1, 64])
                    .map_or(x.clone(), |d| Value::Data(Rc::new(d))),
                _ => x.clone(),
            };
            if args.named("return_X_y").and_then(Value::truth) == Some(true) {
                return Some(Value::tuple(vec![flat, y]));
            }
            let lib = Lib::new("bunch", vec![], vec![], line);
            for (k, v) in [("data", flat), ("images", x), ("target", y)] {
                lib.parts.borrow_mut().push((k.into(), v));
            }
            return Some(Value::Lib(lib));
        }
        if path == "nabla.load_iris_pair" {
            let set = bundled("iris_pair", &[2], 100, Some(2));
            return Some(Value::tuple(Self::pair(&set, Part::Whole).to_vec()));
        }
        if path == "nabla.enlarge" {
            let set = bundled("digits28", &[28, 28], 1797, Some(10));
            return Some(Self::pair(&set, Part::Whole)[0].clone());
        }
        if path == "nabla.read_idx" {
            let file = args
                .list
                .first()
                .and_then(Value::text)
                .unwrap_or_default()
                .to_string();
            let set = self.idx.get_or_insert_with(|| {
                Rc::new(Set {
                    source: json!({"kind": "files", "name": "mnist", "format": "idx", "shape": [28, 28], "classes": 10}),
                    sample: vec![28, 28], rows: None, classes: Some(10), own_test: true, bytes: false, test: 0.0, shuffle: true,
                })
            });
            let part = if file.starts_with("t10k") {
                Part::Test
            } else {
                Part::Train
            };
            let at = usize::from(file.contains("labels"));
            return Some(Self::pair(&Rc::clone(set), part)[at].clone());
        }
        let of = |path: &str| {
            path.starts_with("keras.datasets.") || path.starts_with("torchvision.datasets.")
        };
        if of(path) && (name == "load_data" || path.starts_with("torchvision.datasets.")) {
            return self.downloaded(path, args, line);
        }
        match path {
            "sklearn.model_selection.train_test_split" => Some(self.split(args)),
            "torch.utils.data.random_split" => Some(self.random_split(args)),
            "torch.utils.data.TensorDataset" | "torch.utils.data.Subset" => {
                Some(Value::Lib(Lib::new(path, args.list.clone(), vec![], line)))
            }
            "keras.utils.to_categorical" | "torch.nn.functional.one_hot" => {
                Some(self.one_hot(args.list.first()))
            }
            "keras.utils.pad_sequences" => Some(self.padded(args)),
            "pandas.read_csv" => {
                let file = args
                    .list
                    .first()
                    .and_then(Value::text)
                    .unwrap_or("data.csv")
                    .to_string();
                self.note(line, "note-csv", &[("name", file.clone())]);
                let set = Rc::new(Set {
                    source: json!({"kind": "files", "name": file, "format": "csv"}),
                    sample: vec![1],
                    rows: None,
                    classes: None,
                    own_test: false,
                    bytes: false,
                    test: 0.0,
                    shuffle: true,
                });
                let [x, y] = Self::pair(&set, Part::Whole);
                let lib = Lib::new("bunch", vec![], vec![], line);
                lib.parts
                    .borrow_mut()
                    .extend([("data".to_string(), x), ("target".to_string(), y)]);
                Some(Value::Lib(lib))
            }
            _ => None,
        }
    }

    /// MNIST and the like, which do not ship with the page: what stands in for them.
    fn downloaded(&mut self, path: &str, args: &Args<'a>, line: usize) -> Option<Value<'a>> {
        let lower = path.to_lowercase();
        let own = |source: Json, sample: &[usize], classes: usize, bytes: bool| {
            Rc::new(Set {
                source,
                sample: sample.to_vec(),
                rows: None,
                classes: Some(classes),
                own_test: false,
                bytes,
                test: 0.2,
                shuffle: true,
            })
        };
        let (set, note) = if lower.contains("fashion") {
            let source = json!({"kind": "files", "name": "fashion-mnist", "format": "idx", "shape": [28, 28], "classes": 10});
            let mut set = Rc::try_unwrap(own(source, &[28, 28], 10, true)).ok()?;
            (set.own_test, set.test) = (true, 0.0);
            (Rc::new(set), "note-fashion")
        } else if lower.contains("mnist") {
            let drawn = crate::spec::presets::find("mnist-mlp").is_some_and(|s| {
                s.data.source == crate::spec::DataSource::DrawnDigits { samples: 5000 }
            });
            let source = match drawn {
                true => json!({"kind": "drawn_digits", "samples": 5000}),
                false => json!({"kind": "bundled", "name": "digits28"}),
            };
            (own(source, &[28, 28], 10, true), "note-mnist")
        } else if lower.contains("cifar10") && !lower.contains("cifar100") {
            (
                own(
                    json!({"kind": "shapes", "samples": 2000}),
                    &[3, 32, 32],
                    10,
                    true,
                ),
                "note-cifar",
            )
        } else if lower.contains("imdb") {
            let words = args.int(usize::MAX, "num_words").unwrap_or(10_000);
            self.text = Some(
                json!({"words": words, "length": 500, "pad": "front", "cut": "front", "unknown": true}),
            );
            let mut set = Rc::try_unwrap(own(
                json!({"kind": "reviews", "samples": 2000}),
                &[500],
                2,
                false,
            ))
            .ok()?;
            set.test = 0.25;
            (Rc::new(set), "note-imdb")
        } else {
            self.note(line, "note-dataset", &[("name", path.to_string())]);
            return Some(Value::Unknown);
        };
        self.note(line, note, &[]);
        let set = match self.downloads.iter().find(|s| s.source == set.source) {
            Some(s) => Rc::clone(s),
            None => {
                self.downloads.push(Rc::clone(&set));
                set
            }
        };
        let (train, test) = (Self::pair(&set, Part::Train), Self::pair(&set, Part::Test));
        if path.starts_with("torchvision.") {
            let is_train = args.get(1, "train").and_then(Value::truth).unwrap_or(true);
            let mut pair = if is_train { train } else { test };
            self.transform(args.named("transform").cloned(), &mut pair, line);
            return Some(Value::Lib(Lib::new(
                "torchvision.dataset",
                pair.to_vec(),
                vec![],
                line,
            )));
        }
        Some(Value::tuple(vec![
            Value::tuple(train.to_vec()),
            Value::tuple(test.to_vec()),
        ]))
    }

    /// ToTensor divides by 255; a Normalize with fixed numbers is left out.
    fn transform(&mut self, transform: Option<Value<'a>>, pair: &mut [Value<'a>; 2], line: usize) {
        let Some(Value::Lib(lib)) = transform else {
            return;
        };
        let list = match lib.kind() {
            "Compose" => lib.args.first().and_then(Value::items).unwrap_or_default(),
            _ => vec![Value::Lib(Rc::clone(&lib))],
        };
        for one in list {
            let (kind, at) = match &one {
                Value::Lib(l) => (l.kind().to_string(), l.line),
                _ => continue,
            };
            match kind.as_str() {
                "ToTensor" => {
                    if let Value::Data(d) = &pair[0] {
                        let mut d: Data = (**d).clone();
                        d.scale = Scaling::Divide(255.0);
                        d.tensor = true;
                        pair[0] = Value::Data(Rc::new(d));
                    }
                }
                "Normalize" => self.note(at, "note-normalize", &[]),
                _ => self.note(line, "note-transform", &[("name", kind)]),
            }
        }
    }

    fn split(&mut self, args: &Args<'a>) -> Value<'a> {
        if let Some(seed) = args.int(usize::MAX, "random_state") {
            self.found.seed.get_or_insert(seed);
        }
        let share = |name: &str| args.named(name).and_then(Value::number);
        let test = share("test_size")
            .or(share("train_size").map(|t| 1.0 - t))
            .unwrap_or(0.25);
        let shuffle = args.named("shuffle").and_then(Value::truth).unwrap_or(true);
        let mut out = Vec::new();
        for v in &args.list {
            match v {
                Value::Data(d) => {
                    let rows = d.shape.first().copied().unwrap_or(0).max(1) as f64;
                    let share = if test >= 1.0 { test / rows } else { test };
                    let (a, b) = d.split(share, shuffle);
                    out.extend([a, b].map(|d| Value::Data(Rc::new(d))));
                }
                other => out.extend([other.clone(), other.clone()]),
            }
        }
        Value::tuple(out)
    }

    fn random_split(&mut self, args: &Args<'a>) -> Value<'a> {
        let Some(Value::Lib(lib)) = args.list.first() else {
            return Value::Unknown;
        };
        let sizes: Vec<f64> = args
            .list
            .get(1)
            .and_then(Value::items)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::number)
            .collect();
        let total: f64 = sizes.iter().sum();
        let share = match sizes[..] {
            [_, b] if total > 0.0 => b / total,
            _ => 0.2,
        };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for v in &lib.args {
            match v {
                Value::Data(d) => {
                    let (a, b) = d.split(share, true);
                    first.push(Value::Data(Rc::new(a)));
                    second.push(Value::Data(Rc::new(b)));
                }
                other => {
                    first.push(other.clone());
                    second.push(other.clone());
                }
            }
        }
        let made = |list| Value::Lib(Lib::new(&lib.path, list, vec![], lib.line));
        Value::tuple(vec![made(first), made(second)])
    }

    fn padded(&mut self, args: &Args<'a>) -> Value<'a> {
        if let Some(text) = &mut self.text {
            let side = |v: Option<&Value<'a>>| {
                if v.and_then(Value::text) == Some("post") {
                    "back"
                } else {
                    "front"
                }
            };
            if let Some(n) = args.int(1, "maxlen") {
                text["length"] = json!(n);
            }
            text["pad"] = json!(side(args.named("padding")));
            text["cut"] = json!(side(args.named("truncating")));
        }
        args.list.first().cloned().unwrap_or(Value::Unknown)
    }
}

fn name_part<'a>(v: &Value<'a>, name: Option<&str>) {
    if let (Value::Lib(lib), Some(name)) = (v, name) {
        lib.name
            .borrow_mut()
            .get_or_insert_with(|| name.to_string());
    }
}

/// Whether two values are the same data under the same role.
pub(super) fn same_data(a: &Value, b: &Value) -> bool {
    use super::data::Origin;
    match (a, b) {
        (Value::Data(a), Value::Data(b)) => match (&a.origin, &b.origin) {
            (Origin::Set(x, r), Origin::Set(y, s)) => Rc::ptr_eq(x, y) && r == s,
            (Origin::Numbers(x), Origin::Numbers(y)) => Rc::ptr_eq(x, y),
            _ => false,
        },
        (a, b) => same(a, b),
    }
}
