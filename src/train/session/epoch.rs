//! The end of an epoch: what callbacks ask for is done here.
use super::*;
use crate::train::callbacks::{Measured, Verdict, file_name};

/// A state kept at an epoch's end.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    pub name: String,
    /// From 1.
    pub epoch: u32,
    /// A checkpoint, which resumes the run after this epoch.
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpochEnd {
    pub stop: bool,
    pub saved: Option<Saved>,
}

/// What is watched must be there to be measured.
pub(super) fn check_monitors(spec: &Spec, data: &Dataset) -> Result<(), Problem> {
    use crate::spec::{Monitor, Schedule};
    let plateau = match spec.train.schedule {
        Schedule::Plateau { monitor, .. } => Some(monitor),
        _ => None,
    };
    let all = [
        (
            "early_stopping",
            spec.train.early_stopping.map(|e| e.monitor),
        ),
        ("checkpoints", spec.train.checkpoints.map(|c| c.monitor)),
        ("schedule", plateau),
    ];
    for (field, monitor) in all {
        let Some(monitor) = monitor else { continue };
        let code = if monitor.needs_validation() && data.validation.is_empty() {
            "no-validation"
        } else if monitor == Monitor::ValAccuracy && data.classes().is_none() {
            "no-accuracy"
        } else {
            continue;
        };
        return Err(Problem::new(code)
            .arg("monitor", monitor.name())
            .field(format!("train.{field}.monitor")));
    }
    Ok(())
}

impl<B: Backend> Session<B> {
    /// To be called at each epoch's end with what the validation part gave. Keeps the best
    /// weights, and brings them back when the run ends, where the spec asks for it.
    pub async fn epoch_ended(
        &mut self,
        validation: Option<&Evaluation>,
    ) -> Result<EpochEnd, Failure> {
        let (sum, samples) = std::mem::take(&mut self.epoch_loss);
        let measured = Measured::new(sum / samples.max(1) as f64, validation);
        let Verdict { best, stop, save } = self.callbacks.epoch(&self.spec, self.epoch, &measured);
        let restore = self
            .spec
            .train
            .early_stopping
            .is_some_and(|e| e.restore_best);
        if restore && (best || self.best.is_none()) {
            let ids: Vec<SlotId> = self.in_files().map(|(id, _)| id).collect();
            self.best = Some(self.backend.read(&ids).await?);
        }
        let mut saved = None;
        if let (true, Some(c)) = (save, self.spec.train.checkpoints) {
            saved = Some(Saved {
                name: file_name(self.epoch, c.monitor, &measured),
                epoch: self.epoch,
                bytes: self.checkpoint().await?,
            });
        }
        if restore && (stop || self.epoch >= self.epochs()) {
            self.restore_best();
        }
        Ok(EpochEnd { stop, saved })
    }

    fn restore_best(&mut self) {
        let Some(best) = self.best.take() else { return };
        let ids: Vec<SlotId> = self.in_files().map(|(id, _)| id).collect();
        for (id, values) in ids.into_iter().zip(&best) {
            self.backend.write(id, 0, Data::F32(values));
        }
    }

    /// A run that stopped early goes on.
    pub fn go_on(&mut self) {
        self.callbacks.go_on();
    }

    /// The best epoch, from 1, where early stopping watches and has seen one.
    pub fn best_epoch(&self) -> Option<u32> {
        Some(self.callbacks.best_epoch()).filter(|e| *e > 0)
    }
}
