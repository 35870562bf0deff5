//! The worker's surroundings: its clock, its turn-taking, its messages in and out.
use crate::spec::Problem;
use crate::train::protocol::{Event, Failure};
use js_sys::{Array, ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, File, MessageChannel, MessageEvent, MessagePort};

pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since the worker began; 0 where there is no clock.
pub fn now() -> f64 {
    thread_local! {
        static CLOCK: Option<web_sys::Performance> = scope().performance();
    }
    CLOCK.with(|c| c.as_ref().map_or(0.0, web_sys::Performance::now))
}

/// Whether memory can be shared with helpers here.
#[cfg(target_feature = "atomics")]
pub fn isolated() -> bool {
    get(&js_sys::global(), "crossOriginIsolated").is_truthy()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// A request as it came.
pub struct Incoming {
    pub id: f64,
    pub body: String,
    pub buffers: Vec<ArrayBuffer>,
    pub files: Vec<File>,
}

impl Incoming {
    fn new(message: &JsValue) -> Incoming {
        let list = |name| {
            let value = get(message, name);
            Array::is_array(&value).then(|| Array::from(&value))
        };
        Incoming {
            id: get(message, "id").as_f64().unwrap_or(0.0),
            body: get(message, "body").as_string().unwrap_or_default(),
            buffers: list("buffers").map_or_else(Vec::new, |l| {
                l.iter().filter_map(|b| b.dyn_into().ok()).collect()
            }),
            files: list("files").map_or_else(Vec::new, |l| {
                l.iter().filter_map(|b| b.dyn_into().ok()).collect()
            }),
        }
    }

    /// The bytes of `buffers[i]`.
    pub fn bytes(&self, i: usize) -> Option<Vec<u8>> {
        self.buffers.get(i).map(|b| Uint8Array::new(b).to_vec())
    }
}

/// An answer: JSON and the arrays beside it.
pub struct Answer {
    body: String,
    buffers: Vec<ArrayBuffer>,
}

impl Answer {
    pub fn of(value: &impl Serialize) -> Result<Answer, Failure> {
        let body = crate::json::write(value);
        Ok(Answer {
            body,
            buffers: Vec::new(),
        })
    }

    pub fn null() -> Answer {
        Answer {
            body: "null".to_string(),
            buffers: Vec::new(),
        }
    }

    pub fn bytes(mut self, values: &[u8]) -> Answer {
        self.buffers.push(Uint8Array::from(values).buffer());
        self
    }

    pub fn floats(self, values: &[f32]) -> Answer {
        self.bytes(bytemuck::cast_slice(values))
    }

    pub fn words(self, values: &[u32]) -> Answer {
        self.bytes(bytemuck::cast_slice(values))
    }
}

/// A failure that no problem of the spec or the data explains.
pub fn failure(code: &str, message: &str) -> Failure {
    Failure {
        code: code.to_string(),
        message: message.to_string(),
        problems: Vec::new(),
    }
}

pub fn internal(detail: impl std::fmt::Display) -> Failure {
    let problem = Problem::new("internal").arg("detail", detail);
    Failure::new("internal", vec![problem])
}

fn post(fields: &[(&str, JsValue)], buffers: &[ArrayBuffer]) {
    let message = Object::new();
    for (name, value) in fields {
        // Only a frozen object refuses, which this is not.
        let _ = Reflect::set(&message, &(*name).into(), value);
    }
    let list: Array = buffers.iter().collect();
    let _ = Reflect::set(&message, &"buffers".into(), &list);
    if let Err(e) = scope().post_message_with_transfer(&message, &list) {
        web_sys::console::error_1(&e);
    }
}

fn json(value: &impl Serialize) -> JsValue {
    crate::json::write(value).into()
}

pub fn answer(id: f64, result: Result<Answer, Failure>) {
    match result {
        Ok(a) => post(
            &[
                ("id", id.into()),
                ("ok", true.into()),
                ("body", a.body.into()),
            ],
            &a.buffers,
        ),
        Err(f) => post(
            &[("id", id.into()), ("ok", false.into()), ("body", json(&f))],
            &[],
        ),
    }
}

pub fn emit(event: &Event, rows: Option<&[f32]>) {
    let buffers = rows.map(|r| js_sys::Float32Array::from(r).buffer());
    post(&[("event", json(event))], buffers.as_slice());
}

pub fn ready() {
    post(&[("ready", true.into())], &[]);
}

/// Says that the worker can be used no more.
pub fn fatal(code: &str, detail: &str) {
    let problem = Problem::new("internal").arg("detail", detail);
    post(&[("fatal", json(&Failure::new(code, vec![problem])))], &[]);
}

/// Turns panics and traps into a `fatal` message. A trap inside a future is an unhandled
/// rejection, which the page would not hear of.
pub fn report_crashes() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        fatal("internal", &info.to_string());
    }));
    let trapped = Closure::<dyn Fn(JsValue)>::new(|event: JsValue| {
        let mut error = get(&event, "reason");
        if error.is_undefined() {
            error = get(&event, "error");
        }
        let text = get(&error, "message").as_string().unwrap_or_default();
        // Rust's allocator gives up by `unreachable`, without a panic.
        let out = error.is_instance_of::<js_sys::WebAssembly::RuntimeError>()
            && text.contains("unreachable")
            && memory_may_be_out();
        if out {
            fatal("out-of-memory", "the worker ran out of memory");
        } else {
            fatal("internal", &text);
        }
    });
    for kind in ["unhandledrejection", "error"] {
        let listener = trapped.as_ref().unchecked_ref();
        let _ = scope().add_event_listener_with_callback(kind, listener);
    }
    trapped.forget();
}

