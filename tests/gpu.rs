//! The GPU backend natively, on whatever Vulkan, Metal or DX12 offers; a software driver does.
//! Where there is no adapter at all, these tests say so and pass over: `NABLA_GPU=1` makes that a
//! failure.
#![cfg(all(not(target_arch = "wasm32"), feature = "gpu"))]
mod cases;
mod common;

use common::{load, preset};
use nabla::backend::Backend;
use nabla::backend::cpu::CpuBackend;
use nabla::backend::gpu::{Gpu, GpuBackend};
use nabla::graph::ProgramKind;
use nabla::spec::{Spec, presets::PRESETS};
use nabla::train::Session;
use nabla::train::protocol::Part;

/// Runs a future whose waits are polls of the device.
fn block_on<F: Future>(f: F) -> F::Output {
    let mut f = std::pin::pin!(f);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(v) = f.as_mut().poll(&mut cx) {
            return v;
        }
        std::thread::yield_now();
    }
}

/// Whether there is a device to test on.
fn there_is_one() -> bool {
    match block_on(Gpu::get()) {
        Ok(gpu) => {
            println!("on {} {}", gpu.adapter.name, gpu.adapter.driver);
            true
        }
        Err(e) if std::env::var_os("NABLA_GPU").is_none() => {
            println!("SKIPPED: no GPU and no software driver: {e:?}");
            false
        }
        Err(e) => panic!("NABLA_GPU is set, but: {e:?}"),
    }
}

fn open<B: Backend>(spec: Spec) -> Session<B> {
    let data = load(&spec);
    block_on(Session::new(spec, data, None)).unwrap()
}

/// The history's rows of the next `n` steps.
fn steps<B: Backend>(s: &mut Session<B>, n: u32) -> Vec<Vec<f32>> {
    let columns = s.info(0).columns.len();
    let mut out = Vec::new();
    while (out.len() as u32) < n {
        let c = block_on(s.steps(n - out.len() as u32)).unwrap();
        out.extend(c.rows.chunks(columns).map(<[f32]>::to_vec));
    }
    out
}

#[test]
fn every_op_case_agrees_with_the_oracle() {
    if !there_is_one() {
        return;
    }
    let only: Option<usize> = std::env::var("CASE").ok().and_then(|v| v.parse().ok());
    let mut wrong = Vec::new();
    for (i, c) in cases::table().iter().enumerate() {
        if only.is_none_or(|o| o == i) {
            wrong.extend(block_on(cases::gpu::check(c, i)).err());
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
