//! A network and its weights from an ONNX file, for the operations that the engine has.
//!
//! The nodes are followed in their order. What only moves numbers about is remembered ([`flow`]),
//! small operations are put together until they are a function that is known ([`expr`]), and what the file
//! itself holds is worked out (`fold`). Whatever is left has no counterpart among the layers, and is
//! named in the error.
mod attention;
mod build;
mod data;
mod elementwise;
pub mod expr;
mod file;
pub mod flow;
mod fold;
mod nodes;
mod norms;
mod own;
mod recurrent;
mod walk;
mod windows;

use crate::interop::Note;
use crate::spec::{Framework, Spec};
use crate::train::weights;

type Res<T> = Result<T, Note>;

/// A network that was read.
#[derive(Clone, Debug)]
pub struct Import {
    pub spec: Spec,
    /// safetensors under the spec's framework's names.
    pub weights: Vec<u8>,
    pub notes: Vec<Note>,
}

fn trouble(code: &'static str, args: &[(&'static str, String)]) -> Note {
    Note {
        line: None,
        code,
        args: args.to_vec(),
    }
}

/// The network of a file. `keep`: the network at hand, whose data and training are kept where they fit.
///
/// Errors: one note that says which node, what is the matter and what to do. The file may be anything:
/// nothing larger than a few times its own size is made of it.
pub fn read(bytes: &[u8], keep: Option<&Spec>) -> Result<Import, Note> {
    let file = file::File::open(bytes)?;
    if let Some(import) = own::read(&file) {
        return Ok(import);
    }
    let (network, spec, notes) = any_framework(&file, keep)?;
    let params: Vec<(&str, &[usize], &[f32])> = network
        .params
        .iter()
        .map(|p| (&p.name[..], &p.dims[..], &p.values[..]))
        .collect();
    let weights = weights::write(spec.framework, &params)
        .map_err(|p| trouble("onnx-broken", &[("detail", p.message)]))?;
    Ok(Import {
        spec,
        weights,
        notes,
    })
}

/// The network as layers of the framework that the file is from, or of the other one: where sequences and
/// images have their channels first in one and last in the other, some networks fit only one of them.
fn any_framework(
    file: &file::File,
    keep: Option<&Spec>,
) -> Result<(build::Network, Spec, Vec<Note>), Note> {
    let likely = match file.producer.as_str() {
        "pytorch" => Framework::Pytorch,
        "tf2onnx" | "keras2onnx" => Framework::Keras,
        _ => keep.map_or(Framework::Pytorch, |spec| spec.framework),
    };
    let other = match likely {
        Framework::Pytorch => Framework::Keras,
        Framework::Keras => Framework::Pytorch,
    };
    let with = |framework, free| {
        let network = walk::walk(file, framework, free)?;
        let (spec, notes) = data::around(&network, keep)?;
        Ok((network, spec, notes))
    };
    let whole = |framework| {
        let read = with(framework, true)?;
        // In the shape that the network gives them no data fit; perhaps some do as the file has them.
        let fits = |notes: &[Note]| notes.iter().all(|n| n.code != "onnx-no-data");
        match fits(&read.2) {
            true => Ok(read),
            false => Ok(with(framework, false)
                .ok()
                .filter(|other| fits(&other.2))
                .unwrap_or(read)),
        }
    };
    // What is wrong with it in its own framework is what is said.
    whole(likely).or_else(|note| whole(other).map_err(|_| note))
}
