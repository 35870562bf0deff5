//! What tells one spec from another, layer by layer.
use super::{LayerSpec, Spec};
use serde_json::Value;

/// A field and its values before and after; null where it was not there.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// `units`, `train.optimizer.learning_rate`
    pub path: String,
    pub before: Value,
    pub after: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub enum How {
    Added,
    Removed,
    /// It stands at another place among the layers that stayed.
    Moved,
    Changed(Vec<Setting>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct LayerChange {
    pub id: String,
    /// As the JSON form names it.
    pub kind: String,
    pub how: How,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// In the order of the layers, those that are gone at the end.
    pub layers: Vec<LayerChange>,
    /// Of training, data and the rest.
    pub settings: Vec<Setting>,
}

impl Comparison {
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty() && self.settings.is_empty()
    }
}

fn kind(layer: &LayerSpec) -> String {
    let json = crate::json::value(layer);
    json["kind"].as_str().unwrap_or_default().to_string()
}

/// Paths at which two values differ, objects field by field.
fn settings(before: &Value, after: &Value, path: &str, out: &mut Vec<Setting>) {
    let (Value::Object(a), Value::Object(b)) = (before, after) else {
        if before != after {
            out.push(Setting {
                path: path.to_string(),
                before: before.clone(),
                after: after.clone(),
            });
        }
        return;
    };
    let gone = a.keys().filter(|k| !b.contains_key(*k));
    for key in b.keys().chain(gone) {
        let here = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        let of = |m: &serde_json::Map<String, Value>| m.get(key).cloned().unwrap_or(Value::Null);
        settings(&of(a), &of(b), &here, out);
    }
}

/// Which of the numbers belong to a longest rising run: those that stayed in order.
fn rising(v: &[usize]) -> Vec<bool> {
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(v.len());
    for i in 0..v.len() {
        let before = (0..i).filter(|j| v[*j] < v[i]);
        let link = before.max_by_key(|j| (best[*j].0, std::cmp::Reverse(*j)));
        best.push((link.map_or(1, |j| best[j].0 + 1), link));
    }
    let mut stays = vec![false; v.len()];
    let mut at = (0..v.len()).max_by_key(|i| (best[*i].0, std::cmp::Reverse(*i)));
    while let Some(i) = at {
        stays[i] = true;
        at = best[i].1;
    }
    stays
}

/// What `after` has that `before` has not, and the other way round. Layers are the same by their id.
pub fn compare(before: &Spec, after: &Spec) -> Comparison {
    let mut out = Comparison::default();
    let place = |id: &str| before.layers.iter().position(|l| l.id == id);
    let common: Vec<usize> = after.layers.iter().filter_map(|l| place(&l.id)).collect();
    let mut stays = rising(&common).into_iter();
    for layer in &after.layers {
        let how = match place(&layer.id) {
            None => How::Added,
            Some(at) => {
                let stayed = stays.next().unwrap_or(true);
                let mut fields = Vec::new();
                let (a, b) = (&before.layers[at], layer);
                settings(
                    &crate::json::value(a),
                    &crate::json::value(b),
                    "",
                    &mut fields,
                );
                // How it is shown.
                fields.retain(|f| f.path != "group");
                match (fields.is_empty(), stayed) {
                    (true, true) => continue,
                    (true, false) => How::Moved,
                    _ => How::Changed(fields),
                }
            }
        };
        out.layers.push(LayerChange {
            id: layer.id.clone(),
            kind: kind(layer),
            how,
        });
    }
    for layer in &before.layers {
        if !after.layers.iter().any(|l| l.id == layer.id) {
            out.layers.push(LayerChange {
                id: layer.id.clone(),
                kind: kind(layer),
                how: How::Removed,
            });
        }
    }
    let rest = |spec: &Spec| {
        let mut json = crate::json::value(spec);
        if let Value::Object(map) = &mut json {
            for key in ["layers", "name", "version"] {
                map.shift_remove(key);
            }
        }
        json
    };
    settings(&rest(before), &rest(after), "", &mut out.settings);
    out
}
