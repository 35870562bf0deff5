//! Recurrent layers, and which of their states is meant.
use super::Res;
use super::build::at;
use super::file::Node;
use super::flow::{Flow, Part, Source};
use super::walk::{Value, Walk};
use crate::interop::onnx::gates::{self, Cell};
use crate::interop::onnx::tensor::Tensor;
use crate::spec::{Activation, Framework, LayerKind, Recurrence};
use std::rc::Rc;

pub fn cell(op: &str) -> Option<Cell> {
    [Cell::Rnn, Cell::Lstm, Cell::Gru]
        .into_iter()
        .find(|c| c.op() == op)
}

/// `X[T,N,I], W, R, B? → Y[T,D,N,H], Y_h[D,N,H]`.
pub fn recurrent(walk: &mut Walk, node: &Node, cell: Cell) -> Res<()> {
    let setting = |name: &str| at(node, "onnx-op-setting", &[("name", name.to_string())]);
    let x = walk.flow(node, 0)?;
    let x = match node.int("layout", 0) {
        0 => x.transpose(&[1, 0, 2]),
        _ => return Err(setting("layout")),
    };
    let x = x.ok_or_else(|| at(node, "onnx-op-use", &[]))?;
    let sample = walk.sample(&x, node)?;
    let (w, r) = (walk.held(node, 1)?, walk.held(node, 2)?);
    let (&[directions, rows, inputs], &[_, _, h]) = (&w.dims[..], &r.dims[..]) else {
        return Err(at(node, "onnx-op-weights", &[]));
    };
    let [steps, width] = sample[..] else {
        return Err(at(node, "onnx-op-use", &[]));
    };
    let fits = rows == cell.gates() * h && r.dims == [directions, rows, h] && width == inputs;
    if !fits || h == 0 || !(1..=2).contains(&directions) {
        return Err(at(node, "onnx-op-weights", &[]));
    }
    let all_biases = match walk.held_if(node, 3)? {
        Some(b) if b.len() == directions * 2 * rows => b.to_floats(),
        None => vec![0.0; directions * 2 * rows],
        Some(_) => return Err(at(node, "onnx-op-weights", &[])),
    };
    for k in [4, 5, 6] {
        // Lengths of sequences are not told apart; states begin as zeros.
        let Some(name) = node.input(k) else { continue };
        let zeros = |t: &Tensor| t.scalar_of_all() == Some(0.0);
        let ok = k != 4 && matches!(walk.value(node, k)?, Some(Value::Held(t)) if zeros(&t));
        if !ok {
            return Err(setting(name));
        }
    }
    if node.input(7).is_some() {
        return Err(setting("P"));
    }
    let both = match node.text("direction").as_deref() {
        None | Some("forward") => false,
        Some("bidirectional") => true,
        Some(other) => return Err(setting(other)),
    };
    if both != (directions == 2) {
        return Err(at(node, "onnx-op-weights", &[]));
    }
    let functions: Vec<String> = node
        .texts("activations")
        .iter()
        .map(|s| s.to_lowercase())
        .collect();
    let usual: &[&str] = match cell {
        Cell::Rnn => &["tanh"],
        Cell::Lstm => &["sigmoid", "tanh", "tanh"],
        Cell::Gru => &["sigmoid", "tanh"],
    };
    let relu = cell == Cell::Rnn && !functions.is_empty() && functions.iter().all(|f| f == "relu");
    let as_usual = functions
        .iter()
        .enumerate()
        .all(|(k, f)| f == usual[k % usual.len()]);
    if !relu && !as_usual {
        return Err(setting("activations"));
    }
    if node.has("clip") || node.int("input_forget", 0) != 0 {
        return Err(setting("clip"));
    }
    if cell == Cell::Gru && node.int("linear_before_reset", 0) == 0 {
        return Err(setting("linear_before_reset"));
    }
    let from = walk.build.shaped(&x, &sample, node)?;
    let layer = Recurrence {
        units: h,
        bidirectional: both,
        return_sequences: false,
    };
    let (name, kind) = match cell {
        Cell::Rnn => {
            let activation = if relu {
                Activation::Relu
            } else {
                Activation::Tanh
            };
            ("rnn", LayerKind::Rnn { layer, activation })
        }
        Cell::Lstm => ("lstm", LayerKind::Lstm(layer)),
        Cell::Gru => ("gru", LayerKind::Gru(layer)),
    };
    let key = walk
        .build
        .layer(node, node.input(1), name, kind, vec![from])?;
    let (w, r) = (w.to_floats(), r.to_floats());
    for (d, reverse) in [false, true].into_iter().take(directions).enumerate() {
        let part = |v: &[f32]| {
            let n = v.len() / directions;
            v[d * n..(d + 1) * n].to_vec()
        };
        let f = walk.build.framework;
        let values = gates::unpack(cell, f, &part(&w), &part(&r), &part(&all_biases));
        let both_biases = f == Framework::Keras && cell == Cell::Gru;
        let bias: &[usize] = if both_biases { &[2, rows] } else { &[rows] };
        let dims: [&[usize]; 4] = [&[rows, inputs], &[rows, h], bias, bias];
        let names = gates::names(f, cell, "", both, reverse);
        for ((name, dims), values) in names.iter().zip(dims).zip(values) {
            walk.build.param(key, &name[1..], dims, values);
        }
    }
    walk.bounded(&[steps, directions * h], node)?;
    let source = |part, real: Vec<usize>, dims| {
        Flow::new(Source {
            layer: Some(key),
            real,
            dims,
            part,
            image: false,
        })
    };
    let states = source(
        Part::States,
        vec![steps, directions * h],
        vec![steps, directions, h],
    );
    let last = source(Part::Last, vec![directions * h], vec![directions, h]);
    let states = states.transpose(&[1, 2, 0, 3]).expect("four axes");
    let last = last.transpose(&[1, 0, 2]).expect("three axes");
    walk.give(node, 0, Value::Flow(states));
    walk.give(node, 1, Value::Flow(last));
    Ok(())
}

