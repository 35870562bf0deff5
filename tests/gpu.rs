//! The GPU backend natively, on whatever Vulkan, Metal or DX12 offers; a software driver does.
//! Where there is no adapter at all, these tests say so and pass over: `NABLA_GPU=1` makes that a
//! failure.
#![cfg(all(not(target_arch = "wasm32"), feature = "gpu"))]
mod cases;
mod common;
#[macro_use]
mod traces;

use common::device::{block_on, open, steps, there_is_one};
use common::{load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::backend::gpu::{Gpu, GpuBackend};
use nabla::backend::{AnyBackend, Place};
use nabla::graph::ProgramKind;
use nabla::spec::presets::PRESETS;
use nabla::train::Session;
use nabla::train::protocol::Part;
use nabla::train::session::Safety;

#[test]
fn every_op_case_agrees_with_the_oracle() {
    if !there_is_one() {
        return;
    }
    let only: Option<usize> = std::env::var("CASE").ok().and_then(|v| v.parse().ok());
    let mut wrong = Vec::new();
    let gpu = block_on(Gpu::get()).unwrap();
    // As a GPU runs it, and as a CPU that plays one.
    for alone in [false, true] {
        gpu.alone.set(alone);
        for (i, c) in cases::table().iter().enumerate() {
            if only.is_none_or(|o| o == i) {
                wrong.extend(block_on(cases::gpu::check(c, i)).err());
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A bias in front of a normalisation has no gradient but rounding, which Adam magnifies: where
/// the paths part for good depends on the preset, so only the first steps are compared closely.
#[test]
fn presets_take_the_same_first_steps_as_on_the_cpu() {
    if !there_is_one() {
        return;
    }
    for p in PRESETS {
        let mut spec = preset(p.id);
        // A software device is slow; the shapes of a smaller batch are as good.
        spec.train.batch_size = spec.train.batch_size.map(|b| b.min(32));
        let mut gpu = open::<GpuBackend>(spec.clone());
        let mut cpu = open::<CpuBackend>(spec);
        let n = 3;
        let (a, b) = (steps(&mut gpu, n), steps(&mut cpu, n));
        println!(
            "{}: {} kernels a step, loss {:?} and {:?}",
            p.id,
            gpu.backend().dispatches(ProgramKind::Train),
            a.last().map(|r| r[0]),
            b.last().map(|r| r[0])
        );
        for (i, (a, b)) in a.iter().zip(&b).enumerate() {
            // Loss and norm of the gradient; the accuracy may jump by one sample.
            for c in [0, a.len() - 2] {
                let close = (a[c] - b[c]).abs() <= 2e-3 * b[c].abs().max(1e-3);
                assert!(
                    close,
                    "{} step {i}: {a:?} on the GPU, {b:?} on the CPU",
                    p.id
                );
            }
        }
    }
}

macro_rules! list {
    ($($test:ident: $($name:literal),+;)*) => { &[$($(($name, trace!($name))),+),*] }
}
/// Names and texts.
const TRACES: &[(&str, &str)] = each_trace!(list);

/// As close as on the CPU. On lavapipe the worst loss of all is off by 2.4e-5 (t11).
#[test]
fn the_traces_of_pytorch_and_keras_are_followed() {
    if !there_is_one() {
        return;
    }
    for (name, text) in TRACES {
        block_on(traces::replay_on::<GpuBackend>(name, text, 1e-4));
    }
}

#[test]
fn a_run_repeats_itself_bit_for_bit_and_creates_nothing() {
    if !there_is_one() {
        return;
    }
    for id in ["digits-mlp", "mlp-spirals"] {
        let mut a = open::<GpuBackend>(preset(id));
        let first = steps(&mut a, 40);
        let made = a.backend().gpu().made();
        let rest = steps(&mut a, 20);
        assert_eq!(
            a.backend().gpu().made(),
            made,
            "{id}: a step created something"
        );
        let mut b = open::<GpuBackend>(preset(id));
        let again = steps(&mut b, 60);
        let bits =
            |v: &[Vec<f32>]| -> Vec<u32> { v.iter().flatten().map(|v| v.to_bits()).collect() };
        assert_eq!(bits(&[first, rest].concat()), bits(&again), "{id}");
    }
}

#[test]
fn a_network_learns_as_well_as_on_the_cpu() {
    if !there_is_one() {
        return;
    }
    let accuracy = |e: nabla::train::protocol::Evaluation| e.accuracy.unwrap();
    let mut gpu = open::<GpuBackend>(preset("digits-mlp"));
    let mut cpu = open::<CpuBackend>(preset("digits-mlp"));
    while gpu.epoch() < 3 {
        block_on(gpu.steps(u32::MAX)).unwrap();
    }
    while cpu.epoch() < 3 {
        block_on(cpu.steps(u32::MAX)).unwrap();
    }
    let on_gpu = accuracy(block_on(gpu.evaluate(Part::Test)).unwrap());
    let on_cpu = accuracy(block_on(cpu.evaluate(Part::Test)).unwrap());
    assert!(
        on_cpu > 0.8 && (on_gpu - on_cpu).abs() < 0.02,
        "{on_gpu} and {on_cpu}"
    );
}

/// A run that loses its device again and again ends where an undisturbed one does: the steps since
/// a snapshot are done anew, and one device repeats itself bit for bit.
#[test]
fn a_lost_device_costs_only_the_steps_since_the_snapshot() {
    if !there_is_one() {
        return;
    }
    let spec = preset("digits-mlp");
    let data = load(&spec);
    let gpu = || {
        block_on(Session::<AnyBackend>::on(
            Place::Gpu,
            spec.clone(),
            data.clone(),
            None,
        ))
    };
    let (mut calm, mut run) = (gpu().unwrap(), gpu().unwrap());
    let mut safety = Safety::default();
    let total = 80;
    let want = steps(&mut calm, total);
    let mut history: Vec<Vec<f32>> = Vec::new();
    let mut losses = 0;
    let mut clock = 0.0;
    while run.step() < total {
        // Every eighth step or so is followed by a snapshot.
        clock += 400.0;
        block_on(safety.keep(&mut run, clock, false)).unwrap();
        let at = run.step();
        if at % 7 == 3 && losses < 10 && losses <= at / 7 {
            losses += 1;
            match losses % 2 {
                0 => block_on(Gpu::get()).unwrap().destroy(),
                _ => block_on(Gpu::get()).unwrap().fail("a driver gave up"),
            }
        }
        let columns = run.info(0).columns.len();
        match block_on(run.steps(1)) {
            Ok(c) => {
                history.truncate(c.first as usize);
                history.extend(c.rows.chunks(columns).map(<[f32]>::to_vec));
            }
            Err(f) => {
                assert!(safety.covers(&run, &f), "{f:?}");
                let choice = block_on(safety.recover(&mut run)).unwrap();
                assert_eq!(choice.place, Place::Gpu, "{losses}");
                assert!(run.step() <= at && run.step() + 9 > at);
            }
        }
    }
    assert!(losses >= 8, "{losses}");
    assert_eq!(history, want);
}

#[test]
fn without_a_working_device_the_cpu_goes_on() {
    if !there_is_one() {
        return;
    }
    let spec = preset("mlp-moons");
    let mut run = block_on(Session::<AnyBackend>::on(
        Place::Gpu,
        spec.clone(),
        load(&spec),
        None,
    ))
    .unwrap();
    let mut safety = Safety::default();
    block_on(safety.keep(&mut run, 0.0, false)).unwrap();
    for _ in 0..4 {
        block_on(Gpu::get()).unwrap().destroy();
        let failure = block_on(run.steps(5)).unwrap_err();
        assert_eq!(failure.code, "device-lost");
        block_on(safety.recover(&mut run)).unwrap();
    }
    assert_eq!(run.place(), Place::Cpu);
    assert_eq!(run.step(), 0);
    let on_cpu = steps(&mut run, 5);
    let want = steps(&mut open::<CpuBackend>(spec), 5);
    assert_eq!(on_cpu, want);
}

#[test]
fn a_run_moves_between_backends_without_losing_a_step() {
    if !there_is_one() {
        return;
    }
    let spec = preset("digits-mlp");
    let data = load(&spec);
    let mut run = block_on(Session::<AnyBackend>::on(
        Place::Cpu,
        spec.clone(),
        data,
        None,
    ))
    .unwrap();
    let mut history = steps(&mut run, 20);
    block_on(run.move_to(Place::Gpu)).unwrap();
    assert_eq!((run.place(), run.step()), (Place::Gpu, 20));
    history.extend(steps(&mut run, 20));
    block_on(run.move_to(Place::Cpu)).unwrap();
    history.extend(steps(&mut run, 20));
    let want = steps(&mut open::<CpuBackend>(spec), 60);
    for (i, (got, want)) in history.iter().zip(&want).enumerate() {
        assert!(
            (got[0] - want[0]).abs() < 1e-3 * want[0].max(1.0),
            "step {i}"
        );
        // Bit for bit until the first move.
        assert!(i >= 20 || got == want, "step {i}");
    }
}

/// No adapter of software is taken for a GPU; on a real one either may win.
#[test]
fn choosing_times_both_and_never_takes_software() {
    if !there_is_one() {
        return;
    }
    let spec = preset("mlp-moons");
    let clock = std::time::Instant::now();
    let now = || clock.elapsed().as_secs_f64() * 1000.0;
    let made = block_on(Session::<AnyBackend>::choose(
        spec.clone(),
        load(&spec),
        None,
        now,
    ));
    let (mut run, choice) = made.unwrap();
    let software = block_on(Gpu::get()).unwrap().adapter.software;
    assert_eq!(software, choice.why == "software-gpu", "{choice:?}");
    assert!(!software || choice.place == Place::Cpu);
    assert_eq!((run.step(), run.place()), (0, choice.place));
    steps(&mut run, 3);
}

#[test]
fn networks_that_are_dropped_leave_nothing_behind() {
    if !there_is_one() {
        return;
    }
    let spec = preset("mlp-moons");
    let data = load(&spec);
    let build = || {
        let mut s: Session<GpuBackend> =
            block_on(Session::new(spec.clone(), data.clone(), None)).unwrap();
        steps(&mut s, 1);
    };
    build();
    let gpu = block_on(Gpu::get()).unwrap();
    let live = gpu.live();
    for _ in 0..200 {
        build();
    }
    assert_eq!(gpu.live(), live, "bytes of buffers");
}

#[test]
fn nan_and_infinity_come_through() {
    if there_is_one() {
        block_on(cases::gpu::nan_and_infinity());
    }
}

/// Steps that are queued while others run are the steps that they would have been, nothing is made
/// for them, and the device never has more than two submits.
#[test]
fn two_submits_at_most_are_in_flight() {
    if !there_is_one() {
        return;
    }
    let spec = preset("digits-mlp");
    let want = steps(&mut open::<GpuBackend>(spec.clone()), 60);
    let mut run = open::<GpuBackend>(spec);
    let columns = run.info(0).columns.len();
    let (mut got, mut together) = (Vec::<Vec<f32>>::new(), 0);
    let mut made = None;
    while got.len() < 40 {
        for n in [3, 1, 2] {
            run.queue(n);
        }
        together = together.max(run.flights());
        while run.flights() > 0 {
            let c = block_on(run.collect()).unwrap();
            assert_eq!(c.first as usize, got.len());
            got.extend(c.rows.chunks(columns).map(<[f32]>::to_vec));
        }
        // The staging buffers of the first round serve all others.
        let now = run.backend().gpu().made();
        assert_eq!(*made.get_or_insert(now), now, "a step created something");
    }
    assert_eq!(together, 3);
    let n = got.len();
    assert!((30..=60).contains(&n), "{n}");
    assert_eq!(got, want[..n]);
    let (most, kernels) = run.backend().submits();
    assert!(
        most <= 2 && kernels >= 8,
        "{most} submits of {kernels} kernels"
    );
}

/// Where an epoch is a single step and nothing is done at its end, many go together, and are the steps
/// that they would have been.
#[test]
fn epochs_of_one_step_share_a_submit() {
    if !there_is_one() {
        return;
    }
    let mut spec = preset("linreg-sklearn");
    spec.data.split.validation = 0.0;
    spec.train.batch_size = None;
    let mut one = open::<GpuBackend>(spec.clone());
    assert_eq!(one.steps_per_epoch(), 1);
    assert_eq!(one.queue(10), 1);
    block_on(one.collect()).unwrap();
    let want = steps(&mut open::<GpuBackend>(spec.clone()), 50);
    let mut run = open::<GpuBackend>(spec);
    let columns = run.info(0).columns.len();
    let mut got: Vec<Vec<f32>> = Vec::new();
    assert_eq!((run.queue_on(20), run.queue_on(30)), (20, 30));
    assert_eq!(run.in_flight(), 50);
    for (first, steps) in [(0, 20), (20, 30)] {
        let c = block_on(run.collect()).unwrap();
        assert_eq!(
            (c.first, c.steps, c.epoch, c.epoch_done),
            (first, steps, first, true)
        );
        got.extend(c.rows.chunks(columns).map(<[f32]>::to_vec));
    }
    assert_eq!((run.step(), run.epoch(), run.steps_until(60)), (50, 50, 10));
    assert_eq!(got, want);
}

/// More workgroups than one axis takes.
#[test]
fn many_workgroups_go_along_two_axes() {
    use nabla::backend::cpu::kernels::Act;
    use nabla::graph::Dtype;
    use nabla::ops::{Activation, MatMul, Op, StepCtx};
    if !there_is_one() {
        return;
    }
    let run = |op: Op, x: &[(&[f32], &[usize])]| -> Vec<f32> {
        let shapes: Vec<&[usize]> = x.iter().map(|(_, s)| *s).collect();
        let ys = op.infer(&shapes).unwrap();
        let x: Vec<_> = x.iter().map(|(v, s)| (*v, *s, Dtype::F32)).collect();
        let ran = nabla::backend::gpu::run_op(&op, &x, &ys, StepCtx::default(), 0.5);
        let (mut got, intact) = block_on(ran).unwrap();
        assert!(intact, "wrote outside its slots");
        got.remove(0)
    };
    // 70,000 products, each of which is a workgroup.
    let n = 70_000;
    let a: Vec<f32> = (0..n * 2).map(|i| (i % 17) as f32 - 8.0).collect();
    let b: Vec<f32> = (0..n * 2).map(|i| (i % 5) as f32).collect();
    let op = MatMul {
        ta: false,
        tb: false,
    };
    let y = run(op.into(), &[(&a, &[n, 1, 2]), (&b, &[n, 2, 1])]);
    for (i, got) in y.iter().enumerate() {
        let want = a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
        assert_eq!(*got, want, "product {i}");
    }
    // 256 × 65,535 invocations and some.
    let x: Vec<f32> = (0..16_800_000u32).map(|i| (i % 7) as f32 - 3.0).collect();
    let y = run(Activation { act: Act::Relu }.into(), &[(&x, &[x.len()])]);
    let wrong = x.iter().zip(&y).position(|(x, y)| x.max(0.0) != *y);
    assert_eq!(wrong, None);
}

/// What a device cannot bind is refused before anything is allocated.
#[test]
fn a_plan_that_is_too_big_is_refused_with_the_reason() {
    use nabla::spec::LayerKind;
    if !there_is_one() {
        return;
    }
    let gpu = block_on(Gpu::get()).unwrap();
    let most = gpu
        .limits
        .max_storage_buffer_binding_size
        .min(gpu.limits.max_buffer_size);
    // The weights of a hidden layer alone are more than a binding takes.
    let wide = (most as f64 / 4.0).sqrt() as usize + 64;
    let mut spec = preset("mlp-moons");
    for layer in &mut spec.layers {
        if let LayerKind::Linear { units, .. } = &mut layer.kind
            && *units > 2
        {
            *units = wide;
        }
    }
    let made = gpu.made();
    let refused = block_on(Session::<GpuBackend>::new(spec.clone(), load(&spec), None));
    let failure = refused.err().expect("it does not fit");
    println!("{}", failure.message);
    assert_eq!(failure.code, "out-of-memory");
    assert!(
        failure
            .message
            .contains("MiB at once on the graphics device, which allows")
    );
    assert_eq!(gpu.made(), made);
}
