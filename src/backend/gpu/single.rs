//! One op by itself, as the op table runs it.
use super::device::Gpu;
use super::kernel::At;
use super::resolve::{Range, Resolver};
use super::run::{Buffers, GpuBackend, Steps, guarded, record, storage, words};
use crate::backend::EngineError;
use crate::graph::{ALIGN, Dtype, ProgramKind, slot_len};
use crate::ops::{Memory, Op, StepCtx};
use std::rc::Rc;

/// An op's kernels for operands of these shapes, inputs and outputs, in these places of buffers of
/// `lens` floats, behind which its scratch memory has one of its own; for up to `steps` steps.
async fn backend(
    gpu: &Rc<Gpu>,
    op: &Op,
    [xs, ys]: [&[&[usize]]; 2],
    [ins, outs]: [&[Range]; 2],
    lens: &[usize],
    steps: usize,
) -> Result<GpuBackend, EngineError> {
    let (list, own) = record(gpu, op, xs, ys);
    let mut resolver = Resolver::default();
    resolver.add(list, own, lens.len(), |at| match at {
        At::X(i) => ins[i],
        At::Y(i) => outs[i],
        At::Scratch { offset, len } => Range {
            buffer: lens.len(),
            offset,
            len,
        },
    });
    let scratch = resolver.scratch;
    let list = resolver.finish();
    let _alive = gpu.compile(list.iter()).await?;
    guarded(gpu, || {
        let mut buffers = Buffers::none(gpu);
        for len in lens.iter().chain([&scratch]) {
            buffers.0.push(storage(gpu, "operand", *len)?);
        }
        let (lists, steps) = (vec![(ProgramKind::Train, list)], Steps::new(gpu, steps));
        Ok(GpuBackend::of(
            gpu.clone(),
            buffers,
            lists,
            Vec::new(),
            steps,
        ))
    })
    .await
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
    let index = step.index as usize;
    let mut one = backend(&gpu, op, [&xs, &shapes], [&ins, &outs], &[end], index + 1).await?;
    one.put(one.buffers.0[0].clone(), 0, bytemuck::cast_slice(&image));
    one.run_at(0, step.step - step.index, step.index..step.index + 1);
    let fetch = one.ask(vec![(0, 0, end)]);
    let bytes = one.got(fetch).await?;
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

/// Milliseconds of one op on operands of these shapes, over about `budget` of them. For benchmarks.
pub async fn time_op(
    op: &Op,
    xs: &[Vec<usize>],
    ys: &[Vec<usize>],
    budget: f64,
) -> Result<f64, EngineError> {
    let gpu = Gpu::get().await?;
    let x: Vec<&[usize]> = xs.iter().map(|s| &s[..]).collect();
    let y: Vec<&[usize]> = ys.iter().map(|s| &s[..]).collect();
    // A buffer each.
    let lens: Vec<usize> = x.iter().chain(&y).map(|s| words(s, Dtype::F32)).collect();
    let whole = |(buffer, len): (usize, &usize)| Range {
        buffer,
        offset: 0,
        len: *len,
    };
    let all: Vec<Range> = lens.iter().enumerate().map(whole).collect();
    let (ins, outs) = all.split_at(x.len());
    let mut one = backend(&gpu, op, [&x, &y], [ins, outs], &lens, 1).await?;
    let (mut count, mut warm) = (1, false);
    loop {
        let begin = super::readback::now();
        one.run_at(0, 0, 0..count);
        let fetch = one.ask(vec![(x.len(), 0, 1)]);
        one.got(fetch).await?;
        let ms = super::readback::now() - begin;
        if warm && ms >= budget / 4.0 {
            return Ok(ms / f64::from(count));
        }
        warm = true;
        count = (f64::from(count) * (budget / 2.0 / ms.max(0.1)).clamp(1.0, 16.0)).ceil() as u32;
    }
}
