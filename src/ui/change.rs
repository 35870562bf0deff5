//! What an edit of the spec asks of a run that was loaded from the spec before it.
use crate::spec::{Schedule, Spec};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, PartialEq)]
pub enum Change {
    /// Nothing that the run would notice.
    None,
    /// Hyper-parameters that can be set between steps.
    Live(BTreeMap<String, f64>),
    /// Another run.
    Reload,
}

/// Fields that a run takes while it trains, and their names there.
const LIVE: [(&str, &str); 10] = [
    ("train.optimizer.learning_rate", "learningRate"),
    ("train.optimizer.momentum", "momentum"),
    ("train.optimizer.weight_decay", "weightDecay"),
    ("train.optimizer.beta1", "beta1"),
    ("train.optimizer.beta2", "beta2"),
    ("train.optimizer.epsilon", "epsilon"),
    ("train.optimizer.rho", "rho"),
    ("train.clip.max", "clip"),
    ("train.l1", "l1"),
    ("train.l2", "l2"),
];

/// `hyper` says which hyper-parameters the run has.
pub fn between(old: &Spec, new: &Spec, hyper: &BTreeMap<String, f64>) -> Change {
    let (a, b) = (computed(old), computed(new));
    let mut fields = Vec::new();
    differences(&a, &b, "", &mut fields);
    let mut live = BTreeMap::new();
    for (path, value) in fields {
        match path.as_str() {
            "name" => {}
            // The page itself counts the epochs, unless the schedule is laid out over them.
            "train.epochs" => match new.train.schedule {
                Schedule::Cosine { .. } | Schedule::OneCycle { .. } => return Change::Reload,
                _ => {}
            },
            path => {
                let name = LIVE.iter().find(|(p, _)| *p == path).map(|(_, n)| *n);
                match (name, value.as_f64()) {
                    (Some(name), Some(v)) if hyper.contains_key(name) => {
                        live.insert(name.to_string(), v);
                    }
                    _ => return Change::Reload,
                }
            }
        }
    }
    if live.is_empty() {
        Change::None
    } else {
        Change::Live(live)
    }
}

/// A spec without what says only how it is shown.
fn computed(spec: &Spec) -> Value {
    let mut spec = spec.clone();
    for l in &mut spec.layers {
        l.group = None;
    }
    crate::json::value(&spec)
}

/// Paths at which two values differ, and what the second has there.
fn differences<'a>(a: &Value, b: &'a Value, path: &str, out: &mut Vec<(String, &'a Value)>) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) if x.keys().eq(y.keys()) => {
            for (key, v) in y {
                let here = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                differences(&x[key], v, &here, out);
            }
        }
        _ if a == b => {}
        _ => out.push((path.to_string(), b)),
    }
}
