//! What only a browser can show. `wasm-pack test --headless --chrome` builds every file of
//! `tests/` for wasm32 and runs each in a browser of its own, hence the rule:
//!
//! - a file that runs in the browser is named `web*.rs` and begins with
//!   `#![cfg(target_arch = "wasm32")]`, so that the native run finds it empty;
//! - every other file begins with `#![cfg(not(target_arch = "wasm32"))]`.
#![cfg(target_arch = "wasm32")]

mod cases;

use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
fn tests_run_where_training_runs() {
    assert!(js_sys::global().is_instance_of::<web_sys::DedicatedWorkerGlobalScope>());
}

/// SIMD kernels of this target against the scalar reference, in every mode of the table.
#[wasm_bindgen_test]
fn every_op_case() {
    for (i, c) in cases::table().iter().enumerate() {
        cases::check(c, i);
    }
}
