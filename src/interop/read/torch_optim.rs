//! PyTorch's optimizers and schedulers as a training loop uses them.
use super::machine::{Batch, Loop, Machine};
use super::torch_layers::float;
use super::value::*;
use serde_json::{Value as Json, json};
use std::rc::Rc;

impl<'a> Machine<'a> {
    /// What a loop around `optimizer.step()` says of epochs and batches.
    pub fn optimizer_step(&mut self, optimizer: &Rc<Lib<'a>>) {
        self.found.torch = true;
        self.found.trained = true;
        self.found.optimizer = Some(Rc::clone(optimizer));
        let epochs = self.loops.iter().rev().find_map(|l| match l {
            Loop::Range(n) => Some(*n),
            _ => None,
        });
        self.found.epochs = epochs.or(self.found.epochs);
        let batches = self.loops.contains(&Loop::Batches);
        let steps = self.loops.iter().any(|l| matches!(l, Loop::Steps(_)));
        if batches && let Some((batch, shuffle)) = self.batch_now {
            self.found.batch = batch;
            self.found.shuffle = shuffle;
        } else if !steps {
            self.found.batch = Some(Batch::Whole);
            self.found.shuffle = Some(false);
        } else {
            self.found.shuffle = Some(true);
        }
    }

    /// What `step(…)` of a scheduler that watches is given, by its text: a loss that says nothing of validation
    /// is that of training.
    pub fn watched(&mut self, lib: &Rc<Lib<'a>>, text: &str) {
        let text = text.to_lowercase();
        let held_out = ["val", "test", "eval"].iter().any(|w| text.contains(w));
        if lib.kind() == "ReduceLROnPlateau"
            && !held_out
            && let Some(Json::Object(map)) = &mut self.pending_schedule
            && map.get("monitor") == Some(&json!("val_loss"))
        {
            map.insert("monitor".into(), json!("loss"));
        }
    }

    /// The schedule that a scheduler means; None where it is not there.
    pub fn scheduler(&mut self, lib: &Rc<Lib<'a>>) -> Option<Json> {
        let number = |at, name| float(lib.arg(at, name));
        lib.arg(0, "optimizer");
        Some(match lib.kind() {
            "StepLR" => {
                json!({"kind": "step", "every": lib.arg(1, "step_size")?.int()?, "gamma": number(2, "gamma").unwrap_or(json!(0.1))})
            }
            "ExponentialLR" => json!({"kind": "exponential", "gamma": number(1, "gamma")?}),
            "CosineAnnealingLR" => {
                if let Some(n) = lib.arg(1, "T_max").and_then(Value::int) {
                    self.half_cosine = Some((lib.line, n));
                }
                let end = lib.arg(2, "eta_min").and_then(Value::number).unwrap_or(0.0);
                let rate = match lib.arg(0, "optimizer") {
                    Some(Value::Lib(o)) => o.arg(1, "lr").and_then(Value::number).unwrap_or(1e-3),
                    _ => 1e-3,
                };
                json!({"kind": "cosine", "final_factor": (end / rate) as f32})
            }
            "ReduceLROnPlateau" => {
                let mode = lib.arg(1, "mode").and_then(Value::text);
                let monitor = if mode == Some("max") {
                    "val_accuracy"
                } else {
                    "val_loss"
                };
                json!({
                    "kind": "plateau", "monitor": monitor,
                    "factor": number(2, "factor").unwrap_or(json!(0.1)),
                    "patience": lib.arg(3, "patience").and_then(Value::int).unwrap_or(10).clamp(0, 1_000_000),
                    "least": number(usize::MAX, "min_lr").unwrap_or(json!(0.0)),
                })
            }
            "OneCycleLR" => {
                for name in ["epochs", "steps_per_epoch"] {
                    lib.arg(usize::MAX, name);
                }
                self.peak = lib.arg(1, "max_lr").and_then(Value::number).or(self.peak);
                json!({"kind": "one_cycle", "warmup": lib.arg(usize::MAX, "pct_start").and_then(Value::number).unwrap_or(0.3) as f32})
            }
            _ => return None,
        })
    }
}
