//! Batch norm over the last axis: `x[…,C] → y[…,C]`.
use super::*;
use crate::backend::cpu::SUMS;
use crate::backend::cpu::kernels::{V, norm, reduce};
use crate::graph::numel;

/// `x[…,C] (, γ[C], β[C]) → (y[…,C], mean[C], var[C])`: y = (x − mean)·γ/√(var + ε) + β with the
/// batch's own mean and population variance; γ and β where `affine`.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm {
    pub eps: f32,
    pub affine: bool,
}

/// `(x[…,C], mean[C], var[C], dy[…,C] (, γ[C])) → (dx[…,C], dγ[C], dβ[C])`.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormGrad {
    pub eps: f32,
    pub affine: bool,
}

/// `(x[…,C], mean[C], var[C] (, γ[C], β[C])) → y[…,C]`: with statistics that are given.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalize {
    pub eps: f32,
    pub affine: bool,
}

/// `(running_mean[C], running_var[C], mean[C], var[C])`, the first two changed in place:
/// running = keep·running + (1 − keep)·new. `rows` were averaged; with `unbiased` the new
/// variance is the one with rows − 1 in the denominator.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningStats {
    pub keep: f32,
    pub rows: usize,
    pub unbiased: bool,
}

/// Mean and population variance of the columns.
fn stats<T: Real>(x: &[T], c: usize) -> (Vec<T>, Vec<T>) {
    let share = T::of(c as f64 / x.len() as f64);
    let (mut mean, mut var) = (vec![T::of(0.0); c], vec![T::of(0.0); c]);
    for (i, v) in x.iter().enumerate() {
        mean[i % c] += *v * share;
    }
    for (i, v) in x.iter().enumerate() {
        let d = *v - mean[i % c];
        var[i % c] += d * d * share;
    }
    (mean, var)
}

fn rstd<T: Real>(var: T, eps: f32) -> T {
    (var + T::of(f64::from(eps))).map(|v| 1.0 / v.sqrt())
}

