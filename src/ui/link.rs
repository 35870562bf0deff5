//! The page's end of the line to the trainer worker: typed messages over `window.nabla`'s
//! transport. Nothing else of the page talks to the worker.
use crate::json::Read;
use crate::spec::Spec;
use crate::train::protocol::{BackendChoice, Event, Failure, LoadOptions, NoGpu, Request, RunInfo};
use js_sys::{Array, ArrayBuffer, Function, Promise, Reflect};
use serde_json::Value;
use std::pin::Pin;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[derive(Clone, PartialEq)]
    type Trainer;

    #[wasm_bindgen(js_namespace = nabla, js_name = connect, catch)]
    fn connect_trainer(spec: &str, backend: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = nabla, js_name = leave)]
    fn leave_trainer(trainer: &Trainer);
    #[wasm_bindgen(js_namespace = nabla, js_name = show)]
    fn show_run(trainer: &Trainer, info: &JsValue, moved: bool);

    #[wasm_bindgen(method, getter)]
    fn gpu(this: &Trainer) -> Option<String>;

    #[wasm_bindgen(method, catch)]
    async fn call(
        this: &Trainer,
        body: &str,
        buffers: &Array,
        files: &Array,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method)]
    fn on(this: &Trainer, f: &Function) -> Function;
}

/// The connected worker. Clones talk to the same one.
#[derive(Clone, PartialEq)]
pub struct Link {
    trainer: Trainer,
}

impl Link {
    /// A worker of the engine's build that suits the spec: the page's own while it lives.
    pub async fn connect(spec: &Spec, backend: BackendChoice) -> Result<Link, Failure> {
        let given = connect_trainer(&crate::json::write(spec), backend.name());
        let given = given.map_err(|e| failure(&e))?;
        let trainer = JsFuture::from(Promise::resolve(&given))
            .await
            .map_err(|e| failure(&e))?;
        Ok(Link {
            trainer: trainer.unchecked_into(),
        })
    }

    /// What a run on it is told of the visitor's choice.
    pub fn options(&self, backend: BackendChoice, files: &[web_sys::File]) -> LoadOptions {
        LoadOptions {
            backend,
            files: !files.is_empty(),
            paths: super::folder::paths(files),
            gpu: match self.trainer.gpu().as_deref() {
                Some("software") => Some(NoGpu::Software),
                Some(_) => Some(NoGpu::None),
                None => None,
            },
            ..LoadOptions::default()
        }
    }

    /// The page trains on this worker no more.
    pub fn leave(self) {
        leave_trainer(&self.trainer);
    }

    /// Sends a request and waits for its answer and the buffers beside it. `buffers` are moved
    /// to the worker and must not be used afterwards.
    pub async fn call<T: Read>(
        &self,
        request: &Request,
        buffers: Vec<ArrayBuffer>,
        files: &[web_sys::File],
    ) -> Result<(T, Vec<ArrayBuffer>), Failure> {
        // Boxed: what waits is compiled once, not into each that calls.
        let answer: Pin<Box<dyn Future<Output = _>>> = Box::pin(self.ask(request, buffers, files));
        let (value, buffers) = answer.await?;
        Ok((T::read(value).map_err(internal)?, buffers))
    }

    async fn ask(
        &self,
        request: &Request,
        buffers: Vec<ArrayBuffer>,
        files: &[web_sys::File],
    ) -> Result<(Value, Vec<ArrayBuffer>), Failure> {
        let body = crate::json::write(request);
        let answer = self
            .trainer
            .call(
                &body,
                &buffers.iter().collect::<Array>(),
                &files.iter().collect::<Array>(),
            )
            .await
            .map_err(|e| failure(&e))?;
        let body = Reflect::get(&answer, &"body".into())
            .ok()
            .and_then(|b| b.as_string())
            .unwrap_or_else(|| "null".to_string());
        let value = crate::json::parse(&body).map_err(internal)?;
        Ok((value, buffers_of(&Reflect::get(&answer, &"buffers".into()))))
    }

    /// Listens to the worker's events until the subscription is dropped.
    pub fn on_event(&self, f: impl Fn(Event, Vec<ArrayBuffer>) + 'static) -> Subscription {
        let listener = Closure::<dyn Fn(String, JsValue)>::new(move |json: String, buffers| {
            match crate::json::read(&json) {
                Ok(event) => f(event, buffers_of(&Ok(buffers))),
                Err(e) => web_sys::console::error_1(&format!("{e} in {json}").into()),
            }
        });
        let remove = self.trainer.on(listener.as_ref().unchecked_ref());
        Subscription {
            remove,
            _listener: listener,
        }
    }

    /// Makes `nabla.current()` return this run, or null.
    pub fn show(&self, info: Option<&RunInfo>) {
        let json = info.map(crate::json::write);
        show_run(
            &self.trainer,
            &json.map_or(JsValue::NULL, JsValue::from),
            false,
        );
    }

    /// The same for the run that it returned so far, which has come here.
    pub fn show_moved(&self, info: &RunInfo) {
        show_run(&self.trainer, &crate::json::write(info).into(), true);
    }
}

/// Stops listening when dropped.
pub struct Subscription {
    remove: Function,
    _listener: Closure<dyn Fn(String, JsValue)>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // A listener that is gone already needs no removing.
        let _ = self.remove.call0(&JsValue::NULL);
    }
}

fn buffers_of(value: &Result<JsValue, JsValue>) -> Vec<ArrayBuffer> {
    match value {
        Ok(v) if Array::is_array(v) => Array::from(v).iter().map(|b| b.unchecked_into()).collect(),
        _ => Vec::new(),
    }
}

fn internal(e: impl std::fmt::Display) -> Failure {
    use crate::spec::Problem;
    Failure::new("bad-spec", vec![Problem::new("internal").arg("detail", e)])
}

/// What a rejected call says: its `failure` where it has one, else its message.
pub(super) fn failure(error: &JsValue) -> Failure {
    let text = |name: &str| {
        Reflect::get(error, &name.into())
            .ok()
            .and_then(|v| v.as_string())
    };
    if let Some(f) = text("failure").and_then(|j| crate::json::read(&j).ok()) {
        return f;
    }
    let mut f = internal(text("message").unwrap_or_else(|| format!("{error:?}")));
    if let Some(code) = text("code") {
        f.code = code;
    }
    f
}
