//! Pipelines compiled at the same time, before anything is bound to them.
use super::device::Gpu;
use super::resolve::Ready;
use crate::backend::EngineError;

impl Gpu {
    /// The kernels that have no pipeline yet, each once.
    fn missing<'r>(&self, all: impl Iterator<Item = &'r Ready>) -> Vec<&'r Ready> {
        let mut out: Vec<&Ready> = Vec::new();
        for r in all {
            if !self.has_pipeline(&r.text) && !out.iter().any(|o| o.text == r.text) {
                out.push(r);
            }
        }
        out
    }

    /// Compiles what is missing, on all cores.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn compile(
        &self,
        all: impl Iterator<Item = &Ready>,
    ) -> Result<Compiled, EngineError> {
        use super::device::{error, pipeline};
        use std::sync::Mutex;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let wanted: Vec<_> = self
            .missing(all)
            .into_iter()
            .map(|r| (r, self.layout(&r.writable, r.step).1))
            .collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (next, made) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let device = &self.device;
        let work = || {
            while let Some((r, layout)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                // A scope hears of its own thread alone.
                let scopes = [
                    device.push_error_scope(wgpu::ErrorFilter::OutOfMemory),
                    device.push_error_scope(wgpu::ErrorFilter::Validation),
                    device.push_error_scope(wgpu::ErrorFilter::Internal),
                ];
                let pipeline = pipeline(device, r.name, &r.text, layout);
                let pops: Vec<_> = scopes.into_iter().rev().map(|s| s.pop()).collect();
                let one = (&r.text, pipeline, pops);
                made.lock().map(|mut all| all.push(one)).ok();
            }
        };
        std::thread::scope(|s| {
            for _ in 1..threads.min(wanted.len()) {
                s.spawn(work);
            }
            work();
        });
        for (text, pipeline, pops) in made.into_inner().unwrap_or_default() {
            for told in pops {
                if let Some(e) = told.await {
                    return Err(error(e));
                }
            }
            self.keep_pipeline(text, pipeline);
        }
        Ok(Compiled)
    }

    /// Has the browser compile what is missing, all at once. wgpu has no asynchronous pipelines; but
    /// a browser gives the one that it has where a second one of the same text and layout is made,
    /// as long as the first is alive. What does not compile is heard of when wgpu makes it.
    #[cfg(target_arch = "wasm32")]
    pub async fn compile(
        &self,
        all: impl Iterator<Item = &Ready>,
    ) -> Result<Compiled, EngineError> {
        let Some(device) = self.device.as_webgpu() else {
            return Ok(Compiled(Vec::new()));
        };
        let missing = self.missing(all).into_iter();
        let begun: js_sys::Array = missing
            .filter_map(|r| web::begin(device.as_ref(), r).ok())
            .collect();
        // Waited for together: a refusal that nobody waits for yet would count as a crash of the worker.
        let settled = js_sys::Promise::all_settled(&begun);
        let settled = wasm_bindgen_futures::JsFuture::from(settled).await;
        let kept = settled.map(|all| js_sys::Array::from(&all).to_vec());
        let kept = kept.unwrap_or_default();
        Ok(Compiled(kept))
    }
}

/// To be kept until all pipelines have been made.
#[cfg(not(target_arch = "wasm32"))]
pub struct Compiled;
#[cfg(target_arch = "wasm32")]
pub struct Compiled(
    #[allow(dead_code, reason = "alive is all they must be")] Vec<wasm_bindgen::JsValue>,
);

#[cfg(target_arch = "wasm32")]
mod web {
    use super::Ready;
    use js_sys::{Array, Function, JSON, Object, Promise, Reflect};
    use wasm_bindgen::{JsCast, JsValue};

    fn call(on: &JsValue, name: &str, with: &JsValue) -> Result<JsValue, JsValue> {
        let f: Function = Reflect::get(on, &name.into())?.dyn_into()?;
        f.call1(on, with)
    }
    fn object(fields: &[(&str, &JsValue)]) -> Result<JsValue, JsValue> {
        let made = Object::new();
        for (name, value) in fields {
            Reflect::set(&made, &(*name).into(), value)?;
        }
        Ok(made.into())
    }

    /// Begins to compile a kernel.
    pub fn begin(device: &JsValue, r: &Ready) -> Result<Promise, JsValue> {
        let entry = |(i, writable): (usize, &bool)| {
            let kind = if *writable {
                "storage"
            } else {
                "read-only-storage"
            };
            format!("{{\"binding\":{i},\"visibility\":4,\"buffer\":{{\"type\":\"{kind}\"}}}}")
        };
        let entries: Vec<String> = r.writable.iter().enumerate().map(entry).collect();
        let layouts = Array::new();
        let text = format!("{{\"entries\":[{}]}}", entries.join(","));
        layouts.push(&call(
            device,
            "createBindGroupLayout",
            &JSON::parse(&text)?,
        )?);
        if r.step {
            // As `Gpu::step_layout`.
            let text = "{\"entries\":[\
                {\"binding\":0,\"visibility\":4,\"buffer\":{\"type\":\"uniform\",\"hasDynamicOffset\":true,\"minBindingSize\":16}},\
                {\"binding\":1,\"visibility\":4,\"buffer\":{\"type\":\"uniform\",\"minBindingSize\":16}}]}";
            layouts.push(&call(device, "createBindGroupLayout", &JSON::parse(text)?)?);
        }
        let layout = object(&[("bindGroupLayouts", &layouts)])?;
        let layout = call(device, "createPipelineLayout", &layout)?;
        let module = object(&[("code", &r.text.as_str().into())])?;
        let module = call(device, "createShaderModule", &module)?;
        let stage = object(&[("module", &module), ("entryPoint", &"main".into())])?;
        let pipeline = object(&[("layout", &layout), ("compute", &stage)])?;
        call(device, "createComputePipelineAsync", &pipeline)?.dyn_into()
    }
}
