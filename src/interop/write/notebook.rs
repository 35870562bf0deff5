//! A script as a Jupyter notebook: one cell for each of its parts.
use super::Script;
use serde_json::{Value, json};

/// nbformat 4.5.
pub fn notebook(script: &Script, title: &str) -> String {
    let lines: Vec<&str> = script.text.lines().collect();
    let mut starts = vec![1];
    starts.extend(&script.cells);
    let mut cells: Vec<Value> = vec![json!({
        "cell_type": "markdown", "id": "title", "metadata": {}, "source": [format!("# {title}")]
    })];
    for (i, start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).map_or(lines.len() + 1, |s| *s);
        let text = lines[start - 1..end - 1].join("\n");
        let text = match text.trim_matches('\n') {
            "" => continue,
            // A notebook has no command line.
            t if t.starts_with("if __name__") => "main()",
            t => t,
        };
        let source: Vec<String> = text.split_inclusive('\n').map(str::to_string).collect();
        cells.push(json!({
            "cell_type": "code", "execution_count": null, "id": format!("cell-{i}"), "metadata": {},
            "outputs": [], "source": source
        }));
    }
    let book = json!({
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"}
        },
        "nbformat": 4,
        "nbformat_minor": 5
    });
    format!("{book:#}\n")
}
