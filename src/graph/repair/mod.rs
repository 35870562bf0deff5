//! One-click repairs: what obviously mends a problem that [`check`] found.
//!
//! Candidates come from the problem's code; only those are offered after which the check does not
//! find the problem any more.
mod apply;
mod head;
mod shapes;
mod words;

use super::check;
use crate::spec::edit::{self, free_id, path, source_of};
use crate::spec::*;
use crate::train::protocol::CheckReport;
use apply::*;
use serde_json::{Number, Value};

/// A way to mend a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Repair {
    /// The key of its words in the catalogue, `repair-<code>`.
    pub code: &'static str,
    /// Fill the words.
    pub args: Vec<(&'static str, String)>,
    /// The mended network.
    pub spec: Spec,
}

/// At most so many are offered for a problem.
const OFFERED: usize = 3;

/// Ways to mend a problem that `check(spec, known)` found, the best first. Empty where there is
/// no obvious one.
pub fn repairs(spec: &Spec, known: Option<&DataShape>, problem: &Problem) -> Vec<Repair> {
    let report = check(spec, known);
    let mut desk = Desk {
        spec,
        report: &report,
        data: known.cloned().or_else(|| spec.data.shape()),
        problem,
        at: problem
            .layer
            .as_ref()
            .and_then(|id| spec.layers.iter().position(|l| l.id == *id)),
        found: Vec::new(),
    };
    desk.candidates();
    let mut offered: Vec<(usize, Repair)> = Vec::new();
    for repair in desk.found {
        let after = check(&repair.spec, known);
        let same = |p: &Problem| p.code == problem.code && p.layer == problem.layer;
        let left = after.errors.iter().chain(&after.hints);
        let new = repair.spec != *spec && !offered.iter().any(|(_, r)| r.spec == repair.spec);
        if new && !left.clone().any(same) {
            offered.push((left.count(), repair));
        }
    }
    // What mends everything comes first.
    offered.sort_by_key(|(left, _)| (*left > 0) as usize);
    offered.truncate(OFFERED);
    offered.into_iter().map(|(_, r)| r).collect()
}

struct Desk<'a> {
    spec: &'a Spec,
    report: &'a CheckReport,
    data: Option<DataShape>,
    problem: &'a Problem,
    /// The layer concerned.
    at: Option<usize>,
    found: Vec<Repair>,
}

