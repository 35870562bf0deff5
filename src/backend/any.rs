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
    async fn read(&mut self, slots: &[SlotId]) -> Result<Vec<Vec<f32>>, EngineError> {
        either!(self, b => b.read(slots).await)
    }
}
