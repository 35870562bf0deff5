//! A spec with its weights as an ONNX file.
mod graph;
mod layers;
mod norms;
mod sequence;
mod windows;

pub use graph::{Graph, Initializer, Numbers};

use super::proto::{self, Entry, Model, Opset};
use super::{
    INPUT_SCALE, INPUT_SHIFT, IR_VERSION, OPSET, OUTPUT_SCALE, OUTPUT_SHIFT, SPEC, Scaling,
};
use crate::graph as engine;
use crate::spec::{DataShape, LayerKind, Loss, Problems, Spec};
use crate::train::weights;
use graph::{BATCH, Value};
use layers::{Flow, Form, Writer};
use prost::Message;
use std::collections::HashMap;

/// Names of the graph's inputs and outputs.
pub const INPUT: &str = "input";
pub const OUTPUT: &str = "output";
pub const LOGITS: &str = "logits";

/// The file. `weights`: safetensors under the framework's names, as a run gives them; `known`: the shape
/// of data that is loaded, for sources that cannot tell it before.
///
/// Errors: those of [`engine::check`]; `weights-missing` and the like for another network's weights.
pub fn write(
    spec: &Spec,
    known: Option<&DataShape>,
    file: &[u8],
    scaling: &Scaling,
) -> Result<Vec<u8>, Problems> {
    let params = engine::parameters(spec, known)?;
    let wanted: Vec<(&str, &[usize])> = params.iter().map(|(n, s)| (&n[..], &s[..])).collect();
    let values = weights::read(spec.framework, file, &wanted)?;
    let names = params.into_iter().map(|(name, _)| name);
    let values: HashMap<String, Vec<f32>> = names.zip(values).collect();
    let graph = graph(spec, known, Some(&values), scaling)?;
    let name = if spec.name.is_empty() {
        "network"
    } else {
        &spec.name
    };
    let entry = |key: &str, value: String| {
        let key = key.to_string();
        proto::encode(&Entry { key, value })
    };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "Nabla".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: proto::encode(&graph.message(name, "")),
        opset_import: vec![proto::encode(&Opset {
            domain: String::new(),
            version: OPSET,
        })],
        metadata: vec![
            entry(SPEC, crate::json::write(spec)),
            entry("nabla.input", INPUT_DOC.into()),
            entry("nabla.output", output_doc(spec).into()),
        ],
        functions: Vec::new(),
    };
    Ok(model.encode_to_vec())
}

const INPUT_DOC: &str =
    "Samples as they are in the data, before scaling: the graph scales them itself.";

fn output_doc(spec: &Spec) -> &'static str {
    match spec.train.loss {
        Loss::CrossEntropy { from_logits: true } => {
            "Probabilities of the classes; the second output has the logits."
        }
        Loss::BinaryCrossEntropy { from_logits: true } => {
            "The probability of class 1; the second output has the logit."
        }
        Loss::CrossEntropy { .. } => "Probabilities of the classes.",
        Loss::Hinge => "Above 0 for class 1, below for class 0.",
        _ => "What the network gives, in the target's own units.",
    }
}

/// The graph of a spec; without `values` its weights have names and shapes only.
pub(super) fn graph(
    spec: &Spec,
    known: Option<&DataShape>,
    values: Option<&HashMap<String, Vec<f32>>>,
    scaling: &Scaling,
) -> Result<Graph, Problems> {
    let report = engine::check(spec, known);
    if !report.ok {
        return Err(Problems(report.errors));
    }
    let mut writer = Writer::new(spec, values);
    let input = input(&mut writer, &report.input, scaling);
    let mut outputs: Vec<Flow> = Vec::new();
    for (i, layer) in spec.layers.iter().enumerate() {
        let find = |id: &String| {
            let at = spec.layers[..i].iter().position(|l| l.id == *id);
            at.map_or(&input, |at| &outputs[at])
        };
        let inputs: Vec<Flow> = match (layer.inputs.is_empty(), i) {
            (true, 0) => vec![input.clone()],
            (true, _) => vec![outputs[i - 1].clone()],
            (false, _) => layer.inputs.iter().map(|id| find(id).clone()).collect(),
        };
        writer.graph.enter(&layer.id);
        let out = writer.layer(layer, &inputs);
        outputs.push(out);
    }
    let last = outputs.pop().unwrap_or(input);
    writer.graph.enter("output");
    let last = writer.seen(&last);
    head(&mut writer, &last, scaling);
    Ok(writer.graph)
}

