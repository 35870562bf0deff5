//! How long a step takes: `run.time` of the API.
use super::{IN_FLIGHT, PIECES, Run};
use crate::backend::Place;
use crate::train::protocol::{Failure, Timing};
use crate::train::worker::scope::{Inbox, failure, internal, now};

/// As many blocks as a timing has, where the clock allows.
const BLOCKS: u32 = 10;
/// Milliseconds below which browsers' clocks, rounded to as much as 1 ms, are too coarse for a block.
const BLOCK: f64 = 10.0;
/// Milliseconds of a timing for which no number of steps is given.
const DEFAULT: f64 = 1000.0;

impl Run {
    /// Steps in blocks, each of which ends with one read: `steps` of them, or more where the
    /// clock is too coarse for so few. Ends early when `stopped` says so.
    pub async fn time(
        &mut self,
        steps: Option<u32>,
        warmup: Option<u32>,
        inbox: &Inbox,
        stopped: impl Fn() -> bool,
    ) -> Result<Timing, Failure> {
        self.stop();
        self.close_epoch().await?;
        let (_, one) = self.block(1, &stopped, inbox).await?;
        let first = self.first_step.unwrap_or(one);
        let (mut warm, mut spent) = (0u32, 0.0);
        while warmup.map_or(warm < 3 || spent < DEFAULT / 10.0, |n| warm < n) {
            let left = warmup.map_or(PIECES, |n| n - warm);
            let (steps, ms) = self.block(self.steps.0.min(left), &stopped, inbox).await?;
            warm += steps;
            spent += ms;
        }
        let mut block = match steps {
            Some(steps) => steps.div_ceil(BLOCKS).max(1),
            None if warm > 0 => {
                let step_ms = (spent / f64::from(warm)).max(1e-4);
                ((DEFAULT / step_ms) as u32).div_ceil(BLOCKS)
            }
            None => 1,
        };
        // The first block that the clock can measure says how long the others are.
        let measured = loop {
            let (n, ms) = self.block(block, &stopped, inbox).await?;
            if ms >= BLOCK {
                break ms / f64::from(n);
            }
            block = block.saturating_mul(2);
        };
        let total = steps.unwrap_or_else(|| ((DEFAULT / measured) as u32).max(BLOCKS));
        let mut ms_per_step = vec![measured];
        for _ in 1..total.div_ceil(block) {
            let (n, ms) = self.block(block, &stopped, inbox).await?;
            ms_per_step.push(ms / f64::from(n));
        }
        self.tick();
        Ok(Timing {
            ms_per_step,
            first_step_ms: first,
            compile_ms: self.compile,
        })
    }

    /// Exactly `count` steps, then a turn for others. Gives their number and milliseconds.
    async fn block(
        &mut self,
        count: u32,
        stopped: &impl Fn() -> bool,
        inbox: &Inbox,
    ) -> Result<(u32, f64), Failure> {
        let begin = now();
        let mut done = 0;
        while done < count {
            let ahead = match self.session.place() {
                Place::Cpu => 1,
                Place::Gpu => IN_FLIGHT,
            };
            while self.session.flights() < ahead {
                let left = count - done - self.session.in_flight();
                // On a GPU no more at once than fits a submit, as when it trains.
                let most = if ahead > 1 { self.steps.0 } else { left };
                if self.session.queue_on(left.min(most)) == 0 {
                    break;
                }
            }
            if done == 0 && self.session.flights() > 0 {
                self.since = begin;
            }
            let chunk = self.session.collect().await?;
            if chunk.steps == 0 {
                return Err(internal("no step was made"));
            }
            done += chunk.steps;
            let end = now();
            let ms = end - std::mem::replace(&mut self.since, end);
            self.steps.learn(chunk.steps, ms, self.session.place());
            self.record(&chunk, ms);
        }
        let ms = now() - begin;
        inbox.turn().await;
        if stopped() {
            self.tick();
            return Err(failure("cancelled", "The timing was stopped."));
        }
        Ok((done, ms))
    }
}
