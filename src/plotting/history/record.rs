//! A history as plain numbers, for files.
use super::{CAPACITY, History, Validation};

/// Bounds on what is taken back.
const COLUMNS: usize = 16;
const NAME: usize = 64;
const EPOCHS: usize = 100_000;

/// What a [`History`] holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub columns: Vec<String>,
    /// Rows stand for the steps `start, start + stride, …`.
    pub start: u32,
    pub stride: u32,
    /// 0: not known.
    pub steps_per_epoch: u32,
    /// Oldest first.
    pub validation: Vec<Validation>,
    /// `[columns, rows]`
    pub values: Vec<f32>,
}

impl History {
    pub fn record(&self) -> Record {
        Record {
            columns: self.columns.clone(),
            start: self.start,
            stride: self.stride,
            steps_per_epoch: self.steps_per_epoch,
            validation: self.validation.clone(),
            values: self.data.concat(),
        }
    }

    /// The history that a record is of, or what is wrong with it.
    pub fn from_record(record: Record) -> Result<History, &'static str> {
        let n = record.columns.len();
        if n > COLUMNS || record.columns.iter().any(|c| c.len() > NAME) {
            return Err("a history has too many columns");
        }
        let rows = record.values.len().checked_div(n).unwrap_or(0);
        if rows * n != record.values.len() || rows > CAPACITY {
            return Err("a history's rows do not fit its columns");
        }
        let end = u64::from(record.start) + rows as u64 * u64::from(record.stride);
        // Half of what steps can count leaves room to train on.
        if record.stride == 0 || end > u64::from(u32::MAX / 2) {
            return Err("a history's steps are out of bounds");
        }
        let marks = &record.validation;
        let ordered = |w: &[Validation]| w[0].epoch < w[1].epoch && w[0].step <= w[1].step;
        if marks.len() > EPOCHS || !marks.windows(2).all(ordered) {
            return Err("a history's epochs are out of order");
        }
        let data = match rows {
            0 => vec![Vec::new(); n],
            _ => {
                let columns = record.values.chunks_exact(rows);
                columns.map(<[f32]>::to_vec).collect()
            }
        };
        Ok(History {
            columns: record.columns,
            data,
            start: record.start,
            stride: record.stride,
            steps_per_epoch: record.steps_per_epoch,
            validation: record.validation,
            ..History::default()
        })
    }

    /// Takes another's course in place of its own.
    pub fn replace(&mut self, other: History) {
        let generation = self.generation.max(other.generation) + 1;
        *self = History {
            generation,
            ..other
        };
    }
}
