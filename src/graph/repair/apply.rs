//! Small changes that repairs are made of.
use crate::json;
use crate::spec::edit::{self, Place, free_id};
use crate::spec::*;
use serde_json::Value;

/// `[3, 28]`, `28×28` and the like as numbers.
pub(super) fn numbers(text: &str) -> Vec<usize> {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|d| d.parse().ok()).collect()
}

/// The id of what stands before a layer.
pub(super) fn before_id(spec: &Spec, at: usize) -> String {
    match at {
        0 => "input".to_string(),
        at => spec.layers[at - 1].id.clone(),
    }
}

pub(super) fn insert_before(spec: &mut Spec, at: usize, kind: LayerKind) -> Option<()> {
    let base = match &kind {
        LayerKind::Flatten => "flatten",
        LayerKind::Reshape { .. } => "reshape",
        LayerKind::Embedding { .. } => "embedding",
        _ => "layer",
    };
    let mut layer = LayerSpec::new(&free_id(spec, base), kind);
    let reader = spec.layers.get_mut(at)?;
    layer.group.clone_from(&reader.group);
    // It takes over what was read by name.
    if !reader.inputs.is_empty() {
        layer.inputs = std::mem::take(&mut reader.inputs);
    }
    edit::insert(spec, &Place::at(at), vec![layer]);
    Some(())
}

pub(super) fn linear(units: usize) -> LayerKind {
    LayerKind::Linear {
        units,
        bias: true,
        activation: None,
        weight_init: None,
        bias_init: None,
    }
}

pub(super) fn set_units(spec: &mut Spec, at: usize, n: usize) -> Option<()> {
    match &mut spec.layers.get_mut(at)?.kind {
        LayerKind::Linear { units, .. } => *units = n,
        _ => return None,
    }
    Some(())
}

pub(super) fn recurrence(kind: &mut LayerKind) -> Option<&mut Recurrence> {
    match kind {
        LayerKind::Rnn { layer, .. } | LayerKind::Lstm(layer) | LayerKind::Gru(layer) => {
            Some(layer)
        }
        _ => None,
    }
}

pub(super) fn activation_mut(kind: &mut LayerKind) -> Option<&mut Option<Activation>> {
    match kind {
        LayerKind::Linear { activation, .. } => Some(activation),
        LayerKind::Conv1d(c)
        | LayerKind::Conv2d(c)
        | LayerKind::ConvTranspose2d { conv: c, .. } => Some(&mut c.activation),
        _ => None,
    }
}

/// Writes a field of a layer or, by its path, of the spec. None where there is no such field, or
/// it does not take the value.
pub(super) fn set_field(
    spec: &mut Spec,
    at: Option<usize>,
    field: &str,
    value: Value,
) -> Option<()> {
    match at {
        Some(at) => {
            let layer = spec.layers.get_mut(at)?;
            let mut form = json::value(layer);
            *form.get_mut(field)? = value;
            *layer = json::Read::read(form).ok()?;
        }
        None => {
            let mut form = json::value(spec);
            *form.pointer_mut(&format!("/{}", field.replace('.', "/")))? = value;
            *spec = json::Read::read(form).ok()?;
        }
    }
    Some(())
}
