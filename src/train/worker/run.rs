//! One run: its session, and what it is busy with. Work is done in slices of a few
//! milliseconds, so that messages are heard between them.
mod arriving;
mod kept;
mod taking;
mod time;

use super::scope::{Answer, answer, emit, failure, internal, now};
use crate::backend::cpu::pool;
use crate::backend::{AnyBackend, Place};
use crate::train::checkpoint::Checkpoint;
use crate::train::protocol::*;
use crate::train::session::{Choice, Chunk, Evaluator, Safety, Saved, Session};
use std::collections::{BTreeMap, VecDeque};

/// Between two ticks, in milliseconds.
const TICK: f64 = 50.0;
/// A piece of work should take between these, in milliseconds: short enough to stop soon,
/// long enough for the clock's 0.1 ms to measure it.
const PIECE: (f64, f64) = (2.0, 4.0);
/// The same on a GPU: waiting for it costs some milliseconds, and the display must get its turn.
const GPU_PIECE: (f64, f64) = (20.0, 45.0);
/// Pieces of training that a GPU has at once.
const IN_FLIGHT: usize = 2;
const PIECES: u32 = 1 << 16;
pub const STEPS_PER_SECOND: &str = "stepsPerSecond";

use taking::Unseen;

pub use arriving::{Arriving, MEANWHILE};

pub type AnySession = Session<AnyBackend>;

/// When a run wants its next slice.
#[derive(Clone, Copy, PartialEq)]
pub enum Next {
    Now,
    /// In so many milliseconds.
    In(f64),
    /// When a message asks for something.
    Asked,
}

/// How much work fits a piece, found by trying.
struct Pace(u32);

impl Pace {
    /// `done` of the units took `ms`.
    fn learn(&mut self, done: u32, ms: f64, place: Place) {
        let (least, most) = match place {
            Place::Cpu => PIECE,
            Place::Gpu => GPU_PIECE,
        };
        if ms > most {
            self.0 = (f64::from(done) * most / ms) as u32;
        } else if ms < least && done >= self.0 {
            self.0 = self.0.saturating_mul(2);
        }
        self.0 = self.0.clamp(1, PIECES);
    }
}

struct Training {
    /// The request to answer at the end.
    message: f64,
    /// Step or epoch at which to end.
    step: Option<u32>,
    epoch: Option<u32>,
}

/// An evaluation under way for a request.
struct Asked {
    message: f64,
    evaluator: Evaluator,
    /// What is made of it.
    then: fn(Evaluator) -> Result<Answer, Failure>,
}

/// The evaluation at an epoch's end.
struct Closing {
    epoch: u32,
    step: u32,
    evaluator: Evaluator,
}

pub struct Run {
    id: RunId,
    pub session: AnySession,
    /// Why it is on its backend.
    why: &'static str,
    safety: Safety,
    /// The GPU, where it is to be timed.
    pub arriving: Option<Arriving>,
    /// Milliseconds of a step on the CPU.
    step_ms: Option<f64>,
    /// Something beside training has changed the session.
    changed: bool,
    /// Milliseconds that compiling took.
    compile: f64,
    /// Milliseconds of the very first step.
    first_step: Option<f64>,
    validation: bool,
    training: Option<Training>,
    asked: VecDeque<Asked>,
    closing: Option<Closing>,
    unseen: Unseen,
    /// When the last tick was sent.
    ticked: f64,
    steps: Pace,
    batches: Pace,
    /// When the oldest steps under way were begun, or those before them done.
    since: f64,
    /// Steps per second at most; 0 without a limit.
    limit: f64,
    /// When the limit allows the next step.
    due: f64,
    pub threads: usize,
    saved: Vec<Saved>,
    /// Early stopping has said so.
    over: bool,
    diverged: Option<Divergence>,
}

impl Run {
    pub fn new(id: RunId, session: AnySession, why: &'static str, compile: f64) -> Run {
        let validation = session.samples(Part::Validation, 0, 0).0.total > 0;
        Run {
            id,
            session,
            why,
            safety: Safety::default(),
            arriving: None,
            step_ms: None,
            changed: false,
            compile,
            first_step: None,
            validation,
            training: None,
            asked: VecDeque::new(),
            closing: None,
            unseen: Unseen::default(),
            ticked: 0.0,
            steps: Pace(1),
            batches: Pace(1),
            since: 0.0,
            limit: 0.0,
            due: 0.0,
            threads: pool::wanted(),
            saved: Vec::new(),
            over: false,
            diverged: None,
        }
    }

    /// Goes on from a newer state of the same run, which has trained elsewhere meanwhile.
    pub async fn restore(&mut self, state: Checkpoint) -> Result<Answer, Failure> {
        self.session.go_on_from(state).await?;
        self.changed = true;
        Answer::of(&self.info())
    }

    pub fn info(&self) -> RunInfo {
        let mut info = self.session.info(self.id);
        info.why = self.why.to_string();
        info.threads = self.threads;
        info.hyper.insert(STEPS_PER_SECOND.to_string(), self.limit);
        info
    }

