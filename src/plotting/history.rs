//! The course of a run: every step's raw values, and what each epoch's validation gave.
mod record;

use crate::train::protocol::Evaluation;
pub use record::Record;
use std::fmt::Write;
use std::ops::Range;

/// Rows kept at most. Beyond it every second row goes, again and again.
pub const CAPACITY: usize = 1 << 20;

/// Rows stand for the steps `start, start + stride, …`; the stride is 1 up to [`CAPACITY`] rows.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    columns: Vec<String>,
    /// One vector per column, all of the same length.
    data: Vec<Vec<f32>>,
    start: u32,
    stride: u32,
    /// The first step that has not been added.
    next: u32,
    /// 0: not known.
    steps_per_epoch: u32,
    validation: Vec<Validation>,
    generation: u64,
    capacity: usize,
    /// The same by epochs; None where this is it.
    epochs: Option<Box<Epochs>>,
}

/// The means over whole epochs, whose numbers stand for steps.
#[derive(Clone, Debug, PartialEq)]
struct Epochs {
    history: History,
    /// Samples of an epoch's last batch, as a share of those of the others.
    tail: f64,
    /// Of the epoch under way: steps added, None where some are missing; sums and their weight.
    steps: Option<u32>,
    sums: Vec<f64>,
    weight: f64,
}

impl Epochs {
    fn new(capacity: usize) -> Epochs {
        Epochs {
            history: History::flat(capacity),
            tail: 1.0,
            steps: None,
            sums: Vec::new(),
            weight: 0.0,
        }
    }

    /// Takes in a step's row; an epoch has `per` steps.
    fn add(&mut self, columns: &[String], step: u32, per: u32, row: &[f32]) {
        let (Some(epoch), Some(at)) = (step.checked_div(per), step.checked_rem(per)) else {
            return;
        };
        if at == 0 {
            (self.steps, self.weight) = (Some(0), 0.0);
            self.sums.clear();
            self.sums.resize(row.len(), 0.0);
        }
        if self.steps != Some(at) {
            self.steps = None;
            return;
        }
        let weight = if at + 1 == per { self.tail } else { 1.0 };
        self.weight += weight;
        for (sum, v) in self.sums.iter_mut().zip(row) {
            *sum += weight * f64::from(*v);
        }
        self.steps = Some(at + 1);
        if at + 1 == per {
            let means: Vec<f32> = (self.sums.iter())
                .map(|s| (s / self.weight) as f32)
                .collect();
            self.history.push(columns, &means, epoch + 1);
        }
    }
}

impl Default for History {
    fn default() -> History {
        History::with_capacity(CAPACITY)
    }
}

/// The validation part's evaluation at the end of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    pub epoch: u32,
    pub step: u32,
    pub evaluation: Evaluation,
}

impl Validation {
    /// By the name of a column or of a field of [`Evaluation`].
    pub fn metric(&self, name: &str) -> Option<f64> {
        let e = &self.evaluation;
        match name {
            "loss" => Some(e.loss),
            "accuracy" => e.accuracy,
            "auc" => e.auc,
            "precision" => e.precision,
            "recall" => e.recall,
            "f1" => e.f1,
            "top5" => e.top5,
            "perplexity" => e.perplexity,
            "mse" => e.mse,
            "mae" => e.mae,
            "r2" => e.r2,
            _ => None,
        }
    }
}

/// Metrics that an [`Evaluation`] may hold beside the loss.
const EVALUATED: [&str; 10] = [
    "accuracy",
    "auc",
    "precision",
    "recall",
    "f1",
    "top5",
    "perplexity",
    "mse",
    "mae",
    "r2",
];

/// Columns that say how a step was made, not how good the network is.
pub const STEP_FACTS: [&str; 2] = ["learningRate", "gradNorm"];

impl History {
    /// Keeps at most `capacity` rows (an even number).
    pub fn with_capacity(capacity: usize) -> History {
        History {
            epochs: Some(Box::new(Epochs::new(capacity))),
            ..History::flat(capacity)
        }
    }

    fn flat(capacity: usize) -> History {
        History {
            columns: Vec::new(),
            data: Vec::new(),
            start: 0,
            stride: 1,
            next: 0,
            steps_per_epoch: 0,
            validation: Vec::new(),
            generation: 0,
            capacity: (capacity / 2).max(1) * 2,
            epochs: None,
        }
    }

    /// The same by epochs: a row is the mean over the samples of a whole epoch, which counts from 1
    /// and stands where a step would.
    pub fn by_epoch(&self) -> &History {
        self.epochs.as_ref().map_or(self, |e| &e.history)
    }

    /// Whether its steps are epochs.
    pub fn is_by_epoch(&self) -> bool {
        self.epochs.is_none()
    }

