//! Keras: models, `compile`, `fit` and callbacks.
use super::calls::Args;
use super::data::{Data, Part, Role};
use super::keras_layers::*;
use super::machine::{Batch, Machine};
use super::network::{Kind, Node, Tensor};
use super::torch_layers::{activation, float};
use super::value::*;
use serde_json::{Map, Value as Json, json};
use std::rc::Rc;

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
        self.layer_settings(lib);
        if lib.kind() == "MultiHeadAttention" {
            self.attends_to_itself(&first, args, line);
            self.unasked_named(args, lib.kind(), line);
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
        if lib.kind() == "MultiHeadAttention"
            && let (Some(heads), Some(each)) = (
                lib.peek(0, "num_heads").and_then(Value::int),
                lib.peek(1, "key_dim").and_then(Value::int),
            )
        {
            node.expects = usize::try_from(heads.saturating_mul(each)).ok();
        }
        node.id = lib.name.borrow().clone();
        node.module = true;
        Value::Tensor(first.then(node))
    }

    /// Penalties of a layer's weights, and what nothing asked for.
    fn layer_settings(&mut self, lib: &Rc<Lib<'a>>) {
        let cell = match (lib.kind(), lib.peek(0, "layer")) {
            ("Bidirectional", Some(Value::Lib(inner))) => Rc::clone(inner),
            _ => Rc::clone(lib),
        };
        let of = |name: &str| penalty_of(cell.arg(usize::MAX, name));
        let line = cell.line;
        match cell.kind() {
            "Embedding" => self.penalties.push((line, of("embeddings_regularizer"))),
            "LSTM" | "GRU" | "SimpleRNN" => {
                let both = ["kernel_regularizer", "recurrent_regularizer"].map(of);
                self.penalties.extend(both.map(|p| (line, p)));
            }
            "Dense" | "Conv1D" | "Conv2D" | "Conv2DTranspose" | "MultiHeadAttention" => {
                self.penalties.push((line, of("kernel_regularizer")));
            }
            "SpatialDropout1D" | "SpatialDropout2D" => {
                self.stands_in(cell.kind(), "Dropout", line);
            }
            "Permute" => self.note(line, "note-permute", &[]),
            _ => {}
        }
        self.unasked(&cell);
        if !Rc::ptr_eq(&cell, lib) {
            self.unasked(lib);
        }
    }

    /// The penalty of all layers, which is one here.
    pub fn one_penalty(&mut self) -> (f64, f64) {
        let all = std::mem::take(&mut self.penalties);
        let Some((line, Some(first))) = all.iter().find(|(_, p)| p.is_some()).copied() else {
            return (0.0, 0.0);
        };
        if all.iter().any(|(_, p)| *p != Some(first)) {
            self.note(line, "note-penalty", &[]);
        }
        first
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
                    ..Args::default()
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
        if let Some(lib) = lib {
            self.unasked(&lib);
        }
        self.unasked_named(args, "compile", line);
        self.compiled = Some((spec, line));
    }

    fn fit(&mut self, model: Value<'a>, args: &Args<'a>, line: usize) {
        let x = args.get(0, "x").cloned().unwrap_or(Value::Unknown);
        let y = args.get(1, "y").cloned().unwrap_or(Value::Unknown);
        self.found.trained = true;
        self.found.keras = true;
        let rows = match &x {
            Value::Data(d) => d.shape.first().and_then(|n| i64::try_from(*n).ok()),
            _ => None,
        };
        self.found.batch = Some(match args.get(2, "batch_size") {
            // All rows at once, as `len(x)` says it.
            Some(Value::Int(n)) if rows == Some(*n) => Batch::Whole,
            Some(Value::Int(n)) => Batch::Of(*n),
            Some(Value::Batch) => Batch::Whole,
            _ => Batch::Of(32),
        });
        self.found.epochs = Some(args.int(3, "epochs").unwrap_or(1));
        self.found.shuffle = Some(args.named("shuffle").and_then(Value::truth).unwrap_or(true));
        self.found.validation = args
            .number(usize::MAX, "validation_split")
            .filter(|v| *v > 0.0);
        if let Some(Value::Dict(d)) = args.named("class_weight") {
            let pairs = d.borrow();
            let mut weights = vec![1.0; pairs.len().min(crate::spec::limits::WEIGHTED)];
            for (k, w) in pairs.iter() {
                let at = k.int().and_then(|k| usize::try_from(k).ok());
                match (at.and_then(|k| weights.get_mut(k)), w.number()) {
                    (Some(slot), Some(w)) => *slot = w as f32,
                    _ => self.note(line, "note-class-weight", &[]),
                }
            }
            self.class_weight = Some(weights);
        }
        for callback in args
            .named("callbacks")
            .and_then(Value::items)
            .unwrap_or_default()
        {
            self.callback(&callback, line);
        }
        self.unasked_named(args, "fit", line);
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
                    ..Args::default()
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
            penalty: self.one_penalty(),
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
            "History" | "ProgbarLogger" => {}
            _ => self.note(line, "note-callback", &[("name", lib.kind().to_string())]),
        }
    }

    /// A callback that watches the end of an epoch.
    fn watcher(&mut self, lib: &Rc<Lib<'a>>) {
        let key = |name: &str| lib.arg(usize::MAX, name);
        let first = usize::from(lib.kind() == "ModelCheckpoint");
        let monitor = lib
            .arg(first, "monitor")
            .and_then(Value::text)
            .unwrap_or("val_loss");
        let monitor = match monitor {
            "val_loss" | "val_accuracy" | "loss" => monitor.to_string(),
            "val_acc" => "val_accuracy".to_string(),
            other => {
                self.note(lib.line, "note-monitor", &[("name", other.to_string())]);
                "val_loss".to_string()
            }
        };
        let wanted = if monitor == "val_accuracy" {
            "max"
        } else {
            "min"
        };
        if lib.peek(usize::MAX, "mode").and_then(Value::text) == Some(wanted) {
            key("mode");
        }
        if first == 1 {
            lib.arg(0, "filepath");
        }
        let number = |name: &str, or: f64| key(name).and_then(Value::number).unwrap_or(or);
        match lib.kind() {
            "EarlyStopping" => {
                let patience = number("patience", 0.0).clamp(0.0, 1e6) as u64;
                let restore = key("restore_best_weights")
                    .and_then(Value::truth)
                    .unwrap_or(false);
                self.early_stopping = Some(json!({
                    "monitor": monitor, "patience": patience, "min_delta": number("min_delta", 0.0) as f32,
                    "restore_best": restore,
                }));
            }
            "ModelCheckpoint" => {
                let best = key("save_best_only")
                    .and_then(Value::truth)
                    .unwrap_or(false);
                self.checkpoints = Some(json!({"monitor": monitor, "best_only": best}));
            }
            _ => {
                self.found.schedule = Some(json!({
                    "kind": "plateau", "monitor": monitor, "factor": number("factor", 0.1) as f32,
                    "patience": number("patience", 10.0).clamp(0.0, 1e6) as u64, "least": number("min_lr", 0.0) as f32,
                }));
            }
        }
        self.unasked(lib);
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
                        ..Args::default()
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
