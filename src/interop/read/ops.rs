//! Operators between values.
use super::data::Scaling;
use super::expr::made;
use super::machine::Machine;
use super::network::{Kind, Node, Tensor, layer};
use super::value::*;
use ruff_python_ast::Operator;
use serde_json::json;
use std::rc::Rc;

impl<'a> Machine<'a> {
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
            (Value::Loss(_), _) | (_, Value::Loss(_)) => self.loss_op(sign, left, right, line),
            (Value::Tensor(_), _) | (_, Value::Tensor(_)) => {
                self.tensor_op(sign, left, right, line)
            }
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
                let made = self.data_op(sign, left, right);
                self.charge(made)
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
                ('%', b) => {
                    // Python's remainder has the divisor's sign.
                    let r = a.wrapping_rem(b);
                    Value::Int(if r != 0 && (r < 0) != (b < 0) {
                        r + b
                    } else {
                        r
                    })
                }
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

    pub fn data_op(&mut self, op: char, left: Value<'a>, right: Value<'a>) -> Value<'a> {
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
                        let nested = matches!(a.kind(), Kind::Layer(f) if f.get("kind") == Some(&json!("add")));
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
                    out.kl = Some((factor / -0.5 / features.max(1) as f64, line));
                } else {
                    self.note(line, "note-loss-term", &[]);
                }
            }
            ('/' | '*', _) => {}
            ('+', Value::Loss(_)) => self.note(line, "note-two-losses", &[]),
            ('+' | '-', _) => self.note(line, "note-loss-term", &[]),
            _ => return Value::Unknown,
        }
        Value::Loss(Rc::new(out))
    }
}

fn bounded_list<'a>(all: Vec<Value<'a>>) -> Value<'a> {
    if all.len() > 10_000 {
        Value::Unknown
    } else {
        Value::list(all)
    }
}
