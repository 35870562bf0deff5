//! Scripts out of a spec and into one, loaded by the page only when they are asked for.
#[cfg(target_arch = "wasm32")]
mod exports {
    use nabla::graph::repair;
    use nabla::interop::onnx::Scaling;
    use nabla::interop::write::paint::paint;
    use nabla::interop::write::study::Study;
    use nabla::interop::{Note, onnx, read, write};
    use nabla::json;
    use nabla::spec::{DataShape, Framework, Problem, Problems, Spec};
    use serde_json::{Value, json};
    use wasm_bindgen::prelude::wasm_bindgen;

    /// `{"problems": […]}`, for an answer that failed.
    fn failed(problems: Problems) -> String {
        json!({ "problems": problems.0.iter().map(json::value).collect::<Vec<Value>>() })
            .to_string()
    }

    fn framework(name: &str) -> Result<Framework, Problems> {
        match name {
            "pytorch" => Ok(Framework::Pytorch),
            "keras" => Ok(Framework::Keras),
            _ => Err(Problem::new("internal").arg("detail", name).into()),
        }
    }

    fn written(notes: &[Note], language: &str) -> Vec<Value> {
        let one = |n: &Note| json!({ "line": n.line, "code": n.code, "message": n.text(language) });
        notes.iter().map(one).collect()
    }

    /// The spec that a script or a notebook means, with notes in `language`:
    /// `{spec, notes: [{line, code, message}]}`, without `spec` where none could be made.
    #[wasm_bindgen]
    pub fn read_script(text: &str, language: &str) -> String {
        let (spec, notes) = match read::script(text) {
            Ok(import) => (Some(json::value(&import.spec)), import.notes),
            Err(failed) => (None, failed.notes),
        };
        json!({ "spec": spec, "notes": written(&notes, language) }).to_string()
    }

    /// What mends these problems (JSON) that the check found in a spec: for each, in their order,
    /// `[{id, text, spec}]`, the best first. `text` is English.
    #[wasm_bindgen]
    pub fn repairs(spec: &str, problems: &str) -> String {
        let spec: Option<Spec> = json::read(spec).ok();
        let problems: Vec<Problem> = json::read(problems).unwrap_or_default();
        let one = |r: repair::Repair| json!({ "id": r.code, "text": r.text(), "spec": json::value(&r.spec) });
        let of = |problem: &Problem| -> Vec<Value> {
            let found = spec
                .as_ref()
                .map(|spec| repair::repairs(spec, None, problem));
            found.into_iter().flatten().map(one).collect()
        };
        json!(problems.iter().map(of).collect::<Vec<_>>()).to_string()
    }

    /// A network as an ONNX file. `shape`: that of the data (JSON), for sources that cannot tell it;
    /// `weights`: safetensors under the framework's names; the rest as a run scales its data. An error is
    /// `{"problems": […]}`.
    #[wasm_bindgen]
    pub fn write_onnx(
        spec: &str,
        shape: &str,
        weights: &[u8],
        mul: Vec<f32>,
        add: Vec<f32>,
        mean: Vec<f32>,
        std: Vec<f32>,
    ) -> Result<Vec<u8>, String> {
        let scaling = Scaling {
            mul,
            add,
            target: mean.into_iter().zip(std).collect(),
        };
        let shape: Option<DataShape> = json::read(shape).ok();
        let made = Spec::from_json(spec).and_then(|spec| {
            let known = shape.filter(|_| spec.data.shape().is_none());
            onnx::write::write(&spec, known.as_ref(), weights, &scaling)
        });
        made.map_err(failed)
    }

    /// What [`read_onnx`] gives.
    #[wasm_bindgen]
    pub struct Read {
        json: String,
        weights: Vec<u8>,
    }

    #[wasm_bindgen]
    impl Read {
        /// `{spec, notes}`, without `spec` where none could be made.
        pub fn json(&self) -> String {
            self.json.clone()
        }
        /// safetensors.
        pub fn weights(&self) -> Vec<u8> {
            self.weights.clone()
        }
    }

    /// The network of an ONNX file, with its weights. `keep`: the spec (JSON) whose data and training are
    /// kept where they fit, or nothing.
    #[wasm_bindgen]
    pub fn read_onnx(bytes: &[u8], keep: &str, language: &str) -> Read {
        let keep = Spec::from_json(keep).ok();
        match onnx::read::read(bytes, keep.as_ref()) {
            Ok(import) => Read {
                json: json!({
                    "spec": json::value(&import.spec),
                    "notes": written(&import.notes, language),
                })
                .to_string(),
                weights: import.weights,
            },
            Err(note) => Read {
                json: json!({ "spec": Value::Null, "notes": written(&[note], language) })
                    .to_string(),
                weights: Vec::new(),
            },
        }
    }

    /// The script of a spec (JSON) for `pytorch` or `keras`:
    /// `{text, file, notebook, lines: [{line, layer}], painted: [[[ink, piece]]], notes}`.
    #[wasm_bindgen]
    pub fn script(spec: &str, name: &str, language: &str) -> String {
        let made = Spec::from_json(spec).and_then(|spec| {
            let script = write::script(&spec, framework(name)?)?;
            Ok((spec, script))
        });
        match made {
            Err(problems) => failed(problems),
            Ok((spec, script)) => told(&spec, &script, Value::Null, language),
        }
    }

    /// The same for an Optuna study, whose ranges come with it as `study`. `ranges`: those that were changed
    /// (JSON), or nothing.
    #[wasm_bindgen]
    pub fn study(spec: &str, name: &str, ranges: &str, language: &str) -> String {
        let ranges: Value = json::read(ranges).unwrap_or_default();
        let made = Spec::from_json(spec).and_then(|spec| {
            let study = Study::with(&spec, &ranges)?;
            let script = write::study_script(&spec, framework(name)?, &study)?;
            Ok((spec, script, study))
        });
        match made {
            Err(problems) => failed(problems),
            Ok((spec, script, study)) => told(&spec, &script, study.json(), language),
        }
    }

    fn told(spec: &Spec, script: &write::Script, study: Value, language: &str) -> String {
        let lines: Vec<Value> = script
            .marks
            .iter()
            .map(|(line, layer)| json!({ "line": line, "layer": layer }))
            .collect();
        let painted: Vec<Vec<(&str, &str)>> = paint(&script.text)
            .iter()
            .map(|line| line.iter().map(|(ink, text)| (ink.id(), *text)).collect())
            .collect();
        let title = match spec.name.as_str() {
            "" => "Network",
            name => name,
        };
        json!({
            "text": script.text,
            "file": write::file_name(spec, "py"),
            "notebook": write::notebook(script, title),
            "study": study,
            "lines": lines,
            "painted": painted,
            "loader": script.loader,
            "weights": write::file_name(spec, "safetensors"),
            "notes": written(&script.notes, language),
        })
        .to_string()
    }
}

fn main() {
    #[cfg(target_arch = "wasm32")]
    console_error_panic_hook::set_once();
}
