//! The one seam: a backend prepares a plan once and replays its programs.
//!
//! `cpu` runs everywhere, `gpu` where there is an adapter; nothing outside this folder knows which
//! one runs.
mod any;
pub mod cpu;
pub mod gpu;

use crate::graph::{ProgramKind, SlotId};
use crate::plan::Plan;
pub use any::AnyBackend;

/// Values for [`Backend::write`], of the slot's own type.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    F32(&'a [f32]),
    U8(&'a [u8]),
}

/// Why a backend cannot go on.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineError {
    OutOfMemory {
        bytes: usize,
    },
    DeviceLost {
        detail: String,
    },
    /// No adapter, or it gave no device.
    NoGpu {
        detail: String,
    },
    /// The driver refused a kernel or a command.
    Gpu {
        detail: String,
    },
    /// The device did not answer.
    TimedOut {
        seconds: u32,
    },
    /// More than the device can bind at once.
    TooBig {
        bytes: u64,
        most: u64,
    },
}

/// Where a run computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Cpu,
    Gpu,
}

/// Only `prepare`, `receive` and `read` wait; after `prepare`, `write` and `run` create nothing.
#[allow(
    async_fn_in_trait,
    reason = "only the trainer worker awaits these, on one thread"
)]
pub trait Backend: Sized {
    /// What it must be told beside the plan.
    type Options: Clone + Default;
    /// Values that were asked for and may not have come yet.
    type Pending;
    /// Compiles kernels, allocates, binds. All memory begins as zeros.
    async fn prepare(plan: &Plan, options: &Self::Options) -> Result<Self, EngineError>;
    fn place(&self) -> Place;
    /// Puts values into a slot from element `offset` on. Queued.
    fn write(&mut self, slot: SlotId, offset: usize, data: Data<'_>);
    /// Runs a program `steps` times; step number `first_step + i` sees table row `i`. Queued.
    fn run(&mut self, program: ProgramKind, first_step: u32, steps: u32);
    /// Asks for the slots' values as they are after what was queued so far. Queued: more can be
    /// queued behind it, and does not change them.
    fn request(&mut self, slots: &[SlotId]) -> Self::Pending;
    /// Waits for them. To be called in the order of the requests.
    async fn receive(&mut self, pending: Self::Pending) -> Result<Vec<Vec<f32>>, EngineError>;
    /// Waits for what is queued and returns the slots' values.
    async fn read(&mut self, slots: &[SlotId]) -> Result<Vec<Vec<f32>>, EngineError> {
        let pending = self.request(slots);
        self.receive(pending).await
    }
}
