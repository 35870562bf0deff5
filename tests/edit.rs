//! Edits of the list of layers, groups, ready blocks, and one-click repairs.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::preset;
use nabla::graph::check;
use nabla::graph::repair::{Repair, repairs};
use nabla::spec::edit::{self, BLOCKS, KINDS, Place, Row};
use nabla::spec::presets::PRESETS;
use nabla::spec::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn ids(spec: &Spec) -> Vec<&str> {
    spec.layers.iter().map(|l| l.id.as_str()).collect()
}

fn within(group: &str, at: usize) -> Place {
    let group = Some(group.to_string());
    Place { at, group }
}

/// fc1, relu1, fc2 on digits of 64 numbers, in ten classes.
fn digits() -> Spec {
    preset("digits-mlp")
}

/// A network of these layers, given in their JSON form, on the digits.
fn network(base: &str, layers: Value) -> Spec {
    let mut json = serde_json::to_value(preset(base)).expect("a spec");
    json["layers"] = layers;
    serde_json::from_value(json).expect("layers")
}

#[test]
fn a_group_moves_copies_and_dissolves_as_a_whole() {
    let mut s = digits();
    let name = edit::group(&mut s, 0..2, "block").expect("can be grouped");
    assert_eq!(name, "block1");
    assert!(check(&s, None).ok);
    let rows = edit::rows(&s);
    let layers = 0..2;
    assert_eq!(rows, [Row::Group { name, layers }, Row::Layer(2)]);

    let copies = edit::duplicate(&mut s, 0..2, Some("block1"));
    assert_eq!(copies, ["fc3", "relu2"]);
    assert_eq!(ids(&s), ["fc1", "relu1", "fc3", "relu2", "fc2"]);
    assert_eq!(s.layers[2].group.as_deref(), Some("block2"));
    assert!(check(&s, None).ok);

    edit::shift(&mut s, 0..2, &Place::at(4), Some("block1"));
    assert_eq!(ids(&s), ["fc3", "relu2", "fc1", "relu1", "fc2"]);
    assert_eq!(s.layers[2].group.as_deref(), Some("block1"));
    let to = edit::step_group(&s, "block1", false, &|_| false).expect("up");
    assert_eq!(to, Place::at(0));
    assert_eq!(edit::step_group(&s, "block2", false, &|_| false), None);

    edit::ungroup(&mut s, "block1");
    assert_eq!(edit::rows(&s).len(), 4);
    edit::remove_all(&mut s, 0..2);
    assert_eq!(ids(&s), ["fc1", "relu1", "fc2"]);
    assert!(check(&s, None).ok);
}

#[test]
fn a_layer_steps_into_open_groups_out_of_them_and_past_closed_ones() {
    let mut s = digits();
    edit::group(&mut s, 1..2, "block");
    let step = |s: &Spec, i, down, open: bool| edit::step(s, i, down, &move |_| open);
    // fc1 [relu1] fc2
    assert_eq!(step(&s, 0, true, false), Some(Place::at(2)));
    assert_eq!(step(&s, 0, true, true), Some(within("block1", 1)));
    assert_eq!(step(&s, 2, false, false), Some(Place::at(1)));
    assert_eq!(step(&s, 2, false, true), Some(within("block1", 2)));
    assert_eq!(step(&s, 1, false, true), Some(Place::at(1)));
    assert_eq!(step(&s, 1, true, true), Some(Place::at(2)));
    assert_eq!(step(&s, 0, false, true), None);
    assert_eq!(step(&s, 2, true, true), None);

    let into = within("block1", 2);
    edit::shift(&mut s, 0..1, &into, None);
    assert_eq!(ids(&s), ["relu1", "fc1", "fc2"]);
    assert_eq!(edit::run_of(&s, "block1"), Some(0..2));
    // And out again at its front.
    edit::shift(&mut s, 1..2, &Place::at(0), None);
    assert_eq!(ids(&s), ["fc1", "relu1", "fc2"]);
    assert_eq!(edit::run_of(&s, "block1"), Some(1..2));
    // Half of a group and something else are no group.
    edit::shift(&mut s, 0..1, &within("block1", 1), None);
    assert!(!edit::can_group(&s, &(1..3)) && edit::can_group(&s, &(0..3)));
}

