//! The backend: buffers, pipelines and bind groups made in `prepare`, replayed by `run`.
use super::device::{Gpu, error};
use super::kernel::{At, Kernels};
use super::queue::{Fetch, Line};
use super::resolve::{Range, Ready, Resolver};
use crate::backend::{Backend, Data, EngineError, Place};
use crate::graph::{ALIGN, Dtype, ProgramKind, SlotId, numel, steps_per_run};
use crate::ops::Op;
use crate::plan::{Arg, Plan, Region, Slot};
use std::rc::Rc;
use wgpu::BufferUsages as Usage;

/// Between entries of the table of step numbers: what WebGPU asks of a dynamic offset.
pub(super) const STEP_STRIDE: u64 = 256;

/// A kernel with all it needs.
pub(super) struct Prepared {
    pub pipeline: wgpu::ComputePipeline,
    pub group: wgpu::BindGroup,
    pub groups: [u32; 3],
    pub step: bool,
}

/// The kernels of one step.
pub(super) struct Program {
    pub kernels: Vec<Prepared>,
    /// What tells them which step it is.
    pub steps: wgpu::BindGroup,
}

/// Buffers that are given back when these are dropped.
pub(super) struct Buffers(pub Vec<wgpu::Buffer>, pub Rc<Gpu>);

impl Buffers {
    pub fn none(gpu: &Rc<Gpu>) -> Buffers {
        Buffers(Vec::new(), gpu.clone())
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        for b in &self.0 {
            self.1.give_back(b);
        }
    }
}

/// What kernels of any step share: `index` by dynamic offset, and the first step's number.
pub(super) struct Steps {
    group: wgpu::BindGroup,
    buffers: Buffers,
}

impl Steps {
    pub fn new(gpu: &Rc<Gpu>, count: usize) -> Steps {
        let usage = Usage::UNIFORM | Usage::COPY_DST;
        let table = gpu.buffer("step.index", count as u64 * STEP_STRIDE, usage);
        let words = STEP_STRIDE as usize / 4;
        let mut indices = vec![0u32; count * words];
        for i in 0..count {
            indices[i * words] = i as u32;
        }
        gpu.queue
            .write_buffer(&table, 0, bytemuck::cast_slice(&indices));
        let first = gpu.buffer("step.first", 16, usage);
        gpu.count(1);
        let bound = |buffer, size| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset: 0,
                size: std::num::NonZeroU64::new(size),
            })
        };
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("step"),
            layout: &gpu.step_layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: bound(&table, 16),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: bound(&first, 16),
                },
            ],
        });
        Steps {
            group,
            buffers: Buffers(vec![table, first], gpu.clone()),
        }
    }
}

pub struct GpuBackend {
    pub(super) gpu: Rc<Gpu>,
    /// Slabs in the plan's order, then work, then scratch.
    pub(super) buffers: Buffers,
    slots: Vec<(Slot, usize)>,
    pub(super) programs: Vec<(ProgramKind, Program)>,
    steps: Steps,
    /// Staging buffers that wait for their next use.
    pub(super) staging: Buffers,
    pub(super) line: Line,
}

/// Values that were asked for.
pub struct Pending {
    fetch: Rc<Fetch>,
    slots: Vec<SlotId>,
}

pub(super) fn storage(gpu: &Gpu, label: &str, floats: usize) -> Result<wgpu::Buffer, EngineError> {
    let bytes = (floats.max(ALIGN) * 4) as u64;
    let most = gpu.limits.max_buffer_size;
    if bytes > most {
        return Err(EngineError::TooBig { bytes, most });
    }
    let usage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
    Ok(gpu.buffer(label, bytes, usage))
}

/// Bytes of a binding.
fn bound(r: &Range) -> u64 {
    r.len.max(1).next_multiple_of(4) as u64 * 4
}

/// Whether a device can run a kernel at all.
fn check(gpu: &Gpu, ready: &Ready) -> Result<(), EngineError> {
    let most = gpu.limits.max_storage_buffer_binding_size;
    if let Some(bytes) = ready.bind.iter().map(bound).find(|b| *b > most) {
        return Err(EngineError::TooBig { bytes, most });
    }
    let most = gpu.limits.max_compute_workgroups_per_dimension;
    if let Some(groups) = ready.groups.iter().find(|g| **g > most) {
        return Err(EngineError::Gpu {
            detail: format!("{} takes {groups} workgroups of {most}", ready.name),
        });
    }
    Ok(())
}

