//! Attributes and calls: of the script's own functions and classes, and of libraries.
use super::arguments::Asked;
use super::data::{Data, Part};
use super::groups::holds_tensor;
use super::machine::{Machine, canonical};
use super::value::*;
use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::Ranged;
use std::cell::RefCell;
use std::rc::Rc;

/// Arguments of a call.
#[derive(Default)]
pub(super) struct Args<'a> {
    pub list: Vec<Value<'a>>,
    pub named: Vec<(String, Value<'a>)>,
    pub asked: Asked,
}

impl<'a> Args<'a> {
    pub fn get(&self, at: usize, name: &str) -> Option<&Value<'a>> {
        self.asked.see(at, name);
        let named = self.named.iter().find(|(n, _)| n == name).map(|(_, v)| v);
        named.or_else(|| self.list.get(at))
    }
    pub fn named(&self, name: &str) -> Option<&Value<'a>> {
        self.get(usize::MAX, name)
    }
    pub fn number(&self, at: usize, name: &str) -> Option<f64> {
        self.get(at, name).and_then(Value::number)
    }
    pub fn int(&self, at: usize, name: &str) -> Option<i64> {
        self.get(at, name).and_then(Value::int)
    }
}

impl<'a> Machine<'a> {
    pub fn frame(&mut self, outer: Option<Scope<'a>>) -> Scope<'a> {
        let frame = Frame::new(outer);
        self.frames.push(Rc::clone(&frame));
        frame
    }

    pub fn attribute(&mut self, value: Value<'a>, name: &str, line: usize) -> Value<'a> {
        match &value {
            Value::Path(p) => {
                let full = canonical(&format!("{p}.{name}"));
                match full.as_str() {
                    "math.pi" | "numpy.pi" | "torch.pi" => Value::Float(std::f64::consts::PI),
                    "math.e" | "numpy.e" => Value::Float(std::f64::consts::E),
                    "numpy.newaxis" => Value::None,
                    "tf.nn.relu" => Value::path("keras.activations.relu"),
                    "tf.nn.softmax" => Value::path("keras.activations.softmax"),
                    "os.environ" => Value::path("os.environ"),
                    _ => Value::Path(full.into()),
                }
            }
            Value::Object(o) => {
                if let Some(v) = find(&o.fields.borrow(), name) {
                    return v;
                }
                if name == "training" {
                    return Value::Bool(self.training);
                }
                match member(&o.class, name) {
                    Some(Value::Func(_)) | None => {
                        Value::Method(Rc::new((value.clone(), name.to_string())))
                    }
                    Some(v) => v,
                }
            }
            Value::Lib(lib) => {
                if let Some(v) = lib.part(name) {
                    return v;
                }
                match name {
                    "weight" if lib.path.starts_with("torch.nn.") => {
                        Value::Param(Some(Rc::clone(lib)), "weight")
                    }
                    "bias" if lib.path.starts_with("torch.nn.") => {
                        Value::Param(Some(Rc::clone(lib)), "bias")
                    }
                    "dataset" if lib.kind() == "DataLoader" => {
                        lib.args.first().cloned().unwrap_or(Value::Unknown)
                    }
                    "output" | "input" if lib.path.starts_with("keras.") => Value::Unknown,
                    "data" if lib.kind() == "parameter" => value.clone(),
                    _ if name.starts_with("weight_") => {
                        Value::Param(Some(Rc::clone(lib)), "weight")
                    }
                    _ if name.starts_with("bias_") => Value::Param(Some(Rc::clone(lib)), "bias"),
                    _ => Value::Method(Rc::new((value.clone(), name.to_string()))),
                }
            }
            Value::Data(d) => match name {
                "shape" => shape(d),
                "T" => self.data_method(
                    d,
                    "transpose",
                    &Args {
                        list: vec![],
                        named: vec![],
                        ..Args::default()
                    },
                    line,
                ),
                "ndim" => Value::Int(d.shape.len() as i64),
                "dtype" | "device" => Value::Unknown,
                "size" if !d.tensor => Value::Int(d.shape.iter().product::<usize>() as i64),
                "data" | "values" => value.clone(),
                _ => Value::Method(Rc::new((value.clone(), name.to_string()))),
            },
            Value::Tensor(_) => match name {
                "shape" => Value::tuple(vec![
                    Value::Batch,
                    Value::Unknown,
                    Value::Unknown,
                    Value::Unknown,
                ]),
                "device" | "dtype" => Value::Unknown,
                _ => Value::Method(Rc::new((value.clone(), name.to_string()))),
            },
            Value::Param(..) if name == "data" => value.clone(),
            Value::Unknown | Value::None => Value::Unknown,
            _ => Value::Method(Rc::new((value.clone(), name.to_string()))),
        }
    }

    pub fn call_expr(&mut self, c: &'a ast::ExprCall, scope: &Scope<'a>) -> Value<'a> {
        let line = self.line(c);
        // super().__init__() and its kin: the bases are the library's.
        if let Expr::Attribute(a) = &*c.func
            && let Expr::Call(inner) = &*a.value
            && let Expr::Name(n) = &*inner.func
            && n.id.as_str() == "super"
        {
            return Value::None;
        }
        let f = self.expr(&c.func, scope);
        let mut args = Args {
            list: Vec::new(),
            named: Vec::new(),
            ..Args::default()
        };
        for a in &c.arguments.args {
            let value = self.expr(a, scope);
            match (a, value.items()) {
                (Expr::Starred(_), Some(items)) => args.list.extend(items),
                (Expr::Starred(_), None) => {
                    let items = match &value {
                        Value::Lib(lib) if lib.kind() == "Sequential" => {
                            lib.parts.borrow().iter().map(|(_, v)| v.clone()).collect()
                        }
                        _ => vec![Value::Unknown],
                    };
                    args.list.extend(items);
                }
                _ => args.list.push(value),
            }
        }
        for k in &c.arguments.keywords {
            let value = self.expr(&k.value, scope);
            match &k.arg {
                Some(name) => args.named.push((name.to_string(), value)),
                None => {
                    if let Value::Dict(d) = &value {
                        for (k, v) in d.borrow().iter() {
                            if let Some(name) = k.text() {
                                args.named.push((name.to_string(), v.clone()));
                            }
                        }
                    }
                }
            }
        }
        if args.list.len() > 10_000 {
            return Value::Unknown;
        }
        if let Value::Method(m) = &f
            && let (Value::Lib(scheduler), "step") = (&m.0, &*m.1)
            && let Some(given) = c.arguments.args.first()
        {
            let text = self.source.get(given.range().to_std_range());
            self.watched(&Rc::clone(scheduler), text.unwrap_or_default());
        }
        let made = self.call(&f, args, line);
        self.charge(made)
    }

    pub fn call(&mut self, f: &Value<'a>, args: Args<'a>, line: usize) -> Value<'a> {
        match f {
            Value::Func(func) if self.found.keras && holds_tensor(&args.list) => {
                let given = args.list.clone();
                self.grouped(&func.name, &given, |m| {
                    m.call_func(func, None, args.list, args.named, line)
                })
            }
            Value::Func(func) => self.call_func(func, None, args.list, args.named, line),
            Value::Class(class) => self.instance(class, args, line),
            Value::Object(o) => {
                let call = ["forward", "call", "__call__"]
                    .iter()
                    .find_map(|n| member(&o.class, n));
                let Some(Value::Func(func)) = call else {
                    return Value::Unknown;
                };
                let given = args.list.clone();
                let apply = |m: &mut Self| {
                    m.inside += 1;
                    let out = m.call_func(&func, Some(f.clone()), args.list, args.named, line);
                    m.inside -= 1;
                    out
                };
                if self.inside == 0 && !(self.found.keras && holds_tensor(&given)) {
                    return apply(self);
                }
                let own = o.name.borrow().clone();
                let name = own.unwrap_or_else(|| super::keras_layers::snake(&o.class.name));
                self.grouped(&name, &given, apply)
            }
            Value::Method(m) => {
                let (this, name) = (&m.0, m.1.as_str());
                self.call_method(this, name, args, line)
            }
            Value::Path(p) => self.call_path(&p.clone(), args, line),
            Value::Lib(lib) => self.call_lib(lib, args, line),
            _ => Value::Unknown,
        }
    }

