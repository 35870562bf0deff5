//! A search space, and what it is at first for a network: what an Optuna study tries.
use super::net::{From, Net};
use crate::graph;
use crate::spec::*;
use serde_json::{Value, json};

/// Trials of a study.
const TRIALS: usize = 10_000;
/// Values that one choice may have.
const CHOICES: usize = 20;

/// What is searched, and how often it is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    pub trials: usize,
    /// End trials early that do worse than the median of those before.
    pub prune: bool,
    pub knobs: Vec<Knob>,
}

/// One thing that is tried at several values.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    pub what: What,
    pub range: Range,
    pub on: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    LearningRate,
    BatchSize,
    Optimizer,
    /// Units of a linear layer, by its id.
    Units(String),
    /// The rate of a dropout layer.
    Rate(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// Between two numbers, by their logarithm.
    Log(f32, f32),
    Float(f32, f32),
    Whole(usize, usize),
    Choice(Vec<String>),
}

/// Optimizers that a study may try.
pub const OPTIMIZERS: [&str; 5] = ["sgd", "rmsprop", "adagrad", "adam", "adamw"];

impl What {
    /// `units:fc1`
    pub fn key(&self) -> String {
        match self {
            What::LearningRate => "learning_rate".into(),
            What::BatchSize => "batch_size".into(),
            What::Optimizer => "optimizer".into(),
            What::Units(id) => format!("units:{id}"),
            What::Rate(id) => format!("rate:{id}"),
        }
    }
}

impl Study {
    /// A sensible space around what the spec has. Empty for what has no descent.
    pub fn of(spec: &Spec) -> Study {
        let mut study = Study {
            trials: 30,
            prune: true,
            knobs: Vec::new(),
        };
        let report = graph::check(spec, None);
        if !report.ok || spec.train.optimizer == Optimizer::ClosedForm {
            return study;
        }
        let net = Net::new(spec, &report);
        let rate = spec.train.optimizer.learning_rate();
        let mut add = |what, range, on| study.knobs.push(Knob { what, range, on });
        let power = |v: f32| format!("{v:.0e}").parse().unwrap_or(v);
        add(
            What::LearningRate,
            Range::Log(power(rate / 10.0).max(1e-6), power(rate * 10.0).min(1.0)),
            true,
        );
        if let Some(n) = spec.train.batch_size.filter(|n| *n > 1) {
            let all = [n / 2, n, n * 2].map(|n| n.max(1).to_string());
            add(What::BatchSize, Range::Choice(all.to_vec()), true);
        }
        let mut kinds = vec![kind(&spec.train.optimizer).to_string()];
        for more in ["adam", "sgd", "rmsprop"] {
            if !kinds.iter().any(|k| k == more) {
                kinds.push(more.to_string());
            }
        }
        let fits = spec.train.loss != Loss::Perceptron;
        if fits {
            add(What::Optimizer, Range::Choice(kinds), false);
        }
        for (i, layer) in spec.layers.iter().enumerate() {
            match layer.kind {
                LayerKind::Linear { units, .. } if readers(&net, i).is_some() => {
                    let range = Range::Whole((units / 2).max(1), units.saturating_mul(2));
                    add(What::Units(layer.id.clone()), range, true);
                }
                LayerKind::Dropout { .. } => {
                    let range = Range::Float(0.0, 0.6);
                    add(What::Rate(layer.id.clone()), range, true);
                }
                _ => {}
            }
        }
        study
    }

