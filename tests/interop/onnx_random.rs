//! Random networks as ONNX and back without what this page notes in its files: the same layers with the same
//! weights as far as ONNX has words for them, and the same predictions.
use super::common::{block_on, load};
use super::onnx::{export, far, samples, trained, without_spec};
use super::random_specs::{Rng, random};
use nabla::backend::cpu::CpuBackend;
use nabla::graph;
use nabla::interop::onnx::read;
use nabla::spec::*;
use nabla::train::{Session, weights};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Specs that each framework is tried with.
const SPECS: usize = 120;

/// A layer without its name: what it is, and the places of those that it reads.
#[derive(Clone, Debug, PartialEq)]
struct Plain {
    kind: Value,
    inputs: Vec<usize>,
    /// Shape of one sample, as it is seen.
    shape: Vec<usize>,
}

fn pair(v: &Value) -> [usize; 2] {
    match v.as_array() {
        Some(v) => [0, 1].map(|k| v[k].as_u64().unwrap() as usize),
        None => [v.as_u64().unwrap_or(1) as usize; 2],
    }
}

/// A window's settings in numbers, whatever they are called: sizes by axis, and zeros before and behind it.
fn window(kind: &mut Value, from: &[usize], to: &[usize], framework: Framework) {
    let name = kind["kind"].as_str().unwrap().to_string();
    let line = name.ends_with("1d");
    let kernel = pair(&kind["kernel"]);
    let stride = match kind["stride"].is_null() {
        true => kernel,
        false => pair(&kind["stride"]),
    };
    let dilation = match kind.get("dilation") {
        Some(d) => pair(d),
        None => [1, 1],
    };
    let axes = if line { 1 } else { 2 };
    // A picture of one channel may lack its axis.
    let sizes = match (framework, line) {
        (Framework::Keras, true) => &from[..1],
        (_, true) => &from[from.len() - 1..],
        _ => &from[from.len() - 2..],
    };
    let mut pads = Vec::new();
    for a in 0..axes {
        let span = (kernel[a] - 1) * dilation[a] + 1;
        let same = |all: usize| [all / 2, all - all / 2];
        pads.push(
            match (kind["padding"].as_str(), name.contains("transpose")) {
                (Some("same"), false) => {
                    let last = (sizes[a].div_ceil(stride[a]) - 1) * stride[a] + span;
                    same(last.saturating_sub(sizes[a]))
                }
                (Some("same"), true) => same(span.saturating_sub(stride[a])),
                (Some(_), _) => [0, 0],
                (None, _) => [pair(&kind["padding"])[a]; 2],
            },
        );
    }
    kind["kernel"] = json!(kernel[..axes]);
    kind["stride"] = json!(stride[..axes]);
    kind["padding"] = json!(pads);
    if kind.get("dilation").is_some() {
        kind["dilation"] = json!(dilation[..axes]);
    }
    if name.contains("transpose") {
        // What is added behind shows in the size of what comes out.
        kind["padding"] = json!(pads.iter().map(|p| p[0]).collect::<Vec<_>>());
        kind["output_padding"] = json!(to);
    }
}

/// The function with its parameter, given or usual.
fn function(f: Activation, alpha: Option<f32>, within: bool, framework: Framework) -> Value {
    let usual = match f {
        Activation::LeakyRelu if within && framework == Framework::Keras => 0.2,
        f => f.default_alpha(framework),
    };
    json!({ "kind": "activation", "function": f, "alpha": alpha.unwrap_or(usual) })
}

