//! Specs: round trips, bounds, and anything at all as input.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::preset;
use nabla::graph::check;
use nabla::json;
use nabla::spec::presets::PRESETS;
use nabla::spec::{DataShape, LayerKind, LayerSpec, Spec};
use proptest::prelude::*;
use serde_json::{Value, json};

fn codes(text: &str) -> Vec<String> {
    let problems = Spec::from_json(text).unwrap_err().0;
    problems.into_iter().map(|p| p.code).collect()
}

/// A preset with one place of its JSON changed.
fn with(id: &str, at: &str, v: Value) -> String {
    let mut json: Value = serde_json::from_str(&preset(id).to_json()).unwrap();
    *json.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = v;
    json.to_string()
}

#[test]
fn presets_are_sound_and_round_trip() {
    for p in PRESETS {
        let spec = p.spec();
        assert_eq!(spec.name, p.id);
        let report = check(&spec, None);
        assert!(report.ok, "{}: {:?}", p.id, report.errors);
        assert_eq!(Spec::from_json(&spec.to_json()).unwrap(), spec, "{}", p.id);
    }
}

#[test]
fn json_shows_the_decimals_that_were_written() {
    let text = preset("mnist-mlp").to_json();
    assert!(text.contains("\"learning_rate\": 0.001,"), "{text}");
    assert!(text.contains("\"epsilon\": 1e-7"), "{text}");
}

#[test]
fn what_is_unknown_or_out_of_bounds_is_named() {
    assert_eq!(codes("{"), ["json"]);
    assert_eq!(codes("[]"), ["json"]);
    assert_eq!(
        codes(&with("digits-mlp", "/version", json!(99))),
        ["version"]
    );
    let mut json: Value = serde_json::from_str(&preset("digits-mlp").to_json()).unwrap();
    json["layers"][0]["unit"] = json!(5);
    json["colour"] = json!("red");
    let problems = Spec::from_json(&json.to_string()).unwrap_err().0;
    let fields: Vec<&str> = problems.iter().filter_map(|p| p.field.as_deref()).collect();
    assert_eq!(fields.len(), 2);
    assert!(
        fields.contains(&"layers[0].unit") && fields.contains(&"colour"),
        "{fields:?}"
    );
    for (at, v) in [
        ("/layers/0/units", json!(0)),
        ("/layers/0/units", json!(1_000_000)),
        ("/train/epochs", json!(0)),
        ("/train/batch_size", json!(0)),
        ("/train/optimizer/learning_rate", json!(-0.1)),
        ("/train/optimizer/beta1", json!(1.0)),
        ("/data/split/test", json!(0.95)),
        ("/data/scale/by", json!(0.0)),
    ] {
        let text = with("digits-mlp", at, v);
        let problems = Spec::from_json(&text).unwrap_err().0;
        assert_eq!(problems[0].code, "range", "{at}: {problems:?}");
        assert!(problems[0].field.is_some() && problems[0].message.contains("between"));
    }
    assert_eq!(
        codes(&with("digits-mlp", "/layers", json!([]))),
        ["no-layers"]
    );
    assert_eq!(
        codes(&with("digits-mlp", "/layers/1/id", json!("fc1"))),
        ["duplicate-id"]
    );
    assert_eq!(
        codes(&with("digits-mlp", "/layers/1/id", json!("1 <b>"))),
        ["layer-id"]
    );
    assert_eq!(
        codes(&with("digits-mlp", "/layers/1/inputs", json!(["fc2"]))),
        ["unknown-input"]
    );
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(codes(&deep), ["json"]);
}

/// Layer and code of the first error after a change of the digits network.
fn error(change: impl Fn(&mut Spec)) -> (Option<String>, String, Option<String>) {
    let mut spec = preset("digits-mlp");
    change(&mut spec);
    let report = check(&spec, None);
    assert!(!report.ok);
    let p = report.errors[0].clone();
    (p.layer, p.code, p.field)
}