    /// Begins to train; a training under way ends for it.
    pub fn train(&mut self, message: f64, steps: Option<u32>, epochs: Option<u32>) {
        self.end(Some(Stopped::Cancelled));
        let (step, epoch) = (self.session.step(), self.session.epoch());
        let until = match (steps, epochs) {
            (None, None) => Some(self.session.epochs()),
            _ => epochs.map(|n| epoch.saturating_add(n)),
        };
        self.due = now();
        if std::mem::take(&mut self.over) {
            self.session.go_on();
        }
        self.training = Some(Training {
            message,
            step: steps.map(|n| step.saturating_add(n)),
            epoch: until,
        });
    }

    pub fn stop(&mut self) {
        self.end(Some(Stopped::Cancelled));
    }

    /// Ends the training, if any, and answers it.
    fn end(&mut self, stopped: Option<Stopped>) {
        self.tick();
        let Some(training) = self.training.take() else {
            return;
        };
        let end = RunEnd {
            step: self.session.step(),
            epoch: self.session.epoch(),
            seconds: self.session.seconds,
            stopped,
            best: self.session.best_epoch(),
            diverged: self.diverged.take(),
        };
        answer(training.message, Answer::of(&end));
    }

    /// Ends everything under way.
    pub fn close(&mut self) {
        self.end(Some(Stopped::Cancelled));
        self.closing = None;
        for a in self.asked.drain(..) {
            let why = "The run was changed or disposed of during the evaluation.";
            answer(a.message, Err(failure("cancelled", why)));
        }
    }

    pub fn evaluate(
        &mut self,
        message: f64,
        part: Part,
        then: fn(Evaluator) -> Result<Answer, Failure>,
    ) -> Result<(), Failure> {
        let evaluator = self.session.evaluation(part)?;
        self.asked.push_back(Asked {
            message,
            evaluator,
            then,
        });
        Ok(())
    }

    pub async fn set(&mut self, mut values: BTreeMap<String, f64>) -> Result<Answer, Failure> {
        let limit = values.remove(STEPS_PER_SECOND);
        let mut now_set = self.session.set(&values).await?;
        self.changed = true;
        if let Some(limit) = limit {
            self.limit = if limit.is_finite() {
                limit.clamp(0.0, 1e6)
            } else {
                0.0
            };
            self.due = now();
        }
        now_set.insert(STEPS_PER_SECOND.to_string(), self.limit);
        Answer::of(&now_set)
    }

    pub async fn reset(&mut self, seed: Option<u32>) -> Result<Answer, Failure> {
        self.close();
        self.session.reset(seed).await?;
        self.changed = true;
        self.unseen = Unseen::default();
        self.saved.clear();
        self.over = false;
        Answer::of(&self.info())
    }

    /// One step, seen at once.
    pub async fn step(&mut self) -> Result<Answer, Failure> {
        self.close_epoch().await?;
        self.keep().await?;
        let start = now();
        let (report, chunk) = self.session.step_report().await?;
        self.record(&chunk, now() - start);
        self.ended(&chunk).await?;
        self.tick();
        Answer::of(&report)
    }

    /// Works for about `budget` milliseconds.
    pub async fn advance(&mut self, budget: f64) -> Next {
        self.arrive().await;
        let end = now() + budget;
        loop {
            let next = match self.piece(end).await {
                Ok(next) => next,
                Err(failure) if self.mend(&failure).await => Next::Now,
                Err(failure) => {
                    self.fail(failure);
                    Next::Now
                }
            };
            if next != Next::Now || now() >= end {
                return next;
            }
        }
    }

    /// Goes back to the last snapshot after a fault of the device; whether that was possible.
    pub async fn mend(&mut self, failure: &Failure) -> bool {
        if !self.safety.covers(&self.session, failure) {
            return false;
        }
        // The page has these steps; what is done again takes their places.
        self.tick();
        let Ok(choice) = self.safety.recover(&mut self.session).await else {
            return false;
        };
        let step = self.session.step();
        self.closing = match self.closing.take() {
            Some(c) if c.step <= step => {
                let again = self.session.evaluation(Part::Validation);
                again.ok().map(|evaluator| Closing { evaluator, ..c })
            }
            _ => None,
        };
        self.steps = Pace(1);
        self.moved(choice);
        true
    }

    /// Says where the run is from now on.
    fn moved(&mut self, choice: Choice) {
        self.why = choice.why;
        let event = Event::Backend {
            run: self.id,
            backend: self.session.info(self.id).backend,
            why: self.why.to_string(),
        };
        emit(&event, None);
    }

    /// Takes the run to another backend between two steps.
    pub async fn move_to(&mut self, place: Place) -> Result<Answer, Failure> {
        self.close_epoch().await?;
        self.arriving = None;
        self.session.move_to(place).await?;
        self.changed = true;
        self.steps = Pace(1);
        let why = match place {
            Place::Cpu => "cpu-asked",
            Place::Gpu => "gpu-asked",
        };
        self.moved(Choice { place, why });
        Answer::of(&self.info())
    }

