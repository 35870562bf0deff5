//! Training steps, of which some can be queued while others are still computed: a GPU then never
//! waits for the host to read what the last ones gave.
use super::*;
use crate::backend::Place;

/// Steps that were queued and whose results have not been read.
pub(super) struct Flight<P> {
    steps: usize,
    /// Rows of the data set that they take.
    rows: usize,
    /// Epochs that end with them, the last with the last step.
    epochs: u32,
    rates: Vec<f32>,
    history: P,
}

impl<B: Backend> Session<B> {
    /// Takes at most `n` steps, never past the end of an epoch.
    pub async fn steps(&mut self, n: u32) -> Result<Chunk, Failure> {
        self.queue(n);
        self.collect().await
    }

    /// Steps that are queued and not collected.
    pub fn in_flight(&self) -> u32 {
        self.flights.iter().map(|f| f.steps as u32).sum()
    }

    /// How many times steps were queued that are not collected.
    pub fn flights(&self) -> usize {
        self.flights.len()
    }

    /// Queues at most `n` steps behind those in flight, never past the end of an epoch: how many.
    /// Until all are collected, nothing else may be asked of the session.
    pub fn queue(&mut self, n: u32) -> u32 {
        let batch = self.batch();
        let (epoch, begin) = self.queued_to();
        let left = self.order.len() - begin;
        if epoch > self.epoch || left == 0 || n == 0 {
            return 0;
        }
        let table = graph::steps_per_run(batch);
        let full = (left / batch).min(table).min(n as usize);
        let (kind, steps, rows) = if full > 0 {
            (ProgramKind::Train, full, full * batch)
        } else {
            (ProgramKind::TrainTail, 1, left)
        };
        let row_table: Vec<f32> = self.order[begin..][..rows]
            .iter()
            .map(|r| *r as f32)
            .collect();
        self.launch(kind, steps, &row_table, u32::from(rows == left))
    }

    /// As [`Session::queue`], but over the ends of epochs where nothing is done there: on a device
    /// that is far away, an epoch of one step would cost a round trip each.
    pub fn queue_on(&mut self, n: u32) -> u32 {
        let batch = self.batch();
        let (epoch, begin) = self.queued_to();
        let (rows, table) = (self.order.len(), graph::steps_per_run(batch));
        let (left, room) = ((rows - begin) / batch, table.min(n as usize));
        let far = self.backend.place() == Place::Gpu;
        if !far || !rows.is_multiple_of(batch) || room <= left || self.pauses_at_epochs() {
            return self.queue(n);
        }
        let more = (room - left) / (rows / batch);
        let mut row_table = Vec::with_capacity((left + more * (rows / batch)) * batch);
        for e in 0..=more as u32 {
            let begin = if e == 0 { begin } else { 0 };
            let order = self.order_of(epoch + e);
            row_table.extend(order[begin..].iter().map(|r| *r as f32));
        }
        let steps = row_table.len() / batch;
        self.launch(ProgramKind::Train, steps, &row_table, more as u32 + 1)
    }

    /// Whether the end of an epoch asks for anything but its number.
    fn pauses_at_epochs(&self) -> bool {
        let t = &self.spec.train;
        !self.data.validation.is_empty()
            || t.early_stopping.is_some()
            || t.checkpoints.is_some()
            || matches!(t.schedule, crate::spec::Schedule::Plateau { .. })
    }

    /// Epoch, and row of its order, behind all that is queued.
    fn queued_to(&self) -> (u32, usize) {
        let here = (self.epoch, self.cursor);
        self.flights
            .iter()
            .fold(here, |(epoch, row), f| match f.epochs {
                0 => (epoch, row + f.rows),
                n => (epoch + n, 0),
            })
    }

    /// Queues steps over rows of the data set, of which `epochs` end with them.
    fn launch(&mut self, kind: ProgramKind, steps: usize, row_table: &[f32], epochs: u32) -> u32 {
        let first = self.step + self.in_flight();
        let rates: Vec<f32> = (0..steps as u32).map(|i| self.rate(first + i)).collect();
        self.backend
            .write(self.slots.order, 0, Data::F32(row_table));
        self.backend.write(self.slots.rate, 0, Data::F32(&rates));
        self.backend.run(kind, first, steps as u32);
        let history = self.backend.request(&[self.slots.history]);
        self.flights.push_back(Flight {
            steps,
            rows: row_table.len(),
            epochs,
            rates,
            history,
        });
        steps as u32
    }

    /// Waits for the oldest steps in flight. After a failure none are.
    pub async fn collect(&mut self) -> Result<Chunk, Failure> {
        let Some(flight) = self.flights.pop_front() else {
            return Err(internal("no step was queued"));
        };
        let Flight {
            steps,
            rows,
            epochs,
            rates,
            history,
        } = flight;
        let history = match self.backend.receive(history).await {
            Ok(mut values) => values.remove(0),
            Err(e) => {
                self.flights.clear();
                return Err(e.into());
            }
        };
        let columns = graph::columns(self.data.classes()).len();
        let mut out = Vec::with_capacity(steps * (columns + 1));
        for (row, rate) in history.chunks_exact(columns).zip(&rates) {
            out.extend_from_slice(row);
            out.push(*rate);
        }
        let each = rows as f64 / steps as f64;
        for row in history.chunks_exact(columns).take(steps) {
            self.epoch_loss.0 += f64::from(row[0]) * each;
        }
        self.epoch_loss.1 += rows;
        let bad = self.first_bad(out.chunks_exact(columns + 1).map(|r| r[0]));
        let (first, epoch) = (self.step, self.epoch);
        self.step += steps as u32;
        self.cursor += rows;
        let epoch_done = epochs > 0;
        if epoch_done {
            self.epoch += epochs;
            self.cursor = 0;
            self.order = self.order_of(self.epoch);
        }
        Ok(Chunk {
            first,
            steps: steps as u32,
            rows: out,
            epoch,
            epoch_done,
            diverged: bad.map(|i| first + i as u32),
            samples: rows,
        })
    }
}
