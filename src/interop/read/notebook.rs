//! The code of a Jupyter notebook.
use super::bounds;
use serde_json::Value;
use std::borrow::Cow;

/// The code cells of a notebook (JSON), one after the other with an empty line between; None if the
/// text is no notebook. Notebooks before version 4 keep their cells in worksheets.
pub fn notebook_code(text: &str) -> Option<String> {
    if !text.trim_start().starts_with('{') || text.len() > bounds::NOTEBOOK {
        return None;
    }
    let book: Value = serde_json::from_str(text).ok()?;
    let cells = book.get("cells").or_else(|| {
        let sheet = book.get("worksheets")?.get(0)?;
        sheet.get("cells")
    });
    let mut all = Vec::new();
    for cell in cells?.as_array()? {
        if cell.get("cell_type").and_then(Value::as_str) != Some("code") {
            continue;
        }
        let source = cell.get("source").or_else(|| cell.get("input"));
        let code: Cow<str> = match source {
            Some(Value::String(s)) => s.into(),
            Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        let code = code.trim_end();
        if !code.is_empty() {
            all.push(code.to_string());
        }
    }
    Some(all.join("\n\n") + "\n")
}

/// The text with a notebook's commands (`%matplotlib inline`, `!pip install …`), which say nothing
/// about a network, made statements that do nothing; None if it has none.
pub(super) fn without_commands(text: &str) -> Option<String> {
    let command = |line: &str| line.trim_start().starts_with(['%', '!']);
    if !text.lines().any(command) {
        return None;
    }
    let plain = |line: &str| match command(line) {
        true => {
            let rest = line.trim_start();
            format!("{}pass\n", &line[..line.len() - rest.len()])
        }
        false => line.to_string(),
    };
    Some(text.split_inclusive('\n').map(plain).collect())
}
