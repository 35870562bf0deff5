//! What `window.nabla` says of code: scripts out of a spec and into one.
use crate::spec::{Framework, Problem, Spec};
use crate::train::protocol::Failure;
use crate::ui::fields::slug;
use crate::ui::i18n::Lang;
use crate::ui::link::failure;
use js_sys::{ArrayBuffer, JSON, Object, Reflect};
use serde_json::Value;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = nabla, js_name = code, catch)]
    async fn write(spec: &str, framework: &str, options: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = nabla, js_name = import, catch)]
    async fn read(text: &str, options: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = nabla, js_name = import, catch)]
    async fn read_file(file: &ArrayBuffer, options: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = nabla, js_name = export, catch)]
    async fn export(spec: &JsValue, format: &str, options: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = nabla)]
    fn current() -> JsValue;
}

/// A script of the network at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    pub text: String,
    pub file: String,
    pub notebook: String,
    /// The layer that each line belongs to, if any.
    pub layers: Vec<Option<String>>,
    /// Each line in pieces of ink and text.
    pub painted: Vec<Vec<(String, String)>>,
    pub notes: Vec<Note>,
    /// What a study tries; null for a plain script.
    pub study: Value,
    /// Lines that load weights saved here, and what their file is called.
    pub loader: Option<String>,
    pub weights: String,
}

/// Something to be told about a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Counted from 1.
    pub line: Option<usize>,
    pub message: String,
}

/// What became of a pasted text.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub spec: Option<Spec>,
    pub notes: Vec<Note>,
}

fn options() -> JsValue {
    let options = Object::new();
    // Setting a property of a fresh object does not fail.
    let _ = Reflect::set(&options, &"language".into(), &Lang::current().tag().into());
    options.into()
}

/// An answer of the API as JSON.
fn plain(answer: &JsValue) -> Value {
    let text = JSON::stringify(answer).ok().and_then(|t| t.as_string());
    serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn line_of(value: &Value) -> Option<usize> {
    value["line"].as_u64().and_then(|n| usize::try_from(n).ok())
}

fn notes_of(value: &Value) -> Vec<Note> {
    let one = |n: &Value| Note {
        line: line_of(n),
        message: text_of(&n["message"]),
    };
    list(value).iter().map(one).collect()
}

/// The script of a spec, or the study with these ranges; those of an empty one are chosen for it.
pub async fn script(
    spec: &Spec,
    framework: Framework,
    study: Option<&Value>,
) -> Result<Script, Failure> {
    let options = options();
    if let Some(study) = study {
        let study = JSON::parse(&study.to_string()).unwrap_or_default();
        // Options are a fresh object.
        let _ = Reflect::set(&options, &"study".into(), &study);
    }
    let answer = write(&crate::json::write(spec), &slug(&framework), &options).await;
    let code = plain(&answer.map_err(|e| failure(&e))?);
    let painted: Vec<Vec<(String, String)>> = list(&code["painted"])
        .iter()
        .map(|line| {
            let piece = |p: &Value| (text_of(&p[0]), text_of(&p[1]));
            list(line).iter().map(piece).collect()
        })
        .collect();
    let mut layers = vec![None; painted.len()];
    for mark in list(&code["lines"]) {
        let at = line_of(mark).and_then(|n| n.checked_sub(1));
        if let Some(slot) = at.and_then(|i| layers.get_mut(i)) {
            *slot = Some(text_of(&mark["layer"]));
        }
    }
    Ok(Script {
        text: text_of(&code["text"]),
        file: text_of(&code["file"]),
        notebook: text_of(&code["notebook"]),
        layers,
        painted,
        notes: notes_of(&code["notes"]),
        study: code["study"].clone(),
        loader: code["loader"].as_str().map(str::to_string),
        weights: text_of(&code["weights"]),
    })
}

fn get(value: &JsValue, key: &str) -> JsValue {
    Reflect::get(value, &key.into()).unwrap_or_default()
}

/// The page's run as an ONNX file.
pub async fn to_onnx() -> Result<JsValue, Failure> {
    let run = current();
    let spec = get(&get(&run, "info"), "spec");
    let options = Object::new();
    // Setting a property of a fresh object does not fail.
    let _ = Reflect::set(&options, &"run".into(), &run);
    export(&spec, "onnx", &options)
        .await
        .map_err(|e| failure(&e))
}

/// The network of an ONNX file and its weights. `keep`: the spec whose data stay where they fit.
pub async fn onnx(file: &ArrayBuffer, keep: &Spec) -> Result<(Reading, ArrayBuffer), Failure> {
    let options = options();
    let json = JSON::parse(&crate::json::write(keep)).unwrap_or_default();
    // Options are a fresh object.
    let _ = Reflect::set(&options, &"keep".into(), &json);
    match read_file(file, &options).await {
        Ok(answer) => {
            let weights = get(&answer, "weights").unchecked_into();
            let answer = plain(&answer);
            let spec = Spec::from_json(&answer["spec"].to_string())
                .map_err(|p| Failure::new("bad-spec", p.0))?;
            let reading = Reading {
                spec: Some(spec),
                notes: notes_of(&answer["notes"]),
            };
            Ok((reading, weights))
        }
        Err(e) => {
            let notes = get(&e, "notes");
            if !notes.is_object() {
                return Err(failure(&e));
            }
            let notes = notes_of(&plain(&notes));
            Ok((Reading { spec: None, notes }, ArrayBuffer::new(0)))
        }
    }
}

/// What a pasted text means. An error is of the page, not of the text.
pub async fn reading(text: &str) -> Result<Reading, Failure> {
    match read(text, &options()).await {
        Ok(answer) => {
            let answer = plain(&answer);
            let spec = Spec::from_json(&answer["spec"].to_string())
                .map_err(|p| Failure::new("bad-spec", p.0))?;
            Ok(Reading {
                spec: Some(spec),
                notes: notes_of(&answer["notes"]),
            })
        }
        Err(e) => {
            let notes = Reflect::get(&e, &"notes".into()).unwrap_or_default();
            if notes.is_object() {
                let notes = notes_of(&plain(&notes));
                return Ok(Reading { spec: None, notes });
            }
            let failure = failure(&e);
            let told = |p: &Problem| Note {
                line: None,
                message: crate::ui::i18n::problem_text(p),
            };
            // What is wrong with a text that is no Python: a spec or a link.
            match failure.code.as_str() {
                "bad-spec" if !failure.problems.is_empty() => Ok(Reading {
                    spec: None,
                    notes: failure.problems.iter().map(told).collect(),
                }),
                _ => Err(failure),
            }
        }
    }
}
