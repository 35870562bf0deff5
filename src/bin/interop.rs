//! Scripts out of a spec and into one, loaded by the page only when they are asked for.
#[cfg(target_arch = "wasm32")]
mod exports {
    use nabla::interop::write::paint::paint;
    use nabla::interop::{Note, read, write};
    use nabla::json;
    use nabla::spec::{Framework, Problem, Problems, Spec};
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

    /// The script of a spec (JSON) for `pytorch` or `keras`:
    /// `{text, file, notebook, lines: [{line, layer}], painted: [[[ink, piece]]], notes}`.
    #[wasm_bindgen]
    pub fn script(spec: &str, name: &str, language: &str) -> String {
        let made = Spec::from_json(spec).and_then(|spec| {
            let script = write::script(&spec, framework(name)?)?;
            Ok((spec, script))
        });
        let (spec, script) = match made {
            Err(problems) => return failed(problems),
            Ok(made) => made,
        };
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
            "file": write::file_name(&spec, "py"),
            "notebook": write::notebook(&script, title),
            "lines": lines,
            "painted": painted,
            "loader": script.loader,
            "weights": write::file_name(&spec, "safetensors"),
            "notes": written(&script.notes, language),
        })
        .to_string()
    }
}

fn main() {
    #[cfg(target_arch = "wasm32")]
    console_error_panic_hook::set_once();
}
