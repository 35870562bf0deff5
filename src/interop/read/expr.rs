//! Expressions: names, operators, attributes, subscripts, comprehensions.
use super::data::{Data, Part};
use super::machine::{Loop, Machine, same};
use super::value::*;
use ruff_python_ast::{self as ast, BoolOp, CmpOp, Expr, Operator, UnaryOp};
use std::cell::RefCell;
use std::rc::Rc;

impl<'a> Machine<'a> {
    pub fn expr(&mut self, e: &'a Expr, scope: &Scope<'a>) -> Value<'a> {
        if !self.step() {
            return Value::Unknown;
        }
        match e {
            Expr::NumberLiteral(n) => match &n.value {
                ast::Number::Int(i) => i.as_i64().map_or(Value::Float(f64::MAX), Value::Int),
                ast::Number::Float(f) => Value::Float(*f),
                ast::Number::Complex { .. } => Value::Unknown,
            },
            Expr::StringLiteral(s) => Value::str(s.value.to_str()),
            Expr::BooleanLiteral(b) => Value::Bool(b.value),
            Expr::NoneLiteral(_) => Value::None,
            Expr::EllipsisLiteral(_) => Value::Ellipsis,
            Expr::FString(_) => Value::Unknown,
            Expr::Name(n) => self.name(n, scope),
            Expr::List(l) => Value::list(self.elements(&l.elts, scope)),
            Expr::Tuple(t) => Value::tuple(self.elements(&t.elts, scope)),
            Expr::Set(s) => Value::list(self.elements(&s.elts, scope)),
            Expr::Dict(d) => {
                let mut out = Vec::new();
                for item in &d.items {
                    let value = self.expr(&item.value, scope);
                    match &item.key {
                        Some(key) => out.push((self.expr(key, scope), value)),
                        None => {
                            if let Value::Dict(more) = value {
                                out.extend(more.borrow().iter().cloned());
                            }
                        }
                    }
                }
                Value::Dict(Rc::new(RefCell::new(out)))
            }
            Expr::Attribute(a) => {
                let value = self.expr(&a.value, scope);
                let line = self.line(e);
                self.attribute(value, a.attr.as_str(), line)
            }
            Expr::Subscript(s) => {
                let value = self.expr(&s.value, scope);
                let key = self.expr(&s.slice, scope);
                let line = self.line(e);
                self.subscript(value, key, line)
            }
            Expr::Slice(s) => {
                let mut end = |e: &'a Option<Box<Expr>>| match e {
                    Some(e) => self.expr(e, scope),
                    None => Value::None,
                };
                Value::Slice(Rc::new([end(&s.lower), end(&s.upper), end(&s.step)]))
            }
            Expr::Call(c) => self.call_expr(c, scope),
            Expr::BinOp(b) => {
                let left = self.expr(&b.left, scope);
                let right = self.expr(&b.right, scope);
                let line = self.line(e);
                self.binary(left, b.op, right, line)
            }
            Expr::UnaryOp(u) => {
                let value = self.expr(&u.operand, scope);
                self.unary(u.op, value)
            }
            Expr::BoolOp(b) => {
                let mut last = Value::Unknown;
                for v in &b.values {
                    last = self.expr(v, scope);
                    match (last.truth(), b.op) {
                        (Some(true), BoolOp::Or) | (Some(false), BoolOp::And) => return last,
                        (None, _) => return Value::Unknown,
                        _ => {}
                    }
                }
                last
            }
            Expr::Compare(c) => self.compare(c, scope),
            Expr::If(i) => match self.expr(&i.test, scope).truth() {
                Some(false) => self.expr(&i.orelse, scope),
                _ => self.expr(&i.body, scope),
            },
            Expr::Lambda(l) => {
                static NONE: std::sync::OnceLock<ast::Parameters> = std::sync::OnceLock::new();
                let params = match &l.parameters {
                    Some(p) => p,
                    None => NONE.get_or_init(ast::Parameters::default),
                };
                Value::Func(Rc::new(Func {
                    name: "lambda".into(),
                    params,
                    body: Body::Lambda(&l.body),
                    defaults: Vec::new(),
                    scope: Rc::clone(scope),
                }))
            }
            Expr::ListComp(c) => Value::list(self.comprehend(&c.elt, None, &c.generators, scope).0),
            Expr::SetComp(c) => Value::list(self.comprehend(&c.elt, None, &c.generators, scope).0),
            Expr::Generator(c) => {
                Value::list(self.comprehend(&c.elt, None, &c.generators, scope).0)
            }
            Expr::DictComp(c) => {
                let (values, keys) =
                    self.comprehend(&c.value, c.key.as_deref(), &c.generators, scope);
                Value::Dict(Rc::new(RefCell::new(
                    keys.into_iter().zip(values).collect(),
                )))
            }
            Expr::Starred(s) => self.expr(&s.value, scope),
            Expr::Named(n) => {
                let value = self.expr(&n.value, scope);
                self.assign(&n.target, value.clone(), scope);
                value
            }
            _ => Value::Unknown,
        }
    }

    fn elements(&mut self, elts: &'a [Expr], scope: &Scope<'a>) -> Vec<Value<'a>> {
        let mut out = Vec::new();
        for e in elts {
            let value = self.expr(e, scope);
            match (e, value.items()) {
                (Expr::Starred(_), Some(items)) => out.extend(items),
                _ => out.push(value),
            }
        }
        out
    }

    fn comprehend(
        &mut self,
        elt: &'a Expr,
        key: Option<&'a Expr>,
        generators: &'a [ast::Comprehension],
        scope: &Scope<'a>,
    ) -> (Vec<Value<'a>>, Vec<Value<'a>>) {
        let inner = self.frame(Some(Rc::clone(scope)));
        let mut out = (Vec::new(), Vec::new());
        self.turn(elt, key, generators, &inner, &mut out);
        out
    }

    fn turn(
        &mut self,
        elt: &'a Expr,
        key: Option<&'a Expr>,
        generators: &'a [ast::Comprehension],
        scope: &Scope<'a>,
        out: &mut (Vec<Value<'a>>, Vec<Value<'a>>),
    ) {
        let Some((first, rest)) = generators.split_first() else {
            out.0.push(self.expr(elt, scope));
            if let Some(key) = key {
                out.1.push(self.expr(key, scope));
            }
            return;
        };
        let over = self.expr(&first.iter, scope);
        for item in self.iterate(&over).1 {
            if !self.step() {
                return;
            }
            self.assign(&first.target, item, scope);
            let kept = first
                .ifs
                .iter()
                .all(|c| self.expr(c, scope).truth() != Some(false));
            if kept {
                self.turn(elt, key, rest, scope, out);
            }
        }
    }

    fn name(&mut self, n: &'a ast::ExprName, scope: &Scope<'a>) -> Value<'a> {
        let name = n.id.as_str();
        if let Some(value) = scope.get(name) {
            return value;
        }
        const BUILTIN: &[&str] = &[
            "range",
            "len",
            "print",
            "enumerate",
            "zip",
            "int",
            "float",
            "str",
            "list",
            "tuple",
            "dict",
            "sum",
            "min",
            "max",
            "abs",
            "round",
            "isinstance",
            "super",
            "type",
            "sorted",
            "reversed",
            "map",
            "bool",
            "set",
            "open",
            "input",
            "any",
            "all",
            "next",
            "iter",
            "hasattr",
            "getattr",
            "object",
            "Exception",
            "ValueError",
            "NotImplementedError",
            "property",
            "staticmethod",
            "display",
            "locals",
            "globals",
        ];
        if BUILTIN.contains(&name) {
            return Value::path(&format!("builtins.{name}"));
        }
        if name == "__name__" {
            return Value::str("__main__");
        }
        let (path, import) = match name {
            "F" => ("torch.nn.functional", "import torch.nn.functional as F"),
            "nn" => ("torch.nn", "import torch.nn as nn"),
            "torch" => ("torch", "import torch"),
            "optim" => ("torch.optim", "import torch.optim as optim"),
            "np" | "numpy" => ("numpy", "import numpy as np"),
            "keras" => ("keras", "import keras"),
            "tf" => ("tf", "import tensorflow as tf"),
            "layers" => ("keras.layers", "from keras import layers"),
            "math" => ("math", "import math"),
            "plt" => ("matplotlib.pyplot", "import matplotlib.pyplot as plt"),
            "os" | "time" | "random" => (name, name),
            "pd" => ("pandas", "import pandas as pd"),
            "DataLoader" => (
                "torch.utils.data.DataLoader",
                "from torch.utils.data import DataLoader",
            ),
            "TensorDataset" => (
                "torch.utils.data.TensorDataset",
                "from torch.utils.data import TensorDataset",
            ),
            _ => {
                let line = self.line(n);
                if !self.assumed.iter().any(|a| a == name) {
                    self.assumed.push(name.to_string());
                    self.note(line, "note-name", &[("name", name.to_string())]);
                }
                return Value::Unknown;
            }
        };
        if !self.assumed.iter().any(|a| a == name) {
            self.assumed.push(name.to_string());
            let line = self.line(n);
            let import = match import == name {
                true => format!("import {name}"),
                false => import.to_string(),
            };
            self.note(
                line,
                "note-import",
                &[("name", name.to_string()), ("import", import)],
            );
        }
        Value::path(path)
    }

    pub fn unary(&mut self, op: UnaryOp, value: Value<'a>) -> Value<'a> {
        match (op, &value) {
            (UnaryOp::Not, v) => v.truth().map_or(Value::Unknown, |b| Value::Bool(!b)),
            (UnaryOp::USub, Value::Int(v)) => Value::Int(v.wrapping_neg()),
            (UnaryOp::USub, Value::Float(v)) => Value::Float(-v),
            (UnaryOp::USub, Value::Data(d)) => made(d.with_number('*', -1.0, false)),
            (UnaryOp::USub, Value::Tensor(_) | Value::Loss(_)) => {
                self.binary(Value::Float(-1.0), Operator::Mult, value, 0)
            }
            (UnaryOp::UAdd, _) => value,
            _ => Value::Unknown,
        }
    }

    fn compare(&mut self, c: &'a ast::ExprCompare, scope: &Scope<'a>) -> Value<'a> {
        let mut left = self.expr(&c.left, scope);
        for (op, right) in c.ops.iter().zip(&c.comparators) {
            let right = self.expr(right, scope);
            if let (Value::Data(_), _) | (_, Value::Data(_)) = (&left, &right) {
                let op = match op {
                    CmpOp::Lt => '<',
                    CmpOp::Gt => '>',
                    CmpOp::LtE => 'l',
                    CmpOp::GtE => 'g',
                    CmpOp::Eq => '=',
                    CmpOp::NotEq => '!',
                    _ => return Value::Unknown,
                };
                return self.data_op(op, left, right);
            }
            let truth = match op {
                CmpOp::Is | CmpOp::IsNot => {
                    let is = match (&left, &right) {
                        (Value::Unknown, _) | (_, Value::Unknown) => None,
                        (Value::None, Value::None) => Some(true),
                        (Value::None, _) | (_, Value::None) => Some(false),
                        (a, b) => Some(same(a, b)),
                    };
                    is.map(|v| v == (*op == CmpOp::Is))
                }
                CmpOp::In | CmpOp::NotIn => match (&left, &right) {
                    (Value::Str(a), Value::Str(b)) => Some(b.contains(&**a) == (*op == CmpOp::In)),
                    (a, Value::Dict(d)) => {
                        Some(d.borrow().iter().any(|(k, _)| same(k, a)) == (*op == CmpOp::In))
                    }
                    (a, b) => b
                        .items()
                        .map(|i| i.iter().any(|v| same(v, a)) == (*op == CmpOp::In)),
                },
                _ => match (left.number(), right.number(), left.text(), right.text()) {
                    (Some(a), Some(b), _, _) => Some(match op {
                        CmpOp::Lt => a < b,
                        CmpOp::Gt => a > b,
                        CmpOp::LtE => a <= b,
                        CmpOp::GtE => a >= b,
                        CmpOp::Eq => a == b,
                        _ => a != b,
                    }),
                    (_, _, Some(a), Some(b)) => match op {
                        CmpOp::Eq => Some(a == b),
                        CmpOp::NotEq => Some(a != b),
                        _ => None,
                    },
                    _ => None,
                },
            };
            match truth {
                None => return Value::Unknown,
                Some(false) => return Value::Bool(false),
                Some(true) => left = right,
            }
        }
        Value::Bool(true)
    }

    /// What a `for` goes over: its kind and its items.
    pub fn iterate(&mut self, over: &Value<'a>) -> (Loop, Vec<Value<'a>>) {
        match over {
            Value::List(_) | Value::Tuple(_) => (Loop::Other, over.items().unwrap_or_default()),
            Value::Dict(d) => (
                Loop::Other,
                d.borrow().iter().map(|(k, _)| k.clone()).collect(),
            ),
            Value::Lib(lib) => match &*lib.path {
                "builtins.range" => {
                    let n: Vec<i64> = lib.args.iter().filter_map(Value::int).collect();
                    let (start, end, step) = match n[..] {
                        [end] => (0, end, 1),
                        [start, end] => (start, end, 1),
                        [start, end, step] => (start, end, step),
                        _ if lib.args.len() == 3 => (0, 1, 2),
                        _ => return (Loop::Other, vec![Value::Unknown]),
                    };
                    let given = lib.args.get(2).and_then(Value::int);
                    let kind = match given {
                        Some(s) if s > 1 => Loop::Steps(s),
                        _ => Loop::Range(end.saturating_sub(start)),
                    };
                    let mut out = Vec::new();
                    let mut at = start;
                    while step != 0
                        && ((step > 0 && at < end) || (step < 0 && at > end))
                        && out.len() < 20_000
                    {
                        out.push(Value::Int(at));
                        at = at.saturating_add(step);
                    }
                    (kind, out)
                }
                "builtins.enumerate" => {
                    let Some(inner) = lib.args.first() else {
                        return (Loop::Other, vec![]);
                    };
                    let (kind, items) = self.iterate(inner);
                    let pair = |(i, v)| Value::tuple(vec![Value::Int(i as i64), v]);
                    (kind, items.into_iter().enumerate().map(pair).collect())
                }
                "builtins.zip" => {
                    let all: Vec<Vec<Value<'a>>> =
                        lib.args.iter().map(|a| self.iterate(a).1).collect();
                    let n = all.iter().map(Vec::len).min().unwrap_or(0);
                    let row = |i: usize| Value::tuple(all.iter().map(|c| c[i].clone()).collect());
                    (Loop::Other, (0..n).map(row).collect())
                }
                "torch.utils.data.DataLoader" => (Loop::Batches, vec![self.batch(lib)]),
                "tqdm.tqdm" => match lib.args.first() {
                    Some(inner) => self.iterate(inner),
                    None => (Loop::Other, vec![Value::Unknown]),
                },
                "torch.nn.ModuleList" | "torch.nn.Sequential" => (
                    Loop::Other,
                    lib.parts.borrow().iter().map(|(_, v)| v.clone()).collect(),
                ),
                _ => (Loop::Other, vec![Value::Unknown]),
            },
            Value::Data(d) => {
                // Rows of numbers, a few.
                let rows = d.shape.first().copied().unwrap_or(0);
                (
                    Loop::Batches,
                    if rows == 0 {
                        vec![Value::Unknown]
                    } else {
                        vec![over.clone()]
                    },
                )
            }
            _ => (Loop::Other, vec![Value::Unknown]),
        }
    }

    pub fn unpack(&mut self, value: &Value<'a>, n: usize) -> Vec<Value<'a>> {
        match value {
            Value::List(_) | Value::Tuple(_) => value.items().unwrap_or_default(),
            Value::Lib(lib) if lib.kind() == "batch" => lib.args.clone(),
            Value::Data(d)
                if d.values().is_some() && d.shape.first() == Some(&n) && d.part == Part::Whole =>
            {
                (0..n)
                    .map(|i| self.subscript(value.clone(), Value::Int(i as i64), 0))
                    .collect()
            }
            _ => vec![Value::Unknown; n],
        }
    }
}

pub(super) fn made<'a>(data: Option<Data>) -> Value<'a> {
    data.map_or(Value::Unknown, |d| Value::Data(Rc::new(d)))
}