/// The last of all states, picked from them along the axis of the steps.
pub fn last_state(flow: &Flow, axis: usize, start: i64, len: usize, keep: bool) -> Option<Flow> {
    let s = &flow.source;
    let steps = *s.dims.first()?;
    let one = s.part == Part::States && s.dims.len() == 3 && s.dims[1] == 1;
    let at = if start < 0 {
        start + steps as i64
    } else {
        start
    };
    if !one || flow.groups.get(axis)?[..] != [1] || len != 1 || at != steps as i64 - 1 {
        return None;
    }
    let mut groups = flow.groups.clone();
    match keep {
        true => groups[axis].clear(),
        false => {
            groups.remove(axis);
        }
    }
    for a in groups.iter_mut().flatten() {
        if *a > 1 {
            *a -= 1;
        }
    }
    Some(Flow {
        source: Source {
            layer: s.layer,
            real: vec![s.dims[1] * s.dims[2]],
            dims: s.dims[1..].to_vec(),
            part: Part::Last,
            image: false,
        },
        groups,
        expr: None,
    })
}

/// One direction of a last state, or all of it where there is but one.
pub fn direction(flow: &Flow, axis: usize, index: i64, keep: bool) -> Option<Flow> {
    let s = &flow.source;
    let &[count, h] = &s.dims[..] else {
        return None;
    };
    let at = super::fold::axis(index, count)?;
    if s.part != Part::Last || flow.groups.get(axis)?[..] != [1] {
        return None;
    }
    let mut groups = flow.groups.clone();
    match keep {
        true => groups[axis].clear(),
        false => {
            groups.remove(axis);
        }
    }
    if count == 1 {
        return Some(Flow {
            groups,
            ..flow.clone()
        });
    }
    for a in groups.iter_mut().flatten() {
        *a = (*a).min(1);
    }
    Some(Flow {
        source: Source {
            layer: s.layer,
            real: vec![h],
            dims: vec![h],
            part: Part::Turn(at),
            image: false,
        },
        groups,
        expr: None,
    })
}

/// A last state whose directions were taken apart and stand side by side again.
pub fn joined(parts: &[Flow]) -> Option<Flow> {
    let first = parts.first()?;
    let h = *first.source.real.first()?;
    let turns = parts.iter().enumerate().all(|(k, f)| {
        f.source.layer == first.source.layer
            && f.source.part == Part::Turn(k)
            && f.groups == [vec![0], vec![1]]
    });
    (turns && parts.len() == 2).then(|| {
        Flow::new(Source {
            layer: first.source.layer,
            real: vec![2 * h],
            dims: vec![2 * h],
            part: Part::Last,
            image: false,
        })
    })
}

/// Last states that are put one above the other, as PyTorch has those of several layers.
pub fn stacked(parts: &[Flow], axis: i64) -> Option<Value> {
    let last = |f: &Flow| f.source.part == Part::Last && f.groups == [vec![1], vec![0], vec![2]];
    let fits = axis == 0 && parts.len() > 1 && parts.iter().all(last);
    fits.then(|| Value::Stack(Rc::new(parts.to_vec())))
}

/// One of them, of one direction.
pub fn of_stack(stack: &[Flow], index: i64, keep: bool) -> Option<Flow> {
    let count = |f: &Flow| f.source.dims[0];
    let mut at = super::fold::axis(index, stack.iter().map(count).sum())?;
    for flow in stack {
        if at < count(flow) {
            return direction(flow, 0, at as i64, keep);
        }
        at -= count(flow);
    }
    None
}