    fn instance(&mut self, class: &Rc<Class<'a>>, args: Args<'a>, line: usize) -> Value<'a> {
        let object = Value::Object(Rc::new(Object {
            class: Rc::clone(class),
            name: RefCell::default(),
            fields: RefCell::default(),
        }));
        if let Some(Value::Func(init)) = member(class, "__init__") {
            self.call_func(&init, Some(object.clone()), args.list, args.named, line);
        }
        if is_model(class)
            && member(class, "forward")
                .or_else(|| member(class, "call"))
                .is_some()
        {
            self.found.model = Some(object.clone());
        }
        object
    }

    fn call_method(
        &mut self,
        this: &Value<'a>,
        name: &str,
        args: Args<'a>,
        line: usize,
    ) -> Value<'a> {
        match this {
            Value::Object(o) => {
                if let Some(Value::Func(func)) = member(&o.class, name) {
                    return self.call_func(&func, Some(this.clone()), args.list, args.named, line);
                }
                self.module_method(this, name, args, line)
            }
            Value::Lib(lib) => self.lib_method(lib, name, args, line),
            Value::Tensor(t) => self.tensor_method(&t.clone(), name, &args, line),
            Value::Data(d) if self.inside > 0 && d.is_layer(name, &args) => {
                match self.enter(this, line) {
                    Some(t) => self.tensor_method(&t, name, &args, line),
                    None => Value::Unknown,
                }
            }
            Value::Data(d) => self.data_method(&d.clone(), name, &args, line),
            Value::Loss(l) => match name {
                "backward" => {
                    self.found.loss = Some(Rc::clone(l));
                    self.found.torch = true;
                    Value::None
                }
                "mean" | "sum" => this.clone(),
                _ => Value::Unknown,
            },
            // Of a parameter: w.abs().sum() and w.square().sum().
            Value::Param(..) => match name {
                "abs" => Value::Penalty(1.0, 0.0),
                "square" => Value::Penalty(0.0, 1.0),
                "pow" => Value::Penalty(0.0, 1.0),
                _ => this.clone(),
            },
            Value::Penalty(..) => this.clone(),
            Value::List(l) => match name {
                "append" => {
                    if l.borrow().len() < 10_000 {
                        l.borrow_mut().extend(args.list.into_iter().next());
                    }
                    Value::None
                }
                "extend" => {
                    let more = args.list.first().and_then(Value::items).unwrap_or_default();
                    if l.borrow().len() + more.len() < 10_000 {
                        l.borrow_mut().extend(more);
                    }
                    Value::None
                }
                "copy" => Value::list(l.borrow().clone()),
                _ => Value::Unknown,
            },
            Value::Dict(d) => match name {
                "items" => {
                    let pair =
                        |(k, v): &(Value<'a>, Value<'a>)| Value::tuple(vec![k.clone(), v.clone()]);
                    Value::list(d.borrow().iter().map(pair).collect())
                }
                "keys" => Value::list(d.borrow().iter().map(|(k, _)| k.clone()).collect()),
                "values" => Value::list(d.borrow().iter().map(|(_, v)| v.clone()).collect()),
                "get" => {
                    let key = args.list.first().cloned().unwrap_or(Value::None);
                    let or = args.list.get(1).cloned().unwrap_or(Value::None);
                    let d = d.borrow();
                    d.iter()
                        .find(|(k, _)| super::machine::same(k, &key))
                        .map_or(or, |(_, v)| v.clone())
                }
                _ => Value::Unknown,
            },
            Value::Stat(..) if matches!(name, "item" | "float" | "to") => this.clone(),
            _ => Value::Unknown,
        }
    }

    /// A batch of a loader: what its data set's samples are made of.
    pub fn batch(&mut self, loader: &Rc<Lib<'a>>) -> Value<'a> {
        let set = loader.arg(0, "dataset").cloned().unwrap_or(Value::Unknown);
        let batch = match loader.arg(1, "batch_size") {
            Some(v) => v.clone(),
            None => Value::Int(1),
        };
        let share = match &batch {
            Value::Int(n) => Some(super::machine::Batch::Of(*n)),
            Value::None => Some(super::machine::Batch::Whole),
            _ => None,
        };
        let shuffle = match (loader.arg(3, "sampler"), loader.arg(2, "shuffle")) {
            (Some(Value::Lib(_)), _) => Some(true),
            (_, Some(v)) => v.truth(),
            (_, None) => Some(false),
        };
        self.unasked(loader);
        self.batch_now = Some((share, shuffle));
        self.sample(&set, loader.line)
    }

    /// One sample of a data set, or a batch of them.
    fn sample(&mut self, set: &Value<'a>, line: usize) -> Value<'a> {
        match set {
            Value::Lib(lib) => match lib.kind() {
                "TensorDataset" | "dataset" => Value::tuple(lib.args.clone()),
                "Subset" => match lib.args.first() {
                    Some(inner) => self.sample(&inner.clone(), line),
                    None => Value::Unknown,
                },
                "zip" => Value::tuple(lib.args.clone()),
                _ => Value::Unknown,
            },
            Value::Object(o) => match member(&o.class, "__getitem__") {
                Some(Value::Func(f)) => {
                    self.call_func(&f, Some(set.clone()), vec![Value::Unknown], vec![], line)
                }
                _ => Value::Unknown,
            },
            // list(zip(x, y))
            Value::List(l) => l.borrow().first().cloned().unwrap_or(Value::Unknown),
            Value::Data(_) => set.clone(),
            _ => Value::Unknown,
        }
    }

    pub fn builtin(&mut self, name: &str, args: Args<'a>, line: usize) -> Value<'a> {
        let first = args.list.first().cloned().unwrap_or(Value::None);
        match name {
            "range" | "enumerate" | "zip" => Value::Lib(Lib::new(
                &format!("builtins.{name}"),
                args.list,
                args.named,
                line,
            )),
            "len" => match &first {
                Value::Data(d) => match d.shape.first() {
                    Some(n) if *n > 0 && d.part == Part::Whole => Value::Int(*n as i64),
                    _ => Value::Batch,
                },
                Value::Str(s) => Value::Int(s.chars().count() as i64),
                Value::Dict(d) => Value::Int(d.borrow().len() as i64),
                Value::Lib(lib) if matches!(lib.kind(), "TensorDataset" | "dataset" | "Subset") => {
                    Value::Batch
                }
                v => v
                    .items()
                    .map_or(Value::Unknown, |i| Value::Int(i.len() as i64)),
            },
            "int" => match &first {
                Value::Str(s) => s.trim().parse().map_or(Value::Unknown, Value::Int),
                v => v.number().map_or(Value::Unknown, |n| Value::Int(n as i64)),
            },
            "float" => match &first {
                Value::Str(s) => s.trim().parse().map_or(Value::Unknown, Value::Float),
                v => v.number().map_or(v.clone(), Value::Float),
            },
            "bool" => first.truth().map_or(Value::Unknown, Value::Bool),
            "str" => match &first {
                Value::Int(v) => Value::str(&v.to_string()),
                Value::Str(_) => first,
                _ => Value::Unknown,
            },
            "list" | "tuple" | "sorted" | "reversed" | "iter" | "set" => match &first {
                Value::Lib(lib)
                    if lib.path.starts_with("builtins.") || lib.kind() == "DataLoader" =>
                {
                    let items = self.iterate(&first).1;
                    Value::list(items)
                }
                Value::Data(_) => first,
                v => {
                    let mut items = v.items().unwrap_or_default();
                    if name == "reversed" {
                        items.reverse();
                    }
                    match name {
                        "tuple" => Value::tuple(items),
                        _ => Value::list(items),
                    }
                }
            },
            "next" => match &first {
                Value::Lib(_) => self
                    .iterate(&first)
                    .1
                    .into_iter()
                    .next()
                    .unwrap_or(Value::Unknown),
                v => v
                    .items()
                    .and_then(|i| i.first().cloned())
                    .unwrap_or(Value::Unknown),
            },
            "dict" => {
                let pairs = args
                    .named
                    .into_iter()
                    .map(|(k, v)| (Value::str(&k), v))
                    .collect();
                Value::Dict(Rc::new(RefCell::new(pairs)))
            }
            "sum" => {
                let items = first.items().unwrap_or_default();
                let mut total = Value::Int(0);
                for v in items {
                    total = match &total {
                        Value::Int(0) => v,
                        _ => self.binary(total, ast::Operator::Add, v, line),
                    };
                }
                total
            }
            "min" | "max" => {
                let items = if args.list.len() == 1 {
                    first.items().unwrap_or_default()
                } else {
                    args.list
                };
                let numbers: Option<Vec<f64>> = items.iter().map(Value::number).collect();
                let better = |a: f64, b: f64| if (name == "min") == (b < a) { b } else { a };
                let best = numbers.and_then(|n| n.into_iter().reduce(better));
                match best.and_then(|b| items.iter().find(|v| v.number() == Some(b))) {
                    Some(v) => v.clone(),
                    None => Value::Unknown,
                }
            }
            "abs" => match &first {
                Value::Int(v) => Value::Int(v.wrapping_abs()),
                Value::Float(v) => Value::Float(v.abs()),
                Value::Data(d) => super::expr::made(d.map(f64::abs)),
                _ => Value::Unknown,
            },
            "round" => match (first.number(), args.list.get(1)) {
                (Some(v), None) => Value::Int(v.round() as i64),
                (Some(v), Some(_)) => Value::Float(v),
                _ => Value::Unknown,
            },
            "isinstance" => self.is_instance(&first, args.list.get(1)),
            "type" | "getattr" => Value::Unknown,
            "map" => match (
                args.list.first().cloned(),
                args.list.get(1).and_then(Value::items),
            ) {
                (Some(f), Some(items)) => {
                    let one = |v| Args {
                        list: vec![v],
                        named: vec![],
                        ..Args::default()
                    };
                    Value::list(
                        items
                            .into_iter()
                            .take(1000)
                            .map(|v| self.call(&f, one(v), line))
                            .collect(),
                    )
                }
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    fn is_instance(&mut self, value: &Value<'a>, of: Option<&Value<'a>>) -> Value<'a> {
        let kinds = match of {
            Some(v) => v.items().unwrap_or_else(|| vec![v.clone()]),
            None => return Value::Unknown,
        };
        let path = match value {
            Value::Lib(lib) => lib.path.clone(),
            Value::Object(_) => return Value::Bool(false),
            _ => return Value::Unknown,
        };
        Value::Bool(
            kinds
                .iter()
                .any(|k| matches!(k, Value::Path(p) if *p == path)),
        )
    }
}

pub(super) fn shape<'a>(d: &Data) -> Value<'a> {
    let known = |n: &usize| {
        if *n == 0 {
            Value::Batch
        } else {
            Value::Int(*n as i64)
        }
    };
    let mut all: Vec<Value<'a>> = d.shape.iter().map(known).collect();
    if d.part != Part::Whole && !all.is_empty() {
        all[0] = Value::Batch;
    }
    Value::tuple(all)
}

/// A member of a class or of its bases.
pub(super) fn member<'a>(class: &Rc<Class<'a>>, name: &str) -> Option<Value<'a>> {
    let mut class = Rc::clone(class);
    for _ in 0..20 {
        if let Some(v) = find(&class.members.borrow(), name) {
            return Some(v);
        }
        let next = class.bases.iter().find_map(|b| match b {
            Value::Class(c) => Some(Rc::clone(c)),
            _ => None,
        });
        class = next?;
    }
    None
}

/// Whether a class is a network.
pub(super) fn is_model(class: &Rc<Class>) -> bool {
    let mut class = Rc::clone(class);
    for _ in 0..20 {
        let model = class.bases.iter().any(|b| match b {
            Value::Path(p) => {
                matches!(&**p, "torch.nn.Module" | "keras.models.Model" | "nn.Module")
                    || p.ends_with("LightningModule")
            }
            _ => false,
        });
        if model {
            return true;
        }
        let next = class.bases.iter().find_map(|b| match b {
            Value::Class(c) => Some(Rc::clone(c)),
            _ => None,
        });
        match next {
            Some(c) => class = c,
            None => return false,
        }
    }
    false
}
