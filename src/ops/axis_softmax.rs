//! Softmax and log-softmax along any axis: `x[…,n,…] → y[…,n,…]`.
use super::strides::RANK;
use super::*;
use crate::backend::cpu::kernels::{F32x4, V, elementwise, math, softmax};
use crate::graph::numel;

/// y = exp(x − max)/Σ exp(x − max) along `axis`, or its logarithm.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisSoftmax {
    pub axis: usize,
    pub log: bool,
}

/// `(y[…,n,…], dy[…,n,…]) → dx[…,n,…]`: y·(dy − Σ y·dy), or dy − exp(y)·Σ dy.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisSoftmaxGrad {
    pub axis: usize,
    pub log: bool,
}

/// (axes before, the axis, axes after), each as one.
fn blocks(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    debug_assert!(shape.len() <= RANK);
    let (before, after) = (numel(&shape[..axis]), numel(&shape[axis + 1..]));
    (before, shape[axis], after)
}

impl OpDef for AxisSoftmax {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let AxisSoftmax { axis, log } = *self;
        let dx = b.emit(AxisSoftmaxGrad { axis, log }, &[b.y(0), dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (outer, n, inner) = blocks(c.xs[0], self.axis);
        for o in 0..outer {
            for i in 0..inner {
                let at = |j: usize| (o * n + j) * inner + i;
                let x: Vec<T> = (0..n).map(|j| c.x[0][at(j)]).collect();
                let max = x.iter().fold(x[0], |m, v| m.max(*v));
                let mut sum = T::of(0.0);
                for v in &x {
                    sum += (*v - max).map(libm::exp);
                }
                for (j, v) in x.iter().enumerate() {
                    c.y[0][at(j)] = if self.log {
                        *v - max - sum.map(libm::log)
                    } else {
                        (*v - max).map(libm::exp) / sum
                    };
                }
            }
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        2 * blocks(x[0], self.axis).2
    }
    fn cpu(&self, c: &mut Call) {
        let (_, n, inner) = blocks(c.xs(0), self.axis);
        let x = c.x(0);
        let (y, scratch) = c.y_scratch(0);
        match (inner, self.log) {
            (1, false) => return softmax::softmax::<V>(x, n, y),
            (1, true) => return softmax::log_softmax::<V>(x, n, y),
            _ => {}
        }
        let (max, sum) = scratch[..2 * inner].split_at_mut(inner);
        let blocks = x.chunks_exact(n * inner).zip(y.chunks_exact_mut(n * inner));
        for (x, y) in blocks {
            max.copy_from_slice(&x[..inner]);
            for x in x.chunks_exact(inner) {
                elementwise::zip_in_place::<V>(max, x, V::max);
            }
            sum.fill(0.0);
            for (x, y) in x.chunks_exact(inner).zip(y.chunks_exact_mut(inner)) {
                elementwise::map2::<V>(x, max, y, |x, m| math::exp(x.sub(m)));
                elementwise::add_in_place::<V>(sum, y);
            }
            if self.log {
                elementwise::map_in_place::<V>(sum, math::ln);
            }
            for (x, y) in x.chunks_exact(inner).zip(y.chunks_exact_mut(inner)) {
                if self.log {
                    elementwise::map3::<V>(x, max, sum, y, |x, m, s| x.sub(m).sub(s));
                } else {
                    elementwise::zip_in_place::<V>(y, sum, V::div);
                }
            }
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (outer, n, inner) = blocks(k.xs(0), self.axis);
        super::softmax::forward_kernel(k, outer * inner, n, inner, self.log);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        4 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        let log = if self.log { "log_" } else { "" };
        format!("{log}softmax(axis {})", self.axis)
    }
}

impl OpDef for AxisSoftmaxGrad {
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
        let (outer, n, inner) = blocks(c.xs[0], self.axis);
        let (y, dy) = (&c.x[0], &c.x[1]);
        for o in 0..outer {
            for i in 0..inner {
                let at = |j: usize| (o * n + j) * inner + i;
                let mut sum = T::of(0.0);
                for j in (0..n).map(at) {
                    sum += if self.log { dy[j] } else { y[j] * dy[j] };
                }
                for j in (0..n).map(at) {
                    c.y[0][j] = if self.log {
                        dy[j] - y[j].map(libm::exp) * sum
                    } else {
                        y[j] * (dy[j] - sum)
                    };
                }
            }
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        blocks(x[0], self.axis).2
    }
    fn cpu(&self, c: &mut Call) {
        let (_, n, inner) = blocks(c.xs(0), self.axis);
        let (y, dy) = (c.x(0), c.x(1));
        let (dx, scratch) = c.y_scratch(0);
        match (inner, self.log) {
            (1, false) => return softmax::softmax_grad::<V>(y, dy, n, dx),
            (1, true) => return softmax::log_softmax_grad::<V>(y, dy, n, dx),
            _ => {}
        }
        let sum = &mut scratch[..inner];
        let size = n * inner;
        for at in (0..y.len()).step_by(size) {
            let (y, dy, dx) = (&y[at..][..size], &dy[at..][..size], &mut dx[at..][..size]);
            sum.fill(0.0);
            for (y, dy) in y.chunks_exact(inner).zip(dy.chunks_exact(inner)) {
                if self.log {
                    elementwise::add_in_place::<V>(sum, dy);
                } else {
                    elementwise::mul_add_in_place::<V>(sum, y, dy);
                }
            }
            let rows = y.chunks_exact(inner).zip(dy.chunks_exact(inner));
            for ((y, dy), dx) in rows.zip(dx.chunks_exact_mut(inner)) {
                if self.log {
                    elementwise::map3::<V>(y, dy, sum, dx, |y, dy, s| dy.sub(math::exp(y).mul(s)));
                } else {
                    elementwise::map3::<V>(y, dy, sum, dx, |y, dy, s| y.mul(dy.sub(s)));
                }
            }
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (outer, n, inner) = blocks(k.xs(0), self.axis);
        super::softmax::backward_kernel(k, outer * inner, n, inner, self.log);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        4 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        let log = if self.log { "log_" } else { "" };
        format!("{log}softmax_grad(axis {})", self.axis)
    }
}
