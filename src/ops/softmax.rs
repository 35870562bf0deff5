//! Softmax over the last axis: `x[…,C] → y[…,C]`.
use super::*;
use crate::backend::cpu::kernels::{V, softmax};
use crate::graph::numel;

/// y = exp(x − max x) / Σ exp(x − max x), per row.
#[derive(Clone, Debug, PartialEq)]
pub struct Softmax;

/// `(y[…,C], dy[…,C]) → dx[…,C]`, dx = y·(dy − Σ y·dy).
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxGrad;

/// The reference of one row.
pub(super) fn softmax_row<T: Real>(x: &[T], y: &mut [T]) {
    let max = x.iter().fold(x[0], |m, v| m.max(*v));
    let mut sum = T::of(0.0);
    for (y, x) in y.iter_mut().zip(x) {
        *y = (*x - max).map(libm::exp);
        sum += *y;
    }
    for y in y {
        *y = *y / sum;
    }
}

impl OpDef for Softmax {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let dx = b.emit(SoftmaxGrad, &[b.y(0), dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n) = rows_last(c.xs[0]);
        for r in 0..rows {
            softmax_row(&c.x[0][r * n..][..n], &mut c.y[0][r * n..][..n]);
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let (_, n) = rows_last(c.xs(0));
        softmax::softmax::<V>(c.x(0), n, c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        forward_kernel(k, rows, n, 1, false);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        4 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "softmax".into()
    }
}

impl OpDef for SoftmaxGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n) = rows_last(c.xs[0]);
        for r in 0..rows {
            let (y, dy) = (&c.x[0][r * n..][..n], &c.x[1][r * n..][..n]);
            let mut dot = T::of(0.0);
            for (a, b) in y.iter().zip(dy) {
                dot += *a * *b;
            }
            for j in 0..n {
                c.y[0][r * n + j] = y[j] * (dy[j] - dot);
            }
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let (_, n) = rows_last(c.xs(0));
        softmax::softmax_grad::<V>(c.x(0), c.x(1), n, c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        backward_kernel(k, rows, n, 1, false);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        4 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "softmax_grad".into()
    }
}

/// The length of rows that invocations share, whose elements lie `inner` apart: only neighbours.
fn shared_len(n: usize, inner: usize) -> usize {
    if inner == 1 { n } else { 1 }
}

/// `rows` softmaxes of n elements that lie `inner` apart.
pub(super) fn forward_kernel(k: &mut Kernels, rows: usize, n: usize, inner: usize, log: bool) {
    k.kernel(shader!("softmax"))
        .sizes(&[("ROWS", rows), ("N", n), ("INNER", inner)])
        .flag("LOG", log)
        .bind(&[At::X(0), At::Y(0)])
        .each_row(rows, shared_len(n, inner));
}

pub(super) fn backward_kernel(k: &mut Kernels, rows: usize, n: usize, inner: usize, log: bool) {
    k.kernel(shader!("softmax_grad"))
        .sizes(&[("ROWS", rows), ("N", n), ("INNER", inner)])
        .flag("LOG", log)
        .bind(&[At::X(0), At::X(1), At::Y(0)])
        .each_row(rows, shared_len(n, inner));
}