pub(super) fn prepared(gpu: &Gpu, ready: Ready, buffers: &[wgpu::Buffer]) -> Prepared {
    let (group_layout, layout) = gpu.layout(&ready.writable, ready.step);
    let pipeline = gpu.pipeline(ready.name, &ready.text, &layout);
    let entries: Vec<wgpu::BindGroupEntry> = ready
        .bind
        .iter()
        .enumerate()
        .map(|(i, r)| wgpu::BindGroupEntry {
            binding: i as u32,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &buffers[r.buffer],
                offset: r.offset as u64 * 4,
                size: std::num::NonZeroU64::new(bound(r)),
            }),
        })
        .collect();
    gpu.count(1);
    let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(ready.name),
        layout: &group_layout,
        entries: &entries,
    });
    Prepared {
        pipeline,
        group,
        groups: ready.groups,
        step: ready.step,
    }
}

/// Errors of what `f` makes; without this they would only be heard of later.
pub(super) async fn guarded<T>(
    gpu: &Gpu,
    f: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let memory = gpu.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let valid = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
    let inner = gpu.device.push_error_scope(wgpu::ErrorFilter::Internal);
    let made = f();
    // All at once: another network may be in the making while this one waits.
    let told = (inner.pop(), valid.pop(), memory.pop());
    let errors = [told.0.await, told.1.await, told.2.await];
    let made = made?;
    if let Some(e) = errors.into_iter().flatten().next() {
        gpu.forget_pipelines();
        return Err(error(e));
    }
    match gpu.faults.get() {
        Some(fault) => Err(fault),
        None => Ok(made),
    }
}

/// Notes down an op's kernels.
pub(super) fn record(
    gpu: &Gpu,
    op: &Op,
    xs: &[&[usize]],
    ys: &[&[usize]],
) -> (Vec<super::Dispatch>, usize) {
    let mut k = Kernels::new(xs, ys, gpu.alone.get());
    op.gpu(&mut k);
    k.finish()
}

pub(super) fn words(shape: &[usize], dtype: Dtype) -> usize {
    match dtype {
        Dtype::F32 => numel(shape),
        Dtype::U8 => numel(shape).div_ceil(4),
    }
}

impl Backend for GpuBackend {
    type Options = ();
    type Pending = Pending;

    fn place(&self) -> Place {
        Place::Gpu
    }

    async fn prepare(plan: &Plan, _: &()) -> Result<Self, EngineError> {
        let gpu = Gpu::get().await?;
        let made = GpuBackend::build(gpu.clone(), plan).await;
        match gpu.faults.get() {
            Some(fault) => Err(fault),
            None => made,
        }
    }

    fn write(&mut self, slot: SlotId, offset: usize, data: Data<'_>) {
        let (s, buffer) = &self.slots[slot.0 as usize];
        let (bytes, width): (&[u8], usize) = match (data, s.dtype) {
            (Data::F32(v), Dtype::F32) => (bytemuck::cast_slice(v), 4),
            (Data::U8(v), Dtype::U8) => (v, 1),
            (got, want) => panic!("slot {} holds {want:?}, not {got:?}", s.name),
        };
        let at = (s.offset * 4 + offset * width) as u64;
        let buffer = self.buffers.0[*buffer].clone();
        // Whole words only; a slot's last word is its own.
        let whole = bytes.len() / 4 * 4;
        let (head, rest) = bytes.split_at(whole);
        self.put(buffer.clone(), at, head);
        if !rest.is_empty() {
            let mut word = [0; 4];
            word[..rest.len()].copy_from_slice(rest);
            self.put(buffer, at + whole as u64, &word);
        }
    }

    fn run(&mut self, program: ProgramKind, first_step: u32, steps: u32) {
        let found = self.programs.iter().position(|(k, _)| *k == program);
        let found = found.expect("the plan has this program");
        self.run_at(found, first_step, 0..steps);
    }

    fn request(&mut self, slots: &[SlotId]) -> Pending {
        let parts = slots.iter().map(|id| {
            let (s, buffer) = &self.slots[id.0 as usize];
            (*buffer, s.offset, words(&s.shape, s.dtype))
        });
        let parts = parts.collect();
        Pending {
            fetch: self.ask(parts),
            slots: slots.to_vec(),
        }
    }

