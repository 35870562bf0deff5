//! A complete script from a spec, for PyTorch or for Keras 3.
mod data;
mod groups;
pub(super) mod helpers;
mod keras;
mod keras_layers;
mod lines;
mod loader;
mod net;
mod notebook;
pub mod paint;
mod pytorch;
mod pytorch_layers;
mod pytorch_module;
mod pytorch_train;
mod remarks;
pub mod study;
mod study_script;

pub use notebook::notebook;

use super::Note;
use crate::graph;
use crate::spec::{Framework, Problem, Problems, Spec};
use lines::Lines;

/// A script and which of its lines belong to which layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    pub text: String,
    /// (line counted from 1, layer's id), in order of lines.
    pub marks: Vec<(usize, String)>,
    /// What the script does otherwise than the page, and why.
    pub notes: Vec<Note>,
    /// Lines that load weights saved by the page into the model; None where they are written under the
    /// other framework's names.
    pub loader: Option<String>,
    /// Lines on which a part begins that a notebook has in a cell of its own.
    cells: Vec<usize>,
}

/// The script of `spec` for `framework`, which need not be the spec's own: initialisers, epsilons
/// and the like are then written out where the two differ.
///
/// Errors: those of [`graph::check`], and `code-unsupported` for what the framework lacks.
pub fn script(spec: &Spec, framework: Framework) -> Result<Script, Problems> {
    let report = graph::check(spec, None);
    if !report.ok {
        return Err(Problems(report.errors));
    }
    let net = net::Net::new(spec, &report);
    let mut out = Lines::default();
    match framework {
        Framework::Pytorch => pytorch::script(&net, &mut out)?,
        Framework::Keras => keras::script(&net, &mut out)?,
    }
    Ok(Script {
        notes: remarks::remarks(spec),
        loader: loader::loader(&net, framework),
        ..out.finish()
    })
}

/// The Optuna study of `spec` for `framework`: a script that searches `study`'s space.
///
/// Errors: as of [`script`].
pub fn study_script(
    spec: &Spec,
    framework: Framework,
    study: &study::Study,
) -> Result<Script, Problems> {
    let report = graph::check(spec, None);
    if !report.ok {
        return Err(Problems(report.errors));
    }
    if spec.train.class_weight.is_some() {
        let what = "class weights in a study";
        return Err(unsupported(what, framework)
            .field("train.class_weight")
            .into());
    }
    let net = net::Net::new(spec, &report);
    let mut out = Lines::default();
    match framework {
        Framework::Pytorch => study_script::torch(&net, study, &mut out)?,
        Framework::Keras => study_script::keras(&net, study, &mut out)?,
    }
    Ok(Script {
        notes: remarks::remarks(spec),
        ..out.finish()
    })
}

/// What a script is called: the spec's name as a file name, with `end`.
pub fn file_name(spec: &Spec, end: &str) -> String {
    let name = lines::ident(&spec.name);
    let name = if name.is_empty() { "network" } else { &name };
    format!("{name}.{end}")
}

fn unsupported(what: impl Into<String>, framework: Framework) -> Problem {
    let name = match framework {
        Framework::Pytorch => "PyTorch",
        Framework::Keras => "Keras",
    };
    Problem::new("code-unsupported")
        .arg("what", what.into())
        .arg("framework", name)
}
