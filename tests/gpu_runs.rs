//! Whole runs on the GPU backend natively. In short here; the whole with
//! `cargo test --release --features gpu --test gpu_runs -- --ignored --nocapture`.
#![cfg(all(not(target_arch = "wasm32"), feature = "gpu"))]
mod common;

use common::device::{block_on, steps, there_is_one};
use common::{load, preset};
use nabla::backend::gpu::Gpu;
use nabla::backend::{AnyBackend, Place};
use nabla::spec::{Spec, presets::PRESETS};
use nabla::train::Session;
use nabla::train::protocol::Part;
use nabla::train::session::Safety;

type Run = Session<AnyBackend>;

fn on(place: Place, spec: &Spec) -> Run {
    block_on(Session::on(place, spec.clone(), load(spec), None)).unwrap()
}

/// Losses of `total` steps, of which about `losses` are followed by the loss of the device, in no
/// regular order; and the run.
fn disturbed(spec: &Spec, total: u32, losses: u32) -> (Vec<f32>, Run) {
    let mut run = on(Place::Gpu, spec);
    let mut safety = Safety::default();
    let columns = run.info(0).columns.len();
    let (mut history, mut lost, mut clock) = (Vec::new(), 0, 0.0);
    while run.step() < total {
        clock += 1100.0;
        block_on(safety.keep(&mut run, clock, false)).unwrap();
        let at = run.step();
        let next = (u64::from(lost) * 2 + 1) * u64::from(total) / u64::from(losses * 2);
        // A place of its own in each stretch of the run, by a hash of its number.
        let shift = common::hash(7, lost) % (total / losses / 2).max(1);
        if lost < losses && u64::from(at + shift) >= next {
            lost += 1;
            match lost % 3 {
                0 => block_on(Gpu::get()).unwrap().fail("a driver gave up"),
                _ => block_on(Gpu::get()).unwrap().destroy(),
            }
        }
        match block_on(run.steps(3.min(total - at))) {
            Ok(c) => {
                history.truncate(c.first as usize);
                history.extend(c.rows.chunks(columns).map(|r| r[0]));
            }
            Err(f) => {
                assert!(safety.covers(&run, &f), "{f:?}");
                block_on(safety.recover(&mut run)).unwrap();
                assert_eq!(run.place(), Place::Gpu, "after {lost} losses");
            }
        }
    }
    assert_eq!(lost, losses);
    (history, run)
}

fn test_accuracy(run: &mut Run) -> f64 {
    block_on(run.evaluate(Part::Test))
        .unwrap()
        .accuracy
        .unwrap()
}

fn losing_devices(mut spec: Spec, total: u32, losses: u32) {
    if !there_is_one() {
        return;
    }
    spec.train.batch_size = spec.train.batch_size.map(|b| b.min(32));
    let mut calm = on(Place::Gpu, &spec);
    let want: Vec<f32> = steps(&mut calm, total).iter().map(|r| r[0]).collect();
    let want_accuracy = test_accuracy(&mut calm);
    drop(calm);
    let (got, mut run) = disturbed(&spec, total, losses);
    let accuracy = test_accuracy(&mut run);
    println!("{losses} losses in {total} steps: accuracy {accuracy}, undisturbed {want_accuracy}");
    // One device repeats itself bit for bit, and so does the next one of its kind.
    assert_eq!(got, want);
    assert_eq!(accuracy, want_accuracy);
}

#[test]
fn a_run_of_the_convolutional_network_outlives_its_devices() {
    losing_devices(preset("digits-cnn"), 48, 6);
}

#[test]
#[ignore = "ten minutes on a software device"]
fn a_run_of_t9_outlives_fifty_devices() {
    losing_devices(preset("cnn-pytorch"), 300, 50);
}

/// What a network has learnt after `total` steps: accuracy where there is one, else the loss.
fn learnt(place: Place, spec: &Spec, total: u32) -> (f64, bool) {
    let mut run = on(place, spec);
    steps(&mut run, total);
    let info = run.info(0);
    let part = match (info.data.test, info.data.validation) {
        (1.., _) => Part::Test,
        (_, 1..) => Part::Validation,
        _ => Part::Train,
    };
    let e = block_on(run.evaluate(part)).unwrap();
    (e.accuracy.unwrap_or(e.loss), e.accuracy.is_some())
}

/// Every preset on both backends, with another seed on the CPU to show how much the seed does.
fn both(ids: &[&str], total: u32) {
    if !there_is_one() {
        return;
    }
    println!("| preset | steps | CPU | GPU | CPU, other seed |");
    println!("|---|--:|--:|--:|--:|");
    let mut wrong = Vec::new();
    for p in PRESETS
        .iter()
        .filter(|p| ids.is_empty() || ids.contains(&p.id))
    {
        let mut spec = preset(p.id);
        spec.train.batch_size = spec.train.batch_size.map(|b| b.min(32));
        let mut other = spec.clone();
        other.seed += 1;
        let ((cpu, counts), (gpu, _)) = (
            learnt(Place::Cpu, &spec, total),
            learnt(Place::Gpu, &spec, total),
        );
        let (again, _) = learnt(Place::Cpu, &other, total);
        println!("| {} | {total} | {cpu:.4} | {gpu:.4} | {again:.4} |", p.id);
        // An accuracy by points, a loss by its size; or within what the seed does.
        let noise = (again - cpu).abs();
        let close = if counts {
            0.02
        } else {
            0.05 * cpu.abs() + 1e-6
        };
        if (gpu - cpu).abs() > close.max(noise) {
            wrong.push(format!("{}: {cpu} on the CPU, {gpu} on the GPU", p.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn some_presets_learn_as_much_on_the_gpu() {
    both(&["linreg-3x2", "mlp-moons", "perceptron", "lstm-sine"], 60);
}

/// All of them, or those that `$PRESETS` lists.
#[test]
#[ignore = "minutes on a software device"]
fn every_preset_learns_as_much_on_the_gpu() {
    let named = std::env::var("PRESETS").unwrap_or_default();
    let ids: Vec<&str> = named.split(',').filter(|id| !id.is_empty()).collect();
    both(&ids, 60);
}
