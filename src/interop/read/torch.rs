//! PyTorch: modules on tensors, functions and methods of tensors, training loops.
use super::calls::Args;
use super::machine::Machine;
use super::network::{Kind, Node, Tensor, layer};
use super::torch_layers::*;
use super::value::*;
use serde_json::{Map, Value as Json, json};
use std::rc::Rc;

impl<'a> Machine<'a> {
    /// The value as a tensor of a network: data begins one.
    pub fn enter(&mut self, x: &Value<'a>, line: usize) -> Option<Tensor<'a>> {
        match x {
            Value::Tensor(t) => Some(t.clone()),
            Value::Data(d) => {
                if !d.tensor && d.values().is_some() && self.found.torch {
                    self.note(line, "note-numpy", &[]);
                }
                // Two modules that read the same samples are of one network.
                if let Some((seen, tensor)) = &self.entered
                    && Rc::ptr_eq(seen, d)
                {
                    return Some(tensor.clone());
                }
                let tensor = Tensor::input(x.clone(), line);
                self.entered = Some((Rc::clone(d), tensor.clone()));
                Some(tensor)
            }
            Value::Unknown => Some(Tensor::input(Value::Unknown, line)),
            _ => None,
        }
    }

    pub fn call_torch(&mut self, lib: &Rc<Lib<'a>>, args: &Args<'a>, line: usize) -> Value<'a> {
        let kind = lib.kind().to_string();
        if let Some(loss) = loss_of(&kind) {
            return self.loss(loss, Some(lib), args, line);
        }
        if matches!(
            kind.as_str(),
            "Sequential" | "DistributedDataParallel" | "DataParallel"
        ) {
            let mut x = args.list.first().cloned().unwrap_or(Value::Unknown);
            let parts = lib.parts.borrow().clone();
            let inner = lib.args.first().cloned();
            if kind != "Sequential" {
                let Some(inner) = inner else {
                    return Value::Unknown;
                };
                let args = Args {
                    list: args.list.clone(),
                    named: args.named.clone(),
                    ..Args::default()
                };
                return self.deeper(line, |m| m.call(&inner, args, line));
            }
            self.inside += 1;
            for (_, part) in parts {
                x = self.deeper(line, |m| {
                    m.call(
                        &part,
                        Args {
                            list: vec![x],
                            named: vec![],
                            ..Args::default()
                        },
                        line,
                    )
                });
            }
            self.inside -= 1;
            return x;
        }
        let named = || args.get(0, "input").or_else(|| args.named("query"));
        let Some(x) = args.list.first().or_else(named) else {
            return Value::Unknown;
        };
        let Some(x) = self.enter(&x.clone(), line) else {
            return Value::Unknown;
        };
        self.found.torch = true;
        let shown = lib.path.to_string();
        let (mut map, expects) = match fields(lib) {
            Ok((Json::Object(map), expects)) => (map, expects),
            Ok(_) => return Value::Tensor(x),
            Err(_) if log_softmax(&kind) => {
                return self.log_softmax(&x, line);
            }
            Err(code) => {
                self.note(lib.line, code, &[("name", shown)]);
                return Value::Tensor(x);
            }
        };
        map.extend(lib.inits.borrow().clone());
        if kind == "MultiheadAttention" {
            let masks = [args.named("is_causal"), args.named("attn_mask")];
            let masked = |v: &Value<'a>| !matches!(v, Value::None | Value::Bool(false));
            if masks.into_iter().flatten().any(masked) {
                map.insert("causal".into(), json!(true));
            }
            self.attends_to_itself(&x, args, line);
            self.unasked_named(args, &kind, line);
            if !truth(lib.arg(usize::MAX, "batch_first"), false) {
                self.note(lib.line, "note-batch-first", &[]);
            }
        }
        if matches!(&*kind, "Dropout1d" | "Dropout2d") {
            self.stands_in(&kind, "Dropout", lib.line);
        }
        if !matches!(&*kind, "RNN" | "LSTM" | "GRU") {
            self.unasked(lib);
        }
        let own = map
            .get("kind")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_string();
        if matches!(own.as_str(), "rnn" | "lstm" | "gru") {
            return self.recurrent(lib, &x, map, expects, line);
        }
        let out = self.place(lib, &x, Json::Object(map), expects);
        match kind.as_str() {
            "MultiheadAttention" => Value::tuple(vec![out, Value::Unknown]),
            _ => out,
        }
    }

