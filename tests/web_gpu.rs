//! The GPU backend on the browser's own WebGPU: in headless Chrome that is SwiftShader, whose
//! compiler reads the WGSL by other rules than the native one.
#![cfg(all(target_arch = "wasm32", feature = "gpu"))]
mod cases;
mod common;
#[macro_use]
mod traces;

use nabla::backend::cpu::CpuBackend;
use nabla::backend::gpu::{Gpu, GpuBackend};
use nabla::backend::{AnyBackend, Backend, Place};
use nabla::data::{self, Dataset};
use nabla::spec::{Spec, presets};
use nabla::train::Session;
use nabla::train::session::Safety;
use std::rc::Rc;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Of ops whose kernels are the longest, every how many'th case is run, beside one of each: compiling
/// all takes minutes here. The native tests have them all, and so has `every_case_of_ops_a_to_d`.
const SHARE: usize = 12;

/// Cases of the ops whose names begin with a letter of `first`: one of each op, and every `share`'th.
async fn cases(first: std::ops::RangeInclusive<char>, share: usize) {
    let table = cases::table();
    let mut seen = Vec::new();
    let mut some = Vec::new();
    for (i, c) in table.iter().enumerate() {
        let name = c.op.name();
        if name.starts_with(|l| first.contains(&l)) && (!seen.contains(&name) || i % share == 0) {
            seen.push(name);
            some.push((i, c));
        }
    }
    let begin = js_sys::Date::now();
    let wrong = cases::gpu::check_all(&some).await;
    let seconds = (js_sys::Date::now() - begin) / 1000.0;
    console_log!("{first:?}: {} cases in {seconds} s", some.len());
    assert!(some.len() > 10);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[wasm_bindgen_test]
async fn some_cases_of_ops_a_to_d() {
    cases('A'..='D', SHARE).await;
}

#[wasm_bindgen_test]
async fn cases_of_ops_e_to_k() {
    cases('E'..='K', 1).await;
}

#[wasm_bindgen_test]
async fn cases_of_ops_l_to_o() {
    cases('L'..='O', 1).await;
}

#[wasm_bindgen_test]
async fn cases_of_ops_p_to_z() {
    cases('P'..='Z', 1).await;
}

/// The rest of them.
#[wasm_bindgen_test]
#[ignore = "minutes on a software device"]
async fn every_case_of_ops_a_to_d() {
    cases('A'..='D', 1).await;
}

#[wasm_bindgen_test]
async fn nan_and_infinity_come_through() {
    cases::gpu::nan_and_infinity().await;
}

/// One trace of each kind of network.
#[wasm_bindgen_test]
async fn traces_of_pytorch_and_keras() {
    let some = [
        ("t1", trace!("t1")),
        ("t7", trace!("t7")),
        ("pytorch_conv2d_options", trace!("pytorch_conv2d_options")),
        ("keras_batch_norm", trace!("keras_batch_norm")),
        ("pytorch_lstm", trace!("pytorch_lstm")),
        ("keras_attention", trace!("keras_attention")),
        ("pytorch_clip_norm", trace!("pytorch_clip_norm")),
    ];
    for (name, text) in some {
        traces::replay_on::<GpuBackend>(name, text, 1e-3).await;
    }
}

/// All of them: `cargo test --features gpu --test web_gpu --target wasm32-unknown-unknown -- --ignored`
/// with wasm-bindgen-test-runner as the target's runner. Compiling their kernels takes minutes.
mod every_trace {
    use super::*;
    macro_rules! tests {
        ($($test:ident: $($name:literal),+;)*) => { $(
            #[wasm_bindgen_test]
            #[ignore = "minutes on a software device"]
            async fn $test() {
                let begin = js_sys::Date::now();
                $(traces::replay_on::<GpuBackend>($name, trace!($name), 1e-3).await;)+
                console_log!("{}: {} s", stringify!($test), (js_sys::Date::now() - begin) / 1000.0);
            }
        )* }
    }
    each_trace!(tests);
}

fn moons() -> (Spec, Rc<Dataset>) {
    let spec = presets::find("mlp-moons").unwrap();
    let data = data::load(&spec.data, spec.seed, None, &[]).unwrap();
    (spec, Rc::new(data))
}

/// Rows of the history.
async fn rows<B: Backend>(s: &mut Session<B>, n: u32) -> Vec<f32> {
    let end = s.step() + n;
    let mut out = Vec::new();
    while s.step() < end {
        out.extend(s.steps(end - s.step()).await.unwrap().rows);
    }
    out
}

#[wasm_bindgen_test]
async fn a_run_repeats_itself_and_follows_the_cpu() {
    let (spec, data) = moons();
    let mut cpu: Session<CpuBackend> = Session::new(spec.clone(), data.clone(), None)
        .await
        .unwrap();
    let want = rows(&mut cpu, 40).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let mut gpu: Session<GpuBackend> = Session::new(spec.clone(), data.clone(), None)
            .await
            .unwrap();
        rows(&mut gpu, 1).await;
        let made = gpu.backend().gpu().made();
        let mut got = rows(&mut gpu, 39).await;
        assert_eq!(gpu.backend().gpu().made(), made, "a step created something");
        got.splice(0..0, want[..want.len() / 40].iter().copied());
        runs.push(got);
    }
    assert_eq!(runs[0], runs[1]);
    for (i, (got, want)) in runs[0].iter().zip(&want).enumerate() {
        assert!(
            (got - want).abs() <= 2e-3 * want.abs().max(1.0),
            "{i}: {got} and {want}"
        );
    }
}

#[wasm_bindgen_test]
async fn a_destroyed_device_is_replaced() {
    let (spec, data) = moons();
    let mut run: Session<AnyBackend> = Session::on(Place::Gpu, spec, data, None).await.unwrap();
    let mut safety = Safety::default();
    safety.keep(&mut run, 0.0, false).await.unwrap();
    let before = rows(&mut run, 3).await;
    // As a driver would: what waits is told by the browser, not by us.
    Gpu::get().await.unwrap().device.destroy();
    let failure = run.steps(3).await.unwrap_err();
    assert!(safety.covers(&run, &failure), "{failure:?}");
    safety.recover(&mut run).await.unwrap();
    assert_eq!((run.step(), run.place()), (0, Place::Gpu));
    assert_eq!(rows(&mut run, 3).await, before);
}
