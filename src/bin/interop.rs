//! Scripts out of a spec, loaded by the page only when they are asked for.
#[cfg(target_arch = "wasm32")]
mod exports {
    use nabla::interop::write;
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
