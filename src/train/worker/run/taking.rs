//! What steps gave: taken in, and shown to the page.
use super::super::scope::{emit, now};
use super::Run;
use crate::train::protocol::{Evaluation, Event, Failure};
use crate::train::session::Chunk;

/// Rows that the page has not seen yet.
#[derive(Default)]
pub(super) struct Unseen {
    pub first: u32,
    pub steps: u32,
    pub rows: Vec<f32>,
    pub samples: usize,
    /// Spent on them.
    pub ms: f64,
    /// An epoch's end that no event has told of: epoch and step.
    pub epoch: Option<(u32, u32)>,
}

impl Run {
    /// Takes in the oldest steps under way.
    pub(super) async fn collect(&mut self) -> Result<Chunk, Failure> {
        let chunk = self.session.collect().await?;
        let (since, end) = (self.since, now());
        self.since = end;
        let ms = end - since;
        self.steps.learn(chunk.steps, ms, self.session.place());
        if self.arriving.is_some() && chunk.steps > 1 {
            let each = ms / f64::from(chunk.steps);
            self.step_ms = Some(self.step_ms.map_or(each, |m| (m + each) / 2.0));
        } else if self.arriving.is_some() && self.step_ms.is_none() && self.session.step() > 2 {
            // Steps too long for more than one at a time; the first fill caches.
            self.step_ms = Some(ms);
        }
        self.record(&chunk, ms);
        self.ended(&chunk).await?;
        Ok(chunk)
    }

    /// Takes in all steps under way.
    pub async fn settle(&mut self) {
        while self.session.flights() > 0 {
            if let Err(failure) = self.collect().await
                && !self.mend(&failure).await
            {
                self.fail(failure);
            }
        }
    }

    /// Takes in what steps gave.
    pub(super) fn record(&mut self, chunk: &Chunk, ms: f64) {
        if self.first_step.is_none() && chunk.steps == 1 {
            self.first_step = Some(ms);
        }
        self.session.seconds += ms / 1000.0;
        let unseen = &mut self.unseen;
        if unseen.steps == 0 {
            unseen.first = chunk.first;
        }
        unseen.steps += chunk.steps;
        unseen.rows.extend_from_slice(&chunk.rows);
        unseen.samples += chunk.samples;
        unseen.ms += ms;
        if chunk.epoch_done {
            unseen.epoch = Some((self.session.epoch(), self.session.step()));
        }
    }

    /// Shows the page what it has not seen.
    pub(super) fn tick(&mut self) {
        let unseen = std::mem::take(&mut self.unseen);
        self.ticked = now();
        if unseen.steps > 0 {
            let event = Event::Tick {
                run: self.id,
                first: unseen.first,
                steps: unseen.steps,
                epoch: self.session.epoch(),
                seconds: self.session.seconds,
                samples_per_second: unseen.samples as f64 * 1000.0 / unseen.ms.max(0.005),
            };
            emit(&event, Some(&unseen.rows));
        }
        if let Some((epoch, step)) = unseen.epoch {
            self.emit_epoch(epoch, step, None, None);
        }
    }

    pub(super) fn emit_epoch(
        &self,
        epoch: u32,
        step: u32,
        validation: Option<Evaluation>,
        saved: Option<String>,
    ) {
        let event = Event::Epoch {
            run: self.id,
            epoch,
            step,
            validation,
            saved,
        };
        emit(&event, None);
    }
}
