//! What layers over sequences promise beyond the traces.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, dataset, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::data::{Dataset, Target, Values};
use nabla::graph::check;
use nabla::spec::{DataShape, Framework, Spec};
use nabla::train::Session;
use nabla::train::protocol::Part;
use serde_json::{Value, json};
use std::rc::Rc;

/// The LSTM preset with other layers.
fn with(layers: Value, framework: Framework) -> Spec {
    Spec {
        layers: serde_json::from_value(layers).unwrap(),
        framework,
        ..preset("lstm")
    }
}

fn tokens(x: &[f32], steps: usize) -> Dataset {
    let target = Target::Steps {
        names: (0..4).map(|i| i.to_string()).collect(),
        steps,
    };
    let y = x.iter().map(|v| (v + 1.0) % 4.0).collect();
    dataset(&[steps], Values::F32(x.to_vec()), y, target)
}

fn session(spec: Spec, data: Dataset) -> Result<Session<CpuBackend>, String> {
    let made = block_on(Session::new(spec, Rc::new(data), None));
    made.map_err(|e| {
        e.problems
            .first()
            .map(|p| p.to_string())
            .unwrap_or_default()
    })
}

fn next_token(vocab: usize) -> Value {
    json!([
        {"id": "tok", "kind": "embedding", "vocab": vocab, "dim": 8},
        {"id": "pos", "kind": "positional_embedding"},
        {"id": "attn", "kind": "multi_head_attention", "heads": 2, "causal": true},
        {"id": "sum", "kind": "add", "inputs": ["pos", "attn"]},
        {"id": "head", "kind": "linear", "units": 4, "activation": null}
    ])
}

#[test]
fn a_class_per_step_is_learned_and_counted() {
    let x: Vec<f32> = (0..60).map(|i| (i * i % 7 % 4) as f32).collect();
    let mut spec = with(next_token(4), Framework::Pytorch);
    spec.train.batch_size = Some(4);
    spec.train.optimizer.set_learning_rate(0.03);
    spec.train.epochs = 40;
    let mut s = session(spec, tokens(&x, 5)).unwrap();
    while s.epoch() < s.epochs() {
        block_on(s.steps(1000)).unwrap();
    }
    let e = block_on(s.evaluate(Part::Train)).unwrap();
    assert_eq!(e.accuracy, Some(1.0));
    let counted: u32 = e.confusion.unwrap().iter().flatten().sum();
    assert_eq!((e.samples, counted), (12, 60));
}

#[test]
fn tokens_outside_the_table_are_told() {
    let spec = with(next_token(3), Framework::Keras);
    let said = session(spec, tokens(&[0.0, 1.0, 3.0, 0.0], 2))
        .err()
        .unwrap();
    assert!(
        said.contains("Sample 1 holds 3") && said.contains("tok"),
        "{said}"
    );
    let spec = with(next_token(4), Framework::Keras);
    let said = session(spec, tokens(&[0.0, 0.5], 2)).err().unwrap();
    assert!(said.contains("holds 0.5"), "{said}");
}

#[test]
fn wrong_layers_are_told_by_name_and_field() {
    let data = DataShape {
        sample: vec![5, 6],
        classes: Some(4),
        targets: 1,
    };
    let cases = [
        (
            json!([{"id": "a", "kind": "multi_head_attention", "heads": 4}]),
            "heads",
        ),
        (
            json!([{"id": "f", "kind": "flatten"}, {"id": "a", "kind": "lstm", "units": 3}]),
            "sequence-input",
        ),
        (
            json!([{"id": "l", "kind": "linear", "units": 3}, {"id": "a", "kind": "embedding", "vocab": 3, "dim": 2}]),
            "embedding-input",
        ),
        (
            json!([{"id": "a", "kind": "rnn", "units": 3, "activation": "gelu"}]),
            "rnn-activation",
        ),
        (
            json!([{"id": "a", "kind": "gru", "units": 65536}]),
            "too-big",
        ),
    ];
    for (layers, code) in cases {
        let report = check(&with(layers, Framework::Pytorch), Some(&data));
        let p = report.errors.first().unwrap_or_else(|| panic!("no {code}"));
        assert_eq!((p.code.as_str(), p.layer.as_deref()), (code, Some("a")));
    }
}

/// Keras' LSTM begins with forget gates open and an orthogonal recurrent kernel.
#[test]
fn initial_values_are_the_frameworks() {
    let layers = json!([{"id": "cell", "kind": "lstm", "units": 5}, {"id": "out", "kind": "linear", "units": 10}]);
    let spec = with(layers, Framework::Keras);
    let data = load(&spec);
    let mut s: Session<CpuBackend> = block_on(Session::new(spec, data, None)).unwrap();
    let mut read = |name: &str| block_on(s.tensor(name)).unwrap().1;
    let bias = read("cell.lstm_cell.bias");
    let want: Vec<f32> = (0..20).map(|i| f32::from((5..10).contains(&i))).collect();
    assert_eq!(bias, want);
    let u = read("cell.lstm_cell.recurrent_kernel");
    for (a, b) in (0..5).flat_map(|a| (0..5).map(move |b| (a, b))) {
        let dot: f32 = (0..20).map(|r| u[r * 5 + a] * u[r * 5 + b]).sum();
        assert!((dot - f32::from(a == b)).abs() < 1e-5);
    }
    let limit = (6.0f32 / (28.0 + 20.0)).sqrt();
    let w = read("cell.lstm_cell.kernel");
    assert!(w.iter().all(|v| v.abs() <= limit) && w.iter().any(|v| v.abs() > 0.9 * limit));
}

/// The codes that are drawn depend on seed and step only, and the loss falls.
#[test]
fn a_variational_autoencoder_repeats_itself() {
    let run = |seed: u32| {
        let spec = Spec {
            seed,
            ..preset("vae")
        };
        let data = load(&spec);
        let mut s: Session<CpuBackend> = block_on(Session::new(spec, data, None)).unwrap();
        let chunk = block_on(s.steps(8)).unwrap();
        let loss: Vec<f32> = chunk.rows.chunks_exact(3).map(|r| r[0]).collect();
        loss
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
    assert!(first[7] < first[0]);
}
