//! What the look inside tells: against plain arithmetic in f64 and against finite differences.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::plotting::vitals::{Finding, findings};
use nabla::spec::{Activation, DataSource, LayerKind, Spec};
use nabla::train::Session;
use nabla::train::checkpoint::Checkpoint;
use nabla::train::protocol::{LayerVitals, Part, Spread, TensorVitals, Vitals};
use std::rc::Rc;

type Run = Session<CpuBackend>;

fn open(spec: Spec) -> Run {
    let data = load(&spec);
    block_on(Session::new(spec, data, None)).unwrap()
}

fn train(s: &mut Run, steps: u32) {
    let mut left = steps;
    while left > 0 {
        left -= block_on(s.steps(left)).unwrap().steps;
    }
}

fn values(s: &mut Run, name: &str) -> Vec<f64> {
    let (_, v) = block_on(s.tensor(name)).unwrap();
    v.into_iter().map(f64::from).collect()
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn near(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!(
        (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-12),
        "{what}: {a} and {b}"
    );
}

/// A spec from JSON, so that a test says what it is about and no more.
fn spec(json: serde_json::Value) -> Spec {
    Spec::from_json(&json.to_string()).unwrap()
}

/// `digits-mlp` with other hidden layers.
fn digits(layers: serde_json::Value) -> Spec {
    let mut json = serde_json::to_value(preset("digits-mlp")).unwrap();
    json["layers"] = layers;
    spec(json)
}

#[test]
fn a_look_at_the_next_step_is_what_the_step_then_does() {
    for id in ["digits-mlp", "mnist-mlp", "lstm-sine", "digits-cnn"] {
        let mut run = open(preset(id));
        train(&mut run, 5);
        let before: Vec<(String, Vec<f64>)> = run
            .plan()
            .params()
            .map(|(_, s)| s.name.clone())
            .collect::<Vec<_>>()
            .into_iter()
            .map(|n| (n.clone(), values(&mut run, &n)))
            .collect();
        let told = block_on(run.vitals()).unwrap();
        assert_eq!((told.step, told.tensors.len()), (5, before.len()), "{id}");
        train(&mut run, 1);
        for (t, (name, weight)) in told.tensors.iter().zip(&before) {
            assert_eq!(&t.name, name);
            let gradient = values(&mut run, &format!("grad:{name}"));
            let after = values(&mut run, name);
            let update: Vec<f64> = after.iter().zip(weight).map(|(a, b)| a - b).collect();
            near(t.weight, norm(weight), 1e-12, name);
            near(t.gradient, norm(&gradient), 1e-12, name);
            near(t.update, norm(&update), 1e-12, name);
            let counted: u32 = t.weights.counts.iter().sum();
            assert_eq!((counted + t.weights.outside) as usize, weight.len());
            let counted: u32 = t.gradients.counts.iter().sum();
            let zeros = gradient.iter().filter(|g| **g == 0.0).count();
            assert_eq!(
                (t.gradients.outside as usize, counted as usize),
                (zeros, weight.len() - zeros)
            );
            let largest = gradient
                .iter()
                .fold(0.0, |a: f64, g| a.max(g.abs()))
                .log10();
            if counted > 1 {
                near(f64::from(t.gradients.hi), largest, 1e-5, name);
            }
        }
    }
}

#[test]
fn looking_changes_nothing() {
    let norm = digits(serde_json::json!([
        {"id": "fc1", "kind": "linear", "units": 12},
        {"id": "norm", "kind": "batch_norm"},
        {"id": "drop", "kind": "dropout", "rate": 0.3},
        {"id": "fc2", "kind": "linear", "units": 10}
    ]));
    for (id, spec) in [
        ("digits-mlp", preset("digits-mlp")),
        ("batch norm", norm),
        ("gru", preset("gru")),
    ] {
        let (mut looked, mut left) = (open(spec.clone()), open(spec));
        // Across the end of an epoch, where the order and the small last batch change.
        let epoch = left.steps_per_epoch() as u32;
        for n in [epoch - 1, 1, 2] {
            train(&mut looked, n);
            train(&mut left, n);
            block_on(looked.vitals()).unwrap();
            block_on(looked.saliency(Part::Train, 1, 0)).unwrap();
            assert_eq!((looked.step(), looked.epoch()), (left.step(), left.epoch()));
        }
        let (a, b) = (
            block_on(looked.checkpoint()).unwrap(),
            block_on(left.checkpoint()).unwrap(),
        );
        assert_eq!(a, b, "{id}");
    }
}

/// Units of a layer as [`Vitals`] has them: dead, saturated share, number.
fn units(told: &Vitals, layer: &str) -> (usize, f64, usize) {
    let l = told.layers.iter().find(|l| l.layer == layer).unwrap();
    (l.dead, l.saturated, l.units)
}

#[test]
fn dead_and_saturated_units_are_counted() {
    let mut run = open(digits(serde_json::json!([
        {"id": "fc1", "kind": "linear", "units": 24, "activation": "relu",
         "weight_init": {"kind": "normal", "mean": -0.03, "std": 0.1}, "bias_init": {"kind": "zeros"}},
        {"id": "fc2", "kind": "linear", "units": 9, "weight_init": {"kind": "normal", "mean": 0.0, "std": 1.5}},
        {"id": "tanh", "kind": "activation", "function": "tanh"},
        {"id": "fc3", "kind": "linear", "units": 7, "activation": "sigmoid",
         "weight_init": {"kind": "normal", "mean": 0.0, "std": 2.0}},
        {"id": "fc4", "kind": "linear", "units": 10}
    ])));
    let told = block_on(run.vitals()).unwrap();
    assert_eq!(told.samples, 128);
    // The same network, sample by sample, in f64.
    let (info, _, _, _) = run.samples(Part::Train, 0, 0);
    assert!(info.total >= 128);
    let w: Vec<Vec<f64>> = (1..=3)
        .map(|i| values(&mut run, &format!("fc{i}.weight")))
        .collect();
    let b: Vec<Vec<f64>> = (1..=3)
        .map(|i| values(&mut run, &format!("fc{i}.bias")))
        .collect();
    let dense = |x: &[f64], i: usize| -> Vec<f64> {
        let rows = w[i].chunks_exact(x.len());
        rows.zip(&b[i])
            .map(|(w, b)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>())
            .collect()
    };
    let data = load(run.spec());
    let (mut alive, mut tanh, mut sigmoid) = ([false; 24], 0, 0);
    for row in &data.train[..128] {
        let mut x = vec![0.0f32; 64];
        data.write_x(*row as usize, &mut x);
        let x: Vec<f64> = x.into_iter().map(f64::from).collect();
        let h: Vec<f64> = dense(&x, 0).iter().map(|v| v.max(0.0)).collect();
        alive.iter_mut().zip(&h).for_each(|(a, v)| *a |= *v > 0.0);
        let h: Vec<f64> = dense(&h, 1).iter().map(|v| v.tanh()).collect();
        tanh += h.iter().filter(|v| v.abs() > 0.97).count();
        let h: Vec<f64> = dense(&h, 2)
            .iter()
            .map(|v| 1.0 / (1.0 + (-v).exp()))
            .collect();
        sigmoid += h.iter().filter(|v| !(0.03..=0.97).contains(*v)).count();
    }
    let dead = alive.iter().filter(|a| !**a).count();
    assert!(
        dead > 0 && dead < 24 && tanh > 0 && sigmoid > 0,
        "the case shows nothing: {dead} {tanh} {sigmoid}"
    );
    assert_eq!(units(&told, "fc1"), (dead, 0.0, 24));
    assert_eq!(units(&told, "tanh"), (0, tanh as f64 / (128.0 * 9.0), 9));
    assert_eq!(units(&told, "fc3"), (0, sigmoid as f64 / (128.0 * 7.0), 7));
    assert_eq!(told.layers.len(), 3);
}

/// The logit of a class for scaled inputs, from the network's own predictions: the probabilities
/// are known up to a sum, so differences of logits are.
fn log_odds(run: &mut Run, x: &[f32], shape: &[usize], a: usize, b: usize) -> f64 {
    let (_, p) = block_on(run.predict(x, shape, true)).unwrap();
    f64::from(p[a]).ln() - f64::from(p[b]).ln()
}

#[test]
fn saliency_is_the_gradient_of_the_score() {
    for (id, steps) in [("digits-mlp", 60), ("digits-cnn", 20)] {
        let mut run = open(preset(id));
        train(&mut run, steps);
        let data = load(run.spec());
        let row = data.test[3] as usize;
        let mut x = vec![0.0f32; data.features_len()];
        data.write_x(row, &mut x);
        let blank = if data.add.is_empty() {
            vec![0.0; x.len()]
        } else {
            data.add.clone()
        };
        let mut of = |class| block_on(run.saliency(Part::Test, 3, class)).unwrap();
        let ((info, a, along_a), (_, b, along_b)) = (of(3), of(8));
        assert_eq!(info.shape, data.shape);
        let (along_a, along_b) = (along_a.unwrap(), along_b.unwrap());
        let shape = data.shape.clone();
        let mut checked = 0;
        for i in (0..x.len())
            .filter(|i| (x[*i] - blank[*i]).abs() > 0.2)
            .step_by(5)
        {
            let h = 1e-2f32;
            let mut at = |d: f32| {
                let mut x = x.clone();
                x[i] += d;
                log_odds(&mut run, &x, &shape, 3, 8)
            };
            let (up, down, here) = (at(h), at(-h), at(0.0));
            // Beside a kink of ReLU the two sides differ.
            let sides = ((up - here) - (here - down)).abs() / f64::from(h);
            if sides > 0.02 {
                continue;
            }
            let slope = (up - down) / f64::from(2.0 * h);
            let want = slope * f64::from(x[i] - blank[i]);
            let got = f64::from(a[i]) - f64::from(b[i]);
            assert!(
                (got - want).abs() < 0.02 * (1.0 + want.abs()),
                "{id} pixel {i}: {got} and {want}"
            );
            checked += 1;
        }
        assert!(checked >= 4, "{id}: {checked}");
        // Integrated gradients add up to what the score gains over the blank sample.
        for (along, class) in [(&along_a, 3), (&along_b, 8)] {
            let (info, _, _) = block_on(run.saliency(Part::Test, 3, class)).unwrap();
            let sum: f64 = along.iter().map(|v| f64::from(*v)).sum();
            let gain = info.score - info.blank;
            assert!(
                (sum - gain).abs() < 0.02 * (1.0 + gain.abs()),
                "{id}: {sum} and {gain}"
            );
        }
        // The scores themselves: their differences are those of the log-probabilities.
        let (three, _, _) = block_on(run.saliency(Part::Test, 3, 3)).unwrap();
        let (eight, _, _) = block_on(run.saliency(Part::Test, 3, 8)).unwrap();
        near(
            three.score - eight.score,
            log_odds(&mut run, &x, &shape, 3, 8),
            1e-3,
            "score",
        );
        near(
            three.blank - eight.blank,
            log_odds(&mut run, &blank, &shape, 3, 8),
            1e-3,
            "blank",
        );
    }
}

#[test]
fn a_sample_or_an_output_that_is_not_there_is_refused() {
    let mut run = open(preset("digits-mlp"));
    assert!(block_on(run.saliency(Part::Test, 1 << 20, 0)).is_err());
    assert!(block_on(run.saliency(Part::Test, 0, 10)).is_err());
}

/// A weight of 100 values whose gradient has this root mean square, and its update's share.
fn tensor(layer: &str, gradient: f64, share: f64) -> TensorVitals {
    TensorVitals {
        name: format!("{layer}.weight"),
        layer: layer.to_string(),
        shape: vec![10, 10],
        weight: 2.0,
        gradient: gradient * 10.0,
        update: share * 2.0,
        weights: Spread::default(),
        gradients: Spread::default(),
    }
}

fn found(tensors: Vec<TensorVitals>, dead: usize) -> Vec<Finding> {
    findings(&Vitals {
        step: 0,
        samples: 128,
        tensors,
        layers: vec![LayerVitals {
            layer: "relu".into(),
            function: Activation::Relu,
            units: 8,
            dead,
            saturated: 0.0,
        }],
    })
}

#[test]
fn a_diagnosis_is_made_where_it_is_safe() {
    let normal = || {
        vec![
            tensor("fc1", 1e-3, 1e-3),
            tensor("fc2", 5e-3, 2e-3),
            tensor("fc3", 2e-2, 1e-3),
        ]
    };
    assert_eq!(found(normal(), 3), []);
    let names = |times| (String::from("fc1"), String::from("fc3"), times);
    let (first, last, times) = names(1000.0);
    let fading = vec![
        tensor("fc1", 1e-5, 1e-3),
        tensor("fc2", 1e-4, 1e-3),
        tensor("fc3", 1e-2, 1e-3),
    ];
    let got = found(fading, 0);
    assert!(
        matches!(&got[..], [Finding::Vanish { first: f, last: l, times: t }]
        if *f == first && *l == last && (t - times).abs() < 1e-6),
        "{got:?}"
    );
    let growing = vec![tensor("fc1", 1e-1, 1e-3), tensor("fc3", 1e-4, 1e-3)];
    assert!(matches!(&found(growing, 0)[..], [Finding::Explode { .. }]));
    // An embedding's gradient is mostly zeros: its size says nothing.
    let mut sparse = tensor("embed", 1e-6, 1e-3);
    sparse.gradients.outside = 90;
    assert_eq!(found(vec![sparse, tensor("fc", 1e-2, 1e-3)], 0), []);
    let dead = Finding::Dead {
        layer: "relu".into(),
        dead: 4,
        units: 8,
    };
    assert_eq!(found(normal(), 4), [dead]);
    let all = |share| vec![tensor("a", 1e-3, share), tensor("b", 1e-3, share)];
    assert!(matches!(found(all(0.2), 0)[..], [Finding::Fast { .. }]));
    assert!(matches!(found(all(1e-8), 0)[..], [Finding::Slow { .. }]));
    let one_of_them = vec![tensor("a", 1e-3, 0.2), tensor("b", 1e-3, 1e-3)];
    assert_eq!(found(one_of_them, 0), []);
    assert_eq!(
        found(vec![tensor("a", 0.0, 0.0), tensor("b", 0.0, 0.0)], 0),
        [Finding::Still]
    );
    let nan = found(vec![tensor("a", 1.0, 0.1), tensor("b", f64::NAN, 0.1)], 0);
    assert_eq!(
        nan,
        [Finding::NotFinite {
            name: "b.weight".into()
        }]
    );
}

#[test]
fn words_are_told_by_gradient_times_embedding() {
    let mut spec = preset("imdb-conv1d");
    spec.data.source = DataSource::Reviews { samples: 80 };
    spec.train.batch_size = Some(20);
    spec.layers[0].kind = LayerKind::Embedding {
        vocab: 10_000,
        dim: 6,
    };
    let data = load(&spec);
    let mut run: Run = block_on(Session::new(spec, Rc::clone(&data), None)).unwrap();
    train(&mut run, 6);
    let (found, times, along) = block_on(run.saliency(Part::Test, 2, 1)).unwrap();
    let mut x = vec![0.0f32; data.features_len()];
    data.write_x(data.test[2] as usize, &mut x);
    assert_eq!(
        (found.shape, times.len(), along),
        (vec![x.len()], x.len(), None)
    );
    let (_, vocabulary) = data.text.as_ref().unwrap();
    assert!(
        x.iter()
            .zip(&found.words)
            .all(|(t, w)| vocabulary.words()[*t as usize] == *w)
    );
    let state = block_on(run.checkpoint()).unwrap();
    // The score when the row of one word's embedding is so many times as long.
    let score = |token: f32, by: f32| {
        let mut state = Checkpoint::from_bytes(&state).unwrap();
        let table = state
            .tensors
            .iter_mut()
            .find(|t| t.0.starts_with("embedding."))
            .unwrap();
        for v in &mut table.2[token as usize * 6..][..6] {
            *v *= by;
        }
        let mut run: Run = block_on(Session::resume(state, Rc::clone(&data))).unwrap();
        block_on(run.saliency(Part::Test, 2, 1)).unwrap().0.score
    };
    // A word that comes twice has one row for two places: the sum of both.
    let mut known: Vec<f32> = x.iter().copied().filter(|t| *t > 0.0).collect();
    known.dedup();
    let mut checked = 0;
    for token in known.into_iter().take(6) {
        let want: f64 = x
            .iter()
            .zip(&times)
            .filter(|(t, _)| **t == token)
            .map(|(_, v)| f64::from(*v))
            .sum();
        let h = 0.02;
        let slope = (score(token, 1.0 + h) - score(token, 1.0 - h)) / f64::from(2.0 * h);
        assert!(
            (slope - want).abs() < 0.05 * want.abs() + 2e-4,
            "{token}: {slope} and {want}"
        );
        checked += 1;
    }
    assert!(checked >= 3);
    // Against class 0 is for class 1.
    let (other, against, _) = block_on(run.saliency(Part::Test, 2, 0)).unwrap();
    assert_eq!(other.score, -found.score);
    assert!(against.iter().zip(&times).all(|(a, b)| *a == -*b));
}