#[test]
fn errors_stand_at_the_layer_and_field() {
    let at = |l: &str, code: &str, f: Option<&str>| {
        (Some(l.to_string()), code.to_string(), f.map(str::to_string))
    };
    let units = |s: &mut Spec, i: usize, n: usize| {
        if let LayerKind::Linear { units, .. } = &mut s.layers[i].kind {
            *units = n;
        }
    };
    assert_eq!(
        error(|s| units(s, 2, 7)),
        at("fc2", "output-shape", Some("units"))
    );
    assert_eq!(
        error(|s| {
            let shape = vec![7, 9];
            s.layers
                .insert(1, LayerSpec::new("r", LayerKind::Reshape { shape }));
        }),
        at("r", "reshape-size", Some("shape"))
    );
    assert_eq!(
        error(|s| {
            let mut add = LayerSpec::new("add", LayerKind::Add);
            add.inputs = vec!["input".into(), "fc2".into()];
            s.layers.push(add);
        }),
        at("add", "same-shape", None)
    );
    assert_eq!(
        error(|s| s.layers.push(LayerSpec::new("add", LayerKind::Add))),
        at("add", "input-count", Some("inputs"))
    );
    assert_eq!(
        error(|s| {
            let mut c = LayerSpec::new("cat", LayerKind::Concatenate { axis: 2 });
            c.inputs = vec!["fc1".into(), "fc2".into()];
            s.layers.push(c);
        }),
        at("cat", "axis", Some("axis"))
    );
    // Layers that do not depend on the wrong one are still reported.
    let mut spec = preset("digits-mlp");
    let shape = vec![-1, 5];
    spec.layers
        .insert(2, LayerSpec::new("r", LayerKind::Reshape { shape }));
    let report = check(&spec, None);
    let ids: Vec<&str> = report.layers.iter().map(|l| l.id.as_str()).collect();
    assert_eq!(ids, ["fc1", "relu1"]);
}

#[test]
fn branches_add_and_concatenate() {
    let mut spec = preset("digits-mlp");
    let mut add = LayerSpec::new("add", LayerKind::Add);
    add.inputs = vec!["input".into(), "relu1".into()];
    spec.layers.insert(2, add);
    let mut cat = LayerSpec::new("cat", LayerKind::Concatenate { axis: -1 });
    cat.inputs = vec!["add".into(), "fc1".into(), "input".into()];
    spec.layers.insert(3, cat);
    let report = check(&spec, None);
    assert!(report.ok, "{:?}", report.errors);
    assert_eq!(report.layers[3].shape, [192]);
    assert_eq!(report.params, 65 * 64 + 193 * 10);
}

#[test]
fn sizes_are_bounded_before_anything_is_built() {
    let mut spec = preset("digits-mlp");
    for l in &mut spec.layers {
        if let LayerKind::Linear { units, .. } = &mut l.kind {
            *units = 65_536;
        }
    }
    let report = check(&spec, None);
    assert_eq!(report.errors[0].code, "too-big");
    let shape = DataShape {
        sample: vec![1 << 20],
        classes: Some(10),
        targets: 1,
    };
    let report = check(&preset("digits-mlp"), Some(&shape));
    assert!(!report.ok || report.params < 1 << 27);
}

/// JSON of any shape, and presets with any part replaced.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z_<>\"\\\\]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..6)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