    /// The study of a spec with what was changed of it (JSON of [`Study::json`]); what the spec no longer
    /// has is left out.
    ///
    /// Errors: `range` for numbers out of bounds or the wrong way round.
    pub fn with(spec: &Spec, given: &Value) -> Result<Study, Problems> {
        let mut study = Study::of(spec);
        if let Some(n) = given["trials"].as_u64() {
            study.trials = n as usize;
        }
        if let Some(prune) = given["prune"].as_bool() {
            study.prune = prune;
        }
        let wrong = |name: &str, got: String, min: f32, max: f32| {
            Problem::new("range")
                .arg("name", name)
                .arg("got", got)
                .arg("min", min)
                .arg("max", max)
        };
        let mut problems = Vec::new();
        if !(1..=TRIALS).contains(&study.trials) {
            let got = study.trials.to_string();
            problems.push(wrong("trials", got, 1.0, TRIALS as f32));
        }
        let empty = Vec::new();
        let list = given["knobs"].as_array().unwrap_or(&empty);
        for knob in &mut study.knobs {
            let key = knob.what.key();
            let Some(v) = list.iter().find(|v| v["key"] == key.as_str()) else {
                continue;
            };
            if let Some(on) = v["on"].as_bool() {
                knob.on = on;
            }
            let number = |name: &str| v[name].as_f64().map(|n| n as f32);
            let (least, most) = bounds(&knob.what);
            match &mut knob.range {
                Range::Log(low, high) | Range::Float(low, high) => {
                    *low = number("low").unwrap_or(*low);
                    *high = number("high").unwrap_or(*high);
                    if !(least <= *low && *low < *high && *high <= most) {
                        problems.push(wrong(&key, format!("{low}…{high}"), least, most));
                    }
                }
                Range::Whole(low, high) => {
                    *low = number("low").map_or(*low, |n| n.max(0.0) as usize);
                    *high = number("high").map_or(*high, |n| n.max(0.0) as usize);
                    if *low < 1 || low >= high || *high > limits::UNITS {
                        problems.push(wrong(&key, format!("{low}…{high}"), least, most));
                    }
                }
                Range::Choice(all) => {
                    if let Some(list) = v["choices"].as_array() {
                        let text = |v: &Value| v.as_str().map(str::to_string);
                        *all = list.iter().filter_map(text).take(CHOICES).collect();
                    }
                    let known = |c: &String| match knob.what {
                        What::Optimizer => OPTIMIZERS.contains(&&c[..]),
                        _ => c.parse().is_ok_and(|n| (1..=limits::BATCH).contains(&n)),
                    };
                    if let Some(bad) = all.iter().find(|c| !known(c)) {
                        problems.push(wrong(&key, bad.clone(), least, most));
                    } else if all.is_empty() {
                        knob.on = false;
                    }
                }
            }
        }
        match problems.is_empty() {
            true => Ok(study),
            false => Err(Problems(problems)),
        }
    }

    /// `{trials, prune, knobs: [{key, kind, on, low, high} or {key, kind, on, choices}]}`
    pub fn json(&self) -> Value {
        let knob = |k: &Knob| {
            let mut v = match &k.range {
                Range::Log(low, high) => {
                    json!({ "kind": "log", "low": plain(*low), "high": plain(*high) })
                }
                Range::Float(low, high) => {
                    json!({ "kind": "float", "low": plain(*low), "high": plain(*high) })
                }
                Range::Whole(low, high) => json!({ "kind": "whole", "low": low, "high": high }),
                Range::Choice(all) => json!({ "kind": "choice", "choices": all }),
            };
            v["key"] = k.what.key().into();
            v["on"] = k.on.into();
            v
        };
        json!({
            "trials": self.trials,
            "prune": self.prune,
            "knobs": self.knobs.iter().map(knob).collect::<Vec<Value>>(),
        })
    }

    /// The range of something that is searched.
    pub(super) fn range(&self, what: &What) -> Option<&Range> {
        let knob = self.knobs.iter().find(|k| k.on && k.what == *what)?;
        Some(&knob.range)
    }
}

/// An f32 as the decimal that a person wrote.
fn plain(v: f32) -> f64 {
    v.to_string().parse().unwrap_or(f64::from(v))
}

fn bounds(what: &What) -> (f32, f32) {
    match what {
        What::LearningRate => (1e-9, 1000.0),
        What::Rate(_) => (0.0, 0.95),
        What::BatchSize => (1.0, limits::BATCH as f32),
        What::Units(_) => (1.0, limits::UNITS as f32),
        What::Optimizer => (0.0, OPTIMIZERS.len() as f32),
    }
}

