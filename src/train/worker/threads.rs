//! Helpers of the worker pool: workers that share this one's module and memory.
use super::scope;
use crate::backend::cpu::pool;
use js_sys::{Array, Object, Promise, Reflect};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, MessageEvent, MessagePort};

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
    /// One for each helper asked for; kept, for a port that nobody holds hears nothing.
    static HELPERS: RefCell<Vec<MessagePort>> = const { RefCell::new(Vec::new()) };
    /// Helpers that are up.
    static UP: Cell<usize> = const { Cell::new(0) };
}

/// Threads that there are, this one included.
pub fn threads() -> usize {
    1 + UP.get()
}

/// What sees to it that a helper runs: given the address of its script, what the script is sent,
/// and a port for `true` once the helper is up, or for the error that kept it down.
pub type Begin = fn(&str, &Object, &MessagePort) -> Result<(), JsValue>;

/// Starts helpers until there are `threads` threads, and waits until they are up or have failed.
/// `script` is a module that, given `{ module_or_path, memory }` in a message, initialises the
/// module with it, posts a message, calls [`help`], and [`help_ended`] should that throw.
pub async fn start(threads: usize, script: &str, begin: Begin) {
    let missing = threads
        .min(pool::MAX)
        .saturating_sub(1 + HELPERS.with_borrow(Vec::len));
    // They load side by side.
    let coming: Array = (0..missing)
        .filter_map(|_| spawn(script, begin).ok())
        .collect();
    // None of the promises is ever rejected.
    let _ = JsFuture::from(Promise::all(&coming)).await;
}

/// A promise that is resolved when the helper is up, or when it has failed.
fn spawn(script: &str, begin: Begin) -> Result<Promise, JsValue> {
    let channel = MessageChannel::new()?;
    let port = channel.port1();
    let up = Promise::new(&mut |resolve, _| {
        let heard = Closure::once_into_js(move |event: MessageEvent| {
            match event.data().as_bool() {
                Some(true) => UP.set(UP.get() + 1),
                _ => web_sys::console::warn_2(
                    &"A helper thread did not start:".into(),
                    &event.data(),
                ),
            }
            // The resolver of a promise does not throw.
            let _ = resolve.call0(&JsValue::NULL);
        });
        port.set_onmessage(Some(heard.unchecked_ref()));
    });
    let message = Object::new();
    Reflect::set(&message, &"module_or_path".into(), &wasm_bindgen::module())?;
    Reflect::set(&message, &"memory".into(), &wasm_bindgen::memory())?;
    begin(script, &message, &channel.port2())?;
    HELPERS.with_borrow_mut(|all| all.push(port));
    Ok(up)
}

/// Asks the page for a helper. The trainer starts none itself: in Firefox (seen in 153) a worker
/// that makes a worker hangs for ever now and then while others do the same.
pub fn ask_page(script: &str, message: &Object, port: &MessagePort) -> Result<(), JsValue> {
    let request = Object::new();
    Reflect::set(&request, &"helper".into(), &script.into())?;
    Reflect::set(&request, &"message".into(), message)?;
    Reflect::set(&request, &"port".into(), port)?;
    scope::scope().post_message_with_transfer(&request, &Array::of1(port))
}
