//! Either backend, for runs that choose when they begin, or move.
use super::cpu::CpuBackend;
#[cfg(feature = "gpu")]
use super::gpu::GpuBackend;
use super::{Backend, Data, EngineError, Place};
use crate::graph::{ProgramKind, SlotId};
use crate::plan::Plan;

pub enum AnyBackend {
    Cpu(CpuBackend),
    #[cfg(feature = "gpu")]
    Gpu(Box<GpuBackend>),
}

/// Of either backend.
pub enum AnyPending {
    Cpu(Vec<Vec<f32>>),
    #[cfg(feature = "gpu")]
    Gpu(<GpuBackend as Backend>::Pending),
}

macro_rules! either {
    ($self:ident, $b:ident => $e:expr) => {
        match $self {
            AnyBackend::Cpu($b) => $e,
            #[cfg(feature = "gpu")]
            AnyBackend::Gpu($b) => $e,
        }
    };
}

impl Backend for AnyBackend {
    type Options = Place;
    type Pending = AnyPending;

    async fn prepare(plan: &Plan, place: &Place) -> Result<Self, EngineError> {
        match place {
            Place::Cpu => Ok(AnyBackend::Cpu(CpuBackend::prepare(plan, &()).await?)),
            #[cfg(feature = "gpu")]
            Place::Gpu => {
                let made = GpuBackend::prepare(plan, &()).await?;
                Ok(AnyBackend::Gpu(Box::new(made)))
            }
            #[cfg(not(feature = "gpu"))]
            Place::Gpu => Err(EngineError::NoGpu {
                detail: "this build of the engine has no GPU backend".into(),
            }),
        }
    }
    fn place(&self) -> Place {
        either!(self, b => b.place())
    }
    fn write(&mut self, slot: SlotId, offset: usize, data: Data<'_>) {
        either!(self, b => b.write(slot, offset, data));
    }
    fn run(&mut self, program: ProgramKind, first_step: u32, steps: u32) {
        either!(self, b => b.run(program, first_step, steps));
    }
    fn request(&mut self, slots: &[SlotId]) -> AnyPending {
        match self {
            AnyBackend::Cpu(b) => AnyPending::Cpu(b.request(slots)),
            #[cfg(feature = "gpu")]
            AnyBackend::Gpu(b) => AnyPending::Gpu(b.request(slots)),
        }
    }
    async fn receive(&mut self, pending: AnyPending) -> Result<Vec<Vec<f32>>, EngineError> {
        match (self, pending) {
            (_, AnyPending::Cpu(values)) => Ok(values),
            #[cfg(feature = "gpu")]
            (AnyBackend::Gpu(b), AnyPending::Gpu(pending)) => b.receive(pending).await,
            #[cfg(feature = "gpu")]
            (AnyBackend::Cpu(_), AnyPending::Gpu(_)) => {
                unreachable!("a backend is asked for what it was asked for")
            }
        }
    }
}