/// What ONNX can say of a spec's layers.
fn expressed(spec: &Spec) -> Vec<Plain> {
    let report = graph::check(spec, None);
    let framework = spec.framework;
    let mut made: Vec<Plain> = vec![Plain {
        kind: json!("input"),
        inputs: Vec::new(),
        shape: report.input.clone(),
    }];
    let mut place: BTreeMap<&str, usize> = BTreeMap::from([("input", 0)]);
    let mut last = 0;
    for (layer, said) in spec.layers.iter().zip(&report.layers) {
        let inputs: Vec<usize> = match layer.inputs.is_empty() {
            true => vec![last],
            false => layer.inputs.iter().map(|id| place[&id[..]]).collect(),
        };
        let from = made[inputs[0]].shape.clone();
        let shape = said.shape.clone();
        let mut kind = nabla::json::value(&layer.kind);
        let name = kind["kind"].as_str().unwrap().to_string();
        for unsaid in ["weight_init", "bias_init", "momentum", "affine"] {
            kind.as_object_mut().unwrap().shift_remove(unsaid);
        }
        let norm = match layer.kind {
            LayerKind::BatchNorm { .. } => Some(Norm::Batch),
            LayerKind::LayerNorm { .. } => Some(Norm::Layer),
            LayerKind::RmsNorm { .. } => Some(Norm::Rms),
            _ => None,
        };
        if let Some(norm) = norm.filter(|_| kind["epsilon"].is_null()) {
            kind["epsilon"] = json!(norm.default_epsilon(framework));
        }
        if kind.get("kernel").is_some() {
            window(&mut kind, &from, &shape, framework);
        }
        let mut behind = None;
        match &layer.kind {
            LayerKind::Activation { function: f, alpha } => {
                kind = function(*f, *alpha, false, framework);
            }
            LayerKind::Flatten | LayerKind::Reshape { .. } => kind = json!("shape"),
            LayerKind::Upsample { factor } => kind["factor"] = json!(factor.pair()),
            LayerKind::Concatenate { axis } => {
                let rank = from.len() as i64;
                // Keras' last axis is that of the channels.
                let image = framework == Framework::Keras && rank == 3 && *axis == -1;
                let at = if *axis < 0 { rank + 1 + axis } else { *axis };
                kind["axis"] = json!(if image { 1 } else { at });
            }
            LayerKind::Linear {
                activation: Some(f),
                ..
            } => behind = Some(*f),
            LayerKind::Conv1d(c)
            | LayerKind::Conv2d(c)
            | LayerKind::ConvTranspose2d { conv: c, .. } => {
                behind = c.activation;
            }
            _ => {}
        }
        if name != "rnn" && kind.get("activation").is_some() {
            kind["activation"] = Value::Null;
        }
        // Shapes that change nothing, or that another one follows, leave no trace.
        let source = &made[inputs[0]];
        if kind == json!("shape") && source.kind == json!("shape") {
            let inputs = source.inputs.clone();
            made.push(Plain {
                kind,
                inputs,
                shape: shape.clone(),
            });
        } else {
            made.push(Plain {
                kind,
                inputs,
                shape: shape.clone(),
            });
        }
        let own = made.last().expect("there is one");
        if own.kind == json!("shape") && made[own.inputs[0]].shape == own.shape {
            last = own.inputs[0];
            made.pop();
        } else {
            last = made.len() - 1;
        }
        if let Some(f) = behind {
            let kind = function(f, None, true, framework);
            made.push(Plain {
                kind,
                inputs: vec![last],
                shape,
            });
            last = made.len() - 1;
        }
        place.insert(&layer.id, last);
    }
    // Probabilities at the end, whether a layer or the loss makes them.
    let end = |f: Activation| made[last].kind == function(f, None, false, framework);
    match spec.train.loss {
        Loss::CrossEntropy { from_logits: false } if end(Activation::Softmax) => {
            last = made[last].inputs[0];
        }
        Loss::BinaryCrossEntropy { from_logits: false } if end(Activation::Sigmoid) => {
            last = made[last].inputs[0];
        }
        _ => {}
    }
    // Only what leads to the end, in the order in which it is found from there.
    let mut order: Vec<usize> = Vec::new();
    let mut wanted = vec![last];
    while let Some(k) = wanted.pop() {
        if !order.contains(&k) {
            order.push(k);
            wanted.extend(&made[k].inputs);
        }
    }
    let at = |k: &usize| order.iter().position(|o| o == k).expect("is among them");
    let each = order.iter().map(|k| Plain {
        inputs: made[*k].inputs.iter().map(at).collect(),
        ..made[*k].clone()
    });
    each.collect()
}