impl Desk<'_> {
    fn offer(
        &mut self,
        code: &'static str,
        args: Vec<(&'static str, String)>,
        change: impl FnOnce(&mut Spec) -> Option<()>,
    ) {
        let mut spec = self.spec.clone();
        if change(&mut spec).is_some() {
            self.found.push(Repair { code, args, spec });
        }
    }

    fn arg(&self, name: &str) -> &str {
        self.problem.args.get(name).map_or("", String::as_str)
    }

    /// A numeric argument.
    fn number(&self, name: &str) -> Option<usize> {
        self.arg(name).parse().ok()
    }

    /// The id of the layer concerned.
    fn id(&self) -> String {
        self.problem.layer.clone().unwrap_or_default()
    }

    /// The shape of a sample that the layer concerned reads first, as far as it is known.
    fn given(&self) -> Option<&[usize]> {
        self.shape(&source_of(self.spec, self.at?))
    }

    fn shape(&self, id: &str) -> Option<&[usize]> {
        if id == "input" {
            return Some(&self.report.input)
                .filter(|s| !s.is_empty())
                .map(|s| &s[..]);
        }
        let layer = self.report.layers.iter().find(|l| l.id == id);
        layer.map(|l| &l.shape[..])
    }

    /// Puts a layer before the one concerned, reading what that one read.
    fn before(&mut self, code: &'static str, args: Vec<(&'static str, String)>, kind: LayerKind) {
        let Some(at) = self.at else { return };
        self.offer(code, args, |s| insert_before(s, at, kind));
    }

    /// Sets a field of the layer concerned, or of the spec, in its JSON form.
    fn set(&mut self, field: &str, value: Value) {
        let shown = match &value {
            Value::String(s) => s.clone(),
            other => other.to_string(),
        };
        let name = field.rsplit('.').next().unwrap_or(field).to_string();
        let at = self.at;
        let field = field.to_string();
        self.offer("set", vec![("name", name), ("value", shown)], |s| {
            set_field(s, at, &field, value)
        });
    }

    fn candidates(&mut self) {
        match self.problem.code.as_str() {
            "no-layers" => self.no_layers(),
            "range" => self.range(),
            "layer-id" | "duplicate-id" if self.problem.field.as_deref() == Some("id") => {
                self.rename();
            }
            "layer-id" | "group-split" => self.leave_group(),
            "group-depth" => self.shallow_group(),
            "unknown-input" => self.read_before(),
            "input-count" => self.input_count(),
            "flat-input" => self.before("insert-flatten", Vec::new(), LayerKind::Flatten),
            "image-input" => self.image_input(),
            "sequence-input" => self.sequence_input(),
            "embedding-input" => {
                let (at, id) = (self.at, self.id());
                self.offer("read-input", vec![("layer", id)], |s| {
                    s.layers.get_mut(at?)?.inputs = vec!["input".into()];
                    Some(())
                });
            }
            "heads" => self.heads(),
            "kernel-size" => self.kernel_size(),
            "groups" => self.set("groups", 1.into()),
            "padding-stride" => {
                if let Some([k, _]) = self.kernel() {
                    self.set("padding", (k / 2).into());
                }
                self.set("stride", 1.into());
            }
            "output-padding" => {
                self.set("output_padding", 0.into());
            }
            "one-number" => self.one_number(),
            "axes" => {
                if let Some(rank) = self.number("rank") {
                    self.set("axes", rank.into());
                }
            }
            "axis" => self.set("axis", (-1).into()),
            "reshape-size" => {
                if let Some(have) = self.number("have") {
                    self.set("shape", vec![have].into());
                }
            }
            "rnn-activation" => self.set("activation", "tanh".into()),
            "same-shape" => self.same_shape(),
            "concat-shape" => self.flatten_inputs(),
            "output-shape" => self.output_shape(),
            "softmax-one" => self.activate(Activation::Sigmoid, "sigmoid"),
            "needs-step" => self.activate(Activation::Step, "step"),
            "needs-probabilities" => {
                let (f, name) = match self.arg("activation") {
                    "softmax" => (Activation::Softmax, "softmax"),
                    _ => (Activation::Sigmoid, "sigmoid"),
                };
                self.activate(f, name);
                self.logits(true);
            }
            "logits-expected" => self.twice(),
            "loss-task" | "loss-binary" => self.other_loss(),
            _ => {}
        }
    }

    /// The nearest value that is allowed.
    fn range(&mut self) {
        let Some(field) = self.problem.field.clone() else {
            return;
        };
        let of = |name: &str| self.arg(name).parse::<f64>().ok();
        let (Some(min), Some(max)) = (of("min"), of("max")) else {
            return;
        };
        let got = of("got").filter(|x| !x.is_nan()).unwrap_or(min);
        let to = got.clamp(min, max);
        let whole = !self.arg("min").contains('.') && to.fract() == 0.0;
        let value = match whole {
            true => Value::from(to as i64),
            false => Number::from_f64(to).map_or(Value::Null, Value::Number),
        };
        self.set(&field, value);
    }

    fn rename(&mut self) {
        let Some(at) = self.at_field() else { return };
        let old = &self.spec.layers[at].id;
        let letters: String = old
            .chars()
            .filter(char::is_ascii_alphabetic)
            .take(30)
            .collect();
        let base = if letters.is_empty() {
            "layer"
        } else {
            &letters
        };
        let id = free_id(self.spec, base);
        self.offer("rename", vec![("id", id.clone())], |s| {
            s.layers[at].id = id;
            Some(())
        });
    }

    /// Of two layers of one name the later one is concerned.
    fn at_field(&self) -> Option<usize> {
        let id = self.problem.layer.as_ref()?;
        self.spec.layers.iter().rposition(|l| l.id == *id)
    }

    fn leave_group(&mut self) {
        let Some(at) = self.at else { return };
        let Some(path) = self.spec.layers[at].group.clone() else {
            return;
        };
        // The group that is wrong, as a path: of a name that is none only that is known.
        let wrong = match self.problem.code.as_str() {
            "group-split" => self.arg("id").to_string(),
            _ => {
                let ends = path.match_indices('/').map(|(i, _)| i);
                let mut ends = ends.chain([path.len()]);
                let bad = ends.find(|end| path::leaf(&path[..*end]) == self.arg("id"));
                path[..bad.unwrap_or(path.len())].to_string()
            }
        };
        let own = edit::free_group(self.spec, "group");
        let args = vec![("id", own.clone())];
        self.offer("rename-group", args, |s| {
            let to = path::join(path::parent(&wrong), Some(&own));
            for l in &mut s.layers[at..] {
                match l
                    .group
                    .as_deref()
                    .map(|g| path::moved(g, &wrong, to.as_deref()))
                {
                    Some(Some(group)) => l.group = Some(group),
                    _ => break,
                }
            }
            Some(())
        });
    }

    fn shallow_group(&mut self) {
        self.offer("shallow-group", Vec::new(), |s| {
            for l in &mut s.layers {
                let ends = l.group.iter().flat_map(|g| g.match_indices('/'));
                let end = ends.map(|(i, _)| i).nth(path::MAX_DEPTH - 1);
                if let (Some(group), Some(end)) = (&mut l.group, end) {
                    group.truncate(end);
                }
            }
            Some(())
        });
    }

    fn read_before(&mut self) {
        let Some(at) = self.at else { return };
        let single = self.spec.layers[at].inputs.len() == 1;
        let wrong = self.arg("id").to_string();
        self.offer("read-before", vec![("layer", self.id())], |s| {
            if single {
                s.layers[at].inputs.clear();
                return Some(());
            }
            let before = before_id(s, at);
            let layer = &mut s.layers[at];
            for i in &mut layer.inputs {
                if *i == wrong {
                    i.clone_from(&before);
                }
            }
            Some(())
        });
    }

    fn input_count(&mut self) {
        let Some(at) = self.at else { return };
        let joins = matches!(
            self.spec.layers[at].kind,
            LayerKind::Add | LayerKind::Concatenate { .. } | LayerKind::Sampling { .. }
        );
        if !joins {
            self.offer("read-before", vec![("layer", self.id())], |s| {
                s.layers[at].inputs.clear();
                Some(())
            });
            return;
        }
        // What it reads already, and what stands before it, the nearest first, until there are two.
        let earlier = self.spec.layers[..at].iter().rev().map(|l| l.id.clone());
        let earlier: Vec<String> = earlier.chain(["input".to_string()]).collect();
        let mut inputs = self.spec.layers[at].inputs.clone();
        inputs.truncate(2);
        if inputs.is_empty() {
            inputs.push(before_id(self.spec, at));
        }
        let fits = |a: &String| {
            let (a, b) = (self.shape(a), self.shape(&inputs[0]));
            a.is_some() && a == b
        };
        let free = |e: &&String| !inputs.contains(e);
        let other = earlier.iter().filter(free).find(|e| fits(e));
        let other = other.or_else(|| earlier.iter().find(free)).cloned();
        inputs.truncate(2);
        if inputs.len() < 2 {
            inputs.extend(other);
        }
        let args = vec![("inputs", inputs.join(" + "))];
        self.offer("read-two", args, |s| {
            s.layers[at].inputs = inputs;
            Some(())
        });
    }
}
