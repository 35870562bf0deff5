//! Hyper-parameters that change between steps: their names in the API, their places in the
//! spec and in the plan's table.
use crate::ops::optimizer::hyper as place;
use crate::spec::{Clip, Optimizer, Problem, Spec};
use std::collections::BTreeMap;

/// Name in the API, place in the table, how to reach it in a spec.
struct Knob {
    name: &'static str,
    place: Option<usize>,
    at: fn(&mut Spec) -> Option<&mut f32>,
}

const KNOBS: &[Knob] = &[
    Knob {
        name: "learningRate",
        place: None,
        at: |s| match &mut s.train.optimizer {
            Optimizer::Sgd { learning_rate, .. }
            | Optimizer::Rmsprop { learning_rate, .. }
            | Optimizer::Adagrad { learning_rate, .. }
            | Optimizer::Adam { learning_rate, .. }
            | Optimizer::Adamw { learning_rate, .. } => Some(learning_rate),
            Optimizer::ClosedForm => None,
        },
    },
    Knob {
        name: "momentum",
        place: Some(place::MOMENTUM),
        at: |s| match &mut s.train.optimizer {
            Optimizer::Sgd { momentum, .. } | Optimizer::Rmsprop { momentum, .. } => Some(momentum),
            _ => None,
        },
    },
    Knob {
        name: "weightDecay",
        place: Some(place::WEIGHT_DECAY),
        at: |s| match &mut s.train.optimizer {
            Optimizer::Sgd { weight_decay, .. }
            | Optimizer::Rmsprop { weight_decay, .. }
            | Optimizer::Adagrad { weight_decay, .. }
            | Optimizer::Adam { weight_decay, .. }
            | Optimizer::Adamw { weight_decay, .. } => Some(weight_decay),
            Optimizer::ClosedForm => None,
        },
    },
    Knob {
        name: "beta1",
        place: Some(place::BETA1),
        at: |s| match &mut s.train.optimizer {
            Optimizer::Adam { beta1, .. } | Optimizer::Adamw { beta1, .. } => Some(beta1),
            _ => None,
        },
    },
    Knob {
        name: "beta2",
        place: Some(place::BETA2),
        at: |s| match &mut s.train.optimizer {
            Optimizer::Adam { beta2, .. } | Optimizer::Adamw { beta2, .. } => Some(beta2),
            _ => None,
        },
    },
    Knob {
        name: "epsilon",
        place: Some(place::EPSILON),
        at: |s| match &mut s.train.optimizer {
            Optimizer::Sgd { .. } | Optimizer::ClosedForm => None,
            Optimizer::Rmsprop { epsilon, .. }
            | Optimizer::Adagrad { epsilon, .. }
            | Optimizer::Adam { epsilon, .. }
            | Optimizer::Adamw { epsilon, .. } => Some(epsilon),
        },
    },
    Knob {
        name: "rho",
        place: Some(place::RHO),
        at: |s| match &mut s.train.optimizer {
            Optimizer::Rmsprop { rho, .. } => Some(rho),
            _ => None,
        },
    },
    Knob {
        name: "clip",
        place: Some(place::CLIP),
        at: |s| match &mut s.train.clip {
            Clip::None => None,
            Clip::Value { max } | Clip::GlobalNorm { max } => Some(max),
        },
    },
    Knob {
        name: "l1",
        place: Some(place::L1),
        at: |s| Some(&mut s.train.l1),
    },
    Knob {
        name: "l2",
        place: Some(place::L2),
        at: |s| Some(&mut s.train.l2),
    },
];

/// The table that the plan reads.
pub fn table(spec: &Spec) -> [f32; place::LEN] {
    let mut spec = spec.clone();
    let mut t = [0.0; place::LEN];
    for k in KNOBS {
        if let (Some(p), Some(v)) = (k.place, (k.at)(&mut spec)) {
            t[p] = *v;
        }
    }
    t
}

/// Those that the spec has, by name.
pub fn values(spec: &Spec) -> BTreeMap<String, f64> {
    let mut spec = spec.clone();
    let mut map = BTreeMap::new();
    for k in KNOBS {
        if let Some(v) = (k.at)(&mut spec) {
            // The decimal that a person wrote, not the f32's digits beyond it.
            let decimal = v.to_string().parse().unwrap_or(f64::from(*v));
            map.insert(k.name.to_string(), decimal);
        }
    }
    map
}

/// A spec with other values; refuses unknown names and numbers out of bounds.
pub fn changed(spec: &Spec, values: &BTreeMap<String, f64>) -> Result<Spec, Vec<Problem>> {
    let mut spec = spec.clone();
    for (name, v) in values {
        let knob = KNOBS.iter().find(|k| k.name == name);
        let at = knob.and_then(|k| (k.at)(&mut spec));
        match at {
            Some(at) => *at = *v as f32,
            None => return Err(vec![Problem::new("unknown-option").arg("name", name)]),
        }
    }
    let problems = spec.validate();
    if problems.is_empty() {
        Ok(spec)
    } else {
        Err(problems)
    }
}