fn paths(v: &Value, at: String, out: &mut Vec<String>) {
    out.push(at.clone());
    match v {
        Value::Object(m) => m
            .iter()
            .for_each(|(k, v)| paths(v, format!("{at}/{k}"), out)),
        Value::Array(a) => {
            a.iter()
                .enumerate()
                .for_each(|(i, v)| paths(v, format!("{at}/{i}"), out));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = Spec::from_json(&text);
    }

    #[test]
    fn any_json_in_any_place_is_read_or_refused(
        which in 0..PRESETS.len(),
        place in any::<prop::sample::Index>(),
        v in any_json(),
    ) {
        let mut json: Value = serde_json::from_str(&PRESETS[which].spec().to_json()).unwrap();
        let mut all = Vec::new();
        paths(&json, String::new(), &mut all);
        *json.pointer_mut(&all[place.index(all.len())]).unwrap() = v;
        if let Ok(spec) = Spec::from_json(&json.to_string()) {
            // What was read is within bounds, so that it can be checked and written.
            check(&spec, None);
            prop_assert_eq!(Spec::from_json(&spec.to_json()).unwrap(), spec);
        }
    }
}

#[test]
fn class_weights_are_bounded_and_fit_the_classes() {
    let with = |weights: Vec<f32>| {
        let mut spec = nabla::spec::presets::find("digits-mlp").unwrap();
        spec.train.class_weight = Some(weights);
        spec
    };
    let code = |spec: &Spec| {
        nabla::graph::check(spec, None)
            .errors
            .first()
            .map(|p| p.code.clone())
    };
    assert_eq!(code(&with(vec![2.0; 10])), None);
    assert_eq!(code(&with(vec![2.0; 9])).as_deref(), Some("class-weights"));
    for wrong in [vec![-1.0; 10], vec![f32::NAN; 10], vec![0.0; 10], vec![1.0]] {
        assert_eq!(code(&with(wrong)).as_deref(), Some("range"));
    }
    let mut numbers = nabla::spec::presets::find("linreg-3x2").unwrap();
    numbers.train.class_weight = Some(vec![1.0, 2.0]);
    assert_eq!(code(&numbers).as_deref(), Some("class-weights-task"));
    // A link leaves them out where there are none, and carries them where there are.
    let plain = nabla::spec::presets::find("digits-mlp").unwrap();
    assert!(!plain.to_short().to_string().contains("class_weight"));
    let spec = with(vec![1.5; 10]);
    assert_eq!(Spec::from_json(&spec.to_short().to_string()).unwrap(), spec);
}

#[test]
fn what_does_not_fit_is_said_with_its_place() {
    let says = |id: &str, at: &str, v: Value| {
        let problems = Spec::from_json(&with(id, at, v)).unwrap_err().0;
        problems[0].args["detail"].clone()
    };
    let digits = |at: &str, v: Value| says("digits-mlp", at, v);
    assert_eq!(
        digits("/layers/0/units", json!("9")),
        "layers[0].units: invalid type: string \"9\", expected usize"
    );
    assert_eq!(
        digits("/layers/0/units", json!(-3)),
        "layers[0].units: invalid value: integer `-3`, expected usize"
    );
    assert_eq!(
        digits("/layers/0/units", json!(2.5)),
        "layers[0].units: invalid type: floating point `2.5`, expected usize"
    );
    assert_eq!(
        digits("/seed", json!(4_294_967_296_u64)),
        "seed: invalid value: integer `4294967296`, expected u32"
    );
    assert_eq!(
        digits("/train/shuffle", json!(1)),
        "train.shuffle: invalid type: integer `1`, expected a boolean"
    );
    assert_eq!(
        digits("/framework", json!("jax")),
        "framework: unknown variant `jax`, expected `pytorch` or `keras`"
    );
    assert_eq!(
        digits("/train/loss", json!({})),
        "train.loss: missing field `kind`"
    );
    assert_eq!(
        digits("/train/optimizer", json!({"kind": "adam"})),
        "train.optimizer: missing field `learning_rate`"
    );
    assert_eq!(
        digits("/data/source", json!(null)),
        "data.source: invalid type: null, expected enum DataSource"
    );
    let unknown = digits("/layers/0/kind", json!("lineal"));
    let list = "layers[0].kind: unknown variant `lineal`, expected one of `linear`, `activation`, ";
    assert!(unknown.starts_with(list), "{unknown}");
}

#[test]
fn forms_without_a_name_are_told_apart() {
    let conv = |more: Value| -> Result<LayerSpec, serde_json::Error> {
        let mut form = json!({"id": "c", "kind": "conv2d", "filters": 2});
        for (name, v) in more.as_object().unwrap() {
            form[name] = v.clone();
        }
        serde_json::from_value(form)
    };
    let plain = conv(json!({})).unwrap();
    let LayerKind::Conv2d(fields) = &plain.kind else {
        panic!("{plain:?}");
    };
    assert_eq!(fields.kernel.pair(), [3, 3]);
    for padding in [json!("same"), json!(1), json!([1, 2])] {
        let layer = conv(json!({"padding": padding, "kernel": [3, 5]})).unwrap();
        assert_eq!(json::value(&layer)["padding"], padding);
        assert_eq!(json::value(&layer)["kernel"], json!([3, 5]));
    }
    for wrong in [json!("most"), json!([1, 2, 3]), json!(-1), json!({})] {
        assert!(conv(json!({ "padding": wrong })).is_err());
    }
}
