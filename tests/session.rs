//! What a run promises: the same bits again, exact resumption, results that a tutorial names.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::spec::{Framework, Init, Schedule, Spec};
use nabla::train::protocol::Part;
use nabla::train::{Session, checkpoint::Checkpoint, init, schedule};
use serde_json::Value;
use std::collections::BTreeMap;

type Run = Session<CpuBackend>;

fn open(spec: Spec) -> Run {
    let data = load(&spec);
    block_on(Session::new(spec, data, None)).unwrap()
}

/// Losses of the next `n` steps.
fn losses(s: &mut Run, n: u32) -> Vec<f32> {
    let columns = s.info(0).columns.len();
    let mut out = Vec::new();
    while (out.len() as u32) < n {
        let c = block_on(s.steps(n - out.len() as u32)).unwrap();
        out.extend(c.rows.chunks(columns).map(|r| r[0]));
    }
    out
}

fn epochs(s: &mut Run, n: u32) {
    let end = s.epoch() + n;
    while s.epoch() < end {
        block_on(s.steps(u32::MAX)).unwrap();
    }
}

fn bits(v: &[f32]) -> Vec<u32> {
    v.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn the_same_spec_and_seed_give_the_same_bits() {
    for id in ["digits-mlp", "mnist-mlp", "mlp-spirals"] {
        let (mut a, mut b) = (open(preset(id)), open(preset(id)));
        // In other portions, too.
        let first = losses(&mut a, 90);
        let mut second = losses(&mut b, 7);
        second.extend(losses(&mut b, 83));
        assert_eq!(bits(&first), bits(&second), "{id}");
        let mut other = preset(id);
        other.seed += 1;
        assert_ne!(bits(&first), bits(&losses(&mut open(other), 90)), "{id}");
    }
}

#[test]
fn a_checkpoint_resumes_bit_for_bit() {
    for id in ["digits-mlp", "mnist-mlp", "logreg"] {
        let spec = preset(id);
        let mut run = open(spec.clone());
        losses(&mut run, 53);
        let file = block_on(run.checkpoint()).unwrap();
        let on = losses(&mut run, 60);
        let checkpoint = Checkpoint::from_bytes(&file).unwrap();
        let mut again: Run = block_on(Session::resume(checkpoint, load(&spec))).unwrap();
        assert_eq!(again.step(), 53);
        assert_eq!(bits(&on), bits(&losses(&mut again, 60)), "{id}");
    }
}

#[test]
fn weights_leave_and_come_back() {
    let mut run = open(preset("mnist-mlp"));
    losses(&mut run, 3);
    let file = block_on(run.weights()).unwrap();
    let want = block_on(run.tensor("dense.weight")).unwrap();
    let spec = preset("mnist-mlp");
    let data = load(&spec);
    let mut other: Run = block_on(Session::new(spec, data, Some(&file))).unwrap();
    assert_eq!(block_on(other.tensor("dense.weight")).unwrap(), want);
}

#[test]
fn reset_begins_anew() {
    let mut run = open(preset("digits-mlp"));
    let first = losses(&mut run, 50);
    block_on(run.reset(None)).unwrap();
    assert_eq!(run.step(), 0);
    assert_eq!(bits(&first), bits(&losses(&mut run, 50)));
    block_on(run.reset(Some(77))).unwrap();
    assert_ne!(bits(&first), bits(&losses(&mut run, 50)));
}

#[test]
fn hyper_parameters_change_between_steps() {
    let mut run = open(preset("digits-mlp"));
    losses(&mut run, 10);
    let set = |run: &mut Run, name: &str, v: f64| {
        block_on(run.set(&BTreeMap::from([(name.to_string(), v)])))
    };
    let now = set(&mut run, "learningRate", 0.0).unwrap();
    assert_eq!(now["learningRate"], 0.0);
    let before = block_on(run.tensor("fc1.weight")).unwrap();
    losses(&mut run, 10);
    assert_eq!(before, block_on(run.tensor("fc1.weight")).unwrap());
    // A penalty that the plan does not have yet: compiled anew, weights and moments kept.
    let now = set(&mut run, "l2", 0.5).unwrap();
    assert_eq!(now["l2"], 0.5);
    assert_eq!(before, block_on(run.tensor("fc1.weight")).unwrap());
    assert_eq!(run.step(), 20);
    let sum: f32 = [&before.1, &block_on(run.tensor("fc2.weight")).unwrap().1]
        .iter()
        .flat_map(|v| v.iter())
        .map(|w| w * w)
        .sum();
    let loss = losses(&mut run, 1)[0];
    assert!(loss > 0.5 * sum && loss < 0.5 * sum + 3.0, "{loss} {sum}");
    assert!(set(&mut run, "learningRate", f64::NAN).is_err());
    assert!(set(&mut run, "learningRate", -1.0).is_err());
    assert!(set(&mut run, "rho", 0.5).is_err(), "Adam has no rho");
    assert!(set(&mut run, "colour", 1.0).is_err());
}

#[test]
fn digits_reach_97_percent() {
    let mut run = open(preset("digits-mlp"));
    let all = run.epochs();
    epochs(&mut run, all);
    let e = block_on(run.evaluate(Part::Test)).unwrap();
    assert!(e.accuracy.unwrap() >= 0.97, "{e:?}");
    let hits: u32 = e
        .confusion
        .unwrap()
        .iter()
        .enumerate()
        .map(|(i, r)| r[i])
        .sum();
    assert_eq!(f64::from(hits) / e.samples as f64, e.accuracy.unwrap());
}

#[test]
fn classifiers_learn_their_shapes() {
    for (id, want) in [
        ("logreg", 0.95),
        ("logreg-blobs", 0.93),
        ("mlp-xor", 0.93),
        ("mlp-circles", 0.95),
        ("mlp-moons", 0.97),
        ("mlp-spirals", 0.95),
    ] {
        let mut run = open(preset(id));
        let all = run.epochs();
        epochs(&mut run, all);
        let e = block_on(run.evaluate(Part::Test)).unwrap();
        assert!(e.accuracy.unwrap() >= want, "{id}: {e:?}");
    }
}

/// Slope, intercept, MSE and R² of the least-squares line through the training part.
fn least_squares(run: &Run) -> (f64, f64, f64, f64) {
    let (info, x, y, _) = run.samples(Part::Train, 0, usize::MAX);
    let n = info.count as f64;
    let mean = |v: &[f32]| v.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let (mx, my) = (mean(&x), mean(&y));
    let pairs = || {
        x.iter()
            .zip(&y)
            .map(|(x, y)| (f64::from(*x) - mx, f64::from(*y) - my))
    };
    let sxx: f64 = pairs().map(|(x, _)| x * x).sum();
    let sxy: f64 = pairs().map(|(x, y)| x * y).sum();
    let syy: f64 = pairs().map(|(_, y)| y * y).sum();
    let slope = sxy / sxx;
    let rest: f64 = pairs().map(|(x, y)| (y - slope * x).powi(2)).sum();
    (slope, my - slope * mx, rest / n, 1.0 - rest / syy)
}

#[test]
fn linear_regression_ends_at_least_squares() {
    let mut run = open(preset("linreg-sklearn"));
    epochs(&mut run, 2000);
    let (slope, intercept, mse, r2) = least_squares(&run);
    let e = block_on(run.evaluate(Part::Train)).unwrap();
    let digits = |a: f64, b: f64| ((a - b) / b).abs() < 5e-4;
    assert!(digits(e.mse.unwrap(), mse), "{e:?} {mse}");
    assert!(digits(e.r2.unwrap(), r2), "{e:?} {r2}");
    let (_, w) = block_on(run.tensor("linear.weight")).unwrap();
    let (_, b) = block_on(run.tensor("linear.bias")).unwrap();
    assert!(digits(f64::from(w[0]), slope), "{w:?} {slope}");
    assert!(
        (f64::from(b[0]) - intercept).abs() < 5e-3,
        "{b:?} {intercept}"
    );
}

/// y = 3x + 2: within two standard errors of the least-squares estimate of 100 points.
#[test]
fn the_line_is_found() {
    let mut run = open(preset("linreg-3x2"));
    let all = run.epochs();
    epochs(&mut run, all);
    let (_, w) = block_on(run.tensor("linear.weight")).unwrap();
    let (_, b) = block_on(run.tensor("linear.bias")).unwrap();
    // σ = 0.5, x ~ U(0,1): deviations 0.5/√(100/12) = 0.17 and 0.5·√(4/100) = 0.1.
    assert!(
        (w[0] - 3.0).abs() < 0.5 && (b[0] - 2.0).abs() < 0.3,
        "{w:?} {b:?}"
    );
}

/// The weights depend on where training began: two points do not determine them. But (5, 6) lies
/// on the line through (1, 2) and (3, 4), so whoever meets 2 and 6 gives 10 there.
#[test]
fn two_points_leave_the_weights_open() {
    let mut at_56 = Vec::new();
    let mut first_weights = Vec::new();
    for seed in [1, 2, 3] {
        let mut spec = preset("first-network");
        spec.seed = seed;
        let mut run = open(spec);
        epochs(&mut run, 5000);
        let (_, fit) = block_on(run.predict(&[1.0, 2.0, 3.0, 4.0], &[2, 2], false)).unwrap();
        assert!(
            (fit[0] - 2.0).abs() < 1e-2 && (fit[1] - 6.0).abs() < 1e-2,
            "{fit:?}"
        );
        let (shape, y) = block_on(run.predict(&[5.0, 6.0], &[1, 2], false)).unwrap();
        assert_eq!(shape, [1, 1]);
        at_56.push(y[0]);
        first_weights.push(block_on(run.tensor("fc1.weight")).unwrap().1[0]);
    }
    let [a, b, c] = first_weights[..] else {
        unreachable!()
    };
    assert!(
        (a - b).abs() > 0.01 && (b - c).abs() > 0.01,
        "{first_weights:?}"
    );
    assert!(at_56.iter().all(|y| (y - 10.0).abs() < 0.05), "{at_56:?}");
}

#[test]
fn a_prediction_says_what_is_wrong_with_its_shape() {
    let mut run = open(preset("digits-mlp"));
    for (n, shape) in [(63, vec![63]), (0, vec![0, 64]), (10, vec![3, 64])] {
        let f = block_on(run.predict(&vec![0.0; n], &shape, false)).unwrap_err();
        assert_eq!(f.code, "bad-data", "{shape:?}");
    }
    let (shape, p) = block_on(run.predict(&[8.0; 128], &[2, 64], false)).unwrap();
    assert_eq!(shape, [2, 10]);
    assert!((p[..10].iter().sum::<f32>() - 1.0).abs() < 1e-5);
    let (_, one) = block_on(run.predict(&[8.0; 64], &[64], false)).unwrap();
    assert_eq!(bits(&one), bits(&p[..10]), "one sample or many");
    let (shape, _) = block_on(run.tensor("activation:relu1")).unwrap();
    assert_eq!(shape, [1, 64]);
    assert!(block_on(run.tensor("nothing")).is_err());
}

#[test]
fn schedules_are_pytorchs() {
    let path = "/tests/reference/traces/schedules.json";
    let file = std::fs::read_to_string(format!("{}{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let table: Value = serde_json::from_str(&file).unwrap();
    for e in table["entries"].as_array().unwrap() {
        let s: Schedule = serde_json::from_value(e["schedule"].clone()).unwrap();
        let n = e["epochs"].as_u64().unwrap() as usize;
        for (i, want) in e["factors"].as_array().unwrap().iter().enumerate() {
            let (got, want) = (schedule::factor(&s, i as u32, 1, n), want.as_f64().unwrap());
            assert!((got - want).abs() < 1e-6, "{s:?} at {i}: {got} {want}");
        }
    }
}

#[test]
fn initialisers_are_the_frameworks() {
    let path = "/tests/reference/traces/init.json";
    let file = std::fs::read_to_string(format!("{}{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let table: Value = serde_json::from_str(&file).unwrap();
    for e in table["entries"].as_array().unwrap() {
        let framework: Framework = serde_json::from_value(e["framework"].clone()).unwrap();
        let named: Option<Init> = serde_json::from_value(e["init"].clone()).unwrap();
        let weight = e["tensor"] == "weight";
        let init = named.unwrap_or(match (framework, weight) {
            (Framework::Pytorch, _) => Init::TorchDefault,
            (Framework::Keras, true) => Init::GlorotUniform,
            (Framework::Keras, false) => Init::Zeros,
        });
        let shape: &[usize] = if weight { &[256, 128] } else { &[256] };
        let mut all = Vec::new();
        for draw in 0..20 {
            let mut rng = nabla::data::rng::Rng::new(draw, nabla::data::rng::INIT);
            let v = init::values(init, shape, (128, 256), framework, &mut rng);
            all.extend(v.into_iter().map(f64::from));
        }
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        let std = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let want = |k: &str| e[k].as_f64().unwrap();
        let spread = want("std").max(1e-9);
        // Both are draws: their means differ by a few standard errors of theirs.
        let noise = 6.0 * spread / n.sqrt() * 2.0;
        assert!((mean - want("mean")).abs() <= noise, "{e}: mean {mean}");
        assert!((std - want("std")).abs() <= 0.02 * spread, "{e}: std {std}");
        let normal = match named {
            Some(Init::Normal { .. } | Init::Orthogonal { .. }) => true,
            Some(
                Init::GlorotNormal
                | Init::HeNormal
                | Init::LecunNormal
                | Init::TruncatedNormal { .. },
            ) => framework == Framework::Pytorch,
            _ => false,
        };
        if !normal {
            let (lo, hi) = all
                .iter()
                .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            assert!((lo - want("min")).abs() <= 0.03 * spread, "{e}: min {lo}");
            assert!((hi - want("max")).abs() <= 0.03 * spread, "{e}: max {hi}");
        }
    }
}
