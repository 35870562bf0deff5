//! A step of a plan, ready to run: its arguments resolved to addresses, and cut into parts where
//! threads share the work.
use super::call::{Call, SUMS, View};
use super::memory::Block;
use super::pool;
use crate::graph::numel;
use crate::ops::{Op, StepCtx};

/// Below this [`cost`] a step stays on one thread: what two threads and one take alike, about 8 µs.
/// Measured: see docs/performance.md.
const SMALL: u64 = 400_000;
/// Operations of a product in the time that an elementwise op takes for a float.
const WRITE: u64 = 8;
/// Most floats that such sums may take beside the result.
const SUM_FLOATS: usize = 1 << 20;

/// Some rows of a step.
struct Part {
    x: Box<[View]>,
    y: Box<[View]>,
}

pub struct Step {
    op: Op,
    x: Box<[View]>,
    y: Box<[View]>,
    /// None: the op runs as a whole.
    parts: Box<[Part]>,
    /// The outputs that are sums of the parts'.
    sums: Box<[usize]>,
    /// Threads that it is worth.
    threads: usize,
    /// What the sums beyond the first part's are made in.
    _memory: Option<Block>,
}

/// What a step takes, in floating-point operations of a product.
fn cost(op: &Op, x: &[&[usize]], y: &[&[usize]]) -> u64 {
    let written: usize = y.iter().map(|s| numel(s)).sum();
    op.flops(x, y) + WRITE * written as u64
}

/// Where part `i` of `parts` begins, at a multiple of `unit`.
fn bound(rows: usize, unit: usize, i: usize, parts: usize) -> usize {
    (rows.div_ceil(unit) * i / parts * unit).min(rows)
}

impl Step {
    /// For at most `threads` threads; None when there is no memory for it. A step of less than
    /// `small` cost is for one.
    pub fn new(
        op: &Op,
        x: Box<[View]>,
        y: Box<[View]>,
        threads: usize,
        small: Option<u64>,
    ) -> Option<Step> {
        let xs: Vec<&[usize]> = x.iter().map(|v| &v.shape[..]).collect();
        let ys: Vec<&[usize]> = y.iter().map(|v| &v.shape[..]).collect();
        // Builds without threads need no parts, nor sums of them.
        let worth = pool::THREADS && cost(op, &xs, &ys) >= small.unwrap_or(SMALL);
        let split = op.split(&xs, &ys);
        let is_cut = |bits: u32, i: usize| bits >> i & 1 == 1;
        let sums: Box<[usize]> = (0..y.len()).filter(|i| !is_cut(split.y, *i)).collect();
        let summed: usize = sums.iter().map(|i| numel(ys[*i])).sum();
        // Rows are cut where vectors begin.
        let row = numel(xs.first().or(ys.first()).map_or(&[][..], |s| s)) / split.rows.max(1);
        let unit = (1..=16)
            .find(|u| (u * row).is_multiple_of(16))
            .unwrap_or(16);
        let most = (split.rows / split.grain.max(unit)).max(1);
        let count = match () {
            _ if !worth || split.rows <= 1 => 1,
            _ if sums.is_empty() => threads.min(most),
            _ => SUMS.min(most).min(1 + SUM_FLOATS / summed.max(1)),
        };
        let mut memory = None;
        let mut parts = Vec::new();
        if count > 1 {
            let room = summed.next_multiple_of(16);
            let block = Block::new((count - 1) * room)?;
            for i in 0..count {
                let first = bound(split.rows, unit, i, count);
                let n = bound(split.rows, unit, i + 1, count) - first;
                let cut = |v: &View, yes: bool| match yes {
                    true => v.cut(first, n, split.rows),
                    false => v.share(),
                };
                let mut at = i.wrapping_sub(1).wrapping_mul(room);
                parts.push(Part {
                    x: x.iter()
                        .enumerate()
                        .map(|(j, v)| cut(v, is_cut(split.x, j)))
                        .collect(),
                    y: y.iter()
                        .enumerate()
                        .map(|(j, v)| {
                            if is_cut(split.y, j) || i == 0 {
                                return cut(v, is_cut(split.y, j));
                            }
                            let sum = block.view(at, &v.shape, v.dtype);
                            at += numel(&v.shape);
                            sum
                        })
                        .collect(),
                });
            }
            memory = Some(block);
        }
        Some(Step {
            op: op.clone(),
            threads: if worth { threads } else { 1 },
            x,
            y,
            parts: parts.into(),
            sums,
            _memory: memory,
        })
    }

    /// `scratch`: one per thread.
    pub fn run(&self, scratch: &[View], step: StepCtx) {
        let scratch = &scratch[..self.threads.min(scratch.len())];
        if self.parts.is_empty() {
            return self.op.cpu(&mut Call::new(&self.x, &self.y, scratch, step));
        }
        pool::run(scratch.len(), self.parts.len(), &|part, thread| {
            let p = &self.parts[part];
            let scratch = std::slice::from_ref(&scratch[thread]);
            self.op.cpu(&mut Call::new(&p.x, &p.y, scratch, step));
        });
        for i in &self.sums {
            let y = self.y[*i].f32_mut();
            for p in &self.parts[1..] {
                super::kernels::elementwise::add_in_place::<super::kernels::V>(y, p.y[*i].f32());
            }
        }
    }
}