#[test]
fn a_residual_block_adds_what_goes_in() {
    let mut s = network(
        "digits-mlp",
        json!([
            {"id": "a", "kind": "linear", "units": 24},
            {"id": "b", "kind": "linear", "units": 24},
            {"id": "c", "kind": "activation", "function": "relu"},
            {"id": "d", "kind": "linear", "units": 10},
        ]),
    );
    let name = edit::residual(&mut s, 1..3).expect("can be grouped");
    assert_eq!(ids(&s), ["a", "b", "c", "add1", "d"]);
    assert_eq!(s.layers[3].inputs, ["a", "c"]);
    assert_eq!(edit::run_of(&s, &name), Some(1..4));
    let report = check(&s, None);
    assert!(report.ok, "{:?}", report.errors);
    assert_eq!(report.layers[3].shape, [24]);
    // Copies of a block stand one behind the other.
    let copies = edit::duplicate(&mut s, 1..4, Some(&name));
    assert_eq!(s.layers[6].inputs, ["add1", copies[1].as_str()]);
    assert!(check(&s, None).ok);
}

#[test]
fn groups_survive_every_form_and_bad_ones_are_refused() {
    let mut s = digits();
    edit::group(&mut s, 0..2, "block");
    assert_eq!(Spec::from_json(&s.to_json()).expect("sound"), s);
    let short = s.to_short().to_string();
    assert_eq!(Spec::from_json(&short).expect("sound"), s);
    assert!(!digits().to_short().to_string().contains("group"));

    s.layers[0].group = None;
    s.layers[2].group = s.layers[1].group.clone();
    assert!(s.validate().is_empty());
    s.layers[0].group = s.layers[1].group.clone();
    s.layers[1].group = None;
    let problems = s.validate();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, "group-split");
    assert_eq!(problems[0].layer.as_deref(), Some("fc2"));
    s.layers[0].group = Some("no name!".into());
    assert_eq!(s.validate()[0].field.as_deref(), Some("group"));
}

#[test]
fn every_layer_and_block_of_the_menu_can_be_added_anywhere() {
    for framework in [Framework::Pytorch, Framework::Keras] {
        for kind in KINDS.iter().chain(BLOCKS) {
            let mut s = Spec {
                framework,
                ..digits()
            };
            let block = edit::block(&s, 1, kind, Some(&[64]));
            assert!(!block.is_empty(), "{kind}");
            edit::insert(&mut s, &Place::at(1), block);
            assert!(s.validate().is_empty(), "{kind}");
            let seen: BTreeSet<&str> = ids(&s).into_iter().collect();
            assert_eq!(seen.len(), s.layers.len(), "{kind}");
        }
    }
}

#[test]
fn ready_blocks_fit_where_they_are_put() {
    let cases = [
        ("residual-block", "digits-mlp", 0),
        ("residual-block", "digits-mlp", 1),
        ("branches", "digits-mlp", 1),
        ("residual-block", "cnn-pytorch", 3),
        ("branches", "cnn-pytorch", 3),
        ("residual-block", "cifar-cnn", 2),
        ("branches", "cifar-cnn", 2),
        ("transformer-block", "imdb-conv1d", 1),
        ("branches", "imdb-conv1d", 1),
        ("transformer-block", "lstm", 0),
    ];
    for (kind, id, at) in cases {
        let mut s = preset(id);
        let before = check(&s, None);
        assert!(before.ok, "{id}");
        let shape = match at {
            0 => &before.input,
            at => &before.layers[at - 1].shape,
        };
        let block = edit::block(&s, at, kind, Some(shape));
        let n = block.len();
        assert!(n > 2);
        edit::insert(&mut s, &Place::at(at), block);
        let after = check(&s, None);
        let what = format!("{kind} at {at} of {id}");
        let own: Vec<&Problem> = after
            .errors
            .iter()
            .filter(|p| {
                s.layers[at..at + n]
                    .iter()
                    .any(|l| p.layer.as_ref() == Some(&l.id))
            })
            .collect();
        assert!(own.is_empty(), "{what}: {own:?}");
        if kind != "branches" {
            assert_eq!(after.layers[at + n - 1].shape, *shape, "{what}");
            assert!(after.ok, "{what}: {:?}", after.errors);
        }
        let group = edit::path::child(s.layers[at].group.as_deref(), None).expect("a group");
        assert_eq!(edit::run_of(&s, group), Some(at..at + n), "{what}");
    }
}

