//! Helpers of the worker pool: workers that share this one's module and memory.
use crate::backend::cpu::pool;
use js_sys::{Array, Object, Promise, Reflect};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Worker, WorkerOptions, WorkerType};

/// Whether this is the first thread to ask, the trainer itself: every helper runs `main` too.
pub fn is_first() -> bool {
    static STARTED: AtomicBool = AtomicBool::new(false);
    !STARTED.swap(true, Relaxed)
}

/// What a helper does, for good.
#[wasm_bindgen]
pub fn help() {
    pool::help()
}

/// What a helper says when [`help`] has broken off, so that the trainer does not wait for it.
#[wasm_bindgen(js_name = helpEnded)]
pub fn help_ended() {
    pool::lose()
}

thread_local! {
    /// Kept, for a worker that nobody holds may be ended.
    static HELPERS: RefCell<Vec<Worker>> = const { RefCell::new(Vec::new()) };
    /// Helpers that are up.
    static UP: Cell<usize> = const { Cell::new(0) };
}

/// Threads that there are, this one included.
pub fn threads() -> usize {
    1 + UP.get()
}

/// Starts helpers until there are `threads` threads, and waits until they are up or have failed.
/// `script` is a module that, given `{ module_or_path, memory }` in a message, initialises the
/// module with it, posts a message, calls [`help`], and [`help_ended`] should that throw.
pub async fn start(threads: usize, script: &str) {
    let missing = threads
        .min(pool::MAX)
        .saturating_sub(1 + HELPERS.with_borrow(Vec::len));
    // They load side by side.
    let coming: Array = (0..missing).filter_map(|_| spawn(script).ok()).collect();
    // None of the promises is ever rejected.
    let _ = JsFuture::from(Promise::all(&coming)).await;
}

/// A promise that is resolved when the helper is up, or when it has failed.
fn spawn(script: &str) -> Result<Promise, JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    options.set_name("nabla helper");
    let worker = Worker::new_with_options(script, &options)?;
    let up = Promise::new(&mut |resolve, _| {
        let resolve_failed = resolve.clone();
        let reported = Closure::once_into_js(move || {
            UP.set(UP.get() + 1);
            let _ = resolve.call0(&JsValue::NULL);
        });
        let failed = Closure::once_into_js(move |error: JsValue| {
            web_sys::console::warn_2(&"A helper thread did not start:".into(), &error);
            let _ = resolve_failed.call0(&JsValue::NULL);
        });
        worker.set_onmessage(Some(reported.unchecked_ref()));
        worker.set_onerror(Some(failed.unchecked_ref()));
    });
    let message = Object::new();
    Reflect::set(&message, &"module_or_path".into(), &wasm_bindgen::module())?;
    Reflect::set(&message, &"memory".into(), &wasm_bindgen::memory())?;
    worker.post_message(&message)?;
    HELPERS.with_borrow_mut(|all| all.push(worker));
    Ok(up)
}
