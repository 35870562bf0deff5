//! One chart's curves: that of the run at hand and those of the runs that were kept.
use super::runs::Kept;
use crate::plotting::{Curve, History};

/// Rows taken in at once: about a millisecond.
const BUDGET: usize = 80_000;

/// Follows one column of several histories.
pub struct Strand {
    column: String,
    by_epoch: bool,
    pub curve: Curve,
    kept: Vec<(usize, Curve)>,
}

/// The history as it is to be shown.
pub fn shown(history: &History, by_epoch: bool) -> &History {
    match by_epoch {
        true => history.by_epoch(),
        false => history,
    }
}

impl Strand {
    pub fn new(column: &str) -> Strand {
        Strand {
            column: column.to_string(),
            by_epoch: false,
            curve: Curve::new(column, 0.0),
            kept: Vec::new(),
        }
    }

    pub fn column(&self) -> &str {
        &self.column
    }

    pub fn by_epoch(&self) -> bool {
        self.by_epoch
    }

    /// What it is to show from now on.
    pub fn set(&mut self, column: &str, by_epoch: bool, smoothing: f32, kept: &[Kept]) {
        if self.column != column || self.by_epoch != by_epoch {
            self.column = column.to_string();
            self.by_epoch = by_epoch;
            self.curve = Curve::new(column, smoothing);
            self.kept.clear();
        }
        self.kept.retain(|(id, _)| kept.iter().any(|k| k.id == *id));
        for run in kept {
            if !self.kept.iter().any(|(id, _)| *id == run.id) {
                self.kept.push((run.id, Curve::new(column, smoothing)));
            }
        }
        self.curve.set_smoothing(smoothing);
        let others = self.kept.iter_mut();
        others.for_each(|(_, curve)| curve.set_smoothing(smoothing));
    }

    /// Takes in a part of what is new; true when nothing is left.
    pub fn advance(&mut self, history: &History, kept: &[Kept]) -> bool {
        let mut done = self.curve.advance(shown(history, self.by_epoch), BUDGET);
        for (id, curve) in &mut self.kept {
            if let Some(run) = kept.iter().find(|k| k.id == *id) {
                done &= curve.advance(shown(&run.history, self.by_epoch), BUDGET);
            }
        }
        done
    }

    /// The curve of a kept run.
    pub fn of(&self, id: usize) -> Option<&Curve> {
        let found = self.kept.iter().find(|(k, _)| *k == id);
        found.map(|(_, curve)| curve)
    }
}