    /// Adds the rows of the steps from `first` on, `[steps, columns]` as a tick brings them.
    /// Steps that are there already are replaced together with everything after them (training
    /// went back to a snapshot); steps left out become NaN. Other columns begin a new history.
    pub fn push(&mut self, columns: &[String], rows: &[f32], first: u32) {
        if self.columns != columns {
            self.clear();
            self.columns = columns.to_vec();
            self.data = vec![Vec::new(); columns.len()];
        }
        let width = columns.len();
        if width == 0 || rows.len() < width {
            return;
        }
        if self.is_empty() {
            self.start = first;
        } else if first < self.next {
            self.rewind(first);
        }
        let gap = first.saturating_sub(self.next);
        if self.is_empty() {
            self.start = first;
        } else if gap as usize > self.capacity * self.stride as usize {
            self.clear();
            self.start = first;
        } else {
            let nothing = vec![f32::NAN; width];
            for step in self.next..first {
                self.push_row(step, &nothing);
            }
        }
        for (i, row) in rows.chunks_exact(width).enumerate() {
            self.push_row(first + i as u32, row);
        }
        if let Some(epochs) = &mut self.epochs {
            for (i, row) in rows.chunks_exact(width).enumerate() {
                epochs.add(columns, first + i as u32, self.steps_per_epoch, row);
            }
        }
    }

    fn push_row(&mut self, step: u32, row: &[f32]) {
        self.next = step + 1;
        if !(step - self.start).is_multiple_of(self.stride) {
            return;
        }
        if self.len() == self.capacity {
            self.thin();
            if !(step - self.start).is_multiple_of(self.stride) {
                return;
            }
        }
        for (column, value) in self.data.iter_mut().zip(row) {
            column.push(*value);
        }
    }

    fn thin(&mut self) {
        for column in &mut self.data {
            let mut row = 0;
            column.retain(|_| {
                row += 1;
                row % 2 == 1
            });
        }
        self.stride *= 2;
        self.generation += 1;
    }

    fn rewind(&mut self, step: u32) {
        let rows = step.saturating_sub(self.start).div_ceil(self.stride) as usize;
        for column in &mut self.data {
            column.truncate(rows);
        }
        if rows == 0 {
            self.start = step;
            self.stride = 1;
        }
        self.next = step;
        self.validation.retain(|v| v.step < step);
        self.generation += 1;
        self.rewind_epochs(step);
    }

    /// The epochs that hold this step or come after it are no more; what is known of the one that
    /// holds it is added up anew.
    fn rewind_epochs(&mut self, step: u32) {
        let per = self.steps_per_epoch;
        let Some(mut epochs) = self.epochs.take() else {
            return;
        };
        let epoch = step.checked_div(per).unwrap_or(0);
        if epoch + 1 < epochs.history.next {
            epochs.history.rewind(epoch + 1);
        }
        epochs.steps = None;
        // Of rows that were thinned too little is known.
        if self.stride == 1 && per > 0 {
            let first = (epoch * per).max(self.start);
            for step in first..step {
                let row = (step - self.start) as usize;
                let values: Vec<f32> = self.data.iter().map(|c| c[row]).collect();
                epochs.add(&self.columns, step, per, &values);
            }
        }
        self.epochs = Some(epochs);
    }

    /// Adds the evaluation at the end of an epoch, after `step` steps; one of the same epoch is
    /// replaced.
    pub fn push_epoch(&mut self, epoch: u32, step: u32, evaluation: Evaluation) {
        if let Some(steps) = step.checked_div(epoch) {
            self.steps_per_epoch = steps;
        }
        if let Some(epochs) = &mut self.epochs {
            epochs.history.push_epoch(epoch, epoch, evaluation.clone());
        }
        self.validation.retain(|v| v.epoch < epoch);
        self.validation.push(Validation {
            epoch,
            step,
            evaluation,
        });
    }

    pub fn clear(&mut self) {
        self.clear_rows();
        self.validation.clear();
        if let Some(epochs) = &mut self.epochs {
            epochs.history.clear();
            epochs.steps = None;
        }
    }

    fn clear_rows(&mut self) {
        for column in &mut self.data {
            column.clear();
        }
        self.start = 0;
        self.stride = 1;
        self.next = 0;
        self.generation += 1;
    }

    /// From `RunInfo`; kept by `clear`. Without it the first epoch's end tells.
    pub fn set_steps_per_epoch(&mut self, steps: usize) {
        self.steps_per_epoch = steps.min(u32::MAX as usize) as u32;
    }