/// Parameters of a spec by name from a file of weights.
fn values(spec: &Spec, file: &[u8]) -> BTreeMap<String, Vec<f32>> {
    let params = graph::parameters(spec, None).unwrap();
    let wanted: Vec<(&str, &[usize])> = params.iter().map(|(n, s)| (&n[..], &s[..])).collect();
    let values = weights::read(spec.framework, file, &wanted).unwrap();
    params.iter().map(|(n, _)| n.clone()).zip(values).collect()
}

/// What is wrong with a spec's way there and back; the first is whether its layers were compared.
fn there_and_back(spec: &Spec) -> (bool, Option<String>) {
    let mut session = trained(spec, 1);
    let file = without_spec(export(&mut session));
    let import = match read::read(&file, Some(spec)) {
        Ok(import) => import,
        Err(note) => return (false, Some(note.text("en"))),
    };
    let rows = load(spec).train.len().min(3);
    let (shape, x) = samples(spec, rows);
    let (_, want) = block_on(session.predict(&x, &shape, false)).unwrap();
    let data = load(&import.spec);
    let again = Session::new(import.spec.clone(), data.clone(), Some(&import.weights));
    let mut again: Session<CpuBackend> = match block_on(again) {
        Ok(again) => again,
        Err(e) => return (false, Some(format!("{e:?}"))),
    };
    let mut shape = vec![rows];
    shape.extend(&data.shape);
    let (_, got) = block_on(again.predict(&x, &shape, false)).unwrap();
    let far = far(&got, &want);
    if far.is_nan() || far > 1e-5 {
        return (false, Some(format!("predictions differ by {far}")));
    }
    // A code is its mean, and scaling goes into weights, where ONNX is concerned.
    let sampled = spec
        .layers
        .iter()
        .any(|l| matches!(l.kind, LayerKind::Sampling { .. }));
    let scaled = matches!(spec.data.scale, Scale::Standardize | Scale::MinMax);
    if sampled || scaled || spec.data.scale_target {
        return (false, None);
    }
    let (before, after) = (expressed(spec), expressed(&import.spec));
    if before != after {
        let both = before.iter().zip(&after).find(|(a, b)| a != b);
        return (true, Some(format!("layers differ: {both:#?}")));
    }
    if import.spec.framework != spec.framework || import.spec.data.source != spec.data.source {
        return (true, Some("framework or data differ".to_string()));
    }
    let train = |spec: &Spec| TrainSpec {
        loss: match spec.train.loss {
            Loss::CrossEntropy { .. } => Loss::CrossEntropy { from_logits: true },
            Loss::BinaryCrossEntropy { .. } => Loss::BinaryCrossEntropy { from_logits: true },
            loss => loss,
        },
        ..spec.train.clone()
    };
    if train(&import.spec) != train(spec) {
        return (true, Some("training differs".to_string()));
    }
    let theirs = values(&import.spec, &import.weights);
    let ours = values(spec, &block_on(session.weights()).unwrap());
    for (name, values) in &ours {
        if theirs.get(name) != Some(values) {
            return (true, Some(format!("{name} differs")));
        }
    }
    (true, None)
}

#[test]
fn random_networks_without_their_specs() {
    let mut wrong = Vec::new();
    for framework in [Framework::Pytorch, Framework::Keras] {
        let mut r = Rng(11);
        let (mut tried, mut same, mut case) = (0, 0, 0);
        while tried < SPECS {
            case += 1;
            let mut spec = Spec::from_json(&random(&mut r, framework).to_string()).unwrap();
            // Quick ones: it is not the training that is looked at.
            spec.train.batch_size = Some(4);
            if !graph::check(&spec, None).ok || spec.train.optimizer == Optimizer::ClosedForm {
                continue;
            }
            tried += 1;
            let (compared, trouble) = there_and_back(&spec);
            same += usize::from(compared && trouble.is_none());
            if let Some(trouble) = trouble {
                println!("{framework:?} case {case}: {trouble}");
                wrong.push(format!("{framework:?} case {case}: {trouble}"));
            }
        }
        println!("{framework:?}: {tried} specs, {same} of them the same again");
        // The others scale their data, or sample.
        assert!(same + wrong.len() > SPECS / 5, "{framework:?}: {same}");
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
