//! Files that were written here hold their spec. It is taken if it gives the very graph of the file, so
//! that a file that was changed since is read as any other.
use super::Import;
use super::file::{File, tensor};
use crate::graph;
use crate::interop::onnx::gates::{self, Cell};
use crate::interop::onnx::write;
use crate::interop::onnx::{INPUT_SCALE, INPUT_SHIFT, OUTPUT_SCALE, OUTPUT_SHIFT, SPEC, Scaling};
use crate::spec::Spec;
use crate::train::weights;

/// The network of a file that was written here; None for any other.
pub fn read(file: &File) -> Option<Import> {
    let spec = Spec::from_json(file.metadata.get(SPEC)?).ok()?;
    let floats = |name: &str| -> Option<Vec<f32>> {
        let (_, t) = tensor(file.tensors.get(name)?).ok()?;
        Some(t.to_floats())
    };
    let params = graph::parameters(&spec, None).ok()?;
    let features: usize = graph::check(&spec, None).input.iter().product();
    let scaling = scaling(&floats, features);
    let made = write::graph(&spec, None, None, &scaling).ok()?;
    same(&made, file)?;
    let values: Option<Vec<Vec<f32>>> = params
        .iter()
        .map(|(name, shape)| {
            let v = value(&spec, name, &floats)?;
            (v.len() == shape.iter().product::<usize>()).then_some(v)
        })
        .collect();
    let values = values?;
    let all: Vec<(&str, &[usize], &[f32])> = params
        .iter()
        .zip(&values)
        .map(|((n, s), v)| (&n[..], &s[..], &v[..]))
        .collect();
    Some(Import {
        weights: weights::write(spec.framework, &all).ok()?,
        spec,
        notes: Vec::new(),
    })
}

/// The scaling that the file's graph has; numbers that are all the same stand there once.
fn scaling(floats: &dyn Fn(&str) -> Option<Vec<f32>>, features: usize) -> Scaling {
    let whole = |v: Vec<f32>| match v[..] {
        [one] => vec![one; features],
        _ => v,
    };
    let mul = floats(INPUT_SCALE).map(whole).unwrap_or_default();
    let add = match (mul.is_empty(), floats(INPUT_SHIFT)) {
        (true, _) => Vec::new(),
        (_, Some(add)) => whole(add),
        _ => vec![0.0; mul.len()],
    };
    let std = floats(OUTPUT_SCALE).unwrap_or_default();
    let mean = floats(OUTPUT_SHIFT).unwrap_or_default();
    Scaling {
        mul,
        add,
        target: mean.into_iter().zip(std).collect(),
    }
}

/// Whether a graph is that of the file, but for the numbers of its weights.
fn same(made: &write::Graph, file: &File) -> Option<()> {
    let nodes = made.nodes.len() == file.nodes.len()
        && made.nodes.iter().zip(&file.nodes).all(|(a, b)| b.is(a));
    let outputs = made.outputs.iter().map(|o| &o.name);
    let ports = outputs.eq(file.outputs.iter().map(|o| &o.name));
    if !nodes || !ports || made.initializers.len() != file.tensors.len() {
        return None;
    }
    for i in &made.initializers {
        let (_, t) = tensor(file.tensors.get(&i.name)?).ok()?;
        let numbers = match &i.data {
            write::Numbers::Absent => true,
            write::Numbers::Floats(v) => t.to_floats() == *v,
            write::Numbers::Longs(v) => t.to_longs() == Some(v),
        };
        if t.dims != i.dims || !numbers {
            return None;
        }
    }
    Some(())
}

/// A parameter of the engine from what the file holds.
fn value(spec: &Spec, name: &str, floats: &dyn Fn(&str) -> Option<Vec<f32>>) -> Option<Vec<f32>> {
    if let Some(v) = floats(name) {
        return Some(v);
    }
    if let Some(layer) = name.strip_suffix(".embeddings") {
        return floats(&format!("{layer}.weight"));
    }
    for layer in &spec.layers {
        let Some((cell, r)) = gates::of(&layer.kind) else {
            continue;
        };
        let id = &layer.id;
        let whole = ["W", "R", "B"].map(|what| floats(&format!("{id}.{what}")));
        for (d, reverse) in [false, true].into_iter().enumerate() {
            let names = gates::names(spec.framework, cell, id, r.bidirectional, reverse);
            let Some(k) = names.iter().position(|n| n == name) else {
                continue;
            };
            let [Some(w), Some(rec), Some(b)] = &whole else {
                return None;
            };
            let count = if r.bidirectional { 2 } else { 1 };
            return part(cell, spec, [w, rec, b], (d, count)).into_iter().nth(k);
        }
    }
    None
}

/// One direction's parameters.
fn part(cell: Cell, spec: &Spec, all: [&Vec<f32>; 3], (d, count): (usize, usize)) -> Vec<Vec<f32>> {
    let [w, r, b] = all.map(|v| {
        let n = v.len() / count;
        v.get(d * n..(d + 1) * n).unwrap_or_default()
    });
    gates::unpack(cell, spec.framework, w, r, b)
}
