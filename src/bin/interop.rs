//! Scripts out of a spec and into one, loaded by the page only when they are asked for.
#[cfg(target_arch = "wasm32")]
mod exports {
    use nabla::interop::{read, write};
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

    /// The spec that a script means, with notes in `language`: `{spec, notes: [{line, code, message}]}`,
    /// without `spec` where none could be made.
    #[wasm_bindgen]
    pub fn read_script(text: &str, language: &str) -> String {
        let (spec, notes) = match read::script(text) {
            Ok(import) => (Some(json::value(&import.spec)), import.notes),
            Err(failed) => (None, failed.notes),
        };
        let notes: Vec<Value> = notes
            .iter()
            .map(|n| json!({ "line": n.line, "code": n.code, "message": n.text(language) }))
            .collect();
        json!({ "spec": spec, "notes": notes }).to_string()
    }

    /// The script of a spec (JSON) for `pytorch` or `keras`: `{text, file, notebook, lines: [{line, layer}]}`.
    #[wasm_bindgen]
    pub fn script(spec: &str, name: &str) -> String {
        let made = Spec::from_json(spec).and_then(|spec| {
            let script = write::script(&spec, framework(name)?)?;
            Ok((spec, script))
        });
        match made {
            Err(problems) => failed(problems),
            Ok((spec, script)) => {
                let lines: Vec<Value> = script
                    .marks
                    .iter()
                    .map(|(line, layer)| json!({ "line": line, "layer": layer }))
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
                })
                .to_string()
            }
        }
    }
}

fn main() {
    #[cfg(target_arch = "wasm32")]
    console_error_panic_hook::set_once();
}
