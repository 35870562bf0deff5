//! The CPU backend: a plan's steps as calls of SIMD kernels over one block of memory per slab.
mod call;
pub mod kernels;
mod memory;
pub mod pool;
mod step;

use super::{Backend, Data, EngineError, Place};
use crate::graph::{Dtype, ProgramKind, SlotId, numel};
use crate::ops::{Op, StepCtx};
use crate::plan::{Arg, Plan, Region, Slot};
pub use call::{Call, SUMS, View};
use memory::Block;
use step::Step;

pub struct CpuBackend {
    /// Slabs in the plan's order, then work, then scratch for each thread. Never moved after `prepare`, since
    /// the steps hold addresses into them.
    blocks: Vec<Block>,
    slots: Vec<(Slot, View)>,
    programs: Vec<(ProgramKind, Vec<Step>)>,
    scratch: Vec<View>,
}

impl Backend for CpuBackend {
    type Options = ();
    /// Nothing here waits.
    type Pending = Vec<Vec<f32>>;

    fn place(&self) -> Place {
        Place::Cpu
    }

    async fn prepare(plan: &Plan, _: &()) -> Result<Self, EngineError> {
        let out_of_memory = |floats: usize| EngineError::OutOfMemory { bytes: floats * 4 };
        let mut blocks = Vec::new();
        for s in &plan.slabs {
            blocks.push(Block::new(s.len).ok_or_else(|| out_of_memory(s.len))?);
        }
        blocks.push(Block::new(plan.work()).ok_or_else(|| out_of_memory(plan.work()))?);
        let scratch = plan
            .programs
            .iter()
            .flat_map(|p| &p.steps)
            .map(|s| s.scratch())
            .max()
            .unwrap_or(0);
        let threads = pool::wanted();
        for _ in 0..threads {
            blocks.push(Block::new(scratch).ok_or_else(|| out_of_memory(scratch))?);
        }
        let at = |region: Region| match region {
            Region::Work => plan.slabs.len(),
            Region::Slab(slab) => {
                let found = plan.slabs.iter().position(|s| s.slab == slab);
                found.expect("every slot's slab is listed")
            }
        };
        let view = |a: &Arg| blocks[at(a.region)].view(a.offset, &a.shape, a.dtype);
        let step = |s: &crate::plan::Step| {
            let x = s.inputs.iter().map(view).collect();
            let y = s.outputs.iter().map(view).collect();
            Step::new(&s.op, x, y, threads, None).ok_or_else(|| out_of_memory(scratch))
        };
        let mut programs = Vec::new();
        for p in &plan.programs {
            let steps: Result<_, _> = p.steps.iter().map(step).collect();
            programs.push((p.kind, steps?));
        }
        let slots = plan
            .slots
            .iter()
            .map(|s| {
                let v = blocks[at(Region::Slab(s.slab))].view(s.offset, &s.shape, s.dtype);
                (s.clone(), v)
            })
            .collect();
        let scratch = blocks[plan.slabs.len() + 1..]
            .iter()
            .map(|b| b.view(0, &[scratch], Dtype::F32))
            .collect();
        Ok(CpuBackend {
            blocks,
            slots,
            programs,
            scratch,
        })
    }

    fn write(&mut self, slot: SlotId, offset: usize, data: Data<'_>) {
        let (s, view) = &self.slots[slot.0 as usize];
        match (data, s.dtype) {
            (Data::F32(v), Dtype::F32) => view.f32_mut()[offset..][..v.len()].copy_from_slice(v),
            (Data::U8(v), Dtype::U8) => view.u8_mut()[offset..][..v.len()].copy_from_slice(v),
            (got, want) => panic!("slot {} holds {want:?}, not {got:?}", s.name),
        }
    }

    fn run(&mut self, program: ProgramKind, first_step: u32, steps: u32) {
        let found = self.programs.iter().find(|(k, _)| *k == program);
        let (_, prepared) = found.expect("the plan has this program");
        for index in 0..steps {
            let step = StepCtx {
                step: first_step + index,
                index,
            };
            for p in prepared {
                p.run(&self.scratch, step);
            }
        }
    }

    fn request(&mut self, slots: &[SlotId]) -> Self::Pending {
        let read = |id: &SlotId| {
            let (s, view) = &self.slots[id.0 as usize];
            match s.dtype {
                Dtype::F32 => view.f32().to_vec(),
                Dtype::U8 => view.u8().iter().map(|v| f32::from(*v)).collect(),
            }
        };
        slots.iter().map(read).collect()
    }

    async fn receive(&mut self, pending: Self::Pending) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(pending)
    }
}

impl CpuBackend {
    /// Bytes that it holds.
    pub fn memory(&self) -> usize {
        self.blocks.iter().map(Block::bytes).sum()
    }
}

/// Runs one op by itself: how the op table tests kernels. Scratch is made to measure; in-place
/// ops find their inputs in the outputs. The work is divided for as many threads, however little
/// it is; for one thread it is divided where that shows in the result.
pub fn run_op(
    op: &Op,
    x: &[(&[f32], &[usize], Dtype)],
    y: &mut [(&mut [f32], &[usize])],
    step: StepCtx,
    threads: usize,
) {
    let shapes_x: Vec<&[usize]> = x.iter().map(|(_, s, _)| *s).collect();
    let shapes_y: Vec<&[usize]> = y.iter().map(|(_, s)| *s).collect();
    let len = op.scratch(&shapes_x, &shapes_y);
    let rooms: Vec<Block> = (0..threads)
        .map(|_| Block::new(len).expect("small"))
        .collect();
    let scratch: Vec<View> = rooms
        .iter()
        .map(|b| b.view(0, &[len], Dtype::F32))
        .collect();
    let xs: Vec<Block> = x
        .iter()
        .map(|(v, s, dtype)| {
            let mut b = Block::new(numel(s)).expect("small");
            match dtype {
                Dtype::F32 => b.floats()[..v.len()].copy_from_slice(v),
                Dtype::U8 => {
                    let view = b.view(0, s, Dtype::U8);
                    for (to, v) in view.u8_mut().iter_mut().zip(v.iter()) {
                        *to = *v as u8;
                    }
                }
            }
            b
        })
        .collect();
    let views: Box<[View]> = xs
        .iter()
        .zip(x)
        .map(|(b, (_, s, dtype))| b.view(0, s, *dtype))
        .collect();
    let outs: Box<[View]> = y.iter_mut().map(|(v, s)| View::over(v, s)).collect();
    let small = Step::new(op, views, outs, threads, Some(0)).expect("small");
    small.run(&scratch, step);
}
