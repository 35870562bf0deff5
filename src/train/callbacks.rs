//! What happens at the end of an epoch: stop early, keep the state, lower the rate. Knows no
//! weights, only what was measured; the session does what it says.
use super::protocol::Evaluation;
use crate::spec::{Framework, Monitor, Schedule, Spec};
use lean_json::Deserialize;
use serde::Serialize;

/// What the end of an epoch asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// This epoch is the best of all so far, as early stopping sees it.
    pub best: bool,
    pub stop: bool,
    pub save: bool,
}

/// How far a watched value has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Watch {
    best: Option<f64>,
    /// Epochs since.
    wait: u32,
    /// Epoch of the best, from 1.
    epoch: u32,
}

impl Watch {
    /// Whether `now` is better than the best so far by more than `gain`; a NaN never is.
    fn better(&self, now: f64, larger: bool, gain: f64) -> bool {
        match self.best {
            None => !now.is_nan(),
            Some(best) if larger => now - gain > best,
            Some(best) => now + gain < best,
        }
    }

    fn take(&mut self, now: f64, epoch: u32) {
        *self = Watch {
            best: Some(now),
            wait: 0,
            epoch,
        };
    }
}

/// Where all callbacks stand; part of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Callbacks {
    stop: Watch,
    save: Watch,
    plateau: Watch,
    /// On the learning rate, from plateaus.
    factor: f64,
}

impl Default for Callbacks {
    fn default() -> Self {
        Callbacks {
            stop: Watch::default(),
            save: Watch::default(),
            plateau: Watch::default(),
            factor: 1.0,
        }
    }
}

/// What was measured in an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    pub loss: f64,
    pub val_loss: Option<f64>,
    pub val_accuracy: Option<f64>,
}

impl Measured {
    pub fn new(loss: f64, validation: Option<&Evaluation>) -> Measured {
        Measured {
            loss,
            val_loss: validation.map(|v| v.loss),
            val_accuracy: validation.and_then(|v| v.accuracy),
        }
    }

    pub fn of(&self, monitor: Monitor) -> Option<f64> {
        match monitor {
            Monitor::ValLoss => self.val_loss,
            Monitor::ValAccuracy => self.val_accuracy,
            Monitor::Loss => Some(self.loss),
        }
    }
}

impl Callbacks {
    /// Factor on the learning rate.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// The best epoch that early stopping has seen, from 1; 0 before there is one.
    pub fn best_epoch(&self) -> u32 {
        self.stop.epoch
    }

    /// A run that stopped goes on: its patience is new.
    pub fn go_on(&mut self) {
        self.stop.wait = 0;
    }

    /// `epoch`, from 1, has ended.
    pub fn epoch(&mut self, spec: &Spec, epoch: u32, measured: &Measured) -> Verdict {
        let mut verdict = Verdict::default();
        if let Some(e) = &spec.train.early_stopping
            && let Some(now) = measured.of(e.monitor)
        {
            let larger = e.monitor.larger_is_better();
            // Keras: what is not better counts, and the first epoch never stops.
            if self.stop.better(now, larger, f64::from(e.min_delta)) {
                self.stop.take(now, epoch);
                verdict.best = true;
            } else {
                self.stop.wait += 1;
                verdict.stop = self.stop.wait as usize >= e.patience && epoch > 1;
            }
        }
        if let Some(c) = &spec.train.checkpoints {
            let now = measured.of(c.monitor);
            let better =
                now.is_some_and(|v| self.save.better(v, c.monitor.larger_is_better(), 0.0));
            if let (Some(now), true) = (now, better) {
                self.save.take(now, epoch);
            }
            verdict.save = better || !c.best_only;
        }
        if let Schedule::Plateau {
            monitor,
            factor,
            patience,
            least,
        } = spec.train.schedule
            && let Some(now) = measured.of(monitor)
        {
            let keras = spec.framework == Framework::Keras;
            let gain = match (keras, self.plateau.best) {
                (true, _) | (_, None) => 1e-4,
                (false, Some(best)) => 1e-4 * best.abs(),
            };
            if self.plateau.better(now, monitor.larger_is_better(), gain) {
                self.plateau.take(now, epoch);
            } else {
                self.plateau.wait += 1;
                // Keras lowers the rate at the last epoch of its patience, PyTorch after it.
                if self.plateau.wait as usize
                    >= patience.max(1) + usize::from(!keras && patience > 0)
                {
                    self.plateau.wait = 0;
                    let lower = (self.factor * f64::from(factor)).max(f64::from(least));
                    self.factor = lower.min(self.factor);
                }
            }
        }
        verdict
    }
}

/// The name of a kept state, as Keras' `model.{epoch:02d}-{val_loss:.2f}` gives it.
pub fn file_name(epoch: u32, monitor: Monitor, measured: &Measured) -> String {
    match measured.of(monitor) {
        Some(v) => format!("model.{epoch:02}-{v:.2}.safetensors"),
        None => format!("model.{epoch:02}.safetensors"),
    }
}
