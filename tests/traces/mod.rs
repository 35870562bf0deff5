//! The traces of `tests/reference/`, replayed from the same initial weights and batches. Natively
//! by `tests/train.rs`, in a browser by `tests/web.rs`.
use crate::common::{block_on, dataset, hash};
use nabla::backend::Backend;
use nabla::backend::cpu::CpuBackend;
use nabla::data::{Dataset, Target, Values};
use nabla::spec::{Clip, LayerKind, Spec};
use nabla::train::{Session, weights};
use serde_json::Value;
use std::rc::Rc;

/// Calls `$tests!` with all traces, by test.
#[allow(unused_macros, reason = "not every test replays all")]
macro_rules! each_trace {
    ($tests:ident) => {
        $tests! {
            tutorial_networks: "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t8_no_dropout";
            tutorial_texts: "t11";
            tutorial_sequences: "t12_lstm", "t12_gru", "t12_rnn", "t12_sine";
            tutorial_autoencoders: "t13", "t14";
            tutorial_decoder: "t16";
            pytorch_optimisers: "pytorch_sgd", "pytorch_momentum", "pytorch_nesterov", "pytorch_sgd_decay",
                "pytorch_rmsprop", "pytorch_rmsprop_momentum", "pytorch_adagrad", "pytorch_adam",
                "pytorch_adam_decay", "pytorch_adamw";
            keras_optimisers: "keras_sgd", "keras_momentum", "keras_nesterov", "keras_rmsprop",
                "keras_rmsprop_momentum", "keras_adagrad", "keras_adam", "keras_adamw";
            clipping: "pytorch_clip_norm", "pytorch_clip_value", "keras_clip_norm", "keras_clip_value";
            a_hundred_steps: "pytorch_adam_100", "pytorch_adamw_100", "pytorch_rmsprop_100",
                "pytorch_nesterov_100", "keras_adam_100", "keras_adamw_100", "keras_rmsprop_100",
                "keras_nesterov_100";
            activations: "activation_relu", "activation_leaky_relu", "activation_elu", "activation_gelu",
                "activation_gelu_tanh", "activation_silu", "activation_sigmoid", "activation_tanh",
                "activation_softplus";
            losses: "pytorch_mse", "pytorch_mae", "pytorch_huber", "pytorch_cross_entropy_logits",
                "pytorch_bce_logits", "pytorch_bce_probabilities", "keras_mse", "keras_mae", "keras_huber",
                "keras_cross_entropy_logits", "keras_bce_logits", "keras_bce_probabilities", "keras_hinge";
            class_weights: "pytorch_class_weight", "pytorch_class_weight_two", "keras_class_weight",
                "keras_class_weight_two";
            convolution: "t9", "t10", "pytorch_conv2d_options", "keras_conv2d_options", "pytorch_conv1d",
                "keras_conv1d", "pytorch_transpose", "keras_transpose";
            normalisation: "pytorch_batch_norm", "keras_batch_norm", "pytorch_layer_norm",
                "keras_layer_norm", "pytorch_layer_norm_axes";
            recurrent: "pytorch_lstm", "pytorch_lstm_both", "pytorch_gru", "pytorch_gru_both", "pytorch_rnn",
                "pytorch_rnn_both", "pytorch_rnn_relu", "keras_lstm", "keras_lstm_both", "keras_gru",
                "keras_gru_both", "keras_rnn", "keras_rnn_both", "keras_rnn_relu";
            autoencoders: "pytorch_autoencoder", "pytorch_autoencoder_bce", "keras_autoencoder",
                "keras_autoencoder_bce";
            attention: "pytorch_embedding", "pytorch_attention", "pytorch_decoder", "keras_embedding",
                "keras_attention", "keras_decoder";
            penalties: "pytorch_l1", "pytorch_l2", "keras_l1_l2";
        }
    };
}

/// A trace's text.
macro_rules! trace {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/reference/traces/",
            $name,
            ".json"
        ))
    };
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn sizes(v: &Value) -> Vec<usize> {
    v.as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap() as usize)
        .collect()
}

