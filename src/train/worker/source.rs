//! Data for runs: fetched, read from files or given as arrays; the last data set is kept, so
//! that a change of the network does not load it again.
use super::pictures;
use super::reading::{self, CANCELLED, Desk};
use super::scope::{Incoming, scope};
use crate::data::{self, Array, Dataset, FileBytes, Pause, Pauses, Values, bundled};
use crate::lazy;
use crate::spec::{DataShape, DataSource, DataSpec, FileFormat, Problem, Spec};
use crate::train::protocol::{ArrayPair, ArrayRef, DataArrays, Dtype, Failure, LoadOptions};
use js_sys::{ArrayBuffer, Float32Array, Int32Array, Uint8Array};
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, Response, Url};

#[derive(Default)]
pub struct Sources {
    fetched: HashMap<&'static str, Rc<Vec<u8>>>,
    last: Option<(Key, Rc<Dataset>)>,
}

/// What a data set is made of.
#[derive(PartialEq)]
struct Key {
    spec: DataSpec,
    seed: u32,
    /// Name, size and time of change.
    files: Vec<(String, f64, f64)>,
    paths: Vec<String>,
}

impl Sources {
    /// The data of a spec, as the message and its options give it.
    pub async fn load(
        &mut self,
        spec: &Spec,
        options: &LoadOptions,
        message: &Incoming,
        desk: &Desk<'_>,
    ) -> Result<Rc<Dataset>, Failure> {
        if let Some(given) = &options.data {
            let set = (brought().await?.arrays)(spec, given, &message.buffers);
            return Ok(Rc::new(set.map_err(failure)?));
        }
        let files = if options.files {
            &message.files[..]
        } else {
            &[]
        };
        let key = Key {
            spec: spec.data.clone(),
            seed: spec.seed,
            files: files
                .iter()
                .map(|f| (f.name(), f.size(), f.last_modified()))
                .collect(),
            paths: options.paths.clone(),
        };
        if let Some((last, set)) = &self.last
            && *last == key
        {
            return Ok(set.clone());
        }
        let bundle = match data::needs(&spec.data) {
            Some(which) => Some(
                self.fetch(bundled::file_name(which))
                    .await
                    .map_err(failure)?,
            ),
            None => None,
        };
        let pause = |share: f64| -> Pause<'_> {
            Box::pin(async move {
                desk.prepared(share);
                desk.pause().await
            })
        };
        let mut pauses = Pauses::new(&pause);
        let source = &spec.data.source;
        let read = match files.is_empty() && !matches!(source, DataSource::Files { .. }) {
            true => Vec::new(),
            false => {
                (brought().await?.files)(files, &options.paths, source, desk, &mut pauses).await?
            }
        };
        desk.pause().await.map_err(failure)?;
        // Two sets at once may not fit.
        self.last = None;
        let bundle = bundle.as_ref().map(|b| &b[..]);
        let set = data::fetch_and_load(&spec.data, spec.seed, bundle, &read, &mut pauses)
            .await
            .map_err(failure)?;
        let set = Rc::new(set);
        self.last = Some((key, set.clone()));
        Ok(set)
    }

    /// The shape of the data, if it is the data that was loaded last.
    pub fn shape(&self, spec: &DataSpec) -> Option<DataShape> {
        let (key, set) = self.last.as_ref()?;
        (key.spec == *spec).then(|| shape_of(set))
    }

    async fn fetch(&mut self, file: &'static str) -> Result<Rc<Vec<u8>>, Problem> {
        if let Some(bytes) = self.fetched.get(file) {
            return Ok(bytes.clone());
        }
        let bytes = fetch(file).await.map_err(|e| {
            web_sys::console::warn_1(&e);
            Problem::new("bundled-missing").arg("file", file)
        })?;
        let bytes = Rc::new(bytes);
        self.fetched.insert(file, bytes.clone());
        Ok(bytes)
    }
}

pub fn shape_of(set: &Dataset) -> DataShape {
    DataShape {
        sample: set.shape.clone(),
        classes: set.classes(),
        targets: set.target_width(),
    }
}

/// Address of a file, from the worker's own, version and all.
pub fn beside(file: &str) -> Result<String, JsValue> {
    let here = js_sys::Reflect::get(&js_sys::global(), &"location".into())?;
    let part = |name: &str| {
        js_sys::Reflect::get(&here, &name.into()).map(|v| v.as_string().unwrap_or_default())
    };
    let path = format!("./{file}{}", part("search")?);
    Ok(Url::new_with_base(&path, &part("href")?)?.href())
}

