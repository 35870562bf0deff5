//! Subscripts: of lists, of data, of tensors.
use super::data::{Data, Part};
use super::expr::made;
use super::machine::{Batch, Loop, Machine, same};
use super::network::{Kind, Tensor};
use super::value::*;
use serde_json::json;
use std::rc::Rc;

impl<'a> Machine<'a> {
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