#[test]
fn memory_is_what_the_layers_give() {
    let s = digits();
    let report = check(&s, None);
    // fc1 gives 64 numbers, relu1 64, fc2 10.
    let bytes: Vec<u64> = report.layers.iter().map(|l| l.memory).collect();
    assert_eq!(bytes, [64 * 4, 64 * 4, 10 * 4]);
    let rows = s.train.batch_size.expect("batches") as u64;
    assert_eq!(report.memory, 138 * 4);
    assert_eq!(report.batch_memory, 138 * 4 * rows);
    // A Flatten gives what it gets.
    let cnn = check(&preset("cnn-pytorch"), None);
    let flatten = cnn.layers.iter().find(|l| l.kind == "flatten");
    assert!(flatten.is_some());
    let conv = &cnn.layers[0];
    assert_eq!(conv.memory, 32 * 28 * 28 * 4);
}

/// The only problem of a network, or hint where it has no problem.
fn problem_of(spec: &Spec) -> Problem {
    let report = check(spec, None);
    let mut all = report.errors;
    all.extend(report.hints);
    assert!(!all.is_empty(), "nothing is wrong");
    all.swap_remove(0)
}

fn mended(spec: &Spec) -> Vec<Repair> {
    let problem = problem_of(spec);
    let found = repairs(spec, None, &problem);
    for r in &found {
        // The page's words and the script's are the same, with nothing left to fill.
        assert!(
            r.text() != r.code && !r.text().contains(['{', '$']),
            "{}",
            r.text()
        );
        let after = check(&r.spec, None);
        let same = |p: &Problem| p.code == problem.code && p.layer == problem.layer;
        let left = after.errors.iter().chain(&after.hints);
        assert!(
            !left.clone().any(same),
            "{}: {problem} is still there",
            r.code
        );
    }
    found
}

