//! Early stopping, kept states and plateaus as Keras and PyTorch have them, on scripted curves and
//! in a run.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::spec::{Checkpoints, EarlyStopping, Framework, Monitor, Schedule, Spec};
use nabla::train::Session;
use nabla::train::callbacks::{Callbacks, Measured, file_name};
use nabla::train::checkpoint::Checkpoint;
use nabla::train::protocol::{Evaluation, Part};
use serde_json::Value;

fn told(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("reference/traces/callbacks.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

fn curve(v: &Value) -> Vec<f64> {
    let list = v["curve"].as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap()).collect()
}

fn measured(v: f64) -> Measured {
    Measured {
        loss: f64::NAN,
        val_loss: Some(v),
        val_accuracy: Some(v),
    }
}

#[test]
fn early_stopping_is_keras() {
    for t in told("early_stopping") {
        let mut spec = preset("digits-mlp");
        spec.train.early_stopping = Some(EarlyStopping {
            monitor: serde_json::from_value(t["monitor"].clone()).unwrap(),
            patience: t["patience"].as_u64().unwrap() as usize,
            min_delta: t["min_delta"].as_f64().unwrap() as f32,
            restore_best: true,
        });
        let mut c = Callbacks::default();
        let (mut ended, mut stopped) = (0, false);
        for v in curve(&t) {
            ended += 1;
            stopped = c.epoch(&spec, ended, &measured(v)).stop;
            if stopped {
                break;
            }
        }
        let got = (u64::from(ended), stopped, u64::from(c.best_epoch()));
        let want = (
            t["ended"].as_u64().unwrap(),
            t["stopped"].as_bool().unwrap(),
            t["restored"].as_u64().unwrap(),
        );
        assert_eq!(got, want, "{t}");
    }
}

#[test]
fn the_states_kept_and_their_names_are_keras() {
    for t in told("checkpoints") {
        let mut spec = preset("digits-mlp");
        let monitor = Monitor::ValLoss;
        spec.train.checkpoints = Some(Checkpoints {
            monitor,
            best_only: t["best_only"].as_bool().unwrap(),
        });
        let mut c = Callbacks::default();
        let mut names = Vec::new();
        for (i, v) in curve(&t).into_iter().enumerate() {
            let epoch = i as u32 + 1;
            if c.epoch(&spec, epoch, &measured(v)).save {
                names.push(Value::from(file_name(epoch, monitor, &measured(v))));
            }
        }
        assert_eq!(&names, t["names"].as_array().unwrap(), "{t}");
    }
}

#[test]
fn plateaus_are_the_frameworks() {
    for t in told("plateau") {
        let mut spec = preset("digits-mlp");
        spec.framework = match t["framework"].as_str() {
            Some("keras") => Framework::Keras,
            _ => Framework::Pytorch,
        };
        spec.train.schedule = Schedule::Plateau {
            monitor: Monitor::ValLoss,
            factor: 0.5,
            patience: t["patience"].as_u64().unwrap() as usize,
            least: t["least"].as_f64().unwrap() as f32,
        };
        let mut c = Callbacks::default();
        let rates = t["rates"].as_array().unwrap();
        for (i, (v, want)) in curve(&t).into_iter().zip(rates).enumerate() {
            c.epoch(&spec, i as u32 + 1, &measured(v));
            let want = want.as_f64().unwrap();
            assert!(
                (c.factor() - want).abs() < 1e-6,
                "epoch {i}: {} {t}",
                c.factor()
            );
        }
    }
}

fn watched() -> Spec {
    let mut spec = preset("digits-mlp");
    spec.train.epochs = 8;
    spec.train.early_stopping = Some(EarlyStopping {
        monitor: Monitor::ValLoss,
        patience: 2,
        min_delta: 0.0,
        restore_best: true,
    });
    spec.train.checkpoints = Some(Checkpoints {
        monitor: Monitor::ValLoss,
        best_only: true,
    });
    spec
}

type Run = Session<CpuBackend>;

fn open(spec: Spec) -> Run {
    let data = load(&spec);
    block_on(Session::new(spec, data, None)).unwrap()
}

fn epoch(run: &mut Run) {
    while !block_on(run.steps(u32::MAX)).unwrap().epoch_done {}
}

fn said(loss: f64) -> Evaluation {
    Evaluation {
        loss,
        ..Evaluation::default()
    }
}

/// Epochs get better until the third, then worse: the run ends after the fifth with the weights
/// of the third, whose checkpoint goes on as the run itself did.
#[test]
fn a_run_stops_goes_back_and_keeps_its_best() {
    let mut run = open(watched());
    let mut after = Vec::new();
    let mut kept = Vec::new();
    let mut ended = 0;
    for loss in [0.9, 0.7, 0.5, 0.6, 0.55, 0.1] {
        epoch(&mut run);
        after.push(block_on(run.tensor("fc1.weight")).unwrap().1);
        let end = block_on(run.epoch_ended(Some(&said(loss)))).unwrap();
        kept.extend(end.saved);
        ended += 1;
        if end.stop {
            break;
        }
    }
    assert_eq!((ended, run.best_epoch()), (5, Some(3)));
    assert_eq!(block_on(run.tensor("fc1.weight")).unwrap().1, after[2]);
    let names: Vec<&str> = kept.iter().map(|s| s.name.as_str()).collect();
    let want = ["model.01-0.90", "model.02-0.70", "model.03-0.50"];
    assert_eq!(names, want.map(|n| format!("{n}.safetensors")));
    let third = Checkpoint::from_bytes(&kept[2].bytes).unwrap();
    let spec = watched();
    let mut again: Run = block_on(Session::resume(third, load(&spec))).unwrap();
    assert_eq!((again.epoch(), again.best_epoch()), (3, Some(3)));
    epoch(&mut again);
    assert_eq!(block_on(again.tensor("fc1.weight")).unwrap().1, after[3]);
    // Its patience is the run's: one more epoch without a gain, then it ends.
    assert!(!block_on(again.epoch_ended(Some(&said(0.6)))).unwrap().stop);
    epoch(&mut again);
    assert!(block_on(again.epoch_ended(Some(&said(0.6)))).unwrap().stop);
    assert_eq!(block_on(again.tensor("fc1.weight")).unwrap().1, after[2]);
}

/// With nothing to restore, the callbacks change no bit of a run.
#[test]
fn watching_changes_nothing() {
    let mut plain = watched();
    plain.train.early_stopping = None;
    plain.train.checkpoints = None;
    let (mut a, mut b) = (open(watched()), open(plain));
    for _ in 0..3 {
        epoch(&mut a);
        epoch(&mut b);
        let e = block_on(a.evaluate(Part::Validation)).unwrap();
        block_on(a.epoch_ended(Some(&e))).unwrap();
    }
    let w = |run: &mut Run| block_on(run.tensor("fc1.weight")).unwrap().1;
    assert_eq!(w(&mut a), w(&mut b));
}

#[test]
fn a_plateau_lowers_the_rate_of_the_next_steps() {
    let mut spec = watched();
    spec.train.early_stopping = None;
    spec.train.schedule = Schedule::Plateau {
        monitor: Monitor::ValLoss,
        factor: 0.1,
        patience: 0,
        least: 0.05,
    };
    let mut run = open(spec);
    let columns = run.info(0).columns.len();
    let mut rates = Vec::new();
    for _ in 0..4 {
        let c = block_on(run.steps(1)).unwrap();
        rates.push(c.rows[columns - 1]);
        epoch(&mut run);
        block_on(run.epoch_ended(Some(&said(0.5)))).unwrap();
    }
    for (got, want) in rates.iter().zip([1e-3, 1e-3, 1e-4, 5e-5]) {
        assert!((got / want - 1.0).abs() < 1e-5, "{rates:?}");
    }
}

#[test]
fn what_is_watched_must_be_there() {
    let refused = |f: &dyn Fn(&mut Spec)| {
        let mut spec = watched();
        f(&mut spec);
        let data = load(&spec);
        let failure = block_on(Run::new(spec, data, None)).err().unwrap();
        let p = &failure.problems[0];
        (p.code.clone(), p.field.clone().unwrap())
    };
    let at = |code: &str, field: &str| (code.to_string(), format!("train.{field}.monitor"));
    let without = refused(&|s| s.data.split.validation = 0.0);
    assert_eq!(without, at("no-validation", "early_stopping"));
    let numbers = refused(&|s| {
        *s = Spec {
            train: nabla::spec::TrainSpec {
                checkpoints: s.train.checkpoints.map(|c| Checkpoints {
                    monitor: Monitor::ValAccuracy,
                    ..c
                }),
                ..preset("linreg-3x2").train
            },
            ..preset("linreg-3x2")
        };
        s.data.split.validation = 0.2;
    });
    assert_eq!(numbers, at("no-accuracy", "checkpoints"));
}