impl OpDef for BatchNorm {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let (_, c) = rows_last(x[0]);
        Ok(vec![x[0].to_vec(), vec![c], vec![c]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let mut x = vec![b.x(0), b.y(1), b.y(2), dy];
        if self.affine {
            x.push(b.x(1));
        }
        let op = BatchNormGrad {
            eps: self.eps,
            affine: self.affine,
        };
        let d = b.emit_all(op, &x)?;
        b.give(0, d[0])?;
        if self.affine {
            b.give(1, d[1])?;
            b.give(2, d[2])?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (_, n) = rows_last(c.xs[0]);
        let (mean, var) = stats(&c.x[0], n);
        for (i, x) in c.x[0].iter().enumerate() {
            let j = i % n;
            let mut y = (*x - mean[j]) * rstd(var[j], self.eps);
            if self.affine {
                y = y * c.x[1][j] + c.x[2][j];
            }
            c.y[0][i] = y;
        }
        c.y[1].copy_from_slice(&mean);
        c.y[2].copy_from_slice(&var);
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        SUMS * rows_last(x[0]).1
    }
    fn cpu(&self, c: &mut Call) {
        let affine = self.affine.then(|| (c.x(1), c.x(2)));
        let x = c.x(0);
        let [_, mean, var] = c.y3();
        let (rows, n) = rows_last(c.xs(0));
        let share = 1.0 / rows.max(1) as f32;
        c.sums(rows, mean, &|rows, out| {
            reduce::col_sums::<V>(&x[rows.start * n..rows.end * n], out, false);
        });
        mean.iter_mut().for_each(|m| *m *= share);
        let mean = &*mean;
        c.sums(rows, var, &|rows, out| {
            norm::column_squares::<V>(&x[rows.start * n..rows.end * n], mean, out);
        });
        var.iter_mut().for_each(|v| *v *= share);
        let var = &*var;
        c.each_rows(0, n, &|rows, y, scale| {
            let x = &x[rows.start * n..rows.end * n];
            norm::normalize_columns::<V>(x, mean, var, affine, self.eps, y, scale);
        });
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        let share = format!("v / {}", float(rows as f32));
        let value = format!("return x0[r * {n}u + o];");
        k.columns(rows, n, &[At::X(0)], &value, &share, At::Y(1));
        let value = format!("let d = x0[r * {n}u + o] - x1[o]; return d * d;");
        k.columns(rows, n, &[At::X(0), At::Y(1)], &value, &share, At::Y(2));
        let affine = self.affine.then_some([At::X(1), At::X(2)]);
        normalize(k, [At::X(0), At::Y(1), At::Y(2)], affine, self.eps);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        6 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "batch_norm".into()
    }
}

impl OpDef for BatchNormGrad {
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
        let hat = |i: usize| (c.x[0][i] - c.x[1][i % n]) * rstd(c.x[2][i % n], self.eps);
        for i in 0..rows * n {
            c.y[1][i % n] += c.x[3][i] * hat(i);
            c.y[2][i % n] += c.x[3][i];
        }
        let share = T::of(1.0 / rows as f64);
        for i in 0..rows * n {
            let j = i % n;
            let mut d = c.x[3][i] - (c.y[2][j] + hat(i) * c.y[1][j]) * share;
            if self.affine {
                d = d * c.x[4][j];
            }
            c.y[0][i] = d * rstd(c.x[2][j], self.eps);
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        // Beside the pieces' sums: their total, and the terms of dx.
        (2 * SUMS + 5) * rows_last(x[0]).1
    }
    fn cpu(&self, c: &mut Call) {
        let gamma = self.affine.then(|| c.x(4));
        let (rows, n) = rows_last(c.xs(0));
        let (x, mean, var, dy) = (c.x(0), c.x(1), c.x(2), c.x(3));
        let [_, dgamma, dbeta] = c.y3();
        let (total, terms) = c.keep(5 * n).split_at_mut(2 * n);
        c.sums(rows, total, &|rows, out| {
            let rows = rows.start * n..rows.end * n;
            norm::column_grads::<V>(&x[rows.clone()], mean, &dy[rows], out);
        });
        dgamma.copy_from_slice(&total[..n]);
        dbeta.copy_from_slice(&total[n..]);
        norm::column_terms(rows, var, gamma, self.eps, dgamma, dbeta, terms);
        let terms = &*terms;
        c.each_rows(0, n, &|rows, dx, _| {
            let rows = rows.start * n..rows.end * n;
            norm::normalize_columns_grad::<V>(&x[rows.clone()], mean, terms, &dy[rows], dx);
        });
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        let value = format!(
            "return x0[r * {n}u + o] * (x1[r * {n}u + o] - x2[o]) / sqrt(x3[o] + {});",
            float(self.eps)
        );
        let reads = [At::X(3), At::X(0), At::X(1), At::X(2)];
        k.columns(rows, n, &reads, &value, "v", At::Y(1));
        let value = format!("return x0[r * {n}u + o];");
        k.columns(rows, n, &reads[..1], &value, "v", At::Y(2));
        let column = format!("i % {n}u");
        let mut reads = vec![(At::X(0), EACH.to_string()), (At::X(3), EACH.to_string())];
        let of_column = [At::X(1), At::X(2), At::Y(1), At::Y(2)];
        reads.extend(of_column.map(|a| (a, column.clone())));
        let mut scale = "";
        if self.affine {
            reads.push((At::X(4), column));
            scale = " * a6";
        }
        k.map(Map {
            n: rows * n,
            reads,
            writes: vec![(At::Y(0), EACH.into())],
            body: format!(
                "let rstd = 1.0 / sqrt(a3 + {}); let hat = (a0 - a2) * rstd; r0 = (a1 - (a5 + hat * a4) / {}){scale} * rstd;",
                float(self.eps),
                float(rows as f32)
            ),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        9 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "batch_norm_grad".into()
    }
}

impl OpDef for Normalize {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    /// By x alone: dy·γ/√(var + ε), which is the same op about zero. Nobody trains through fixed statistics.
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0).filter(|_| b.needs(0)) else {
            return Ok(());
        };
        let shape = b.shape(b.x(1)).to_vec();
        let zero = b.emit(Fill { shape, value: 0.0 }, &[])?;
        let mut x = vec![dy, zero, b.x(2)];
        if self.affine {
            x.extend([b.x(3), zero]);
        }
        let dx = b.emit(self.clone(), &x)?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (_, n) = rows_last(c.xs[0]);
        for (i, x) in c.x[0].iter().enumerate() {
            let j = i % n;
            let mut y = (*x - c.x[1][j]) * rstd(c.x[2][j], self.eps);
            if self.affine {
                y = y * c.x[3][j] + c.x[4][j];
            }
            c.y[0][i] = y;
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        rows_last(x[0]).1
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::rows(x[0], &[0])
    }
    fn cpu(&self, c: &mut Call) {
        let affine = self.affine.then(|| (c.x(3), c.x(4)));
        let (y, scale) = c.y_scratch(0);
        let (x, mean, var) = (c.x(0), c.x(1), c.x(2));
        norm::normalize_columns::<V>(x, mean, var, affine, self.eps, y, scale);
    }
    fn gpu(&self, k: &mut Kernels) {
        let affine = self.affine.then_some([At::X(3), At::X(4)]);
        normalize(k, [At::X(0), At::X(1), At::X(2)], affine, self.eps);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        3 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "normalize".into()
    }
}

impl OpDef for RunningStats {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec(), x[1].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::InPlace
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let keep = T::of(f64::from(self.keep));
        let new = T::of(1.0) - keep;
        for j in 0..c.y[0].len() {
            c.y[0][j] = c.y[0][j] * keep + c.x[2][j] * new;
            let var = c.x[3][j] * T::of(f64::from(self.correction()));
            c.y[1][j] = c.y[1][j] * keep + var * new;
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (mean, var) = (c.x(2), c.x(3));
        let (running_mean, running_var) = c.y2();
        let (new, correction) = (1.0 - self.keep, self.correction());
        for (r, m) in running_mean.iter_mut().zip(mean) {
            *r = *r * self.keep + m * new;
        }
        for (r, v) in running_var.iter_mut().zip(var) {
            *r = *r * self.keep + v * correction * new;
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (keep, new) = (float(self.keep), float(1.0 - self.keep));
        let operands = [At::Y(0), At::Y(1), At::X(2), At::X(3)];
        k.map(Map {
            n: numel(k.xs(0)),
            reads: operands.map(|a| (a, EACH.into())).to_vec(),
            writes: vec![(At::Y(0), EACH.into()), (At::Y(1), EACH.into())],
            body: format!(
                "r0 = a0 * {keep} + a2 * {new}; r1 = a1 * {keep} + a3 * {} * {new};",
                float(self.correction())
            ),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        7 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        format!("running_stats(keep {})", self.keep)
    }
}

impl RunningStats {
    fn correction(&self) -> f32 {
        if self.unbiased {
            self.rows as f32 / self.rows.saturating_sub(1).max(1) as f32
        } else {
            1.0
        }
    }
}

/// y = (x − mean)/√(var + ε)·γ + β by column, into output 0.
fn normalize(k: &mut Kernels, [x, mean, var]: [At; 3], affine: Option<[At; 2]>, eps: f32) {
    let (rows, n) = rows_last(k.ys(0));
    let column = format!("i % {n}u");
    let mut reads = vec![(x, EACH.to_string())];
    reads.extend([mean, var].map(|a| (a, column.clone())));
    let mut body = format!("r0 = (a0 - a1) / sqrt(a2 + {});", float(eps));
    if let Some(affine) = affine {
        reads.extend(affine.map(|a| (a, column.clone())));
        body += " r0 = r0 * a3 + a4;";
    }
    k.map(Map {
        n: rows * n,
        reads,
        writes: vec![(At::Y(0), EACH.into())],
        body,
        uses: Vec::new(),
        step: false,
    });
}
