//! Layers on images and sequences: shapes and problems as the builder shows them, and what a file
//! of weights holds.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::graph::check;
use nabla::spec::{DataShape, Framework, LayerSpec, Spec};
use nabla::train::Session;
use serde_json::{Value, json};

fn with_layers(framework: Framework, layers: Value) -> Spec {
    let mut spec = preset("digits-cnn");
    spec.framework = framework;
    let list: Vec<LayerSpec> = serde_json::from_value(layers).unwrap();
    spec.layers = list;
    spec
}

fn data(sample: &[usize]) -> DataShape {
    DataShape {
        sample: sample.to_vec(),
        classes: Some(10),
        targets: 1,
    }
}

/// The shape after each layer.
fn shapes(framework: Framework, sample: &[usize], layers: Value) -> Vec<Vec<usize>> {
    let spec = with_layers(framework, layers);
    let report = check(&spec, Some(&data(sample)));
    assert_eq!(report.layers.len(), spec.layers.len(), "{report:?}");
    report.layers.into_iter().map(|l| l.shape).collect()
}

#[test]
fn shapes_are_seen_channels_first() {
    let layers = json!([
        {"id": "c1", "kind": "conv2d", "filters": 6, "kernel": [3, 5], "stride": 2, "padding": [1, 0]},
        {"id": "bn", "kind": "batch_norm"},
        {"id": "up", "kind": "upsample", "factor": [1, 2]},
        {"id": "t", "kind": "conv_transpose2d", "filters": 4, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1},
        {"id": "p", "kind": "max_pool2d"},
        {"id": "g", "kind": "global_avg_pool"},
    ]);
    let want = [
        vec![6, 14, 12],
        vec![6, 14, 12],
        vec![6, 14, 24],
        vec![4, 28, 48],
        vec![4, 14, 24],
        vec![4],
    ];
    assert_eq!(shapes(Framework::Pytorch, &[28, 28], layers.clone()), want);
    assert_eq!(shapes(Framework::Keras, &[1, 28, 28], layers), want);
    let line = json!([
        {"id": "c1", "kind": "conv1d", "filters": 6, "kernel": 5, "padding": "same"},
        {"id": "p", "kind": "max_pool1d", "kernel": 4},
        {"id": "n", "kind": "layer_norm"},
        {"id": "f", "kind": "flatten"},
    ]);
    let seen = [vec![6, 30], vec![6, 7], vec![6, 7], vec![42]];
    assert_eq!(shapes(Framework::Pytorch, &[3, 30], line.clone()), seen);
    let seen = [vec![30, 6], vec![7, 6], vec![7, 6], vec![42]];
    assert_eq!(shapes(Framework::Keras, &[30, 3], line), seen);
}

#[test]
fn maps_are_joined_along_their_channels() {
    let conv = |id: &str, filters: usize| json!({"id": id, "kind": "conv2d", "inputs": ["input"], "filters": filters, "padding": "same"});
    for (framework, axis) in [(Framework::Pytorch, 1), (Framework::Keras, -1)] {
        let layers = json!([
            conv("a", 3), conv("b", 5),
            {"id": "j", "kind": "concatenate", "inputs": ["a", "b"], "axis": axis},
        ]);
        let all = shapes(framework, &[8, 8], layers);
        assert_eq!(all[2], [8, 8, 8]);
    }
}

/// (code, layer, field) of what is wrong with one layer behind the data.
fn problem(sample: &[usize], layer: Value) -> (String, Option<String>, Option<String>) {
    let spec = with_layers(Framework::Pytorch, json!([layer]));
    let p = check(&spec, Some(&data(sample))).errors.remove(0);
    assert!(!p.message.contains('{'), "{}", p.message);
    (p.code, p.layer, p.field)
}

#[test]
fn problems_name_the_layer_and_the_field() {
    let conv = |more: Value| {
        let mut v = json!({"id": "c", "kind": "conv2d", "filters": 4});
        v.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        v
    };
    let image = &[2, 8, 8][..];
    let field = |f: &str| Some(f.to_string());
    for (sample, layer, code, at) in [
        (&[64][..], conv(json!({})), "image-input", None),
        (
            image,
            conv(json!({"kernel": 9})),
            "kernel-size",
            field("kernel"),
        ),
        (image, conv(json!({"groups": 3})), "groups", field("groups")),
        (
            image,
            conv(json!({"groups": 2, "filters": 5})),
            "groups",
            field("groups"),
        ),
        (
            image,
            conv(json!({"padding": "same", "stride": 2})),
            "padding-stride",
            field("padding"),
        ),
        (
            image,
            conv(json!({"filters": 0})),
            "range",
            field("filters"),
        ),
        (
            image,
            conv(json!({"stride": [1, 0]})),
            "range",
            field("stride"),
        ),
        (
            image,
            json!({"id": "c", "kind": "conv1d", "filters": 4, "kernel": [3, 3]}),
            "one-number",
            field("kernel"),
        ),
        (
            image,
            json!({"id": "c", "kind": "conv_transpose2d", "filters": 4, "output_padding": 1}),
            "output-padding",
            field("output_padding"),
        ),
        (
            image,
            json!({"id": "c", "kind": "conv_transpose2d", "filters": 4, "padding": 9}),
            "range",
            field("padding"),
        ),
        (
            image,
            json!({"id": "c", "kind": "max_pool2d", "kernel": 2, "padding": 2}),
            "range",
            field("padding"),
        ),
        (
            image,
            json!({"id": "c", "kind": "layer_norm", "axes": 4}),
            "axes",
            field("axes"),
        ),
    ] {
        let text = layer.to_string();
        let got = problem(sample, layer);
        assert_eq!(got, (code.to_string(), Some("c".to_string()), at), "{text}");
    }
}

