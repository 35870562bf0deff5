//! Matrix product: `a[…,m,k] · b[…,k,n] → y[…,m,n]`, either factor transposed in memory.
use super::*;
use crate::backend::cpu::kernels::{
    Act,
    gemm::{Epilogue, scratch_len},
    pack::Strided,
};
use crate::graph::numel;

/// y = A·B with A = a, or aᵀ when `ta` (a is `[k,m]`); B = b, or bᵀ when `tb` (b is `[n,k]`).
/// Leading axes are equal on both sides: one product for each of their entries.
#[derive(Clone, Debug, PartialEq)]
pub struct MatMul {
    pub ta: bool,
    pub tb: bool,
}

impl MatMul {
    /// (m, n, k)
    fn dims(&self, a: &[usize], b: &[usize]) -> (usize, usize, usize) {
        let (a, b) = (&a[a.len() - 2..], &b[b.len() - 2..]);
        let (m, k) = if self.ta { (a[1], a[0]) } else { (a[0], a[1]) };
        let n = if self.tb { b[0] } else { b[1] };
        (m, n, k)
    }
}

impl OpDef for MatMul {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let (m, n, k) = self.dims(x[0], x[1]);
        let (lead, rest) = x[0].split_at(x[0].len() - 2);
        let (lead_b, b) = x[1].split_at(x[1].len() - 2);
        let kb = if self.tb { b[1] } else { b[0] };
        debug_assert_eq!(rest.len(), 2);
        if k != kb || lead != lead_b {
            return Err(Problem::new("same-shape")
                .arg("a", show(x[0]))
                .arg("b", show(x[1])));
        }
        Ok(vec![[lead, &[m, n]].concat()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let (x, w) = (b.x(0), b.x(1));
        if b.needs(0) {
            let da = if self.ta {
                b.emit(
                    MatMul {
                        ta: self.tb,
                        tb: true,
                    },
                    &[w, dy],
                )?
            } else {
                b.emit(
                    MatMul {
                        ta: false,
                        tb: !self.tb,
                    },
                    &[dy, w],
                )?
            };
            b.give(0, da)?;
        }
        if b.needs(1) {
            let db = if self.tb {
                b.emit(
                    MatMul {
                        ta: true,
                        tb: self.ta,
                    },
                    &[dy, x],
                )?
            } else {
                b.emit(
                    MatMul {
                        ta: !self.ta,
                        tb: false,
                    },
                    &[x, dy],
                )?
            };
            b.give(1, db)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (m, n, k) = self.dims(c.xs[0], c.xs[1]);
        for (l, y) in c.y[0].chunks_exact_mut(m * n).enumerate() {
            let (a, b) = (&c.x[0][l * m * k..], &c.x[1][l * k * n..]);
            for i in 0..m {
                for j in 0..n {
                    let mut s = T::of(0.0);
                    for p in 0..k {
                        let a = a[if self.ta { p * m + i } else { i * k + p }];
                        let b = b[if self.tb { j * k + p } else { p * n + j }];
                        s += a * b;
                    }
                    y[i * n + j] = s;
                }
            }
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        let (m, n, k) = self.dims(x[0], x[1]);
        scratch_len(m, n, k)
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        // Matrices side by side are divided here, one alone in `cpu`.
        if x[0].len() > 2 {
            Split::all(x)
        } else {
            Split::WHOLE
        }
    }
    fn cpu(&self, c: &mut Call) {
        let (m, n, k) = self.dims(c.xs(0), c.xs(1));
        let (a, b) = (c.x(0), c.x(1));
        let count = c.ys(0).iter().product::<usize>() / (m * n).max(1);
        for l in 0..count {
            let (xs, ks) = if self.ta { (1, m) } else { (k, 1) };
            let data = &a[l * m * k..][..m * k];
            let a = Strided { data, xs, ks };
            let (xs, ks) = if self.tb { (k, 1) } else { (1, n) };
            let data = &b[l * k * n..][..k * n];
            let b = Strided { data, xs, ks };
            c.gemm((m, n, k), &a, &b, (0, l * m * n, n), &Epilogue::STORE);
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (m, n, depth) = self.dims(k.xs(0), k.xs(1));
        let batch = numel(k.ys(0)) / (m * n);
        let (am, ak) = if self.ta { (1, m) } else { (depth, 1) };
        let (bk, bn) = if self.tb { (1, depth) } else { (n, 1) };
        k.product(&Product {
            shader: shader!("matmul"),
            batch,
            m,
            n,
            k: depth,
            a_along_k: !self.ta,
            b_along_k: self.tb,
            reads: [At::X(0), At::X(1)],
            write: At::Y(0),
            place: PLACE,
            bias: None,
            finish: activation::finish(Act::None),
            sizes: &[("AM", am), ("AK", ak), ("BK", bk), ("BN", bn)],
        });
    }
    fn flops(&self, x: &[&[usize]], y: &[&[usize]]) -> u64 {
        let (_, _, k) = self.dims(x[0], x[1]);
        2 * (numel(y[0]) * k) as u64
    }
    fn describe(&self) -> String {
        let t = |t| if t { "ᵀ" } else { "" };
        format!("matmul(a{}·b{})", t(self.ta), t(self.tb))
    }
}

/// Where a product's result lies, in terms of the kernel.
pub(super) const PLACE: &str = "(l * M + m) * N + n";
