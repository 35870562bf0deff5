//! Python into a spec. The text is parsed by a real parser; the tree is followed over a subset of
//! Python, PyTorch, Keras, NumPy and scikit-learn. Nothing is executed, and nothing is guessed from
//! text: what is not known gets a note on its line, and the rest still opens.
mod arguments;
mod bounds;
mod calls;
mod data;
mod expr;
mod finish;
mod groups;
mod helpers;
mod index;
mod keras;
mod keras_layers;
mod library;
mod machine;
mod network;
mod notebook;
mod numpy;
mod ops;
mod schedules;
mod sets;
mod statements;
mod stopping;
mod torch;
mod torch_layers;
mod torch_modules;
mod torch_optim;
mod value;

pub use super::notes::Note;
pub use notebook::notebook_code;

use super::notes;
use crate::graph;
use crate::spec::{Problem, Problems, Spec};
use machine::Machine;
use ruff_python_ast::{Expr, Stmt};

/// What a script became.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    pub spec: Spec,
    /// What is not as it was, by line.
    pub notes: Vec<Note>,
}

/// Why nothing could be opened, with what was noticed on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    pub notes: Vec<Note>,
}

/// Reads a script of PyTorch or Keras, as Python or as a notebook. Lines of a notebook are counted in
/// its [`notebook_code`].
pub fn script(text: &str) -> Result<Import, Failed> {
    match notebook_code(text) {
        Some(code) => python(&code),
        None => python(text),
    }
}

fn python(text: &str) -> Result<Import, Failed> {
    let failed = |line: usize, code: &'static str, detail: String| {
        let mut notes = notes::Notes::default();
        notes.add(line, code, &[("detail", detail)]);
        Failed { notes: notes.0 }
    };
    if text.len() > bounds::TEXT {
        return Err(failed(
            0,
            "note-too-big",
            format!("{} KiB", bounds::TEXT >> 10),
        ));
    }
    if let Some(line) = bounds::too_deep(text) {
        return Err(failed(line, "note-too-deep", String::new()));
    }
    // The parser's own mode for notebooks panics on some texts.
    let plain = notebook::without_commands(text);
    let mut source = text;
    let parsed = ruff_python_parser::parse_module(text).or_else(|e| match &plain {
        Some(plain) => {
            source = plain;
            ruff_python_parser::parse_module(plain)
        }
        None => Err(e),
    });
    let text = source;
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(e) => {
            let start = e.location.start().to_usize().min(text.len());
            let before = text.as_bytes()[..start].iter();
            let line = before.filter(|b| **b == b'\n').count() + 1;
            return Err(failed(line, "note-syntax", e.error.to_string()));
        }
    };
    let body = &parsed.syntax().body;
    let mut machine = Machine::new(text);
    let scope = machine.frame(None);
    machine.block(body, &scope);
    let name = docstring(body);
    let made = machine.finish(name);
    let mut notes = std::mem::take(&mut machine.notes);
    let (json, net) = match made {
        Ok(made) => made,
        Err(code) => {
            notes.add(0, code, &[]);
            return Err(Failed { notes: notes.0 });
        }
    };
    match Spec::from_json(&json.to_string()) {
        Ok(spec) => {
            check(&spec, &net, &mut notes);
            notes.0.sort_by_key(|n| n.line.unwrap_or(0));
            Ok(Import {
                spec,
                notes: notes.0,
            })
        }
        Err(Problems(problems)) => {
            for p in problems {
                let at = place(&p, &net);
                notes.add(at, "note-problem", &[("detail", p.message)]);
            }
            Err(Failed { notes: notes.0 })
        }
    }
}

/// The line of the layer that a problem is about.
fn place(p: &Problem, net: &network::Layers) -> usize {
    let of = |l: &serde_json::Map<String, serde_json::Value>| {
        l.get("id").and_then(|v| v.as_str()) == p.layer.as_deref()
    };
    net.layers
        .iter()
        .position(|l| p.layer.is_some() && of(l))
        .map_or(0, |i| net.lines[i].0)
}

/// Shapes: what is wrong, and where the script names another width than the layer reads.
fn check(spec: &Spec, net: &network::Layers, notes: &mut notes::Notes) {
    let report = graph::check(spec, None);
    for p in &report.errors {
        notes.add(
            place(p, net),
            "note-problem",
            &[("detail", p.message.clone())],
        );
    }
    for (i, (line, expects)) in net.lines.iter().enumerate() {
        let Some(want) = expects else { continue };
        let layer = &spec.layers[i];
        let shape = match layer.inputs.first() {
            Some(id) if id == "input" => Some(&report.input),
            Some(id) => report.layers.iter().find(|l| l.id == *id).map(|l| &l.shape),
            None if i == 0 => Some(&report.input),
            None => report
                .layers
                .iter()
                .find(|l| l.id == spec.layers[i - 1].id)
                .map(|l| &l.shape),
        };
        let Some(shape) = shape.filter(|s| !s.is_empty()) else {
            continue;
        };
        use crate::spec::LayerKind::*;
        let got = match &layer.kind {
            Conv2d(_) | ConvTranspose2d { .. } => {
                if shape.len() == 3 {
                    shape[0]
                } else {
                    1
                }
            }
            Conv1d(_) => {
                if shape.len() == 2 {
                    shape[0]
                } else {
                    1
                }
            }
            BatchNorm { .. } => shape[0],
            Flatten => shape.iter().product(),
            _ => *shape.last().expect("not empty"),
        };
        if got != *want {
            let args = [("want", want.to_string()), ("got", got.to_string())];
            notes.add(*line, "note-width", &args);
        }
    }
}

/// The name that one of our own scripts bears in its first line.
fn docstring(body: &[Stmt]) -> Option<String> {
    let Some(Stmt::Expr(first)) = body.first() else {
        return None;
    };
    let Expr::StringLiteral(s) = &*first.value else {
        return None;
    };
    let line = s.value.to_str().lines().next()?;
    let (name, rest) = line.split_once(" · ")?;
    let name = if name == "network" { "" } else { name };
    rest.contains("from Nabla")
        .then(|| name.chars().take(80).collect())
}