    /// How many samples an epoch and a batch have, from `RunInfo`; the last batch of an epoch may
    /// be smaller, and weighs less in the means.
    pub fn set_epoch(&mut self, samples: usize, batch: usize) {
        let batch = batch.max(1);
        let steps = samples.div_ceil(batch).max(1);
        self.set_steps_per_epoch(steps);
        if let Some(epochs) = &mut self.epochs {
            epochs.tail = (samples.max(1) - (steps - 1) * batch) as f64 / batch as f64;
        }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.data.first().map_or(0, Vec::len)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// One value per row.
    pub fn column(&self, name: &str) -> Option<&[f32]> {
        let i = self.columns.iter().position(|c| c == name)?;
        Some(&self.data[i])
    }

    /// The newest value.
    pub fn last(&self, name: &str) -> Option<f32> {
        self.column(name)?.last().copied()
    }

    /// Oldest first.
    pub fn validation(&self) -> &[Validation] {
        &self.validation
    }

    /// What can be drawn beside the loss: columns first, then what only validation gives; facts
    /// about the steps come last.
    pub fn metrics(&self) -> Vec<String> {
        let mut names: Vec<String> = self.columns.clone();
        names.retain(|n| n != "loss" && !STEP_FACTS.contains(&n.as_str()));
        if let Some(v) = self.validation.last() {
            for name in EVALUATED {
                if v.metric(name).is_some() && !names.iter().any(|n| n == name) {
                    names.push(name.to_string());
                }
            }
        }
        let facts = STEP_FACTS.iter().rev();
        let there = facts.filter(|f| self.columns.iter().any(|c| c == **f));
        names.extend(there.map(|f| f.to_string()));
        names
    }

    /// Changes when rows that were there before have changed or gone.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub fn step(&self, row: usize) -> u32 {
        self.start + row as u32 * self.stride
    }

    /// The first step, and how many steps apart the rows are.
    pub fn pace(&self) -> (u32, u32) {
        (self.start, self.stride)
    }

    /// The row nearest to a step.
    pub fn row(&self, step: f64) -> Option<usize> {
        let last = self.len().checked_sub(1)?;
        let row = (step - f64::from(self.start)) / f64::from(self.stride);
        Some((row.round().max(0.0) as usize).min(last))
    }

    /// Counted from 1; steps count from 0. A validation stands at the step after its epoch, and
    /// belongs to that epoch.
    pub fn epoch(&self, step: u32) -> u32 {
        if self.is_by_epoch() {
            return step;
        }
        if let Some(v) = self.validation.last().filter(|v| v.step == step) {
            return v.epoch;
        }
        step.checked_div(self.steps_per_epoch).unwrap_or(0) + 1
    }

    /// 0: not known.
    pub fn steps_per_epoch(&self) -> u32 {
        self.steps_per_epoch
    }

    /// Smallest and largest step there is to show.
    pub fn step_range(&self) -> Option<(u32, u32)> {
        let rows = self
            .len()
            .checked_sub(1)
            .map(|r| (self.start, self.step(r)));
        let marks = self
            .validation
            .first()
            .zip(self.validation.last())
            .map(|(a, b)| (a.step, b.step));
        match (rows, marks) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        }
    }

    /// `step,epoch,loss,…,val_loss,…`; by epochs without the steps.
    pub fn csv_header(&self) -> String {
        let places = if self.is_by_epoch() {
            "epoch"
        } else {
            "step,epoch"
        };
        let mut line = String::from(places);
        for c in &self.columns {
            line.push(',');
            line.push_str(c);
        }
        for name in self.validated() {
            line.push_str(",val_");
            line.push_str(name);
        }
        line.push('\n');
        line
    }

    fn validated(&self) -> impl Iterator<Item = &'static str> {
        let last = self.validation.last();
        std::iter::once("loss")
            .chain(EVALUATED)
            .filter(move |name| last.is_some_and(|v| v.metric(name).is_some()))
    }

    /// Appends lines for these rows, in full precision. A validation stands on the row of its
    /// step, or the last row before it.
    pub fn csv_rows(&self, rows: Range<usize>, out: &mut String) {
        let validated: Vec<_> = self.validated().collect();
        for row in rows.start..rows.end.min(self.len()) {
            let step = self.step(row);
            let _ = match self.is_by_epoch() {
                true => write!(out, "{step}"),
                false => write!(out, "{step},{}", self.epoch(step)),
            };
            for column in &self.data {
                let _ = write!(out, ",{}", column[row]);
            }
            let end = if row + 1 == self.len() {
                u32::MAX
            } else {
                step + self.stride
            };
            let at = self.validation.partition_point(|v| v.step < end);
            let mark = self.validation[..at].last().filter(|v| v.step >= step);
            for name in &validated {
                out.push(',');
                if let Some(v) = mark.and_then(|v| v.metric(name)) {
                    let _ = write!(out, "{v}");
                }
            }
            out.push('\n');
        }
    }
}
