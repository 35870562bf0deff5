//! The backend: buffers, pipelines and bind groups made in `prepare`, replayed by `run`.
use super::device::{Gpu, error};
use super::kernel::{At, Kernels};
use super::readback::mapped;
use super::resolve::{Range, Ready, Resolver};
use crate::backend::{Backend, Data, EngineError, Place};
use crate::graph::{ALIGN, Dtype, ProgramKind, SlotId, numel, slot_len, steps_per_run};
use crate::ops::{Memory, Op, StepCtx};
use crate::plan::{Arg, Plan, Region, Slot};
use std::cell::RefCell;
use std::rc::Rc;
use wgpu::BufferUsages as Usage;

/// Between entries of the table of step numbers: what WebGPU asks of a dynamic offset.
const STEP_STRIDE: u64 = 256;
/// Commands of one submit, so that the display gets its turn on a GPU that both use.
const COMMANDS: usize = 8192;

/// A kernel with all it needs.
struct Prepared {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    groups: [u32; 3],
    step: bool,
}

/// Buffers that are given back when these are dropped.
struct Buffers(Vec<wgpu::Buffer>, Rc<Gpu>);

impl Buffers {
    fn none(gpu: &Rc<Gpu>) -> Buffers {
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
struct Steps {
    group: wgpu::BindGroup,
    buffers: Buffers,
}

impl Steps {
    fn new(gpu: &Rc<Gpu>, count: usize) -> Steps {
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
    fn first(&self, gpu: &Gpu, step: u32) {
        gpu.queue
            .write_buffer(&self.buffers.0[1], 0, bytemuck::bytes_of(&[step, 0, 0, 0]));
    }
}

pub struct GpuBackend {
    gpu: Rc<Gpu>,
    /// Slabs in the plan's order, then work, then scratch.
    buffers: Buffers,
    slots: Vec<(Slot, usize)>,
    programs: Vec<(ProgramKind, Vec<Prepared>)>,
    steps: Steps,
    /// Staging buffers that wait for their next use.
    staging: RefCell<Buffers>,
}

fn storage(gpu: &Gpu, label: &str, floats: usize) -> Result<wgpu::Buffer, EngineError> {
    let bytes = (floats.max(ALIGN) * 4) as u64;
    let most = gpu
        .limits
        .max_buffer_size
        .min(gpu.limits.max_storage_buffer_binding_size);
    if bytes > most {
        return Err(EngineError::TooBig { bytes, most });
    }
    let usage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
    Ok(gpu.buffer(label, bytes, usage))
}

fn prepared(gpu: &Gpu, ready: Ready, buffers: &[wgpu::Buffer]) -> Prepared {
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
                size: std::num::NonZeroU64::new(r.len.max(1).next_multiple_of(4) as u64 * 4),
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
async fn guarded<T>(
    gpu: &Gpu,
    f: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let memory = gpu.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let valid = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
    let inner = gpu.device.push_error_scope(wgpu::ErrorFilter::Internal);
    let made = f();
    let errors = [inner.pop().await, valid.pop().await, memory.pop().await];
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
fn record(op: &Op, xs: &[&[usize]], ys: &[&[usize]]) -> (Vec<super::Dispatch>, usize) {
    let mut k = Kernels::new(xs, ys);
    op.gpu(&mut k);
    k.finish()
}

fn words(shape: &[usize], dtype: Dtype) -> usize {
    match dtype {
        Dtype::F32 => numel(shape),
        Dtype::U8 => numel(shape).div_ceil(4),
    }
}

impl Backend for GpuBackend {
    type Options = ();

    fn place(&self) -> Place {
        Place::Gpu
    }

    async fn prepare(plan: &Plan, _: &()) -> Result<Self, EngineError> {
        let gpu = Gpu::get().await?;
        let g = gpu.clone();
        guarded(&g, || GpuBackend::build(gpu, plan)).await
    }

    fn write(&mut self, slot: SlotId, offset: usize, data: Data<'_>) {
        let (s, buffer) = &self.slots[slot.0 as usize];
        let (bytes, width): (&[u8], usize) = match (data, s.dtype) {
            (Data::F32(v), Dtype::F32) => (bytemuck::cast_slice(v), 4),
            (Data::U8(v), Dtype::U8) => (v, 1),
            (got, want) => panic!("slot {} holds {want:?}, not {got:?}", s.name),
        };
        let at = (s.offset * 4 + offset * width) as u64;
        let buffer = &self.buffers.0[*buffer];
        // Whole words only; a slot's last word is its own.
        let whole = bytes.len() / 4 * 4;
        let (head, rest) = bytes.split_at(whole);
        self.gpu.queue.write_buffer(buffer, at, head);
        if !rest.is_empty() {
            let mut word = [0; 4];
            word[..rest.len()].copy_from_slice(rest);
            self.gpu
                .queue
                .write_buffer(buffer, at + whole as u64, &word);
        }
    }

    fn run(&mut self, program: ProgramKind, first_step: u32, steps: u32) {
        let found = self.programs.iter().find(|(k, _)| *k == program);
        let (_, prepared) = found.expect("the plan has this program");
        self.steps.first(&self.gpu, first_step);
        let at_once = (COMMANDS / prepared.len().max(1)).max(1) as u32;
        let mut index = 0;
        while index < steps {
            let end = steps.min(index + at_once);
            submit(&self.gpu, prepared, &self.steps, index..end);
            index = end;
        }
    }

    async fn read(&mut self, slots: &[SlotId]) -> Result<Vec<Vec<f32>>, EngineError> {
        let parts: Vec<(&wgpu::Buffer, usize, usize)> = slots
            .iter()
            .map(|id| {
                let (s, buffer) = &self.slots[id.0 as usize];
                let n = words(&s.shape, s.dtype);
                (&self.buffers.0[*buffer], s.offset, n)
            })
            .collect();
        let bytes = fetch(&self.gpu, &self.staging, &parts).await?;
        let mut rest = &bytes[..];
        let mut out = Vec::with_capacity(slots.len());
        for id in slots {
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

/// One command buffer with these steps.
fn submit(gpu: &Gpu, kernels: &[Prepared], steps: &Steps, range: std::ops::Range<u32>) {
    let d = &gpu.device;
    let mut encoder = d.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for index in range {
            for k in kernels {
                pass.set_pipeline(&k.pipeline);
                pass.set_bind_group(0, &k.group, &[]);
                if k.step {
                    let offset = index * STEP_STRIDE as u32;
                    pass.set_bind_group(1, &steps.group, &[offset]);
                }
                let [x, y, z] = k.groups;
                pass.dispatch_workgroups(x, y, z);
            }
        }
    }
    gpu.queue.submit([encoder.finish()]);
}

/// Copies parts of buffers, in floats, to the host, one after another.
async fn fetch(
    gpu: &Gpu,
    pool: &RefCell<Buffers>,
    parts: &[(&wgpu::Buffer, usize, usize)],
) -> Result<Vec<u8>, EngineError> {
    let bytes: u64 = parts.iter().map(|(_, _, n)| *n as u64 * 4).sum();
    if bytes == 0 {
        return Ok(Vec::new());
    }
    let kept = {
        let free = &mut pool.borrow_mut().0;
        let fits = free.iter().position(|b| b.size() >= bytes);
        fits.map(|i| free.swap_remove(i))
    };
    let staging = kept.unwrap_or_else(|| {
        let size = bytes.next_power_of_two().max(1024);
        gpu.buffer("staging", size, Usage::MAP_READ | Usage::COPY_DST)
    });
    let d = &gpu.device;
    let mut encoder = d.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let mut at = 0;
    for (buffer, offset, n) in parts {
        let n = *n as u64 * 4;
        encoder.copy_buffer_to_buffer(buffer, *offset as u64 * 4, &staging, at, n);
        at += n;
    }
    gpu.queue.submit([encoder.finish()]);
    let got = mapped(gpu, &staging, bytes).await;
    match got {
        Ok(_) => pool.borrow_mut().0.push(staging),
        Err(_) => gpu.give_back(&staging),
    }
    got
}

impl GpuBackend {
    fn build(gpu: Rc<Gpu>, plan: &Plan) -> Result<GpuBackend, EngineError> {
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
                let (list, own) = record(&s.op, &xs, &ys);
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
        let mut buffers = Buffers::none(&gpu);
        for s in &plan.slabs {
            buffers.0.push(storage(&gpu, &s.slab.name(), s.len)?);
        }
        buffers.0.push(storage(&gpu, "work", plan.work())?);
        buffers.0.push(storage(&gpu, "scratch", scratch)?);
        let programs = lists
            .into_iter()
            .map(|(kind, list)| {
                let list = list.into_iter().map(|r| prepared(&gpu, r, &buffers.0));
                (kind, list.collect())
            })
            .collect();
        let slots = plan.slots.iter();
        let slots = slots.map(|s| (s.clone(), buffer_of(Region::Slab(s.slab))));
        let batch = plan.program(ProgramKind::Train).map_or(1, |p| p.batch);
        Ok(GpuBackend {
            steps: Steps::new(&gpu, steps_per_run(batch)),
            slots: slots.collect(),
            buffers,
            programs,
            staging: RefCell::new(Buffers::none(&gpu)),
            gpu,
        })
    }

    /// The device that it runs on.
    pub fn gpu(&self) -> &Rc<Gpu> {
        &self.gpu
    }
    /// Kernels of one run of a program.
    pub fn dispatches(&self, program: ProgramKind) -> usize {
        let found = self.programs.iter().find(|(k, _)| *k == program);
        found.map_or(0, |(_, list)| list.len())
    }
}

/// Runs one op by itself, as the op table does: inputs and outputs side by side in one buffer
/// that `guard` fills between them. Returns the outputs, and whether all guards stand.
pub async fn run_op(
    op: &Op,
    x: &[(&[f32], &[usize], Dtype)],
    ys: &[Vec<usize>],
    step: StepCtx,
    guard: f32,
) -> Result<(Vec<Vec<f32>>, bool), EngineError> {
    let gpu = Gpu::get().await?;
    let xs: Vec<&[usize]> = x.iter().map(|(_, s, _)| *s).collect();
    let shapes: Vec<&[usize]> = ys.iter().map(|s| &s[..]).collect();
    let (list, own) = record(op, &xs, &shapes);
    let mut end = ALIGN;
    let mut place = |shape: &[usize], dtype: Dtype| {
        let r = Range {
            buffer: 0,
            offset: end,
            len: words(shape, dtype),
        };
        end += slot_len(shape, dtype) + ALIGN;
        r
    };
    let ins: Vec<Range> = x.iter().map(|(_, s, d)| place(s, *d)).collect();
    let in_place = op.memory() == Memory::InPlace;
    let outs: Vec<Range> = (0..ys.len())
        .map(|i| match in_place {
            true => ins[i],
            false => place(&ys[i], Dtype::F32),
        })
        .collect();
    let mut image = vec![guard; end];
    for ((v, _, dtype), r) in x.iter().zip(&ins) {
        match dtype {
            Dtype::F32 => image[r.offset..][..v.len()].copy_from_slice(v),
            Dtype::U8 => {
                let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut image[r.offset..][..r.len]);
                for (to, v) in bytes.iter_mut().zip(v.iter()) {
                    *to = *v as u8;
                }
            }
        }
    }
    let mut resolver = Resolver::default();
    resolver.add(list, own, 1, |at| match at {
        At::X(i) => ins[i],
        At::Y(i) => outs[i],
        At::Scratch { offset, len } => Range {
            buffer: 1,
            offset,
            len,
        },
    });
    let scratch = resolver.scratch;
    let (steps, buffers, kernels) = guarded(&gpu, || {
        let mut buffers = Buffers::none(&gpu);
        for (label, len) in [("arguments", end), ("scratch", scratch)] {
            buffers.0.push(storage(&gpu, label, len)?);
        }
        let kernels = resolver.finish().into_iter();
        let kernels: Vec<Prepared> = kernels.map(|r| prepared(&gpu, r, &buffers.0)).collect();
        let steps = Steps::new(&gpu, step.index as usize + 1);
        Ok((steps, buffers, kernels))
    })
    .await?;
    gpu.queue
        .write_buffer(&buffers.0[0], 0, bytemuck::cast_slice(&image));
    steps.first(&gpu, step.step - step.index);
    submit(&gpu, &kernels, &steps, step.index..step.index + 1);
    let pool = RefCell::new(Buffers::none(&gpu));
    let bytes = fetch(&gpu, &pool, &[(&buffers.0[0], 0, end)]).await?;
    let after: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
    let taken = |i: usize| {
        ins.iter()
            .chain(&outs)
            .any(|r| (r.offset..r.offset + r.len).contains(&i))
    };
    let intact = (0..end).all(|i| taken(i) || after[i].to_bits() == guard.to_bits());
    let got = outs.iter().map(|r| after[r.offset..][..r.len].to_vec());
    Ok((got.collect(), intact))
}