/// Whether a trap can mean that memory ran out: always, where panics have a message of their own.
#[cfg(not(feature = "split-engine"))]
fn memory_may_be_out() -> bool {
    true
}
#[cfg(feature = "split-engine")]
use super::memory::refused as memory_may_be_out;

/// Requests that wait, and the worker's turns between them.
#[derive(Clone)]
pub struct Inbox(Rc<Shared>);

struct Shared {
    queue: RefCell<VecDeque<Incoming>>,
    /// Ends the wait under way.
    wake: RefCell<Option<Function>>,
    /// A message to oneself comes after the messages that wait, without a timer's delay.
    out: MessagePort,
    back: MessagePort,
    /// Such a message is under way. A second one would queue before the page's next request,
    /// and stay there for good.
    turning: Cell<bool>,
}

impl Shared {
    fn wake(&self) {
        let waiting = self.wake.borrow_mut().take();
        if let Some(f) = waiting {
            // The resolver of a promise does not throw.
            let _ = f.call0(&JsValue::NULL);
        }
    }
}

impl Inbox {
    /// Takes over the worker's `onmessage`.
    pub fn open() -> Result<Inbox, JsValue> {
        let channel = MessageChannel::new()?;
        let shared = Rc::new(Shared {
            queue: RefCell::default(),
            wake: RefCell::default(),
            out: channel.port2(),
            back: channel.port1(),
            turning: Cell::new(false),
        });
        let s = shared.clone();
        let returned = Closure::<dyn Fn()>::new(move || {
            s.turning.set(false);
            s.wake();
        });
        shared
            .back
            .set_onmessage(Some(returned.as_ref().unchecked_ref()));
        returned.forget();
        let s = shared.clone();
        let received = Closure::<dyn Fn(MessageEvent)>::new(move |e: MessageEvent| {
            s.queue.borrow_mut().push_back(Incoming::new(&e.data()));
            s.wake();
        });
        scope().set_onmessage(Some(received.as_ref().unchecked_ref()));
        received.forget();
        Ok(Inbox(shared))
    }

    pub fn pop(&self) -> Option<Incoming> {
        self.0.queue.borrow_mut().pop_front()
    }

    pub fn any(&self, f: impl Fn(&Incoming) -> bool) -> bool {
        self.0.queue.borrow().iter().any(f)
    }

    /// Lets the messages in that have come meanwhile.
    pub async fn turn(&self) {
        self.pause(|_| {
            self.0.turning.replace(true) || self.0.out.post_message(&JsValue::NULL).is_ok()
        })
        .await;
    }

    /// Waits for a message, or for so many milliseconds.
    pub async fn wait(&self, ms: Option<f64>) {
        if !self.0.queue.borrow().is_empty() {
            return;
        }
        self.pause(|resolve| match ms {
            None => true,
            Some(ms) => {
                let ms = ms.clamp(0.0, 60_000.0) as i32;
                scope()
                    .set_timeout_with_callback_and_timeout_and_arguments_0(resolve, ms)
                    .is_ok()
            }
        })
        .await;
    }

    /// Until woken; `begin` says whether something will.
    async fn pause(&self, begin: impl Fn(&Function) -> bool) {
        let promise = Promise::new(&mut |resolve, _| {
            *self.0.wake.borrow_mut() = Some(resolve.clone());
            if !begin(&resolve) {
                self.0.wake();
            }
        });
        // It is only ever resolved.
        let _ = JsFuture::from(promise).await;
    }
}