#[test]
fn what_is_wrong_is_mended_at_a_click() {
    let linear = |id: &str, units: usize| json!({"id": id, "kind": "linear", "units": units});
    // Base, layers, what the best repair is called, and whether all is well then.
    let cases: Vec<(&str, Value, &str, bool)> = vec![
        ("digits-mlp", json!([]), "add-output", true),
        ("cnn-pytorch", json!([]), "add-output", true),
        (
            "digits-mlp",
            json!([linear("fc1", 0), linear("fc2", 10)]),
            "set",
            true,
        ),
        (
            "digits-mlp",
            json!([linear("fc1", 64), linear("fc2", 7)]),
            "set-units",
            true,
        ),
        (
            "digits-mlp",
            json!([linear("fc1", 10), linear("fc1", 10)]),
            "rename",
            true,
        ),
        ("digits-mlp", json!([linear("1", 10)]), "rename", true),
        (
            "digits-mlp",
            json!([{"id": "fc1", "kind": "linear", "units": 10, "inputs": ["nobody"]}]),
            "read-before",
            true,
        ),
        (
            "digits-mlp",
            json!([linear("a", 64), {"id": "s", "kind": "add", "inputs": ["a"]}, linear("b", 10)]),
            "read-two",
            true,
        ),
        (
            "digits-mlp",
            json!([linear("a", 32), {"id": "s", "kind": "add", "inputs": ["input", "a"]}, linear("b", 10)]),
            "set-units",
            true,
        ),
        (
            "digits-mlp",
            json!([linear("a", 10), {"id": "s", "kind": "activation", "function": "softmax"}]),
            "no-activation",
            true,
        ),
        (
            "digits-mlp",
            json!([{"id": "r", "kind": "reshape", "shape": [5, 5]}, linear("a", 10)]),
            "set",
            true,
        ),
        (
            "digits-mlp",
            json!([linear("a", 32), {"id": "d", "kind": "dropout", "rate": 3.0}, linear("b", 10)]),
            "set",
            true,
        ),
        (
            "cnn-pytorch",
            json!([
                {"id": "conv1", "kind": "conv2d", "filters": 4, "kernel": 3},
                linear("fc1", 10)
            ]),
            "insert-flatten-before",
            true,
        ),
        (
            "cnn-pytorch",
            json!([
                {"id": "pool1", "kind": "max_pool2d", "kernel": 14},
                {"id": "conv1", "kind": "conv2d", "filters": 4, "kernel": 5},
                {"id": "flat", "kind": "flatten"},
                linear("fc1", 10)
            ]),
            "set",
            true,
        ),
        (
            "cnn-pytorch",
            json!([
                {"id": "conv1", "kind": "conv2d", "filters": 6, "groups": 4},
                {"id": "flat", "kind": "flatten"},
                linear("fc1", 10)
            ]),
            "set",
            true,
        ),
        (
            "cnn-pytorch",
            json!([
                {"id": "conv1", "kind": "conv2d", "filters": 8, "kernel": 3, "stride": 2, "padding": "same"},
                {"id": "flat", "kind": "flatten"},
                linear("fc1", 10)
            ]),
            "set",
            true,
        ),
        (
            "cnn-pytorch",
            json!([
                {"id": "conv1", "kind": "conv2d", "filters": 8, "kernel": 3, "padding": "same"},
                {"id": "sum", "kind": "add", "inputs": ["input", "conv1"]},
                {"id": "flat", "kind": "flatten"},
                linear("fc1", 10)
            ]),
            "project",
            true,
        ),
        (
            "cnn-pytorch",
            json!([
                {"id": "flat", "kind": "flatten"},
                {"id": "conv1", "kind": "conv2d", "filters": 8, "kernel": 3},
                {"id": "flat2", "kind": "flatten"},
                linear("fc1", 10)
            ]),
            "remove",
            true,
        ),
        (
            "digits-mlp",
            json!([
                {"id": "conv1", "kind": "conv2d", "filters": 8, "kernel": 3},
                {"id": "flat", "kind": "flatten"},
                linear("fc1", 10)
            ]),
            "keep-shape",
            true,
        ),
        (
            "imdb-conv1d",
            json!([
                {"id": "lstm1", "kind": "lstm", "units": 8},
                {"id": "fc1", "kind": "linear", "units": 1, "activation": "sigmoid"}
            ]),
            "insert-embedding",
            true,
        ),
        (
            "imdb-conv1d",
            json!([
                {"id": "e", "kind": "embedding", "vocab": 10000, "dim": 8},
                {"id": "lstm1", "kind": "lstm", "units": 8},
                {"id": "lstm2", "kind": "lstm", "units": 8},
                {"id": "fc1", "kind": "linear", "units": 1, "activation": "sigmoid"}
            ]),
            "all-states",
            true,
        ),
        (
            "imdb-conv1d",
            json!([
                {"id": "a", "kind": "activation", "function": "relu"},
                {"id": "e", "kind": "embedding", "vocab": 10000, "dim": 8},
                {"id": "p", "kind": "global_avg_pool"},
                {"id": "fc1", "kind": "linear", "units": 1, "activation": "sigmoid"}
            ]),
            "read-input",
            true,
        ),
        (
            "lstm",
            json!([
                {"id": "at", "kind": "multi_head_attention", "heads": 3},
                {"id": "flat", "kind": "flatten"},
                linear("fc1", 10)
            ]),
            "set",
            true,
        ),
        (
            "lstm",
            json!([
                {"id": "lstm1", "kind": "lstm", "units": 8, "return_sequences": true},
                linear("fc1", 10)
            ]),
            "insert-flatten-before",
            true,
        ),
        (
            "lstm",
            json!([
                {"id": "ln", "kind": "layer_norm", "axes": 5},
                {"id": "flat", "kind": "flatten"},
                linear("fc1", 10)
            ]),
            "set",
            true,
        ),
        (
            "lstm",
            json!([
                {"id": "a", "kind": "lstm", "units": 8},
                {"id": "b", "kind": "concatenate", "axis": 4, "inputs": ["a", "a"]},
                linear("fc1", 10)
            ]),
            "set",
            true,
        ),
        (
            "lstm",
            json!([
                {"id": "a", "kind": "rnn", "units": 8, "activation": "gelu"},
                linear("fc1", 10)
            ]),
            "set",
            true,
        ),
        (
            "imdb-conv1d",
            json!([
                {"id": "e", "kind": "embedding", "vocab": 10000, "dim": 8},
                {"id": "p", "kind": "global_avg_pool"},
                {"id": "fc1", "kind": "linear", "units": 1}
            ]),
            "set-activation",
            true,
        ),
        (
            "imdb-conv1d",
            json!([
                {"id": "e", "kind": "embedding", "vocab": 10000, "dim": 8},
                {"id": "c", "kind": "conv1d", "filters": 8, "kernel": [3, 3]},
                {"id": "p", "kind": "global_avg_pool"},
                {"id": "fc1", "kind": "linear", "units": 1, "activation": "sigmoid"}
            ]),
            "set",
            true,
        ),
    ];
    let mut seen = BTreeSet::new();
    for (base, layers, want, sound) in cases {
        let spec = network(base, layers);
        let problem = problem_of(&spec);
        let found = mended(&spec);
        let codes: Vec<&str> = found.iter().map(|r| r.code).collect();
        assert_eq!(codes.first(), Some(&want), "{base}: {problem}: {codes:?}");
        let after = check(&found[0].spec, None);
        assert_eq!(
            after.ok && after.hints.is_empty(),
            sound,
            "{problem}: {:?}",
            after.errors
        );
        seen.extend(codes);
    }
    // The loss, where it does not suit the data.
    let mut spec = digits();
    spec.train.loss = Loss::Hinge;
    assert_eq!(mended(&spec)[0].code, "fit-loss");
    spec.train.loss = Loss::Mse;
    assert_eq!(mended(&spec)[0].code, "fit-loss");
    // Torn groups.
    let mut spec = digits();
    spec.layers[0].group = Some("g".into());
    spec.layers[2].group = Some("g".into());
    assert_eq!(mended(&spec)[0].code, "rename-group");
    seen.insert("fit-loss");
    seen.insert("rename-group");
    for lang in ["en", "zh-CN"] {
        let path = format!(
            "{}/www/locales/{lang}/builder.ftl",
            env!("CARGO_MANIFEST_DIR")
        );
        let words = std::fs::read_to_string(&path).expect("the catalogue");
        for code in &seen {
            assert!(
                words.contains(&format!("\nrepair-{code} = ")),
                "{lang}: {code}"
            );
        }
    }
}

