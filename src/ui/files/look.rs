//! What a file is, from its header: nothing else of it is read before the visitor has said so.
use crate::spec::{Problem, Spec};
use crate::train::checkpoint;
use crate::train::project::{self, Opened};
use crate::train::protocol::Failure;
use crate::train::tensors::{LENGTH, entry, header_length, read_header};
use crate::train::weights;
use js_sys::{ArrayBuffer, Promise, Reflect, Uint8Array};
use safetensors::tensor::Metadata;
use std::ops::Range;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File};

/// Bound on what is handed to the engine: 1 GiB.
const BYTES: f64 = 1_073_741_824.0;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = nabla, js_name = datasets)]
    fn list_sets() -> Promise;
    #[wasm_bindgen(js_namespace = nabla, js_name = dataset)]
    fn get_set(name: &str) -> Promise;
}

#[derive(Clone, PartialEq)]
pub enum Content {
    Project(Rc<Opened>),
    Weights(Rc<WeightsFile>),
}

/// A file of weights, which a checkpoint is too.
#[derive(Debug)]
pub struct WeightsFile {
    pub metadata: Metadata,
    /// Bytes before the tensors.
    pub begin: usize,
    pub length: f64,
    /// The network that it names.
    pub spec: Option<Spec>,
    /// The step at which a checkpoint stands.
    pub step: Option<u32>,
}

impl PartialEq for WeightsFile {
    fn eq(&self, other: &WeightsFile) -> bool {
        std::ptr::eq(self, other)
    }
}

/// A part of a file.
pub async fn part(file: &Blob, range: Range<f64>) -> Result<ArrayBuffer, Failure> {
    let bytes = async {
        let slice = file.slice_with_f64_and_f64(range.start, range.end)?;
        JsFuture::from(slice.array_buffer()).await?.dyn_into()
    };
    bytes.await.map_err(|_: JsValue| {
        let detail = "the browser does not give access to it any more";
        bad(Problem::new("weights-file").arg("detail", detail))
    })
}

pub fn bad(problem: Problem) -> Failure {
    Failure::new("bad-file", vec![problem])
}

/// What a file is.
pub async fn look(file: &File) -> Result<Content, Failure> {
    let unread = |detail: String| bad(Problem::new("weights-file").arg("detail", detail));
    let bytes = |buffer: ArrayBuffer| Uint8Array::new(&buffer).to_vec();
    let size = file.size();
    if size > BYTES {
        return Err(unread("it is larger than 1 GiB".to_string()));
    }
    let first = bytes(part(file, 0.0..LENGTH as f64).await?);
    let length = header_length(&first).map_err(unread)?;
    let begin = LENGTH + length;
    if begin as f64 > size {
        return Err(unread("it is cut short".to_string()));
    }
    let header = bytes(part(file, LENGTH as f64..begin as f64).await?);
    let metadata = read_header(&header, size as usize - begin).map_err(unread)?;
    if entry(&metadata, project::KEY).is_some() {
        let extent = project::extent(&header, &metadata).map_err(bad)?;
        let bytes = bytes(part(file, 0.0..extent as f64).await?);
        let opened = project::open(&bytes, size as u64).map_err(bad)?;
        return Ok(Content::Project(Rc::new(opened)));
    }
    let standing = match entry(&metadata, checkpoint::KEY) {
        Some(json) => Some(checkpoint::standing(json).map_err(bad)?),
        None => None,
    };
    let spec = match &standing {
        Some((spec, _)) => Some(spec.clone()),
        // A network that is damaged or newer leaves the weights as they are.
        None => entry(&metadata, weights::SPEC).and_then(|json| Spec::from_json(json).ok()),
    };
    Ok(Content::Weights(Rc::new(WeightsFile {
        metadata,
        begin,
        length: size,
        spec,
        step: standing.map(|(_, step)| step),
    })))
}

/// Files of a public set that are kept on this device; none where they are not.
pub async fn kept_set(name: &str) -> Vec<File> {
    let Ok(list) = JsFuture::from(list_sets()).await else {
        return Vec::new();
    };
    let get = |v: &JsValue, key: &str| Reflect::get(v, &key.into()).unwrap_or_default();
    let here = js_sys::Array::from(&list).iter().any(|set| {
        let same = get(&set, "name").as_string().is_some_and(|n| n == name);
        same && get(&set, "cached")
            .as_f64()
            .is_some_and(|bytes| bytes > 0.0)
    });
    if !here {
        return Vec::new();
    }
    let Ok(files) = JsFuture::from(get_set(name)).await else {
        return Vec::new();
    };
    let files = js_sys::Array::from(&files);
    files.iter().filter_map(|f| f.dyn_into().ok()).collect()
}
