//! What is said to differ between two specs.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::preset;
use nabla::spec::compare::{How, compare};
use nabla::spec::{LayerKind, Spec};
use serde_json::json;

/// Changes as short words.
fn words(before: &Spec, after: &Spec) -> Vec<String> {
    let c = compare(before, after);
    let fields = |all: &[nabla::spec::compare::Setting]| -> String {
        let one =
            |s: &nabla::spec::compare::Setting| format!("{} {}→{}", s.path, s.before, s.after);
        all.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let mut out: Vec<String> = c
        .layers
        .iter()
        .map(|l| match &l.how {
            How::Added => format!("+{} {}", l.id, l.kind),
            How::Removed => format!("-{} {}", l.id, l.kind),
            How::Moved => format!("^{}", l.id),
            How::Changed(s) => format!("~{} {}", l.id, fields(s)),
        })
        .collect();
    if !c.settings.is_empty() {
        out.push(fields(&c.settings));
    }
    out
}

#[test]
fn layers_and_settings_that_differ() {
    let before = preset("mlp-spirals");
    assert!(compare(&before, &before).is_empty());
    let ids: Vec<&str> = before.layers.iter().map(|l| l.id.as_str()).collect();
    assert_eq!(ids[..3], ["fc1", "tanh1", "fc2"]);
    let mut after = before.clone();
    if let LayerKind::Linear { units, bias, .. } = &mut after.layers[0].kind {
        (*units, *bias) = (99, false);
    }
    let was = match before.layers[0].kind {
        LayerKind::Linear { units, .. } => units,
        _ => unreachable!(),
    };
    after.layers.remove(1);
    let new =
        serde_json::from_value(json!({"id": "drop", "kind": "dropout", "rate": 0.5})).unwrap();
    after.layers.push(new);
    after.train.epochs = 7;
    after.seed = 3;
    let seed = before.seed;
    let epochs = before.train.epochs;
    assert_eq!(
        words(&before, &after),
        [
            format!("~fc1 units {was}→99, bias true→false"),
            "+drop dropout".to_string(),
            "-tanh1 activation".to_string(),
            format!("seed {seed}→3, train.epochs {epochs}→7"),
        ]
    );
    // And back: what was added is gone.
    assert!(words(&after, &before).contains(&"-drop dropout".to_string()));
}

#[test]
fn a_layer_that_moved_is_told_once() {
    let before = preset("mlp-spirals");
    let mut after = before.clone();
    let first = after.layers.remove(0);
    after.layers.insert(2, first);
    assert_eq!(words(&before, &after), ["^fc1"]);
}

#[test]
fn another_kind_shows_its_own_fields() {
    let before = preset("mlp-spirals");
    let mut after = before.clone();
    after.train.optimizer =
        serde_json::from_value(json!({"kind": "adagrad", "learning_rate": 0.5, "epsilon": 1e-7}))
            .unwrap();
    let got = words(&before, &after).join("\n");
    assert!(got.contains("train.optimizer.kind"), "{got}");
    assert!(
        got.contains("train.optimizer.initial_accumulator null→"),
        "{got}"
    );
}
