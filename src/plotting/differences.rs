//! What tells several runs apart: the settings in which their specs differ.
use crate::spec::Spec;
use crate::spec::compare::{How, compare};
use serde_json::Value;

/// One thing in which a run differs from others that it is shown with.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// The value of a field, of a layer or (`layer` is None) of the rest; `path` is as in the JSON
    /// form: `units`, `train.optimizer.learning_rate`.
    Setting {
        layer: Option<String>,
        path: String,
        value: Value,
    },
    /// A layer that it has, or has not.
    Layer { id: String, there: bool },
    /// The preset that it came from.
    Name(String),
    /// The same layers in another order.
    Order,
}

#[derive(PartialEq)]
enum Place {
    Setting(Option<String>, String),
    Layer(String),
    Order,
}

/// For each spec what is not the same in all of them. Where something is of another kind
/// altogether, the fields that come with the kind are left out.
pub fn differences(specs: &[&Spec]) -> Vec<Vec<Mark>> {
    let Some((first, rest)) = specs.split_first() else {
        return Vec::new();
    };
    let mut places: Vec<Place> = Vec::new();
    let mut put = |place: Place| {
        if !places.contains(&place) {
            places.push(place);
        }
    };
    for other in rest {
        let found = compare(first, other);
        for layer in found.layers {
            match layer.how {
                How::Added | How::Removed => put(Place::Layer(layer.id)),
                How::Moved => put(Place::Order),
                How::Changed(fields) => fields
                    .into_iter()
                    .for_each(|f| put(Place::Setting(Some(layer.id.clone()), f.path))),
            }
        }
        found
            .settings
            .into_iter()
            .for_each(|f| put(Place::Setting(None, f.path)));
    }
    let kinds: Vec<(Option<String>, String)> = (places.iter())
        .filter_map(|p| match p {
            Place::Setting(layer, path) => {
                let of = path.strip_suffix("kind")?;
                Some((layer.clone(), of.to_string()))
            }
            _ => None,
        })
        .collect();
    places.retain(|p| match p {
        Place::Setting(layer, path) => !kinds.iter().any(|(l, of)| {
            l == layer && path.starts_with(of.as_str()) && path != &format!("{of}kind")
        }),
        _ => true,
    });
    let names = specs.iter().any(|s| s.name != first.name);
    let marks = |spec: &&Spec| {
        let json = crate::json::value(*spec);
        let name = names.then(|| Mark::Name(spec.name.clone()));
        name.into_iter()
            .chain(places.iter().filter_map(|place| mark(&json, place)))
            .collect()
    };
    specs.iter().map(marks).collect()
}

fn mark(spec: &Value, place: &Place) -> Option<Mark> {
    let layers = spec["layers"].as_array().map_or(&[][..], Vec::as_slice);
    let find = |id: &str| layers.iter().find(|l| l["id"] == id);
    match place {
        Place::Layer(id) => Some(Mark::Layer {
            id: id.clone(),
            there: find(id).is_some(),
        }),
        Place::Setting(layer, path) => {
            let from = match layer {
                Some(id) => find(id)?,
                None => spec,
            };
            let value = path.split('.').fold(from, |v, key| &v[key]).clone();
            Some(Mark::Setting {
                layer: layer.clone(),
                path: path.clone(),
                value,
            })
        }
        Place::Order => Some(Mark::Order),
    }
}