/// A file that ships with the page, found from the worker's own address, version and all.
async fn fetch(file: &str) -> Result<Vec<u8>, JsValue> {
    let url = beside(&format!("data/{file}"))?;
    let response: Response = JsFuture::from(scope().fetch_with_str(&url)).await?.into();
    if !response.ok() {
        return Err(format!("HTTP {}", response.status()).into());
    }
    let buffer = JsFuture::from(response.array_buffer()?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// `bad-file` for what a file's reader says, `cancelled`, else `bad-data`.
pub fn failure(problem: Problem) -> Failure {
    if problem.code == CANCELLED {
        return Failure::new("cancelled", vec![problem]);
    }
    let of_file = [
        "archive",
        "bundled-",
        "cifar-",
        "csv-",
        "data-missing",
        "gzip",
        "idx-",
        "image-",
        "text-",
    ];
    let code = match of_file.iter().any(|p| problem.code.starts_with(p)) {
        true => "bad-file",
        false => "bad-data",
    };
    Failure::new(code, vec![problem])
}

/// What reads data that come with a message.
#[derive(Clone, Copy)]
struct Brought {
    files: ReadFiles,
    arrays: fn(&Spec, &DataArrays, &[ArrayBuffer]) -> Result<Dataset, Problem>,
}

type ReadFiles = for<'a, 'p> fn(
    &'a [File],
    &'a [String],
    &'a DataSource,
    &'a Desk<'a>,
    &'a mut Pauses<'p>,
) -> Reading<'a>;
type Reading<'a> = Pin<Box<dyn Future<Output = Result<Vec<FileBytes>, Failure>> + 'a>>;

lazy! { static BROUGHT: Brought, in engine data = Brought { files: from_files, arrays }; }

/// Fails with `part-not-loaded` when it does not come.
async fn brought() -> Result<Brought, Failure> {
    let brought = BROUGHT.load().await;
    let missing = |_| failure(Problem::new("part-not-loaded"));
    brought.copied().map_err(missing)
}

fn from_files<'a>(
    files: &'a [File],
    paths: &'a [String],
    source: &'a DataSource,
    desk: &'a Desk<'a>,
    pauses: &'a mut Pauses<'_>,
) -> Reading<'a> {
    Box::pin(async move {
        let read = reading::read(files, paths, desk).await?;
        match source {
            DataSource::Files {
                format: FileFormat::Images,
                shape,
                ..
            } => Ok(vec![pictures::decode(&read, shape, pauses).await?]),
            _ => Ok(read),
        }
    })
}

fn arrays(spec: &Spec, given: &DataArrays, buffers: &[ArrayBuffer]) -> Result<Dataset, Problem> {
    let part = |pair: &ArrayPair| -> Result<data::Part, Problem> {
        Ok(data::Part {
            x: array(&pair.x, buffers)?,
            y: array(&pair.y, buffers)?,
        })
    };
    data::from_arrays(
        &spec.data,
        spec.seed,
        part(&given.train)?,
        given.validation.as_ref().map(part).transpose()?,
        given.test.as_ref().map(part).transpose()?,
        spec.train.loss.is_classification(),
    )
}

fn array(given: &ArrayRef, buffers: &[ArrayBuffer]) -> Result<Array, Problem> {
    let wrong = |got: u32| {
        let want = given.shape.iter().fold(1usize, |n, d| n.saturating_mul(*d));
        Problem::new("shape-data")
            .arg("shape", format!("{:?}", given.shape))
            .arg("want", want)
            .arg("got", got)
    };
    let buffer = buffers.get(given.buffer).ok_or_else(|| wrong(0))?;
    let width = if given.dtype == Dtype::U8 { 1 } else { 4 };
    // A view of another length would throw.
    if buffer.byte_length() % width != 0 {
        return Err(wrong(buffer.byte_length() / width));
    }
    let values = match given.dtype {
        Dtype::F32 => Values::F32(Float32Array::new(buffer).to_vec()),
        Dtype::U8 => Values::U8(Uint8Array::new(buffer).to_vec()),
        Dtype::I32 => {
            let integers = Int32Array::new(buffer).to_vec();
            Values::F32(integers.into_iter().map(|v| v as f32).collect())
        }
    };
    Ok(Array {
        shape: given.shape.clone(),
        values,
    })
}
