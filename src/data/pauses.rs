//! Long work that lets others have a turn: it says how far it is, and may be told to give up.
use crate::spec::Problem;
use std::future::Future;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Bytes that are worked on between two pauses: some hundredths of a second.
const PIECE: usize = 1 << 20;

/// What a pause waits for; an error ends the work.
pub type Pause<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + 'a>>;

/// When to pause, and how far the work is.
pub struct Pauses<'a> {
    /// Given the share of the work that is done, 0…1.
    pause: Option<&'a dyn Fn(f64) -> Pause<'a>>,
    every: usize,
    /// Of all the work, what the stage at hand is.
    stage: Range<f64>,
    done: usize,
    total: usize,
    since: usize,
}

impl<'a> Pauses<'a> {
    pub fn new(pause: &'a dyn Fn(f64) -> Pause<'a>) -> Pauses<'a> {
        Pauses::every(PIECE, pause)
    }

    /// With a pause whenever so many bytes are done.
    pub fn every(bytes: usize, pause: &'a dyn Fn(f64) -> Pause<'a>) -> Pauses<'a> {
        Pauses {
            pause: Some(pause),
            every: bytes,
            ..Pauses::none()
        }
    }

    /// No pauses: the work is done in one go.
    pub fn none() -> Pauses<'static> {
        Pauses {
            pause: None,
            every: usize::MAX,
            stage: 0.0..1.0,
            done: 0,
            total: 0,
            since: 0,
        }
    }

    /// Begins a stage of the work: what share of it that is, and how many bytes.
    pub fn stage(&mut self, stage: Range<f64>, bytes: usize) {
        (self.stage, self.done, self.total) = (stage, 0, bytes);
    }

    /// To be called when so many bytes of the stage are done; pauses if it is time to.
    pub async fn after(&mut self, bytes: usize) -> Result<(), Problem> {
        self.done += bytes;
        self.spent(bytes).await
    }

    /// As [`Pauses::after`] where the stage's bytes are told by [`Pauses::reached`].
    pub async fn spent(&mut self, bytes: usize) -> Result<(), Problem> {
        self.since += bytes;
        if self.since < self.every {
            return Ok(());
        }
        self.since = 0;
        let share = (self.done as f64 / self.total.max(1) as f64).min(1.0);
        let Range { start, end } = self.stage;
        match self.pause {
            Some(pause) => pause(start + (end - start) * share).await,
            None => Ok(()),
        }
    }

    /// So many bytes of the stage are done.
    pub fn reached(&mut self, bytes: usize) {
        self.done = bytes;
    }
}

/// What work gives that never waits: that with [`Pauses::none`], or whose pauses are ready at once.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = work.as_mut().poll(&mut context) {
            return value;
        }
    }
}