#[test]
fn presets_need_no_repair() {
    for p in PRESETS {
        let report = check(&p.spec(), None);
        assert!(report.hints.is_empty(), "{}: {:?}", p.id, report.hints);
    }
}

#[test]
fn every_layer_has_its_help_in_both_languages() {
    for lang in ["en", "zh-CN"] {
        let file = |name: &str| {
            let root = env!("CARGO_MANIFEST_DIR");
            let path = format!("{root}/www/locales/{lang}/{name}.ftl");
            std::fs::read_to_string(&path).expect("a catalogue")
        };
        let (page, more) = (file("page"), file("builder"));
        for kind in KINDS {
            assert!(
                more.contains(&format!("\nhelp-{kind} = ")),
                "{lang}: {kind}"
            );
        }
        for kind in KINDS.iter().chain(BLOCKS) {
            for part in ["pytorch", "keras", "about"] {
                let key = format!("\nlayer-{kind}-{part} = ");
                assert!(page.contains(&key), "{lang}: {key}");
            }
        }
    }
}

#[test]
fn the_menu_has_every_layer_of_the_presets() {
    for p in PRESETS {
        for layer in &p.spec().layers {
            let json = serde_json::to_value(layer).expect("a layer");
            let kind = json["kind"].as_str().expect("a kind").replace('_', "-");
            assert!(KINDS.contains(&kind.as_str()), "{}: {kind}", p.id);
        }
    }
}
