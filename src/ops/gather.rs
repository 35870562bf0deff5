//! Takes the rows of a batch out of the data set.
use super::*;
use crate::graph::{Dtype, numel};

/// `(data[N,…], order[K·B]) → x[B,…]`, or with `scaled` `(data, order, mul[…], add[…])`:
/// row j of step `index` is row order[index·B + j] of the data, times mul plus add.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather {
    pub batch: usize,
    pub dtype: Dtype,
    pub scaled: bool,
}

impl OpDef for Gather {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = x[0].to_vec();
        y[0] = self.batch;
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let n = numel(&c.xs[0][1..]);
        for j in 0..self.batch {
            let row = c.x[1][c.step.index as usize * self.batch + j].f64() as usize;
            for i in 0..n {
                let mut v = c.x[0][row * n + i];
                if self.scaled {
                    v = v * c.x[2][i] + c.x[3][i];
                }
                c.y[0][j * n + i] = v;
            }
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let n = numel(&c.xs(0)[1..]);
        let order = &c.x(1)[c.step.index as usize * self.batch..][..self.batch];
        let (mul, add) = match self.scaled {
            true => (c.x(2), c.x(3)),
            false => (&[][..], &[][..]),
        };
        match self.dtype {
            Dtype::F32 => {
                let x = c.x(0);
                c.each_rows(0, n, &|rows, y, _| {
                    for (y, row) in y.chunks_exact_mut(n).zip(&order[rows]) {
                        let x = &x[*row as usize * n..][..n];
                        match self.scaled {
                            true => scale(y, x, mul, add, |v| v),
                            false => y.copy_from_slice(x),
                        }
                    }
                });
            }
            Dtype::U8 => {
                let x = c.x_u8(0);
                c.each_rows(0, n, &|rows, y, _| {
                    for (y, row) in y.chunks_exact_mut(n).zip(&order[rows]) {
                        let x = &x[*row as usize * n..][..n];
                        if self.scaled {
                            scale(y, x, mul, add, f32::from);
                            continue;
                        }
                        for (y, x) in y.iter_mut().zip(x) {
                            *y = f32::from(*x);
                        }
                    }
                });
            }
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let n = numel(&k.xs(0)[1..]);
        let mut bind = vec![At::X(0), At::X(1)];
        if self.scaled {
            bind.extend([At::X(2), At::X(3)]);
        }
        bind.push(At::Y(0));
        k.kernel(shader!("gather"))
            .sizes(&[("N", n), ("BATCH", self.batch)])
            .flag("U8", self.dtype == Dtype::U8)
            .flag("SCALED", self.scaled)
            .bind(&bind)
            .flat(self.batch * n);
    }
    fn flops(&self, _: &[&[usize]], y: &[&[usize]]) -> u64 {
        if self.scaled {
            2 * numel(y[0]) as u64
        } else {
            0
        }
    }
    fn describe(&self) -> String {
        let dtype = if self.dtype == Dtype::U8 { " u8" } else { "" };
        let scaled = if self.scaled { " scaled" } else { "" };
        format!("gather{dtype}{scaled}")
    }
}

fn scale<X: core::marker::Copy>(
    y: &mut [f32],
    x: &[X],
    mul: &[f32],
    add: &[f32],
    f: impl Fn(X) -> f32,
) {
    for (((y, x), m), a) in y.iter_mut().zip(x).zip(mul).zip(add) {
        *y = f(*x) * m + a;
    }
}
