//! Training steps, of which some can be queued while others are still computed: a GPU then never
//! waits for the host to read what the last ones gave.
use super::*;

/// Steps that were queued and whose results have not been read.
pub(super) struct Flight<P> {
    steps: usize,
    /// Rows of the data set that they take.
    rows: usize,
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
        let taken: usize = self.flights.iter().map(|f| f.rows).sum();
        let begin = self.cursor + taken;
        let left = self.order.len() - begin;
        if left == 0 || n == 0 {
            return 0;
        }
        let table = graph::steps_per_run(batch);
        let full = (left / batch).min(table).min(n as usize);
        let (kind, steps, rows) = if full > 0 {
            (ProgramKind::Train, full, full * batch)
        } else {
            (ProgramKind::TrainTail, 1, left)
        };
        let first = self.step + self.in_flight();
        let mut row_table = Vec::with_capacity(rows);
        row_table.extend(self.order[begin..][..rows].iter().map(|r| *r as f32));
        let rates: Vec<f32> = (0..steps as u32).map(|i| self.rate(first + i)).collect();
        self.backend
            .write(self.slots.order, 0, Data::F32(&row_table));
        self.backend.write(self.slots.rate, 0, Data::F32(&rates));
        self.backend.run(kind, first, steps as u32);
        let history = self.backend.request(&[self.slots.history]);
        self.flights.push_back(Flight {
            steps,
            rows,
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
        let epoch_done = self.cursor == self.order.len();
        if epoch_done {
            self.epoch += 1;
            self.cursor = 0;
            self.order = self.epoch_order();
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