    /// Attention reads one sequence: others are told.
    pub fn attends_to_itself(&mut self, x: &Tensor<'a>, args: &Args<'a>, line: usize) {
        let others = [args.get(1, "key"), args.get(2, "value")];
        let other = |v: &Value<'a>| matches!(v, Value::Tensor(t) if t.source() != x.source());
        if others.into_iter().flatten().any(other) {
            self.note(line, "note-attention", &[]);
        }
    }

    pub fn stands_in(&mut self, name: &str, instead: &str, line: usize) {
        let args = [("name", name.to_string()), ("instead", instead.to_string())];
        self.note(line, "note-close", &args);
    }

    /// Follows a call that may nest, if not too deep.
    fn deeper(&mut self, line: usize, f: impl FnOnce(&mut Self) -> Value<'a>) -> Value<'a> {
        if self.nested >= 24 {
            self.note(line, "note-too-long", &[]);
            return Value::Unknown;
        }
        self.nested += 1;
        let out = f(self);
        self.nested -= 1;
        out
    }

    fn place(
        &mut self,
        lib: &Rc<Lib<'a>>,
        x: &Tensor<'a>,
        map: Json,
        expects: Option<usize>,
    ) -> Value<'a> {
        let has_weights = !matches!(
            map["kind"].as_str(),
            Some(
                "activation"
                    | "dropout"
                    | "flatten"
                    | "reshape"
                    | "max_pool1d"
                    | "max_pool2d"
                    | "avg_pool1d"
                    | "avg_pool2d"
                    | "upsample"
                    | "global_avg_pool"
                    | "global_max_pool"
            )
        );
        let mut node = Node::new(layer(map), vec![x.node], lib.line);
        node.id = lib.name.borrow().clone();
        node.module = node.id.is_some();
        node.expects = expects;
        let twice = x
            .trace
            .nodes
            .borrow()
            .iter()
            .any(|n| n.line == lib.line && n.id == node.id && n.module);
        if twice && has_weights {
            self.note(lib.line, "note-shared", &[]);
        }
        Value::Tensor(x.then(node))
    }

