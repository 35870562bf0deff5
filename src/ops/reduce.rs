//! Reductions and their opposite.
use super::*;
use crate::backend::cpu::kernels::{V, reduce};
use crate::graph::numel;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Into how many pieces a norm is summed, at most.
const PIECES: usize = 32;

/// `x[…] → y[1]`, the mean of all elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Mean;

/// `x[1] → y[shape]`, every element scale·x.
#[derive(Clone, Debug, PartialEq)]
pub struct Expand {
    pub shape: Shape,
    pub scale: f32,
}

/// `x[…,n] → y[n]`, the sum over all rows: a bias' gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct ColSums;

/// `x[…] → y[1]`, √Σx².
#[derive(Clone, Debug, PartialEq)]
pub struct Norm;

impl OpDef for Mean {
    fn infer(&self, _: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![1]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let shape = b.shape(b.x(0)).to_vec();
        let scale = 1.0 / numel(&shape) as f32;
        let dx = b.emit(Expand { shape, scale }, &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let mut s = T::of(0.0);
        for v in &c.x[0] {
            s += *v;
        }
        c.y[0][0] = s / T::of(c.x[0].len() as f64);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let x = c.x(0);
        c.y(0)[0] = reduce::sum::<V>(x) / x.len() as f32;
    }
    fn gpu(&self, k: &mut Kernels) {
        let n = numel(k.xs(0));
        let finish = format!("v * {}", float(1.0 / n as f32));
        k.reduce(&total(n, &[At::X(0)], "return x0[r];", &finish));
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "mean".into()
    }
}

impl OpDef for Expand {
    fn infer(&self, _: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![self.shape.clone()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let mean = b.emit(Mean, &[dy])?;
        let scale = self.scale * numel(&self.shape) as f32;
        let dx = b.emit(
            Expand {
                shape: vec![1],
                scale,
            },
            &[mean],
        )?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        c.y[0].fill(c.x[0][0] * T::of(f64::from(self.scale)));
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let v = c.x(0)[0] * self.scale;
        c.y(0).fill(v);
    }
    fn gpu(&self, k: &mut Kernels) {
        k.map(Map {
            n: numel(&self.shape),
            reads: vec![(At::X(0), "0".into())],
            writes: vec![(At::Y(0), EACH.into())],
            body: format!("r0 = a0 * {};", float(self.scale)),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        1
    }
    fn describe(&self) -> String {
        format!("expand(×{})", self.scale)
    }
}

impl OpDef for ColSums {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![rows_last(x[0]).1]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        // ones[rows,1] · dy[1,n]
        let shape = b.shape(b.x(0)).to_vec();
        let (rows, n) = rows_last(&shape);
        let ones = b.emit(
            Fill {
                shape: vec![rows, 1],
                value: 1.0,
            },
            &[],
        )?;
        let row = b.emit(Reshape { shape: vec![1, n] }, &[dy])?;
        let flat = b.emit(
            MatMul {
                ta: false,
                tb: false,
            },
            &[ones, row],
        )?;
        let dx = b.emit(Reshape { shape }, &[flat])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n) = rows_last(c.xs[0]);
        for r in 0..rows {
            for j in 0..n {
                c.y[0][j] += c.x[0][r * n + j];
            }
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::sums(x[0], &[0], 0)
    }
    fn cpu(&self, c: &mut Call) {
        reduce::col_sums::<V>(c.x(0), c.y(0), false);
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        let value = format!("return x0[r * {n}u + o];");
        k.columns(rows, n, &[At::X(0)], &value, "v", At::Y(0));
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "col_sums".into()
    }
}

impl OpDef for Norm {
    fn infer(&self, _: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![1]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let mut s = T::of(0.0);
        for v in &c.x[0] {
            s += *v * *v;
        }
        c.y[0][0] = s.map(f64::sqrt);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        // Summed in pieces that do not depend on the threads.
        let x = c.x(0);
        let len = x.len().div_ceil(PIECES).next_multiple_of(4096);
        let sums = [const { AtomicU32::new(0) }; PIECES];
        let pieces = x.len().div_ceil(len.max(1));
        c.each(pieces, &|i, _| {
            let piece = &x[i * len..x.len().min((i + 1) * len)];
            sums[i].store(reduce::sum_sq::<V>(piece).to_bits(), Relaxed);
        });
        let sum = |a: f32, s: &AtomicU32| a + f32::from_bits(s.load(Relaxed));
        c.y(0)[0] = sums.iter().fold(0.0, sum).sqrt();
    }
    fn gpu(&self, k: &mut Kernels) {
        let n = numel(k.xs(0));
        k.reduce(&total(n, &[At::X(0)], "return x0[r] * x0[r];", "sqrt(v)"));
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        2 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "norm".into()
    }
}

/// A sum over all n elements, into output 0.
pub(super) fn total<'r>(
    n: usize,
    reads: &'r [At],
    value: &'r str,
    finish: &'r str,
) -> Reduction<'r> {
    Reduction {
        outs: 1,
        count: n,
        reads,
        value,
        combine: Combine::Sum,
        finish,
        along_r: true,
        write: At::Y(0),
        uses: &[],
    }
}