/// x and y of a trace, and how many rows there are.
fn values(t: &Value) -> (Vec<f32>, Vec<f32>, usize, Target) {
    let d = &t["data"];
    let shape = sizes(&d["shape"]);
    let n: usize = shape.iter().product();
    let flat = |v: &Value| -> Vec<f32> {
        v.as_array()
            .unwrap()
            .iter()
            .flat_map(numbers)
            .map(|v| v as f32)
            .collect()
    };
    let names = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
    if d["kind"] == "literal" {
        let (x, y) = (flat(&d["x"]), flat(&d["y"]));
        let rows = x.len() / n;
        let target = Target::Values {
            names: names(y.len() / rows),
        };
        return (x, y, rows, target);
    }
    let rows = d["samples"].as_u64().unwrap() as usize;
    let bounds = |d: &Value| {
        (
            d["low"].as_f64().unwrap() as f32,
            d["high"].as_f64().unwrap() as f32,
        )
    };
    let spread = |seed: u32, n: usize, (lo, hi): (f32, f32)| -> Vec<f32> {
        (0..n as u32)
            .map(|i| (hash(seed, i) >> 8) as f32 / 16_777_216.0 * (hi - lo) + lo)
            .collect()
    };
    let whole = |seed: u32, n: usize, k: u64| -> Vec<f32> {
        (0..n as u32)
            .map(|i| ((u64::from(hash(seed, i) >> 8) * k) >> 24) as f32)
            .collect()
    };
    let x = match d["tokens"].as_u64() {
        Some(k) => whole(1, rows * n, k),
        None => spread(1, rows * n, bounds(d)),
    };
    if let Some(k) = d["classes"].as_u64() {
        if d["steps"] == true {
            let target = Target::Steps {
                names: names(k as usize),
                steps: shape[0],
            };
            return (x, whole(2, rows * shape[0], k), rows, target);
        }
        let y = whole(2, rows, k);
        return (
            x,
            y,
            rows,
            Target::Classes {
                names: names(k as usize),
            },
        );
    }
    if d["target"] == "input" {
        return (
            x,
            vec![0.0; rows],
            rows,
            Target::Input {
                width: n,
                names: Vec::new(),
            },
        );
    }
    let targets = &d["targets"];
    let width: usize = sizes(&targets["shape"]).iter().product();
    let seed = targets["seed"].as_u64().unwrap() as u32;
    let y = spread(seed, rows * width, bounds(targets));
    (
        x,
        y,
        rows,
        Target::Values {
            names: names(width),
        },
    )
}

/// A session that takes the trace's batches from the trace's weights.
async fn session<B: Backend>(t: &Value) -> Session<B> {
    let mut spec: Spec = serde_json::from_value(t["spec"].clone()).unwrap();
    if let Some(seed) = t["dropout"]["seed"].as_u64() {
        spec.seed = seed as u32;
    }
    let (steps, batch) = (t["steps"].as_u64().unwrap(), t["batch"].as_u64().unwrap());
    let (x, y, rows, target) = values(t);
    let data = Dataset {
        train: (0..steps * batch)
            .map(|i| (i % rows as u64) as u32)
            .collect(),
        ..dataset(&sizes(&t["data"]["shape"]), Values::F32(x), y, target)
    };
    spec.train.batch_size = Some(batch as usize);
    spec.train.shuffle = false;
    let params: Vec<(String, Vec<usize>, Vec<f32>)> = t["params"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(k, p)| {
            let shape = sizes(&p["shape"]);
            let bound = p["bound"].as_f64().unwrap() as f32;
            let n: usize = shape.iter().product();
            let v = (0..n as u32)
                .map(|i| {
                    let u = (hash(1000 + k as u32, i) >> 8) as f32 / 16_777_216.0;
                    (2.0 * u - 1.0) * bound
                })
                .collect();
            (p["name"].as_str().unwrap().to_string(), shape, v)
        })
        .collect();
    // Running statistics begin as in a new layer.
    let mut params = params;
    for l in spec.layers.iter() {
        if let LayerKind::BatchNorm { .. } = l.kind {
            let own = |(n, _, _): &&(String, _, _)| *n == format!("{}.weight", l.id);
            let shape = params.iter().find(own).unwrap().1.clone();
            for (name, start) in [("running_mean", 0.0), ("running_var", 1.0)] {
                params.push((
                    format!("{}.{name}", l.id),
                    shape.clone(),
                    vec![start; shape[0]],
                ));
            }
        }
    }
    let list: Vec<(&str, &[usize], &[f32])> = params
        .iter()
        .map(|(n, s, v)| (n.as_str(), &s[..], &v[..]))
        .collect();
    let file = weights::write(spec.framework, &list).unwrap();
    Session::new(spec, Rc::new(data), Some(&file))
        .await
        .unwrap()
}

