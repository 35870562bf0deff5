//! What a script does, statement by statement.
use super::data::Part;
use super::machine::*;
use super::value::*;
use ruff_python_ast::{self as ast, Expr, Stmt};
use std::rc::Rc;

impl<'a> Machine<'a> {
    pub fn block(&mut self, body: &'a [Stmt], scope: &Scope<'a>) -> Flow<'a> {
        for stmt in body {
            if !self.step() {
                return Flow::Break;
            }
            match self.stmt(stmt, scope) {
                Flow::Next => {}
                other => return other,
            }
        }
        Flow::Next
    }

    fn stmt(&mut self, stmt: &'a Stmt, scope: &Scope<'a>) -> Flow<'a> {
        match stmt {
            Stmt::Import(i) => {
                for alias in &i.names {
                    let full = canonical(alias.name.as_str());
                    match &alias.asname {
                        Some(name) => {
                            scope.set(name.as_str(), Value::path(&full));
                        }
                        None => {
                            let first = alias.name.as_str().split('.').next().unwrap_or_default();
                            scope.set(first, Value::path(&canonical(first)));
                        }
                    }
                }
            }
            Stmt::ImportFrom(i) => {
                let module = i.module.as_ref().map_or("", |m| m.as_str());
                for alias in &i.names {
                    let name = alias.name.as_str();
                    let known = alias.asname.as_ref().map_or(name, |n| n.as_str());
                    if name == "*" {
                        self.star(module, scope);
                    } else {
                        scope.set(known, Value::path(&canonical(&format!("{module}.{name}"))));
                    }
                }
            }
            Stmt::FunctionDef(f) => {
                let value = self.function(f, scope);
                scope.set(f.name.as_str(), value);
            }
            Stmt::ClassDef(c) => {
                let value = self.class(c, scope);
                scope.set(c.name.as_str(), value);
            }
            Stmt::Return(r) => {
                let value = match &r.value {
                    Some(v) => self.expr(v, scope),
                    None => Value::None,
                };
                return Flow::Return(value);
            }
            Stmt::Assign(a) => {
                let value = self.expr(&a.value, scope);
                for target in &a.targets {
                    self.assign(target, value.clone(), scope);
                }
            }
            Stmt::AnnAssign(a) => {
                if let Some(value) = &a.value {
                    let value = self.expr(value, scope);
                    self.assign(&a.target, value, scope);
                }
            }
            Stmt::AugAssign(a) => {
                let left = self.expr(&a.target, scope);
                let right = self.expr(&a.value, scope);
                let line = self.line(a);
                let value = self.binary(left, a.op, right, line);
                self.assign(&a.target, value, scope);
            }
            Stmt::Expr(e) => {
                self.expr(&e.value, scope);
            }
            Stmt::If(i) => return self.branch(i, scope),
            Stmt::For(f) => return self.for_loop(f, scope),
            Stmt::While(w) => {
                for _ in 0..10_000 {
                    let test = self.expr(&w.test, scope).truth();
                    if test == Some(false) || !self.step() {
                        break;
                    }
                    self.loops.push(Loop::Other);
                    let flow = self.block(&w.body, scope);
                    self.loops.pop();
                    match flow {
                        Flow::Return(v) => return Flow::Return(v),
                        Flow::Break => break,
                        _ => {}
                    }
                    if test.is_none() || self.found.trained {
                        break;
                    }
                }
            }
            Stmt::With(w) => {
                for item in &w.items {
                    let value = self.expr(&item.context_expr, scope);
                    if let Some(name) = &item.optional_vars {
                        self.assign(name, value, scope);
                    }
                }
                return self.block(&w.body, scope);
            }
            Stmt::Try(t) => {
                match self.block(&t.body, scope) {
                    Flow::Next => {}
                    other => return other,
                }
                match self.block(&t.orelse, scope) {
                    Flow::Next => {}
                    other => return other,
                }
                return self.block(&t.finalbody, scope);
            }
            Stmt::Break(_) => return Flow::Break,
            Stmt::Continue(_) => return Flow::Continue,
            Stmt::Match(_) | Stmt::IpyEscapeCommand(_) => {
                let line = self.line(stmt);
                self.note(line, "note-statement", &[]);
            }
            Stmt::Pass(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Assert(_)
            | Stmt::Raise(_)
            | Stmt::Delete(_)
            | Stmt::TypeAlias(_) => {}
        }
        Flow::Next
    }

    /// What `from module import *` is used for in tutorials.
    fn star(&mut self, module: &str, scope: &Scope<'a>) {
        let module = canonical(module);
        let names: &[&str] = match module.as_str() {
            "keras.layers" => &[
                "Dense",
                "Dropout",
                "Flatten",
                "Conv2D",
                "MaxPooling2D",
                "Conv1D",
                "MaxPooling1D",
                "Input",
                "Embedding",
                "LSTM",
                "GRU",
                "SimpleRNN",
                "BatchNormalization",
                "Activation",
                "GlobalAveragePooling2D",
                "GlobalAveragePooling1D",
                "Bidirectional",
                "Reshape",
                "Add",
                "Concatenate",
                "LayerNormalization",
                "AveragePooling2D",
                "UpSampling2D",
                "Conv2DTranspose",
            ],
            "keras.models" => &["Sequential", "Model"],
            "keras.optimizers" => &["SGD", "Adam", "RMSprop", "Adagrad", "AdamW"],
            "torch.nn" => &[
                "Module",
                "Linear",
                "ReLU",
                "Sequential",
                "Conv2d",
                "MaxPool2d",
                "Dropout",
                "Flatten",
            ],
            "math" => &["sqrt", "pi", "exp", "log", "sin", "cos"],
            _ => &[],
        };
        for name in names {
            scope.set(name, Value::path(&canonical(&format!("{module}.{name}"))));
        }
    }

    fn branch(&mut self, i: &'a ast::StmtIf, scope: &Scope<'a>) -> Flow<'a> {
        let test = self.expr(&i.test, scope).truth();
        if test == Some(true) {
            return self.block(&i.body, scope);
        }
        if test.is_none()
            && let flow @ Flow::Return(_) = self.block(&i.body, scope)
        {
            return flow;
        }
        for clause in &i.elif_else_clauses {
            let truth = match &clause.test {
                Some(t) => self.expr(t, scope).truth(),
                None => Some(true),
            };
            if truth == Some(false) {
                continue;
            }
            match self.block(&clause.body, scope) {
                flow @ Flow::Return(_) => return flow,
                flow if truth == Some(true) && test == Some(false) => return flow,
                _ => {}
            }
            if truth == Some(true) {
                break;
            }
        }
        Flow::Next
    }

    fn for_loop(&mut self, f: &'a ast::StmtFor, scope: &Scope<'a>) -> Flow<'a> {
        let over = self.expr(&f.iter, scope);
        let (kind, items) = self.iterate(&over);
        for item in items {
            if !self.step() {
                break;
            }
            let before = self.found.trained;
            self.assign(&f.target, item, scope);
            self.loops.push(kind);
            let flow = self.block(&f.body, scope);
            self.loops.pop();
            match flow {
                Flow::Return(v) => return Flow::Return(v),
                Flow::Break => break,
                _ => {}
            }
            if !before
                && self.found.trained
                && matches!(kind, Loop::Range(_))
                && self.early_stopping.is_none()
            {
                self.early_stopping = self.stopping(&f.body, scope);
            }
            // One turn of a training loop says it all.
            if kind == Loop::Batches || (!before && self.found.trained) {
                break;
            }
        }
        self.block(&f.orelse, scope)
    }

    pub fn assign(&mut self, target: &'a Expr, value: Value<'a>, scope: &Scope<'a>) {
        match target {
            Expr::Name(n) => {
                self.suggest(n.id.as_str(), &value);
                let old = scope.set(n.id.as_str(), value);
                self.grave.extend(old);
            }
            Expr::Attribute(a) => {
                let object = self.expr(&a.value, scope);
                self.set_attribute(&object, a.attr.as_str(), value);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let mut items = self.unpack(&value, elts.len());
                held_out(elts, &mut items);
                for (i, target) in elts.iter().enumerate() {
                    let item = items.get(i).cloned().unwrap_or(Value::Unknown);
                    self.assign(target, item, scope);
                }
            }
            Expr::Starred(s) => self.assign(&s.value, value, scope),
            Expr::Subscript(s) => {
                let object = self.expr(&s.value, scope);
                let key = self.expr(&s.slice, scope);
                match object {
                    Value::Dict(d) => {
                        let mut d = d.borrow_mut();
                        match d.iter().position(|(k, _)| same(k, &key)) {
                            Some(i) => self.grave.push(std::mem::replace(&mut d[i].1, value)),
                            None if d.len() < 2000 => d.push((key, value)),
                            None => {}
                        }
                    }
                    Value::List(l) => {
                        let mut l = l.borrow_mut();
                        if let Some(i) = key.int().and_then(|i| usize::try_from(i).ok())
                            && let Some(v) = l.get_mut(i)
                        {
                            self.grave.push(std::mem::replace(v, value));
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// A variable's name is the id of the layer that it holds, where no module gives one.
    fn suggest(&mut self, name: &str, value: &Value<'a>) {
        const PLAIN: &[&str] = &[
            "x", "h", "out", "output", "outputs", "y", "z", "inputs", "logits", "_",
        ];
        let Value::Tensor(t) = value else { return };
        if PLAIN.contains(&name) || name.len() == 1 {
            return;
        }
        let mut nodes = t.trace.nodes.borrow_mut();
        let node = &mut nodes[t.node];
        if !node.module && matches!(node.kind, super::network::Kind::Layer(_)) {
            node.id = Some(name.to_string());
        }
    }

    fn set_attribute(&mut self, object: &Value<'a>, name: &str, value: Value<'a>) {
        match object {
            Value::Object(o) => {
                if let Value::Lib(lib) = &value {
                    let mut own = lib.name.borrow_mut();
                    if own.is_none() {
                        *own = Some(name.to_string());
                    }
                }
                if let Value::Object(part) = &value {
                    part.name
                        .borrow_mut()
                        .get_or_insert_with(|| name.to_string());
                }
                let old = put(&mut o.fields.borrow_mut(), name, value);
                self.grave.extend(old);
            }
            Value::Lib(lib) => {
                let old = put(&mut lib.parts.borrow_mut(), name, value);
                self.grave.extend(old);
            }
            _ => {}
        }
    }
}

/// What a split holds out is for testing, unless the names say that it is for validation.
fn held_out(targets: &[Expr], items: &mut [Value]) {
    let name = |e: &Expr| match e {
        Expr::Name(n) => n.id.as_str().to_lowercase(),
        _ => String::new(),
    };
    let says = |what: &str| targets.iter().any(|t| name(t).contains(what));
    if !says("val") || says("test") {
        return;
    }
    for item in items {
        if let Value::Data(data) = item
            && data.validation == 0.0
            && matches!(data.part, Part::Train | Part::Test)
        {
            let mut data = (**data).clone();
            (data.validation, data.test) = (data.test, 0.0);
            if data.part == Part::Test {
                data.part = Part::Validation;
            }
            *item = Value::Data(Rc::new(data));
        }
    }
}
