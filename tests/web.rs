//! What only a browser can show. `wasm-pack test --headless --chrome` builds every file of
//! `tests/` for wasm32 and runs each in a browser of its own, hence the rule:
//!
//! - a file that runs in the browser is named `web*.rs` and begins with
//!   `#![cfg(target_arch = "wasm32")]`, so that the native run finds it empty;
//! - every other file begins with `#![cfg(not(target_arch = "wasm32"))]`.
#![cfg(target_arch = "wasm32")]

mod cases;
mod common;
#[macro_use]
mod traces;

use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
fn tests_run_where_training_runs() {
    assert!(js_sys::global().is_instance_of::<web_sys::DedicatedWorkerGlobalScope>());
}

/// SIMD kernels of this target against the scalar reference, in every mode of the table.
#[wasm_bindgen_test]
async fn every_op_case() {
    more_threads().await;
    for (i, c) in cases::table().iter().enumerate() {
        cases::check(c, i);
    }
}

macro_rules! tests {
    ($($test:ident: $($name:literal),+;)*) => { $(
        #[wasm_bindgen_test]
        async fn $test() {
            more_threads().await;
            $(traces::replay($name, trace!($name));)+
        }
    )* }
}
each_trace!(tests);

/// In the build with threads: starts helpers, so that what follows is trained by all of them.
async fn more_threads() {
    #[cfg(target_feature = "atomics")]
    {
        use nabla::train::worker::threads;
        threads::start(THREADS, &helper(), nested).await;
        assert_eq!(threads::threads(), THREADS, "helpers did not come up");
        nabla::backend::cpu::pool::want(THREADS);
    }
}

#[cfg(target_feature = "atomics")]
const THREADS: usize = 3;

/// The page of the test runner starts no helpers: the trainer makes its own.
#[cfg(target_feature = "atomics")]
fn nested(
    script: &str,
    message: &js_sys::Object,
    port: &web_sys::MessagePort,
) -> Result<(), wasm_bindgen::JsValue> {
    let options = web_sys::WorkerOptions::new();
    options.set_type(web_sys::WorkerType::Module);
    let worker = web_sys::Worker::new_with_options(script, &options)?;
    let port = port.clone();
    let kept = worker.clone();
    let up = wasm_bindgen::closure::Closure::once_into_js(move || {
        let _kept = kept;
        port.post_message(&true.into())
    });
    worker.set_onmessage(Some(up.unchecked_ref()));
    worker.post_message(message)
}

/// Address of a script for the helpers: this test's own module, made as the site makes its.
#[cfg(target_feature = "atomics")]
fn helper() -> String {
    let here = js_sys::Reflect::get(&js_sys::global(), &"location".into()).unwrap();
    let origin = js_sys::Reflect::get(&here, &"origin".into()).unwrap();
    let script = format!(
        "import init, {{ help }} from '{}/wasm-bindgen-test';
        onmessage = async ({{ data }}) => {{ await init(data); postMessage(true); help(); }};",
        origin.as_string().unwrap()
    );
    let parts = js_sys::Array::of1(&script.into());
    let options = web_sys::BlobPropertyBag::new();
    options.set_type("text/javascript");
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options).unwrap();
    web_sys::Url::create_object_url_with_blob(&blob).unwrap()
}
