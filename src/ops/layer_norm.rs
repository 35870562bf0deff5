//! Layer norm and RMS norm over the last axis: `x[…,D] → y[…,D]`.
use super::*;
use crate::backend::cpu::kernels::{V, norm};
use crate::graph::numel;

/// `x[…,D], w[D] (, b[D]) → (y[…,D], mean[rows], rstd[rows])`: every row less its mean, divided by
/// √(var + ε), times w, plus b where `bias`. Without `center` the mean counts as 0: RMS norm.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    pub eps: f32,
    pub center: bool,
    pub bias: bool,
}

/// `(x[…,D], w[D], mean[rows], rstd[rows], dy[…,D]) → (dx[…,D], dw[D], db[D])`.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNormGrad {
    pub center: bool,
}

impl OpDef for LayerNorm {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let (rows, _) = rows_last(x[0]);
        Ok(vec![x[0].to_vec(), vec![rows], vec![rows]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let op = LayerNormGrad {
            center: self.center,
        };
        let d = b.emit_all(op, &[b.x(0), b.x(1), b.y(1), b.y(2), dy])?;
        b.give(0, d[0])?;
        b.give(1, d[1])?;
        if self.bias {
            b.give(2, d[2])?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n) = rows_last(c.xs[0]);
        let share = T::of(1.0 / n as f64);
        for r in 0..rows {
            let x = &c.x[0][r * n..][..n];
            let (mut mean, mut var) = (T::of(0.0), T::of(0.0));
            if self.center {
                x.iter().for_each(|v| mean += *v * share);
            }
            x.iter()
                .for_each(|v| var += (*v - mean) * (*v - mean) * share);
            let rstd = (var + T::of(f64::from(self.eps))).map(|v| 1.0 / v.sqrt());
            for (j, x) in x.iter().enumerate() {
                let mut y = (*x - mean) * rstd * c.x[1][j];
                if self.bias {
                    y += c.x[2][j];
                }
                c.y[0][r * n + j] = y;
            }
            (c.y[1][r], c.y[2][r]) = (mean, rstd);
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::rows(x[0], &[0])
    }
    fn cpu(&self, c: &mut Call) {
        let bias = self.bias.then(|| c.x(2));
        let [y, mean, rstd] = c.y3();
        let (x, w) = (c.x(0), c.x(1));
        norm::normalize_rows::<V>(x, w, bias, self.center, self.eps, y, mean, rstd);
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        let mut bind = vec![At::X(0), At::X(1)];
        if self.bias {
            bind.push(At::X(2));
        }
        bind.extend([At::Y(0), At::Y(1), At::Y(2)]);
        k.kernel(shader!("layer_norm"))
            .sizes(&[("ROWS", rows), ("N", n)])
            .float("EPS", self.eps)
            .flag("CENTER", self.center)
            .flag("BIAS", self.bias)
            .bind(&bind)
            .each_row(rows, n);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        7 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        if self.center {
            "layer_norm"
        } else {
            "rms_norm"
        }
        .into()
    }
}

impl OpDef for LayerNormGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec(), x[1].to_vec(), x[1].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n) = rows_last(c.xs[0]);
        let share = T::of(1.0 / n as f64);
        for r in 0..rows {
            let hat = |j: usize| (c.x[0][r * n + j] - c.x[2][r]) * c.x[3][r];
            let g = |j: usize| c.x[4][r * n + j] * c.x[1][j];
            let (mut m1, mut m2) = (T::of(0.0), T::of(0.0));
            for j in 0..n {
                if self.center {
                    m1 += g(j) * share;
                }
                m2 += g(j) * hat(j) * share;
            }
            for j in 0..n {
                let dy = c.x[4][r * n + j];
                c.y[0][r * n + j] = (g(j) - m1 - hat(j) * m2) * c.x[3][r];
                c.y[1][j] += dy * hat(j);
                c.y[2][j] += dy;
            }
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::sums(x[0], &[0, 2, 3, 4], 1)
    }
    fn cpu(&self, c: &mut Call) {
        let (x, w, mean, rstd, dy) = (c.x(0), c.x(1), c.x(2), c.x(3), c.x(4));
        norm::normalize_rows_grad::<V>(x, w, mean, rstd, self.center, dy, c.y3());
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        k.kernel(shader!("layer_norm_grad"))
            .sizes(&[("ROWS", rows), ("N", n)])
            .flag("CENTER", self.center)
            .bind(&[At::X(0), At::X(1), At::X(2), At::X(3), At::X(4), At::Y(0)])
            .each_row(rows, n);
        let reads = [At::X(4), At::X(0), At::X(2), At::X(3)];
        let value = format!("let at = r * {n}u + o; return x0[at] * (x1[at] - x2[r]) * x3[r];");
        k.columns(rows, n, &reads, &value, "v", At::Y(1));
        let value = format!("return x0[r * {n}u + o];");
        k.columns(rows, n, &reads[..1], &value, "v", At::Y(2));
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        13 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        if self.center {
            "layer_norm_grad"
        } else {
            "rms_norm_grad"
        }
        .into()
    }
}