#[test]
fn every_field_of_a_layer_survives() {
    for p in ["digits-cnn", "cnn-pytorch"] {
        let spec = preset(p);
        assert_eq!(Spec::from_json(&spec.to_json()).unwrap(), spec);
    }
    let mut spec = preset("digits-cnn");
    let more = json!([
        {"id": "t", "kind": "conv_transpose2d", "filters": 4, "kernel": [2, 3], "padding": "same", "output_padding": 0},
        {"id": "u", "kind": "upsample", "factor": 2},
        {"id": "b", "kind": "batch_norm", "momentum": 0.5},
        {"id": "l", "kind": "layer_norm", "axes": 3},
        {"id": "r", "kind": "rms_norm"},
        {"id": "a", "kind": "avg_pool1d", "kernel": 2, "stride": 1},
    ]);
    spec.layers.splice(
        0..0,
        serde_json::from_value::<Vec<LayerSpec>>(more).unwrap(),
    );
    assert_eq!(Spec::from_json(&spec.to_json()).unwrap(), spec);
    let typo = spec
        .to_json()
        .replacen("\"output_padding\"", "\"outputpadding\"", 1);
    assert_eq!(
        Spec::from_json(&typo).unwrap_err().0[0].code,
        "unknown-field"
    );
}

/// Files and checkpoints hold the running statistics, and an evaluation reads them.
#[test]
fn running_statistics_are_kept() {
    for framework in [Framework::Pytorch, Framework::Keras] {
        let mut spec = with_layers(
            framework,
            json!([
                {"id": "c1", "kind": "conv2d", "filters": 5, "padding": "same"},
                {"id": "bn", "kind": "batch_norm"},
                {"id": "g", "kind": "global_max_pool"},
                {"id": "fc", "kind": "linear", "units": 10},
            ]),
        );
        spec.train.batch_size = Some(100);
        let data = load(&spec);
        let new = |file: Option<&[u8]>| {
            let s: Session<CpuBackend> =
                block_on(Session::new(spec.clone(), data.clone(), file)).unwrap();
            s
        };
        let mut s = new(None);
        for _ in 0..3 {
            block_on(s.steps(1)).unwrap();
        }
        let (_, var) = block_on(s.tensor("bn.running_var")).unwrap();
        assert!(var.iter().all(|v| *v != 1.0));
        let x = vec![0.5; 2 * 64];
        let want = block_on(s.predict(&x, &[2, 8, 8], true)).unwrap();
        let file = block_on(s.weights()).unwrap();
        let mut other = new(Some(&file));
        assert_eq!(block_on(other.predict(&x, &[2, 8, 8], true)).unwrap(), want);
        let bytes = block_on(s.checkpoint()).unwrap();
        let saved = nabla::train::checkpoint::Checkpoint::from_bytes(&bytes).unwrap();
        let mut resumed: Session<CpuBackend> =
            block_on(Session::resume(saved, data.clone())).unwrap();
        assert_eq!(
            block_on(resumed.predict(&x, &[2, 8, 8], true)).unwrap(),
            want
        );
        block_on(s.reset(None)).unwrap();
        let (_, var) = block_on(s.tensor("bn.running_var")).unwrap();
        assert_eq!(var, [1.0; 5]);
    }
}

#[test]
fn a_small_network_learns_digits() {
    let mut spec = preset("digits-cnn");
    spec.train.epochs = 6;
    let mut s: Session<CpuBackend> =
        block_on(Session::new(spec.clone(), load(&spec), None)).unwrap();
    while s.epoch() < s.epochs() {
        block_on(s.steps(64)).unwrap();
    }
    let test = block_on(s.evaluate(nabla::train::protocol::Part::Test)).unwrap();
    assert!(test.accuracy.unwrap() > 0.95, "{:?}", test.accuracy);
}