/// The graph's input: what is in the data, `[batch, C, H, W]` where only layers on images read it, whole
/// numbers where it is tokens; then its scaling.
fn input(writer: &mut Writer, sample: &[usize], scaling: &Scaling) -> Flow {
    let spec = writer.spec;
    let readers: Vec<&LayerKind> = spec
        .layers
        .iter()
        .enumerate()
        .filter(|(i, l)| l.inputs.iter().any(|id| id == "input") || l.inputs.is_empty() && *i == 0)
        .map(|(_, l)| &l.kind)
        .collect();
    let all = |f: fn(&LayerKind) -> bool| readers.iter().all(|k| f(k));
    let scaled = !scaling.mul.is_empty();
    let tokens = !scaled && all(|k| matches!(k, LayerKind::Embedding { .. }));
    let mut shape = sample.to_vec();
    let form = match sample.len() {
        2 if all(layers::on_images) => {
            shape.insert(0, 1);
            Form::Image
        }
        1 if all(layers::on_lines) => {
            shape.insert(0, 1);
            Form::Line
        }
        _ => writer.input_form(sample.len()),
    };
    let full: Vec<i64> = std::iter::once(BATCH)
        .chain(shape.iter().map(|d| *d as i64))
        .collect();
    let mut value = Value {
        name: INPUT.into(),
        shape: full.clone(),
    };
    writer.graph.input(&value, tokens, INPUT_DOC);
    writer.graph.enter("input");
    if scaled {
        for (op, name, numbers) in [
            ("Mul", INPUT_SCALE, &scaling.mul),
            ("Add", INPUT_SHIFT, &scaling.add),
        ] {
            if op == "Add" && numbers.iter().all(|v| *v == 0.0) {
                continue;
            }
            // One number where all are the same.
            let alike = numbers.iter().all(|v| *v == numbers[0]);
            let (dims, data) = match alike {
                true => (Vec::new(), vec![numbers[0]]),
                false => (shape.clone(), numbers.clone()),
            };
            let name = writer.graph.weight(name, &dims, Numbers::Floats(data));
            value = writer
                .graph
                .node(op, &[&value.name, &name], Vec::new(), full.clone());
        }
    }
    Flow {
        value,
        form,
        tokens,
    }
}

/// What a person reads of the last layer's output.
fn head(writer: &mut Writer, last: &Flow, scaling: &Scaling) {
    let loss = writer.spec.train.loss;
    let doc = output_doc(writer.spec);
    let logits = last.value.clone();
    let op = match loss {
        Loss::CrossEntropy { from_logits: true } => Some("Softmax"),
        Loss::BinaryCrossEntropy { from_logits: true } => Some("Sigmoid"),
        _ => None,
    };
    let g = &mut writer.graph;
    let mut out = logits.clone();
    if let Some(op) = op {
        let attributes = match op {
            "Softmax" => vec![graph::int("axis", -1)],
            _ => Vec::new(),
        };
        out = g.node(op, &[&logits.name], attributes, logits.shape.clone());
    }
    if !scaling.target.is_empty() {
        let n = scaling.target.len();
        let (mean, std): (Vec<f32>, Vec<f32>) = scaling.target.iter().copied().unzip();
        for (op, name, numbers) in [("Mul", OUTPUT_SCALE, std), ("Add", OUTPUT_SHIFT, mean)] {
            let name = g.weight(name, &[n], Numbers::Floats(numbers));
            out = g.node(op, &[&out.name, &name], Vec::new(), out.shape.clone());
        }
    }
    g.output(&out, OUTPUT, doc);
    if op.is_some() {
        g.output(&logits, LOGITS, "Before the last function.");
    }
}