    async fn receive(&mut self, pending: Pending) -> Result<Vec<Vec<f32>>, EngineError> {
        let bytes = self.got(pending.fetch).await?;
        let mut rest = &bytes[..];
        let mut out = Vec::with_capacity(pending.slots.len());
        for id in &pending.slots {
            let s = &self.slots[id.0 as usize].0;
            let (own, after) = rest.split_at(words(&s.shape, s.dtype) * 4);
            rest = after;
            out.push(match s.dtype {
                Dtype::F32 => bytemuck::pod_collect_to_vec(own),
                Dtype::U8 => own[..numel(&s.shape)]
                    .iter()
                    .map(|v| f32::from(*v))
                    .collect(),
            });
        }
        Ok(out)
    }
}

impl GpuBackend {
    async fn build(gpu: Rc<Gpu>, plan: &Plan) -> Result<GpuBackend, EngineError> {
        let (work, pad) = (plan.slabs.len(), plan.slabs.len() + 1);
        let buffer_of = |region: Region| match region {
            Region::Work => work,
            Region::Slab(slab) => {
                let found = plan.slabs.iter().position(|s| s.slab == slab);
                found.expect("every slot's slab is listed")
            }
        };
        let range = |a: &Arg| Range {
            buffer: buffer_of(a.region),
            offset: a.offset,
            len: words(&a.shape, a.dtype),
        };
        let (mut scratch, mut lists) = (0, Vec::new());
        for p in &plan.programs {
            let mut resolver = Resolver::default();
            for s in &p.steps {
                let xs: Vec<&[usize]> = s.inputs.iter().map(|a| &a.shape[..]).collect();
                let ys: Vec<&[usize]> = s.outputs.iter().map(|a| &a.shape[..]).collect();
                let (list, own) = record(&gpu, &s.op, &xs, &ys);
                resolver.add(list, own, pad, |at| match at {
                    At::X(i) => range(&s.inputs[i]),
                    At::Y(i) => range(&s.outputs[i]),
                    At::Scratch { offset, len } => Range {
                        buffer: pad,
                        offset,
                        len,
                    },
                });
            }
            scratch = scratch.max(resolver.scratch);
            lists.push((p.kind, resolver.finish()));
        }
        let all = || lists.iter().flat_map(|(_, list): &(_, Vec<Ready>)| list);
        for ready in all() {
            check(&gpu, ready)?;
        }
        let _alive = gpu.compile(all()).await?;
        let g = gpu.clone();
        guarded(&g, || {
            let mut buffers = Buffers::none(&gpu);
            for s in &plan.slabs {
                buffers.0.push(storage(&gpu, &s.slab.name(), s.len)?);
            }
            buffers.0.push(storage(&gpu, "work", plan.work())?);
            buffers.0.push(storage(&gpu, "scratch", scratch)?);
            let slots = plan.slots.iter();
            let slots = slots.map(|s| (s.clone(), buffer_of(Region::Slab(s.slab))));
            let batch = plan.program(ProgramKind::Train).map_or(1, |p| p.batch);
            let steps = Steps::new(&gpu, steps_per_run(batch));
            Ok(GpuBackend::of(gpu, buffers, lists, slots.collect(), steps))
        })
        .await
    }

    /// Binds kernels.
    pub(super) fn of(
        gpu: Rc<Gpu>,
        buffers: Buffers,
        lists: Vec<(ProgramKind, Vec<Ready>)>,
        slots: Vec<(Slot, usize)>,
        steps: Steps,
    ) -> GpuBackend {
        let program = |(kind, list): (ProgramKind, Vec<Ready>)| {
            let kernels = list.into_iter().map(|r| prepared(&gpu, r, &buffers.0));
            let kernels = kernels.collect();
            let steps = steps.group.clone();
            (kind, Program { kernels, steps })
        };
        GpuBackend {
            programs: lists.into_iter().map(program).collect(),
            staging: Buffers::none(&gpu),
            line: Line::new(gpu.adapter.software),
            buffers,
            slots,
            steps,
            gpu,
        }
    }

    /// Runs a program, in its place of the list.
    pub(super) fn run_at(&mut self, program: usize, first: u32, steps: std::ops::Range<u32>) {
        let buffer = self.steps.buffers.0[1].clone();
        self.put(buffer, 0, bytemuck::bytes_of(&[first, 0, 0, 0]));
        self.walk(program, steps);
    }

    /// The device that it runs on.
    pub fn gpu(&self) -> &Rc<Gpu> {
        &self.gpu
    }
    /// Kernels of one run of a program.
    pub fn dispatches(&self, program: ProgramKind) -> usize {
        let found = self.programs.iter().find(|(k, _)| *k == program);
        found.map_or(0, |(_, program)| program.kernels.len())
    }
}