/// Norm, first values and projections of a tensor within `tolerance` of its norm.
fn compare(name: &str, got: &[f32], want: &Value, tolerance: f64) {
    let norm = want["norm"].as_f64().unwrap();
    let near = |what: &str, got: f64, want: f64, scale: f64| {
        let error = (got - want).abs();
        assert!(
            error <= tolerance * scale.max(1e-12),
            "{name} {what}: {got} instead of {want}, off by {:e} of {scale}",
            error / scale
        );
    };
    let own = got
        .iter()
        .map(|v| f64::from(*v).powi(2))
        .sum::<f64>()
        .sqrt();
    near("norm", own, norm, norm);
    for (i, w) in numbers(&want["first"]).iter().enumerate() {
        near(&format!("[{i}]"), f64::from(got[i]), *w, norm);
    }
    for (k, w) in numbers(&want["dots"]).iter().enumerate() {
        let r =
            |i: usize| 2.0 * f64::from(hash(5000 + k as u32, i as u32) >> 8) / 16_777_216.0 - 1.0;
        let dot: f64 = got
            .iter()
            .enumerate()
            .map(|(i, v)| f64::from(*v) * r(i))
            .sum();
        // A projection on numbers from −1 to 1 is at most √n norms long.
        near(&format!("·r{k}"), dot, *w, norm * (got.len() as f64).sqrt());
    }
}

/// Trains as the trace says, of which `text` is the file, and compares at every step.
#[allow(dead_code, reason = "for the tests of the CPU backend")]
pub fn replay(name: &str, text: &str) {
    block_on(replay_on::<CpuBackend>(name, text, 1e-4));
}

/// [`replay`] on any backend, with its tolerance.
pub async fn replay_on<B: Backend>(name: &str, text: &str, tolerance: f64) {
    let t: Value = serde_json::from_str(text).unwrap();
    let mut s = session::<B>(&t).await;
    let steps = t["steps"].as_u64().unwrap() as u32;
    let at = numbers(&t["loss_steps"]);
    let losses = numbers(&t["losses"]);
    let clipped = s.spec().train.clip != Clip::None;
    for step in 0..steps {
        let chunk = s.steps(1).await.unwrap();
        if let Some(k) = at.iter().position(|a| *a == f64::from(step)) {
            let (got, want) = (f64::from(chunk.rows[0]), losses[k]);
            assert!(
                (got - want).abs() <= tolerance * want.abs(),
                "{name}: loss of step {step} is {got} instead of {want}"
            );
        }
        let grads = &t["grads"][step.to_string()];
        // The traces hold gradients from before clipping, the slab what the update read.
        if let (Some(list), false) = (grads.as_array(), clipped) {
            for g in list {
                let tensor = g["name"].as_str().unwrap();
                let (_, got) = s.tensor(&format!("grad:{tensor}")).await.unwrap();
                compare(
                    &format!("{name}, step {step}, grad {tensor}"),
                    &got,
                    g,
                    tolerance,
                );
            }
        }
    }
    for p in t["final"].as_array().unwrap() {
        let tensor = p["name"].as_str().unwrap();
        let (_, got) = s.tensor(tensor).await.unwrap();
        compare(&format!("{name}, final {tensor}"), &got, p, tolerance);
    }
}