    fn recurrent(
        &mut self,
        lib: &Rc<Lib<'a>>,
        x: &Tensor<'a>,
        map: Map<String, Json>,
        expects: Option<usize>,
        line: usize,
    ) -> Value<'a> {
        let layers = usize_of(lib.arg(2, "num_layers")).unwrap_or(1).clamp(1, 16);
        let dropout = lib
            .arg(usize::MAX, "dropout")
            .and_then(Value::number)
            .unwrap_or(0.0);
        if lib.arg(usize::MAX, "batch_first").and_then(Value::truth) != Some(true) {
            self.note(lib.line, "note-batch-first", &[]);
        }
        if layers > 1 {
            self.note(lib.line, "note-stacked", &[("count", layers.to_string())]);
        }
        self.unasked(lib);
        let mut x = x.clone();
        for k in 0..layers {
            let reads = if k == 0 { expects } else { None };
            if k > 0 && dropout > 0.0 {
                x = x.next(
                    layer(json!({"kind": "dropout", "rate": dropout as f32})),
                    line,
                );
            }
            if let Value::Tensor(t) = self.place(lib, &x, Json::Object(map.clone()), reads) {
                x = t;
            }
        }
        let state = Value::Tensor(x.next(Kind::State(None), line));
        let state = match lib.kind() {
            "LSTM" => Value::tuple(vec![state, Value::Unknown]),
            _ => state,
        };
        Value::tuple(vec![Value::Tensor(x), state])
    }

    /// A log-softmax before NLLLoss: the loss does both.
    fn log_softmax(&mut self, x: &Tensor<'a>, line: usize) -> Value<'a> {
        self.log_softmax_at = Some(line);
        Value::Tensor(x.next(Kind::Same, line))
    }

    /// A function that is an activation, or a layer without weights.
    pub fn torch_function(
        &mut self,
        name: &str,
        args: &Args<'a>,
        line: usize,
    ) -> Option<Value<'a>> {
        if let Some(loss) = loss_of_function(name) {
            let settings = args
                .named
                .iter()
                .filter(|(n, _)| n != "input" && n != "target");
            let lib = Lib::new(name, vec![], settings.cloned().collect(), line);
            return Some(self.loss(loss, Some(&lib), args, line));
        }
        let first = args.list.first()?;
        let is_data = matches!(first, Value::Data(_));
        if matches!(name, "cat" | "concat" | "stack") {
            return self.cat(name, args, line);
        }
        if is_data
            && !matches!(
                name,
                "max_pool2d" | "relu" | "dropout" | "flatten" | "log_softmax" | "interpolate"
            )
        {
            return None;
        }
        let x = match first {
            Value::Tensor(t) => t.clone(),
            Value::Data(_) => self.enter(&first.clone(), line)?,
            _ => return None,
        };
        if let Some(f) = function_of(name) {
            let default = match f {
                "leaky_relu" => float(args.get(1, "negative_slope")),
                "elu" => float(args.get(1, "alpha")),
                _ => None,
            };
            let f = match (f, args.get(1, "approximate").and_then(Value::text)) {
                ("gelu", Some("tanh")) => "gelu_tanh",
                _ => f,
            };
            let mut node = Node::new(layer(activation(f, default.clone())), vec![x.node], line);
            node.fusable = default.is_none();
            return Some(Value::Tensor(x.then(node)));
        }
        let add = |fields: Json| Some(Value::Tensor(x.next(layer(fields), line)));
        match name {
            "log_softmax" => Some(self.log_softmax(&x, line)),
            "dropout" | "dropout2d" => add(
                json!({"kind": "dropout", "rate": float(args.get(1, "p")).unwrap_or(json!(0.5))}),
            ),
            "flatten" => add(json!({"kind": "flatten"})),
            "max_pool2d" | "avg_pool2d" | "max_pool1d" | "avg_pool1d" => add(json!({
                "kind": name,
                "kernel": size(args.get(1, "kernel_size"))?,
                "stride": size(args.get(2, "stride").filter(|v| !matches!(v, Value::None))),
                "padding": size(args.get(3, "padding")).filter(|p| *p != json!(0)).unwrap_or(json!("valid")),
            })),
            "adaptive_avg_pool2d" | "adaptive_avg_pool1d" => {
                add(json!({"kind": "global_avg_pool"}))
            }
            "interpolate" => {
                add(json!({"kind": "upsample", "factor": size(args.get(2, "scale_factor"))?}))
            }
            "exp" => Some(Value::Tensor(x.next(Kind::Exp, line))),
            "randn_like" => Some(Value::Tensor(x.next(Kind::Noise, line))),
            "sum" | "mean" | "pow" | "square" | "abs" | "log" | "unsqueeze" | "squeeze"
            | "reshape" | "permute" | "transpose" | "matmul" | "add" | "mul" | "clamp"
            | "argmax" | "max" | "round" => {
                let rest = Args {
                    list: args.list[1..].to_vec(),
                    named: args.named.clone(),
                    ..Args::default()
                };
                Some(self.tensor_method(&x, name, &rest, line))
            }
            _ => None,
        }
    }

    fn cat(&mut self, name: &str, args: &Args<'a>, line: usize) -> Option<Value<'a>> {
        let items = args.list.first()?.items()?;
        let all: Option<Vec<Tensor<'a>>> = items
            .iter()
            .map(|v| match v {
                Value::Tensor(t) => Some(t.clone()),
                _ => None,
            })
            .collect();
        let all = all?;
        let first = all.first()?.clone();
        if name == "stack" || !all.iter().all(|t| t.same(&first)) {
            self.note(line, "note-op", &[]);
            return Some(Value::Tensor(first));
        }
        // Both directions' last states: the layer gives them side by side.
        if all.len() == 2 && all.iter().all(|t| matches!(t.kind(), Kind::State(Some(_)))) {
            return Some(Value::Tensor(first));
        }
        let axis = args.int(1, "dim").or(args.int(1, "axis")).unwrap_or(0);
        let inputs = all.iter().map(|t| t.node).collect();
        let node = Node::new(
            layer(json!({"kind": "concatenate", "axis": axis})),
            inputs,
            line,
        );
        Some(Value::Tensor(first.then(node)))
    }

    pub fn tensor_method(
        &mut self,
        t: &Tensor<'a>,
        name: &str,
        args: &Args<'a>,
        line: usize,
    ) -> Value<'a> {
        let same = || Value::Tensor(t.next(Kind::Same, line));
        if function_of(name).is_some() {
            let mut all = Args {
                list: vec![Value::Tensor(t.clone())],
                named: args.named.clone(),
                ..Args::default()
            };
            all.list.extend(args.list.iter().cloned());
            return self
                .torch_function(name, &all, line)
                .unwrap_or(Value::Unknown);
        }
        let other = matches!(t.kind(), Kind::Other { .. });
        match name {
            "view" | "reshape" => {
                let shape = match args.list.first() {
                    Some(v) if v.items().is_some() => v.items().unwrap_or_default(),
                    _ => args.list.clone(),
                };
                self.reshape(t, &shape, line)
            }
            "flatten" => match args.int(0, "start_dim") {
                Some(1) => Value::Tensor(t.next(layer(json!({"kind": "flatten"})), line)),
                _ => same(),
            },
            "view_as" | "reshape_as" => same(),
            "size" => match args.int(0, "dim") {
                Some(0) => Value::Batch,
                Some(_) => Value::Unknown,
                None => Value::tuple(vec![
                    Value::Batch,
                    Value::Unknown,
                    Value::Unknown,
                    Value::Unknown,
                ]),
            },
            "mean" | "amax"
                if !other && dims(args.get(0, "dim").or(args.named("axis"))).is_some() =>
            {
                let kind = if name == "mean" {
                    "global_avg_pool"
                } else {
                    "global_max_pool"
                };
                Value::Tensor(t.next(layer(json!({"kind": kind})), line))
            }
            "exp" => Value::Tensor(t.next(Kind::Exp, line)),
            "mul" | "add" | "div" | "sub" => {
                use ruff_python_ast::Operator::*;
                let op = match name {
                    "mul" => Mult,
                    "add" => Add,
                    "div" => Div,
                    _ => Sub,
                };
                let right = args.list.first().cloned().unwrap_or(Value::Unknown);
                self.binary(Value::Tensor(t.clone()), op, right, line)
            }
            "sum" | "mean" | "pow" | "square" | "abs" | "log" => {
                let (factor, mean) = match t.kind() {
                    Kind::Other { factor, mean } => (factor, mean),
                    _ => (1.0, false),
                };
                let mean = mean || name == "mean";
                Value::Tensor(t.next(Kind::Other { factor, mean }, line))
            }
            "permute" | "transpose" => {
                if !matches!(t.kind(), Kind::Input | Kind::Same) {
                    self.note(line, "note-permute", &[]);
                }
                same()
            }
            "argmax" | "max" | "item" | "numpy" | "tolist" | "round" | "eq" | "backward"
            | "dim" | "min" | "ge" | "gt" => Value::Unknown,
            _ => same(),
        }
    }

    fn reshape(&mut self, t: &Tensor<'a>, shape: &[Value<'a>], line: usize) -> Value<'a> {
        let rest: Option<Vec<i64>> = shape
            .get(1..)
            .and_then(|r| r.iter().map(Value::int).collect());
        match (shape.len(), rest) {
            // One row each, its width worked out.
            (2, Some(r))
                if r == [-1] || shape[0].int() == Some(-1) || matches!(shape[0], Value::Batch) =>
            {
                let mut node = Node::new(layer(json!({"kind": "flatten"})), vec![t.node], line);
                node.expects = r.first().and_then(|n| usize::try_from(*n).ok());
                Value::Tensor(t.then(node))
            }
            (n, Some(r)) if n > 2 && r.iter().all(|d| *d == -1 || *d > 0) => {
                let input = matches!(t.trace.nodes.borrow()[t.source()].kind, Kind::Input);
                // An axis of one channel is how images come here.
                if input && r.contains(&1) {
                    return Value::Tensor(t.next(Kind::Same, line));
                }
                Value::Tensor(t.next(layer(json!({"kind": "reshape", "shape": r})), line))
            }
            (2, None) => Value::Tensor(t.next(layer(json!({"kind": "flatten"})), line)),
            (1, _) => Value::Tensor(t.next(Kind::Same, line)),
            _ => {
                self.note(line, "note-reshape", &[]);
                Value::Tensor(t.next(Kind::Same, line))
            }
        }
    }

    fn loss(
        &mut self,
        spec: Json,
        lib: Option<&Rc<Lib<'a>>>,
        args: &Args<'a>,
        line: usize,
    ) -> Value<'a> {
        let mut spec = spec;
        if let Some(delta) = lib
            .and_then(|l| float(l.arg(1, "delta")))
            .filter(|_| spec["kind"] == "huber")
        {
            spec["delta"] = delta;
        }
        let weights = |name: &str| lib.and_then(|l| l.arg(usize::MAX, name)?.numbers());
        match spec["kind"].as_str() {
            Some("cross_entropy") => {
                self.class_weight = weights("weight").or(self.class_weight.take())
            }
            Some("binary_cross_entropy") => {
                if let Some([positive]) = weights("pos_weight").as_deref() {
                    self.class_weight = Some(vec![1.0, *positive]);
                }
            }
            _ => {}
        }
        let sum = lib
            .and_then(|l| l.arg(usize::MAX, "reduction"))
            .and_then(Value::text)
            == Some("sum");
        if let Some(lib) = lib {
            self.unasked(lib);
            if sum {
                self.sum_at = Some(lib.line);
            }
        }
        let output = args.get(0, "input").cloned().unwrap_or(Value::Unknown);
        let target = args.get(1, "target").cloned().unwrap_or(Value::Unknown);
        let Value::Tensor(_) = &output else {
            return Value::Unknown;
        };
        let loss = Rc::new(Loss {
            spec,
            output,
            target,
            line,
            sum,
            kl: None,
            penalty: (0.0, 0.0),
        });
        // Evaluation may come after; what is trained says `backward`.
        if self.found.loss.is_none() {
            self.first_loss = Some(Rc::clone(&loss));
        }
        Value::Loss(loss)
    }
}

/// Whether a mean goes over the axes of a picture or of steps.
fn dims(v: Option<&Value>) -> Option<()> {
    let v = v?;
    let all: Vec<i64> = match v.items() {
        Some(items) => items.iter().filter_map(Value::int).collect(),
        None => vec![v.int()?],
    };
    matches!(all[..], [2, 3] | [-2, -1] | [-1, -2] | [3, 2] | [2] | [1]).then_some(())
}
