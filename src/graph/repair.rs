//! One-click repairs: what obviously mends a problem that [`check`] found.
//!
//! Candidates come from the problem's code; only those are offered after which the check does not
//! find the problem any more.
use super::check;
use crate::json;
use crate::spec::edit::{self, Place, fit_head, free_id, new_layer, source_of};
use crate::spec::*;
use crate::train::protocol::CheckReport;
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

/// `[3, 28]`, `28×28` and the like as numbers.
fn numbers(text: &str) -> Vec<usize> {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|d| d.parse().ok()).collect()
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

    fn no_layers(&mut self) {
        let Some(data) = self.data.clone() else {
            return;
        };
        let outputs = data.classes.unwrap_or(data.targets);
        let args = vec![("n", outputs.to_string())];
        self.offer("add-output", args, |s| {
            if data.sample.len() > 1 && data.targets == 1 {
                s.layers.extend(new_layer(s, 0, "flatten"));
            }
            s.layers.extend(new_layer(s, s.layers.len(), "linear"));
            fit_head(s, &data);
            Some(())
        });
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
        let group = self.spec.layers[at].group.clone().unwrap_or_default();
        let own = edit::free_group(self.spec, "group");
        let args = vec![("id", own.clone())];
        self.offer("rename-group", args, |s| {
            let run = s.layers[at..].iter_mut();
            for l in run.take_while(|l| l.group.as_deref() == Some(group.as_str())) {
                l.group = Some(own.clone());
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

    fn flatten_off(&mut self) {
        if self.spec.data.flatten {
            self.offer("keep-shape", Vec::new(), |s| {
                s.data.flatten = false;
                Some(())
            });
        }
    }

    /// The layer right before, where it does what stands in the way.
    fn drop_flatten(&mut self) {
        let Some(at) = self.at else { return };
        let source = source_of(self.spec, at);
        let flattens = |l: &&LayerSpec| l.id == source && l.kind == LayerKind::Flatten;
        if self.spec.layers.iter().any(|l| flattens(&l)) {
            self.offer("remove", vec![("layer", source.clone())], |s| {
                edit::remove(s, &source);
                Some(())
            });
        }
    }

    fn reshape(&mut self, shape: &[usize]) {
        let shown: Vec<String> = shape.iter().map(usize::to_string).collect();
        let kind = LayerKind::Reshape {
            shape: shape.iter().map(|n| *n as i64).collect(),
        };
        self.before("insert-reshape", vec![("shape", shown.join("×"))], kind);
    }

    fn image_input(&mut self) {
        self.flatten_off();
        self.drop_flatten();
        let Some(&[n]) = self.given() else { return };
        // A square of one channel, or of the three colours.
        for channels in [1, 3] {
            let side = ((n / channels) as f64).sqrt().round() as usize;
            if side > 1 && side * side * channels == n {
                self.reshape(&[channels, side, side]);
            }
        }
    }

    fn sequence_input(&mut self) {
        let Some(at) = self.at else { return };
        if self.spec.data.text.is_some() {
            let kind = new_layer(self.spec, at, "embedding").map(|l| l.kind);
            if let Some(kind) = kind {
                self.before("insert-embedding", Vec::new(), kind);
            }
        }
        // A recurrent layer before it that gives its last state only.
        let source = source_of(self.spec, at);
        let from = self.spec.layers.iter().position(|l| l.id == source);
        self.offer("all-states", vec![("layer", source.clone())], |s| {
            let all = recurrence(&mut s.layers[from?].kind)?;
            all.return_sequences = true;
            Some(())
        });
        self.flatten_off();
        self.drop_flatten();
        match self.given().map(<[usize]>::to_vec).as_deref() {
            Some(&[n]) => self.reshape(&[n, 1]),
            // The rows of a picture, one after another.
            Some(&[c, h, w]) => self.reshape(&[h, w * c]),
            _ => {}
        }
    }

    fn heads(&mut self) {
        let (Some(width), Some(heads)) = (self.number("width"), self.number("heads")) else {
            return;
        };
        let divides = |h: &usize| width.is_multiple_of(*h);
        let fewer = (1..=heads.min(width).min(256)).rev().find(divides);
        let more = (heads + 1..=width.min(256)).find(divides);
        for n in fewer.into_iter().chain(more) {
            self.set("heads", n.into());
        }
    }

    /// Rows and columns of the window of the layer concerned.
    fn kernel(&self) -> Option<[usize; 2]> {
        let kind = &self.spec.layers.get(self.at?)?.kind;
        Some(match kind {
            LayerKind::Conv1d(c)
            | LayerKind::Conv2d(c)
            | LayerKind::ConvTranspose2d { conv: c, .. } => c.kernel.pair(),
            LayerKind::MaxPool1d(p)
            | LayerKind::MaxPool2d(p)
            | LayerKind::AvgPool1d(p)
            | LayerKind::AvgPool2d(p) => p.kernel.pair(),
            _ => return None,
        })
    }

    fn kernel_size(&mut self) {
        let Some([rows, columns]) = self.kernel() else {
            return;
        };
        let given = self.given().map(<[usize]>::to_vec).unwrap_or_default();
        let keras = self.spec.framework == Framework::Keras;
        let pools = self.at.is_some_and(|at| {
            let kind = &self.spec.layers[at].kind;
            matches!(kind, LayerKind::MaxPool1d(_) | LayerKind::MaxPool2d(_))
                || matches!(kind, LayerKind::AvgPool1d(_) | LayerKind::AvgPool2d(_))
        });
        if keras || !pools {
            self.set("padding", "same".into());
        }
        self.set("padding", (rows.max(columns) / 2).into());
        if let Some(least) = given.iter().rev().take(2).min().filter(|n| **n > 0) {
            self.set("kernel", (*least).into());
        }
        self.set("kernel", 1.into());
    }

    fn one_number(&mut self) {
        let Some(field) = self.problem.field.clone() else {
            return;
        };
        let Some(at) = self.at else { return };
        let layer = json::value(&self.spec.layers[at]);
        if let Some(first) = layer.get(&field).and_then(|v| v.get(0)) {
            self.set(&field, first.clone());
        }
    }

    /// A sum of two shapes: the shorter way gets a layer that makes them equal.
    fn same_shape(&mut self) {
        let Some(at) = self.at else { return };
        let inputs = self.spec.layers[at].inputs.clone();
        let [a, b] = &inputs[..] else { return };
        let (Some(x), Some(y)) = (self.shape(a), self.shape(b)) else {
            return;
        };
        // An image without channels has one.
        let image = |s: &[usize], other: &[usize]| match (s, other.len()) {
            ([h, w], 3) => vec![1, *h, *w],
            _ => s.to_vec(),
        };
        let (x, y) = (image(x, y), image(y, x));
        for (from, shape, other, want) in [(b, &y, a, &x), (a, &x, b, &y)] {
            // Units of the layer itself, where nothing else stands in between.
            let last = self.spec.layers.iter().position(|l| l.id == *from);
            if let (Some(last), Some((n, rest))) = (last, want.split_last())
                && shape.split_last().is_some_and(|(_, r)| r == rest)
            {
                let args = vec![("layer", from.clone()), ("n", n.to_string())];
                let n = *n;
                self.offer("set-units", args, |s| set_units(s, last, n));
            }
            let kind = match (&shape[..], &want[..]) {
                ([_, h, w], [c, h2, w2]) if (h, w) == (h2, w2) => {
                    LayerKind::Conv2d(Conv::new(*c, 1))
                }
                ([c, h, w], [k, h2, w2]) if h / 2 == *h2 && w / 2 == *w2 && c <= k => {
                    LayerKind::Conv2d(Conv {
                        stride: Size::One(2),
                        ..Conv::new(*k, 1)
                    })
                }
                (s, t) if s.len() == t.len() && s[..s.len() - 1] == t[..t.len() - 1] => {
                    linear(t[t.len() - 1])
                }
                _ => continue,
            };
            let args = vec![("from", from.clone()), ("to", other.clone())];
            let place = inputs.iter().position(|i| i == from);
            self.offer("project", args, |s| {
                let mut layer = LayerSpec::new(&free_id(s, "project"), kind);
                layer.inputs = vec![from.clone()];
                layer.group.clone_from(&s.layers[at].group);
                s.layers[at].inputs[place?].clone_from(&layer.id);
                s.layers.insert(at, layer);
                Some(())
            });
        }
    }

    fn flatten_inputs(&mut self) {
        let Some(at) = self.at else { return };
        self.offer("flatten-inputs", Vec::new(), |s| {
            let (group, inputs) = (s.layers[at].group.clone(), s.layers[at].inputs.clone());
            let mut ids = Vec::new();
            for from in inputs {
                let mut layer = LayerSpec::new(&free_id(s, "flatten"), LayerKind::Flatten);
                layer.inputs = vec![from];
                layer.group.clone_from(&group);
                ids.push(layer.id.clone());
                s.layers.insert(at, layer);
            }
            let join = &mut s.layers[at + ids.len()];
            join.inputs = ids;
            if let LayerKind::Concatenate { axis } = &mut join.kind {
                *axis = -1;
            }
            Some(())
        });
    }

    /// The end of the network gets as many numbers as the loss takes.
    fn output_shape(&mut self) {
        let want = numbers(self.arg("want"));
        let Some(&n) = want.last() else { return };
        let layers = &self.spec.layers;
        let last = layers
            .iter()
            .rposition(|l| matches!(l.kind, LayerKind::Linear { .. }));
        // Nothing behind it changes the number of outputs.
        let keeps = |l: &LayerSpec| {
            matches!(
                l.kind,
                LayerKind::Activation { .. }
                    | LayerKind::Dropout { .. }
                    | LayerKind::Sampling { .. }
            )
        };
        let head = last.filter(|at| layers[at + 1..].iter().all(keeps));
        if let Some(head) = head {
            let id = layers[head].id.clone();
            let args = vec![("layer", id.clone()), ("n", n.to_string())];
            self.offer("set-units", args, |s| set_units(s, head, n));
            self.offer("insert-flatten-before", vec![("layer", id)], |s| {
                set_units(s, head, n)?;
                insert_before(s, head, LayerKind::Flatten)
            });
        }
        // A recurrent layer that gives every step where one is wanted, or the other way round.
        let steps = layers
            .iter()
            .rposition(|l| recurrence(&mut l.kind.clone()).is_some());
        if let Some(at) = steps {
            let id = layers[at].id.clone();
            let all = want.len() > 1;
            let code = if all { "all-states" } else { "last-state" };
            self.offer(code, vec![("layer", id)], |s| {
                recurrence(&mut s.layers[at].kind)?.return_sequences = all;
                if let Some(head) = head {
                    set_units(s, head, n)?;
                }
                Some(())
            });
        }
        let data = self.data.clone();
        self.offer("add-output", vec![("n", n.to_string())], |s| {
            let end = s.layers.len();
            s.layers.extend(new_layer(s, end, "linear"));
            fit_head(s, &data?);
            set_units(s, end, n)
        });
        let data = self.data.clone();
        self.offer("add-flat-output", vec![("n", n.to_string())], |s| {
            s.layers.extend(new_layer(s, s.layers.len(), "flatten"));
            let end = s.layers.len();
            s.layers.extend(new_layer(s, end, "linear"));
            fit_head(s, &data?);
            set_units(s, end, n)
        });
    }

    /// The function that the layer concerned ends in, or a layer of it behind.
    fn activate(&mut self, f: Activation, name: &str) {
        let Some(at) = self.at else { return };
        let args = vec![("activation", name.to_string()), ("layer", self.id())];
        self.offer("set-activation", args.clone(), |s| {
            let slot = activation_mut(&mut s.layers[at].kind)?;
            *slot = Some(f);
            Some(())
        });
        self.offer("add-activation", args, |s| {
            let mut layer = new_layer(s, at + 1, "activation")?;
            layer.kind = LayerKind::Activation {
                function: f,
                alpha: None,
            };
            layer.id = free_id(s, "activation");
            layer.group.clone_from(&s.layers[at].group);
            s.layers.insert(at + 1, layer);
            Some(())
        });
    }

    fn logits(&mut self, on: bool) {
        let code = if on {
            "use-logits"
        } else {
            "use-probabilities"
        };
        self.offer(code, Vec::new(), |s| {
            match &mut s.train.loss {
                Loss::CrossEntropy { from_logits } | Loss::BinaryCrossEntropy { from_logits } => {
                    *from_logits = on;
                }
                _ => return None,
            }
            Some(())
        });
    }

    /// Softmax before a loss that applies it itself.
    fn twice(&mut self) {
        let Some(at) = self.at else { return };
        let args = vec![("activation", self.arg("activation").to_string())];
        let id = self.id();
        self.offer("no-activation", args, |s| {
            if matches!(s.layers[at].kind, LayerKind::Activation { .. }) {
                edit::remove(s, &id);
            } else {
                *activation_mut(&mut s.layers[at].kind)? = None;
            }
            Some(())
        });
        self.logits(false);
    }

    fn other_loss(&mut self) {
        let Some(data) = self.data.clone() else {
            return;
        };
        self.offer("fit-loss", Vec::new(), |s| fit_head(s, &data).then_some(()));
    }
}

/// The id of what stands before a layer.
fn before_id(spec: &Spec, at: usize) -> String {
    match at {
        0 => "input".to_string(),
        at => spec.layers[at - 1].id.clone(),
    }
}

fn insert_before(spec: &mut Spec, at: usize, kind: LayerKind) -> Option<()> {
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

fn linear(units: usize) -> LayerKind {
    LayerKind::Linear {
        units,
        bias: true,
        activation: None,
        weight_init: None,
        bias_init: None,
    }
}

fn set_units(spec: &mut Spec, at: usize, n: usize) -> Option<()> {
    match &mut spec.layers.get_mut(at)?.kind {
        LayerKind::Linear { units, .. } => *units = n,
        _ => return None,
    }
    Some(())
}

fn recurrence(kind: &mut LayerKind) -> Option<&mut Recurrence> {
    match kind {
        LayerKind::Rnn { layer, .. } | LayerKind::Lstm(layer) | LayerKind::Gru(layer) => {
            Some(layer)
        }
        _ => None,
    }
}

fn activation_mut(kind: &mut LayerKind) -> Option<&mut Option<Activation>> {
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
fn set_field(spec: &mut Spec, at: Option<usize>, field: &str, value: Value) -> Option<()> {
    match at {
        Some(at) => {
            let layer = spec.layers.get_mut(at)?;
            let mut form = json::value(layer);
            *form.get_mut(field)? = value;
            *layer = serde_json::from_value(form).ok()?;
        }
        None => {
            let mut form = json::value(spec);
            *form.pointer_mut(&format!("/{}", field.replace('.', "/")))? = value;
            *spec = serde_json::from_value(form).ok()?;
        }
    }
    Some(())
}
