//! Expressions: names, operators, attributes, subscripts, comprehensions.
use super::data::{Data, Part, Scaling};
use super::machine::{Batch, Loop, Machine, same};
use super::network::{Kind, Node, Tensor, layer};
use super::value::*;
use ruff_python_ast::{self as ast, BoolOp, CmpOp, Expr, Operator, UnaryOp};
use serde_json::json;
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
        let line = self.line(&first.iter);
        for item in self.iterate(&over, line).1 {
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

    pub fn binary(
        &mut self,
        left: Value<'a>,
        op: Operator,
        right: Value<'a>,
        line: usize,
    ) -> Value<'a> {
        let sign = match op {
            Operator::Add => '+',
            Operator::Sub => '-',
            Operator::Mult => '*',
            Operator::Div => '/',
            Operator::FloorDiv => 'f',
            Operator::Mod => '%',
            Operator::Pow => '^',
            Operator::MatMult => '@',
            Operator::BitAnd => '&',
            Operator::BitOr => '|',
            Operator::BitXor => 'x',
            _ => return Value::Unknown,
        };
        match (&left, &right) {
            (Value::Tensor(_), _) | (_, Value::Tensor(_)) => {
                self.tensor_op(sign, left, right, line)
            }
            (Value::Loss(_), _) | (_, Value::Loss(_)) => self.loss_op(sign, left, right, line),
            (Value::Penalty(a, b), Value::Penalty(c, d)) if sign == '+' => {
                Value::Penalty(a + c, b + d)
            }
            (Value::Penalty(a, b), v) | (v, Value::Penalty(a, b)) => match (v.number(), sign) {
                (Some(k), '*') => Value::Penalty(a * k, b * k),
                (Some(k), '/') => Value::Penalty(a / k, b / k),
                (Some(_), '+') => Value::Penalty(*a, *b),
                _ => Value::Unknown,
            },
            (Value::Param(..), _) if sign == '^' && right.number() == Some(2.0) => {
                Value::Method(Rc::new((Value::Penalty(0.0, 1.0), "squares".into())))
            }
            (Value::Data(_) | Value::Stat(..), _) | (_, Value::Data(_) | Value::Stat(..)) => {
                self.data_op(sign, left, right)
            }
            (Value::Str(a), Value::Str(b)) if sign == '+' && a.len() + b.len() < 10_000 => {
                Value::str(&format!("{a}{b}"))
            }
            (Value::List(a), Value::List(b)) if sign == '+' => {
                let mut all = a.borrow().clone();
                all.extend(b.borrow().iter().cloned());
                bounded_list(all)
            }
            (Value::Tuple(a), Value::Tuple(b)) if sign == '+' && a.len() + b.len() < 10_000 => {
                Value::tuple([a.to_vec(), b.to_vec()].concat())
            }
            (Value::List(a), n) | (n, Value::List(a)) if sign == '*' && n.int().is_some() => {
                let (a, n) = (a.borrow(), n.int().unwrap_or(0).clamp(0, 10_000) as usize);
                bounded_list(
                    a.iter()
                        .cycle()
                        .take((a.len() * n).min(10_001))
                        .cloned()
                        .collect(),
                )
            }
            (Value::Int(a), Value::Int(b)) => match (sign, *b) {
                ('+', b) => Value::Int(a.wrapping_add(b)),
                ('-', b) => Value::Int(a.wrapping_sub(b)),
                ('*', b) => Value::Int(a.wrapping_mul(b)),
                ('f' | '%' | '/', 0) => Value::Unknown,
                ('f', b) => Value::Int(
                    a.wrapping_div_euclid(b) - i64::from(b < 0 && a.wrapping_rem_euclid(b) != 0),
                ),
                ('%', b) => Value::Int(((a.wrapping_rem(b)) + b).wrapping_rem(b)),
                ('^', b) => match u32::try_from(b).ok().and_then(|b| a.checked_pow(b)) {
                    Some(v) => Value::Int(v),
                    None => Value::Float(libm::pow(*a as f64, b as f64)),
                },
                ('&', b) => Value::Int(a & b),
                ('|', b) => Value::Int(a | b),
                ('x', b) => Value::Int(a ^ b),
                ('/', b) => Value::Float(*a as f64 / b as f64),
                _ => Value::Unknown,
            },
            (a, b) => match (a.number(), b.number()) {
                (Some(a), Some(b)) if sign != '@' => Value::Float(super::data::apply(sign, a, b)),
                _ => Value::Unknown,
            },
        }
    }

    fn data_op(&mut self, op: char, left: Value<'a>, right: Value<'a>) -> Value<'a> {
        match (&left, &right) {
            (Value::Data(a), Value::Data(b)) => made(a.with_data(op, b)),
            (Value::Data(a), Value::Stat(_, s)) => {
                let mut out = (**a).clone();
                match (op, *s, a.minus) {
                    ('-', Stat::Mean | Stat::Min, None) => out.minus = Some(*s),
                    ('/', Stat::Std, Some(Stat::Mean)) => {
                        (out.scale, out.minus) = (Scaling::Standardize, None)
                    }
                    ('/', Stat::Max, Some(Stat::Min)) => {
                        (out.scale, out.minus) = (Scaling::MinMax, None)
                    }
                    ('/', Stat::Max, None) => (out.scale, out.minus) = (Scaling::MinMax, None),
                    _ => return Value::Unknown,
                }
                out.whole = false;
                Value::Data(Rc::new(out))
            }
            // max − min, and a deviation with a small number added.
            (Value::Stat(d, Stat::Max), Value::Stat(_, Stat::Min)) if op == '-' => {
                Value::Stat(Rc::clone(d), Stat::Max)
            }
            (Value::Stat(d, s), v) if op == '+' && v.number().is_some_and(|v| v.abs() < 1e-2) => {
                Value::Stat(Rc::clone(d), *s)
            }
            (Value::Data(a), v) => match v.number() {
                Some(n) => made(a.with_number(op, n, false)),
                None => Value::Unknown,
            },
            (v, Value::Data(a)) => match v.number() {
                Some(n) => made(a.with_number(op, n, true)),
                None => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    fn tensor_op(&mut self, op: char, left: Value<'a>, right: Value<'a>, line: usize) -> Value<'a> {
        match (&left, &right) {
            (Value::Tensor(a), Value::Tensor(b)) if a.same(b) => {
                if op == '+' {
                    if let Some(code) = a.code(b, line) {
                        return Value::Tensor(code);
                    }
                    let other = |t: &Tensor<'a>| matches!(t.kind(), Kind::Other { .. });
                    if !other(a) && !other(b) {
                        // A sum of sums is one layer of several inputs.
                        let mut inputs = vec![a.node, b.node];
                        let nested = match a.kind() {
                            Kind::Layer(f) if f.get("kind") == Some(&json!("add")) => true,
                            _ => false,
                        };
                        let last = a.trace.nodes.borrow().len() - 1 == a.node;
                        if nested && last && a.trace.nodes.borrow()[a.node].line == line {
                            inputs = a.trace.nodes.borrow()[a.node].inputs.clone();
                            inputs.push(b.node);
                        }
                        return Value::Tensor(a.then(Node::new(
                            layer(json!({"kind": "add"})),
                            inputs,
                            line,
                        )));
                    }
                }
                let kind = match op {
                    '*' => Kind::Product,
                    _ => Kind::Other {
                        factor: 1.0,
                        mean: false,
                    },
                };
                let mut inputs = vec![a.node, b.node];
                if op == '*' {
                    let nodes = a.trace.nodes.borrow();
                    inputs = [a.node, b.node]
                        .iter()
                        .flat_map(|n| match nodes[*n].kind {
                            Kind::Product => nodes[*n].inputs.clone(),
                            _ => vec![*n],
                        })
                        .collect();
                }
                Value::Tensor(a.then(Node::new(kind, inputs, line)))
            }
            // x + self.positions.weight
            (Value::Tensor(t), Value::Param(Some(p), _))
            | (Value::Param(Some(p), _), Value::Tensor(t))
                if op == '+' =>
            {
                let mut node = Node::new(
                    layer(json!({"kind": "positional_embedding"})),
                    vec![t.node],
                    line,
                );
                (node.id, node.module) = (p.name.borrow().clone(), true);
                Value::Tensor(t.then(node))
            }
            (Value::Tensor(t), v) | (v, Value::Tensor(t)) => {
                let Some(k) = v.number() else {
                    // `output - target`: a squared error by hand.
                    if op == '-' && matches!(v, Value::Data(_)) && self.first_loss.is_none() {
                        self.first_loss = Some(Rc::new(Loss {
                            spec: json!({"kind": "mse"}),
                            output: Value::Tensor(t.clone()),
                            target: v.clone(),
                            line,
                            sum: false,
                            kl: None,
                            penalty: (0.0, 0.0),
                        }));
                    }
                    return Value::Unknown;
                };
                let kind = t.kind();
                match (kind, op) {
                    (Kind::Other { factor, mean }, '*') => Value::Tensor(t.next(
                        Kind::Other {
                            factor: factor * k,
                            mean,
                        },
                        line,
                    )),
                    (Kind::Other { factor, mean }, '/') => Value::Tensor(t.next(
                        Kind::Other {
                            factor: factor / k,
                            mean,
                        },
                        line,
                    )),
                    (_, '*') => Value::Tensor(t.next(Kind::Scaled(k), line)),
                    (_, '/') if k != 0.0 => Value::Tensor(t.next(Kind::Scaled(1.0 / k), line)),
                    _ => Value::Tensor(t.next(
                        Kind::Other {
                            factor: 1.0,
                            mean: false,
                        },
                        line,
                    )),
                }
            }
            _ => Value::Unknown,
        }
    }

    fn loss_op(&mut self, op: char, left: Value<'a>, right: Value<'a>, line: usize) -> Value<'a> {
        let (loss, other) = match (&left, &right) {
            (Value::Loss(l), o) | (o, Value::Loss(l)) => (l, o),
            _ => return Value::Unknown,
        };
        let mut out = (**loss).clone();
        match (op, other) {
            ('+', Value::Penalty(a, b)) => {
                out.penalty.0 += a;
                out.penalty.1 += b;
            }
            ('+' | '-', Value::Tensor(t)) => {
                if let Kind::Other { factor, mean } = t.kind() {
                    let factor = if op == '-' { -factor } else { factor };
                    let features = match (&out.target, out.sum) {
                        (Value::Data(d), true) if !mean => {
                            d.shape.get(1..).map_or(1, |s| s.iter().product())
                        }
                        _ => 1usize,
                    };
                    out.kl = Some(factor / -0.5 / features.max(1) as f64);
                }
            }
            ('/' | '*', _) => {}
            ('+', Value::Loss(_)) => self.note(line, "note-two-losses", &[]),
            ('+' | '-', _) => self.note(line, "note-loss-term", &[]),
            _ => return Value::Unknown,
        }
        Value::Loss(Rc::new(out))
    }

    /// What a `for` goes over: its kind and its items.
    pub fn iterate(&mut self, over: &Value<'a>, line: usize) -> (Loop, Vec<Value<'a>>) {
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
                    let (kind, items) = self.iterate(inner, line);
                    let pair = |(i, v)| Value::tuple(vec![Value::Int(i as i64), v]);
                    (kind, items.into_iter().enumerate().map(pair).collect())
                }
                "builtins.zip" => {
                    let all: Vec<Vec<Value<'a>>> =
                        lib.args.iter().map(|a| self.iterate(a, line).1).collect();
                    let n = all.iter().map(Vec::len).min().unwrap_or(0);
                    let row = |i: usize| Value::tuple(all.iter().map(|c| c[i].clone()).collect());
                    (Loop::Other, (0..n).map(row).collect())
                }
                "torch.utils.data.DataLoader" => (Loop::Batches, vec![self.batch(lib)]),
                "tqdm.tqdm" => match lib.args.first() {
                    Some(inner) => self.iterate(inner, line),
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

    pub fn subscript(&mut self, value: Value<'a>, key: Value<'a>, line: usize) -> Value<'a> {
        match &value {
            Value::List(_) | Value::Tuple(_) => {
                let items = value.items().unwrap_or_default();
                let place = |i: i64| if i < 0 { i + items.len() as i64 } else { i };
                match &key {
                    Value::Slice(s) => {
                        let n = items.len() as i64;
                        let end =
                            |v: &Value<'a>, or| v.int().map_or(or, place).clamp(0, n) as usize;
                        let (a, b) = (end(&s[0], 0), end(&s[1], n));
                        Value::list(items.get(a..b.max(a)).unwrap_or_default().to_vec())
                    }
                    k => match k.int().map(place).and_then(|i| usize::try_from(i).ok()) {
                        Some(i) => items.get(i).cloned().unwrap_or(Value::Unknown),
                        None => Value::Unknown,
                    },
                }
            }
            Value::Dict(d) => {
                let found = d
                    .borrow()
                    .iter()
                    .find(|(k, _)| same(k, &key))
                    .map(|(_, v)| v.clone());
                found.unwrap_or(Value::Unknown)
            }
            Value::Lib(lib) => match lib.kind() {
                "Sequential" | "ModuleList" => {
                    let parts = lib.parts.borrow();
                    let i = key
                        .int()
                        .map(|i| if i < 0 { i + parts.len() as i64 } else { i });
                    match i.and_then(|i| parts.get(i as usize).cloned()) {
                        Some((_, v)) => v,
                        None => Value::Unknown,
                    }
                }
                "batch" => match key.int().and_then(|i| lib.args.get(i as usize)) {
                    Some(v) => v.clone(),
                    None => Value::Unknown,
                },
                _ => match key.text() {
                    Some(name) => self.attribute(value.clone(), name, line),
                    None => Value::Unknown,
                },
            },
            Value::Tensor(t) => self.tensor_index(t, &key, line),
            Value::Data(d) => self.data_index(d, &key),
            _ => Value::Unknown,
        }
    }

    fn tensor_index(&mut self, t: &Tensor<'a>, key: &Value<'a>, line: usize) -> Value<'a> {
        let whole = |v: &Value<'a>| match v {
            Value::Slice(s) => matches!(**s, [Value::None, Value::None, Value::None]),
            _ => false,
        };
        let keys = key.items().unwrap_or_else(|| vec![key.clone()]);
        if let Kind::State(None) = t.kind() {
            return match key.int() {
                Some(i) => Value::Tensor(t.next(Kind::State(Some(i)), line)),
                None => Value::Tensor(t.clone()),
            };
        }
        match &keys[..] {
            [a, b, rest @ ..] if whole(a) && b.int() == Some(-1) && rest.iter().all(whole) => {
                let source = t.source();
                let both = match &t.trace.nodes.borrow()[source].kind {
                    Kind::Layer(f) => f.get("bidirectional") == Some(&json!(true)),
                    _ => false,
                };
                if both {
                    self.note(line, "note-last-both", &[]);
                }
                Value::Tensor(t.next(Kind::LastStep, line))
            }
            // x[:, None] and x[..., None]
            [first, rest @ ..]
                if (whole(first) || matches!(first, Value::Ellipsis))
                    && rest.iter().all(|k| matches!(k, Value::None) || whole(k)) =>
            {
                Value::Tensor(t.next(Kind::Same, line))
            }
            _ => {
                self.note(line, "note-index", &[]);
                Value::Tensor(t.next(Kind::Same, line))
            }
        }
    }

    fn data_index(&mut self, d: &Rc<Data>, key: &Value<'a>) -> Value<'a> {
        let data = || Value::Data(Rc::clone(d));
        let all = |v: &Value<'a>| match v {
            Value::Slice(s) => matches!(**s, [Value::None, Value::None, Value::None]),
            _ => false,
        };
        // In a loop over batches any slice is a batch.
        let steps = self.loops.iter().rev().find_map(|l| match l {
            Loop::Steps(n) => Some(*n),
            _ => None,
        });
        match key {
            Value::Slice(_) if steps.is_some() => {
                self.found.batch = steps.map(Batch::Of);
                data()
            }
            k if all(k) => data(),
            Value::Slice(s) => {
                let rows = d.shape.first().copied().unwrap_or(0) as i64;
                if s[0].int().is_none() && s[1].int().is_none() || rows == 0 {
                    return data();
                }
                let place = |v: &Value<'a>, or: i64| match v.int() {
                    Some(i) if i < 0 => (i + rows).max(0),
                    Some(i) => i.min(rows),
                    None => or,
                };
                let (a, b) = (place(&s[0], 0), place(&s[1], rows));
                if a >= b || d.part != Part::Whole {
                    return data();
                }
                let mut out = (**d).clone();
                out.shuffle = false;
                if a == 0 {
                    out.test = (rows - b) as f64 / rows as f64;
                    out.part = Part::Train;
                } else {
                    out.test = (rows - a) as f64 / rows as f64;
                    out.part = Part::Test;
                }
                Value::Data(Rc::new(out))
            }
            Value::Tuple(keys) => {
                if keys.iter().any(|k| matches!(k, Value::None)) {
                    let mut shape: Vec<i64> = d.shape.iter().map(|v| *v as i64).collect();
                    if let Some(first) = shape.first_mut().filter(|_| d.set().is_some()) {
                        *first = -1;
                    }
                    match keys.iter().position(|k| matches!(k, Value::None)) {
                        Some(i) if !matches!(keys[0], Value::Ellipsis) && i <= shape.len() => {
                            shape.insert(i, 1)
                        }
                        _ => shape.push(1),
                    }
                    return d
                        .reshaped(&shape)
                        .map_or(Value::Unknown, |d| Value::Data(Rc::new(d)));
                }
                match &keys[..] {
                    [a, k] if all(a) && k.int().is_some() => {
                        let k = k.int().unwrap_or(0);
                        let width = d.shape.get(1).copied().unwrap_or(0) as i64;
                        let k = if k < 0 { k + width } else { k };
                        usize::try_from(k).map_or(Value::Unknown, |k| made(d.column(k)))
                    }
                    [a, ..] if all(a) => data(),
                    _ => Value::Unknown,
                }
            }
            Value::None => data(),
            k => match k.int() {
                Some(i) if d.values().is_some() => {
                    let rows = d.shape.first().copied().unwrap_or(0);
                    let i = if i < 0 { i + rows as i64 } else { i };
                    match usize::try_from(i)
                        .ok()
                        .filter(|i| *i < rows)
                        .and_then(|i| d.rows(i, i + 1))
                    {
                        Some(row) => match row.shape.len() {
                            1 => row
                                .values()
                                .map_or(Value::Unknown, |n| Value::Float(n.values[0])),
                            _ => {
                                let shape: Vec<i64> =
                                    row.shape[1..].iter().map(|v| *v as i64).collect();
                                made(row.reshaped(&shape))
                            }
                        },
                        None => Value::Unknown,
                    }
                }
                Some(_) => Value::Unknown,
                // By a permutation, or by what is not known.
                None => data(),
            },
        }
    }
}

pub(super) fn made<'a>(data: Option<Data>) -> Value<'a> {
    data.map_or(Value::Unknown, |d| Value::Data(Rc::new(d)))
}

fn bounded_list<'a>(all: Vec<Value<'a>>) -> Value<'a> {
    if all.len() > 10_000 {
        Value::Unknown
    } else {
        Value::list(all)
    }
}