/// The optimizer's name in the JSON form.
pub(super) fn kind(o: &Optimizer) -> &'static str {
    match o {
        Optimizer::Sgd { .. } => "sgd",
        Optimizer::Rmsprop { .. } => "rmsprop",
        Optimizer::Adagrad { .. } => "adagrad",
        Optimizer::Adam { .. } => "adam",
        Optimizer::Adamw { .. } => "adamw",
        Optimizer::ClosedForm => "closed_form",
    }
}

/// The linear layers that read the output of linear layer `i`, at most through activations and dropout;
/// None where anything else does, for its size would then have to follow as well.
pub(super) fn readers(net: &Net, i: usize) -> Option<Vec<usize>> {
    if net.shapes[i].len() != 1 {
        return None;
    }
    let mut found = Vec::new();
    let mut wait = vec![i];
    while let Some(at) = wait.pop() {
        let mut any = false;
        for j in at + 1..net.spec.layers.len() {
            if !net.inputs(j).contains(&From::Layer(at)) {
                continue;
            }
            any = true;
            match net.spec.layers[j].kind {
                LayerKind::Linear { .. } => found.push(j),
                LayerKind::Activation { .. } | LayerKind::Dropout { .. } => wait.push(j),
                _ => return None,
            }
        }
        if !any {
            return None;
        }
    }
    Some(found)
}

/// What a layer's arguments are called in the model's own: `(place in the model, name, default)`.
#[derive(Default)]
pub(super) struct Arguments {
    /// `fc1_units=64`, in the order of layers.
    pub list: Vec<(String, String)>,
    /// Text to be replaced in the expressions of a layer.
    replaced: Vec<(usize, String, String)>,
}

impl Arguments {
    /// `linear` and `dropout`: how an expression begins in the framework.
    pub fn of(net: &Net, study: &Study, framework: Framework) -> Arguments {
        let mut all = Arguments::default();
        let torch = framework == Framework::Pytorch;
        let width = |i: usize| net.shape(net.inputs(i)[0]).iter().product::<usize>();
        for (i, layer) in net.spec.layers.iter().enumerate() {
            match &layer.kind {
                LayerKind::Linear { units, .. } => {
                    if study.range(&What::Units(layer.id.clone())).is_none() {
                        continue;
                    }
                    let name = format!("{}_units", net.names[i]);
                    all.list.push((name.clone(), units.to_string()));
                    if !torch {
                        let from = format!("Dense({units}");
                        all.replaced.push((i, from, format!("Dense({name}")));
                        continue;
                    }
                    let from = format!(", {units}");
                    all.replaced.push((i, from, format!(", {name}")));
                    for j in readers(net, i).unwrap_or_default() {
                        let from = format!("nn.Linear({}", width(j));
                        all.replaced.push((j, from, format!("nn.Linear({name}")));
                    }
                }
                LayerKind::Dropout { rate } => {
                    if study.range(&What::Rate(layer.id.clone())).is_none() {
                        continue;
                    }
                    let name = format!("{}_rate", net.names[i]);
                    let rate = super::lines::num(*rate);
                    all.list.push((name.clone(), rate.clone()));
                    let from = format!("Dropout({rate}");
                    all.replaced.push((i, from, format!("Dropout({name}")));
                }
                _ => {}
            }
        }
        all
    }

    /// The expression of layer `i` with its arguments by name.
    pub fn named(&self, i: usize, text: &str) -> String {
        let mut text = text.to_string();
        for (layer, from, to) in &self.replaced {
            if *layer == i {
                text = text.replacen(from, to, 1);
            }
        }
        text
    }

    /// `fc1_units=64, dropout_rate=0.5`
    pub fn defaults(&self) -> String {
        let all: Vec<String> = self.list.iter().map(|(n, v)| format!("{n}={v}")).collect();
        all.join(", ")
    }
}
