//! What a script turned out to be, as a spec.
use super::data::{Data, Origin, Part, Role, Scaling};
use super::machine::{Batch, Machine};
use super::network::{Layers, Tensor, layers};
use super::sets::same_data;
use super::value::*;
use super::{keras_layers as keras, torch_layers, torch_modules};
use serde_json::{Value as Json, json};
use std::rc::Rc;

fn kind_of(schedule: &Option<Json>) -> Option<&str> {
    schedule.as_ref()?.get("kind")?.as_str()
}

/// Points that a spec may hold.
const POINTS: usize = 40_000;

impl<'a> Machine<'a> {
    /// The spec as JSON; the error is a note's code.
    pub fn finish(&mut self, name: Option<String>) -> Result<(Json, Layers), &'static str> {
        self.run_untrained();
        let loss = self.found.loss.clone().or_else(|| self.first_loss.clone());
        let output = match loss.as_ref().map(|l| l.output.clone()) {
            Some(Value::Tensor(t)) => t,
            _ => return Err("note-no-network"),
        };
        let is_keras = self.found.keras && !self.found.torch;
        let mut net = layers(&output);
        if net.layers.is_empty() {
            return Err("note-no-network");
        }
        for (line, code, what) in std::mem::take(&mut net.notes) {
            self.note(line, code, &[("name", what)]);
        }
        let loss = loss.expect("its output was taken");
        let mut spec_loss = loss.spec.clone();
        self.head(&mut net, &mut spec_loss, loss.line, is_keras);
        let mut drawn = false;
        for l in &mut net.layers {
            if l.get("kind") != Some(&json!("sampling")) {
                continue;
            }
            drawn = true;
            match loss.kl {
                Some((kl, _)) => drop(l.insert("kl".into(), json!(kl as f32))),
                // Keras' layer has the weight itself.
                None if l.contains_key("kl") => {}
                // A sampling layer is there for the divergence: the visitor must know that it is gone.
                None => {
                    l.insert("kl".into(), json!(0.0));
                    self.note(loss.line, "note-loss-term", &[]);
                }
            }
        }
        if let (Some((_, line)), false) = (loss.kl, drawn) {
            self.note(line, "note-loss-term", &[]);
        }
        let x = self
            .fitted
            .clone()
            .unwrap_or_else(|| output.trace.x.clone());
        let data = self.data(&x, &loss.target, &spec_loss, &output, &net)?;
        let (optimizer, clip) = self.optimizer(is_keras, loss.line);
        let penalty = match loss.penalty {
            (0.0, 0.0) => self.one_penalty(),
            p => p,
        };
        match (self.found.epochs, self.half_cosine) {
            (None, _) => self.note(0, "note-epochs", &[]),
            (Some(epochs), Some((line, n)))
                if n != epochs && kind_of(&self.found.schedule) == Some("cosine") =>
            {
                self.note(line, "note-half-cosine", &[("epochs", n.to_string())]);
            }
            _ => {}
        }
        if loss.sum && loss.kl.is_none() {
            self.note(self.sum_at.unwrap_or(loss.line), "note-sum", &[]);
        }
        let batch = match self.found.batch {
            Some(Batch::Of(n)) if n > 0 => json!(n),
            _ => Json::Null,
        };
        let shuffle = self.found.shuffle.unwrap_or(batch != Json::Null);
        let spec = json!({
            "version": crate::spec::VERSION,
            "name": name.unwrap_or_default(),
            "framework": if is_keras { "keras" } else { "pytorch" },
            "seed": self.found.seed.filter(|s| (0..=i64::from(u32::MAX)).contains(s)).unwrap_or(1),
            "data": data,
            "layers": net.layers,
            "train": {
                "loss": spec_loss,
                "optimizer": optimizer,
                "batch_size": batch,
                "epochs": self.found.epochs.unwrap_or(10).clamp(1, 1_000_000),
                "shuffle": shuffle,
                "schedule": self.found.schedule.clone().unwrap_or(json!({"kind": "constant"})),
                "clip": clip.or(self.found.clip.clone()).unwrap_or(json!({"kind": "none"})),
                "l1": penalty.0 as f32,
                "l2": penalty.1 as f32,
                "class_weight": self.class_weight.clone(),
                "early_stopping": self.early_stopping.clone(),
                "checkpoints": self.checkpoints.clone(),
            }
        });
        Ok((spec, net))
    }

    /// A model that was made but never trained is still a network.
    fn run_untrained(&mut self) {
        let traced = self.found.loss.is_some() || self.first_loss.is_some();
        let Some(model) = self.found.model.clone().filter(|_| !traced) else {
            return;
        };
        let lib = match &model {
            Value::Lib(lib) => Some(Rc::clone(lib)),
            _ => None,
        };
        if lib.is_none() && !torch_modules::has_forward(&model) {
            return;
        }
        let args = super::calls::Args {
            list: vec![Value::Unknown],
            named: vec![],
            ..super::calls::Args::default()
        };
        let output = match (&lib, self.compiled.is_some()) {
            (Some(lib), _) if lib.path.starts_with("keras.") => {
                self.apply_model(lib, Value::Unknown, 0)
            }
            _ => self.call(&model, args, 0),
        };
        let output = match output {
            Value::Tuple(t) => t.first().cloned().unwrap_or(Value::Unknown),
            other => other,
        };
        self.note(0, "note-untrained", &[]);
        let spec = match &self.compiled {
            Some((spec, _)) => spec.clone(),
            None => self.guess_loss(&output),
        };
        self.first_loss = Some(Rc::new(Loss {
            spec,
            output,
            target: Value::Unknown,
            line: 0,
            sum: false,
            kl: None,
            penalty: (0.0, 0.0),
        }));
    }

    /// The loss that suits how many numbers a network gives.
    fn guess_loss(&self, output: &Value<'a>) -> Json {
        let Value::Tensor(t) = output else {
            return json!({"kind": "mse"});
        };
        let last = layers(t)
            .layers
            .iter()
            .rev()
            .find_map(|l| l.get("units").and_then(Json::as_u64));
        match last {
            Some(n) if n > 1 => json!({"kind": "cross_entropy", "from_logits": true}),
            _ => json!({"kind": "mse"}),
        }
    }

    /// The end of the network and its loss, put right where tutorials slip.
    fn head(&mut self, net: &mut Layers, loss: &mut Json, line: usize, keras: bool) {
        let Some(last) = net.layers.last_mut() else {
            return;
        };
        let own = |l: &serde_json::Map<String, Json>, key: &str| {
            l.get(key)
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_string()
        };
        let ends = match own(last, "kind").as_str() {
            "activation" => own(last, "function"),
            _ => own(last, "activation"),
        };
        let kind = loss["kind"].as_str().unwrap_or_default().to_string();
        let logits = loss["from_logits"] == json!(true);
        let drop = |net: &mut Layers| {
            let several = net.layers.len() > 1;
            let Some(last) = net.layers.last_mut() else {
                return;
            };
            if several && last.get("kind") == Some(&json!("activation")) {
                net.layers.pop();
                net.lines.pop();
            } else {
                last.insert("activation".into(), Json::Null);
            }
        };
        match (kind.as_str(), logits, ends.as_str()) {
            ("cross_entropy", true, "softmax") if !keras || self.log_softmax_at.is_none() => {
                self.note(line, "note-softmax-loss", &[]);
                drop(net);
            }
            ("binary_cross_entropy", true, "sigmoid") => {
                self.note(line, "note-sigmoid-loss", &[]);
                drop(net);
            }
            ("cross_entropy", false, e) if e != "softmax" && e != "sigmoid" => {
                self.note(
                    line,
                    "note-logits-loss",
                    &[("activation", "softmax".into())],
                );
                loss["from_logits"] = json!(true);
            }
            ("binary_cross_entropy", false, e) if e != "sigmoid" && e != "softmax" => {
                self.note(
                    line,
                    "note-logits-loss",
                    &[("activation", "sigmoid".into())],
                );
                loss["from_logits"] = json!(true);
            }
            ("perceptron", _, e) if e != "step" => {
                let mut step = serde_json::Map::new();
                step.insert("id".into(), json!("step"));
                step.insert("inputs".into(), json!([]));
                step.extend(
                    torch_layers::activation("step", None)
                        .as_object()
                        .cloned()
                        .unwrap_or_default(),
                );
                net.layers.push(step);
                net.lines.push((line, None));
            }
            _ => {}
        }
    }

    fn optimizer(&mut self, is_keras: bool, line: usize) -> (Json, Option<Json>) {
        let lib = self
            .found
            .optimizer
            .clone()
            .or_else(|| self.last_optimizer.clone());
        let found = lib.as_ref().and_then(|lib| match is_keras {
            true => keras::optimizer(lib),
            false => torch_layers::optimizer(lib).map(|o| (o, None)),
        });
        match (found, lib) {
            (Some((mut found, clip)), Some(lib)) => {
                if is_keras {
                    if let Some(Value::Lib(schedule)) = lib.peek(0, "learning_rate") {
                        self.note(schedule.line, "note-schedule", &[]);
                    }
                    if lib
                        .peek(usize::MAX, "clipnorm")
                        .and_then(Value::number)
                        .is_some()
                    {
                        self.note(lib.line, "note-clipnorm", &[]);
                    }
                }
                if let (Some(peak), Some("one_cycle")) = (self.peak, kind_of(&self.found.schedule))
                {
                    found["learning_rate"] = json!(peak as f32);
                }
                self.unasked(&lib);
                (found, clip)
            }
            (Some(found), None) => found,
            (None, Some(lib)) => {
                self.note(
                    lib.line,
                    "note-optimizer",
                    &[("name", lib.kind().to_string())],
                );
                (adam(is_keras), None)
            }
            (None, None) => {
                self.note(line, "note-no-optimizer", &[]);
                (adam(is_keras), None)
            }
        }
    }

    fn data(
        &mut self,
        x: &Value<'a>,
        y: &Value<'a>,
        loss: &Json,
        output: &Tensor<'a>,
        net: &Layers,
    ) -> Result<Json, &'static str> {
        let itself = same_data(x, y)
            || matches!((x, y), (Value::Data(_), Value::Tensor(t)) if t.same(output) && t.source() == 0);
        let Value::Data(d) = x else {
            let _ = net;
            self.note(0, "note-no-data", &[]);
            return Ok(self.stand_in(loss, net));
        };
        let mut json = json!({
            "split": {
                "test": d.test as f32,
                "validation": self.found.validation.unwrap_or(d.validation) as f32,
                "shuffle": d.shuffle || d.part == Part::Whole,
            },
            "scale": d.scale_json(),
            "scale_target": matches!(y, Value::Data(t) if !matches!(t.scale, Scaling::None)) && !itself,
            "flatten": d.flatten,
            "target": if itself { "input" } else { "labels" },
        });
        json["source"] = match &d.origin {
            Origin::Set(set, Role::X) => {
                if set.own_test {
                    json["split"]["test"] = json!(0.0);
                }
                if set.source["kind"] == "reviews"
                    && let Some(text) = &self.text
                {
                    json["text"] = text.clone();
                }
                set.source.clone()
            }
            Origin::Set(..) => return Err("note-labels-in"),
            Origin::Numbers(_) => self.points(d, y, loss, itself)?,
        };
        Ok(json)
    }

    /// Numbers of the script as a source: a line with noise, or the points themselves.
    fn points(
        &mut self,
        d: &Data,
        y: &Value<'a>,
        loss: &Json,
        itself: bool,
    ) -> Result<Json, &'static str> {
        let numbers = d.values().ok_or("note-no-network")?;
        let rows = d.shape.first().copied().unwrap_or(0);
        let target = match y {
            Value::Data(t) => Some(t),
            _ => None,
        };
        let drawn = numbers
            .form
            .zip(target.and_then(|t| t.values()).and_then(|n| n.form));
        if let Some((fx, fy)) = drawn
            && let (Some((id, slope_x)), Some((same, slope))) = (fx.x, fy.x)
            && id == same
            && (slope_x, fx.constant, fx.noise) == (1.0, 0.0, 0.0)
            && numbers.values.len() == rows
        {
            return Ok(json!({
                "kind": "line", "samples": rows, "slope": slope as f32,
                "intercept": fy.constant as f32, "noise": fy.noise.abs() as f32,
            }));
        }
        let table = |d: &Data| -> Vec<Vec<f32>> {
            let values = d.values().map(|n| &n.values[..]).unwrap_or_default();
            let rows = d.shape.first().copied().unwrap_or(0).max(1);
            let width = values.len() / rows;
            values
                .chunks(width.max(1))
                .map(|r| r.iter().map(|v| *v as f32).collect())
                .collect()
        };
        if numbers.values.len() > POINTS {
            return Err("note-too-many-points");
        }
        let xs = table(d);
        let ys = match target {
            Some(t) if t.values().is_some() && t.shape.first() == d.shape.first() => table(t),
            _ if itself => xs.iter().map(|_| vec![0.0]).collect(),
            _ => return Err("note-no-target"),
        };
        if ys.iter().map(Vec::len).sum::<usize>() > POINTS {
            return Err("note-too-many-points");
        }
        let classifies = matches!(
            loss["kind"].as_str(),
            Some("cross_entropy" | "binary_cross_entropy" | "hinge" | "perceptron")
        );
        let mut ys = ys;
        // One-hot rows are classes.
        if classifies && ys.first().is_some_and(|r| r.len() > 1) {
            let best = |r: &Vec<f32>| {
                r.iter()
                    .enumerate()
                    .fold(0, |b, (i, v)| if *v > r[b] { i } else { b })
            };
            ys = ys.iter().map(|r| vec![best(r) as f32]).collect();
        }
        // −1 and 1 are classes 0 and 1.
        if classifies && ys.iter().flatten().all(|v| *v == -1.0 || *v == 1.0) {
            ys.iter_mut().flatten().for_each(|v| *v = (*v + 1.0) / 2.0);
        }
        let most = ys.iter().flatten().fold(1f32, |m, v| m.max(*v));
        let classes = (classifies && !itself).then_some(most as usize + 1);
        Ok(json!({"kind": "points", "x": xs, "y": ys, "classes": classes}))
    }

    /// Data for a network that came without any: as wide as it wants.
    fn stand_in(&mut self, loss: &Json, net: &Layers) -> Json {
        let first = net.layers.first();
        let wants = net.lines.first().and_then(|l| l.1).unwrap_or(0);
        let kind = first
            .and_then(|l| l.get("kind"))
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_string();
        let out = net
            .layers
            .iter()
            .rev()
            .find_map(|l| l.get("units").and_then(Json::as_u64))
            .unwrap_or(1);
        let classes = loss["kind"] == "cross_entropy";
        let bundled = |name: &str, flatten: bool, by: f32| {
            json!({
                "source": {"kind": "bundled", "name": name}, "flatten": flatten,
                "scale": {"kind": "divide", "by": by},
                "split": {"test": 0.2, "validation": 0.0, "shuffle": true},
            })
        };
        match (kind.as_str(), wants, classes && out == 10) {
            ("linear", 64, true) => bundled("digits", true, 16.0),
            ("flatten", _, true) | ("linear", 784, true) => bundled("digits28", true, 255.0),
            ("conv2d" | "lstm" | "gru" | "rnn", ..) if classes => bundled("digits28", false, 255.0),
            (_, 4, _) if out == 3 => {
                json!({"source": {"kind": "bundled", "name": "iris"}, "scale": {"kind": "standardize"}})
            }
            (_, 2, _) if classes || loss["kind"] == "binary_cross_entropy" => {
                json!({"source": {"kind": "blobs", "samples": 200, "centers": out.max(2), "std": 1.5}})
            }
            (_, n, _) => {
                json!({"source": {"kind": "make_regression", "samples": 200, "features": n.max(1), "noise": 1.0}})
            }
        }
    }
}

fn adam(keras: bool) -> Json {
    json!({
        "kind": "adam", "learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999,
        "epsilon": if keras { 1e-7 } else { 1e-8 }, "weight_decay": 0.0
    })
}