    fn fail(&mut self, failure: Failure) {
        self.tick();
        self.closing = None;
        if let Some(training) = self.training.take() {
            answer(training.message, Err(failure.clone()));
        }
        let run = self.id;
        emit(&Event::Fault { run, failure }, None);
    }

    async fn piece(&mut self, end: f64) -> Result<Next, Failure> {
        if let Some(mut asked) = self.asked.pop_front() {
            match self.evaluate_some(&mut asked.evaluator).await {
                Ok(true) => answer(asked.message, (asked.then)(asked.evaluator)),
                Ok(false) => self.asked.push_front(asked),
                Err(failure) => {
                    answer(asked.message, Err(failure.clone()));
                    self.mend(&failure).await;
                }
            }
            return Ok(Next::Now);
        }
        if self.closing.is_some() {
            self.close_some().await?;
            return Ok(Next::Now);
        }
        self.train_some(end).await
    }

    /// Whether the evaluation is done.
    async fn evaluate_some(&mut self, evaluator: &mut Evaluator) -> Result<bool, Failure> {
        let (start, batches) = (now(), self.batches.0);
        let done = self
            .session
            .evaluate_some(evaluator, batches as usize)
            .await?;
        if !done {
            let place = self.session.place();
            self.batches.learn(batches, now() - start, place);
        }
        Ok(done)
    }

    async fn close_some(&mut self) -> Result<(), Failure> {
        let Some(mut closing) = self.closing.take() else {
            return Ok(());
        };
        if self.evaluate_some(&mut closing.evaluator).await? {
            // The page gets an epoch's steps before its end.
            self.tick();
            let evaluation = closing.evaluator.finish();
            let saved = self.callbacks(Some(&evaluation)).await?;
            self.emit_epoch(closing.epoch, closing.step, Some(evaluation), saved);
        } else {
            self.closing = Some(closing);
        }
        Ok(())
    }

    async fn close_epoch(&mut self) -> Result<(), Failure> {
        while self.closing.is_some() {
            self.close_some().await?;
        }
        Ok(())
    }

    async fn train_some(&mut self, end: f64) -> Result<Next, Failure> {
        let Some(training) = &self.training else {
            return Ok(Next::Asked);
        };
        let left = training
            .step
            .map_or(u32::MAX, |s| s.saturating_sub(self.session.step()));
        if self.over {
            self.end(Some(Stopped::EarlyStopping));
            return Ok(Next::Asked);
        }
        if left == 0 || training.epoch.is_some_and(|e| self.session.epoch() >= e) {
            self.end(None);
            return Ok(Next::Asked);
        }
        let left = left - self.session.in_flight();
        let start = now();
        let mut count = self.steps.0.min(left);
        if self.limit > 0.0 && self.session.flights() == 0 {
            if self.due > start {
                if self.unseen.steps > 0 && start - self.ticked >= TICK {
                    self.tick();
                }
                return Ok(Next::In((self.due - start).min(TICK)));
            }
            // What a busy machine missed is not made up for.
            self.due = self.due.max(start - 100.0);
            let allowed = ((end - self.due) * self.limit / 1000.0).ceil().max(1.0);
            count = count.min(allowed as u32);
        }
        let due = self.changed || self.safety.due(&self.session, start);
        if self.session.flights() == 0 {
            self.keep().await?;
            self.session.queue(count);
            self.since = now();
        }
        // A GPU gets its next steps before the host has read what these gave; a pause for a
        // snapshot comes when none is under way.
        let ahead = self.session.place() == Place::Gpu && self.limit == 0.0 && !due;
        if ahead && self.session.flights() < IN_FLIGHT && self.steps.0 > 1 {
            let left = left.saturating_sub(self.session.in_flight());
            self.session.queue(self.steps.0.min(left));
        }
        let chunk = self.collect().await?;
        if self.limit > 0.0 {
            self.due += f64::from(chunk.steps) * 1000.0 / self.limit;
        }
        if let Some(step) = chunk.diverged {
            self.settle().await;
            self.diverged = Some(self.safety.diagnose(&mut self.session, step).await?);
            self.end(Some(Stopped::Diverged));
            return Ok(Next::Asked);
        }
        if chunk.steps == 0 {
            return Err(internal("no step was made"));
        }
        if now() - self.ticked >= TICK {
            self.tick();
        }
        Ok(Next::Now)
    }

    /// A snapshot, where the run could lose its device.
    async fn keep(&mut self) -> Result<(), Failure> {
        let changed = std::mem::take(&mut self.changed);
        self.safety.keep(&mut self.session, now(), changed).await
    }

    /// Begins what an epoch's end asks for.
    async fn ended(&mut self, chunk: &Chunk) -> Result<(), Failure> {
        if chunk.diverged.is_some() {
            return Ok(());
        }
        if !self.validation {
            if chunk.epoch_done {
                self.callbacks(None).await?;
            }
            return Ok(());
        }
        if let Some((epoch, step)) = self.unseen.epoch.take() {
            let evaluator = self.session.evaluation(Part::Validation)?;
            self.closing = Some(Closing {
                epoch,
                step,
                evaluator,
            });
        }
        Ok(())
    }
}
