//! Cross-entropy of class indices: `logits[B,C] or p[B,C], class[B,1] → loss[B]`.
//!
//! Keras, given probabilities, divides them by their sum, keeps them within
//! [ε, 1−ε], ε = 1e−7, and takes −ln; its gradient is 0 where that clip acts.
use super::*;
use crate::backend::cpu::kernels::{V, softmax};
use crate::graph::numel;

/// Keras' ε.
pub const CLIP: f32 = 1e-7;

/// `(logits[B,C], class[B,1]) → (loss[B], p[B,C])`: softmax and −ln p(class) in one pass.
/// With `clip`, what Keras' cross-entropy of a softmax's output gives.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxCrossEntropy {
    pub clip: bool,
}

/// `(p[B,C], class[B,1], dloss[B]) → dlogits[B,C]`, (p − onehot)·dloss.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxCrossEntropyGrad {
    pub clip: bool,
}

/// `(p[B,C], class[B,1]) → loss[B]` as Keras computes it.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossEntropyProbs;

/// `(p[B,C], class[B,1], dloss[B]) → dp[B,C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossEntropyProbsGrad;

fn clipped(p: f32) -> bool {
    !(CLIP..=1.0 - CLIP).contains(&p)
}

impl OpDef for SoftmaxCrossEntropy {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![x[0][0]], x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let op = SoftmaxCrossEntropyGrad { clip: self.clip };
        let dx = b.emit(op, &[b.y(1), b.x(1), dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n) = rows_last(c.xs[0]);
        for r in 0..rows {
            let x = &c.x[0][r * n..][..n];
            let class = c.x[1][r].f64() as usize;
            let p = &mut c.y[1][r * n..][..n];
            super::softmax::softmax_row(x, p);
            let max = x.iter().fold(x[0], |m, v| m.max(*v));
            let mut sum = T::of(0.0);
            for v in x {
                sum += (*v - max).map(libm::exp);
            }
            let mut loss = sum.map(libm::log) - (x[class] - max);
            if self.clip {
                let e = f64::from(CLIP);
                loss = p[class].map(|p| -libm::log(p.clamp(e, 1.0 - e)));
            }
            c.y[0][r] = loss;
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let (rows, n) = rows_last(c.xs(0));
        let (logits, class) = (c.x(0), c.x(1));
        let (losses, probs) = c.y2();
        softmax::cross_entropy::<V>(logits, class, n, probs, losses);
        if self.clip {
            for r in 0..rows {
                let p = probs[r * n + class[r] as usize];
                losses[r] = -p.clamp(CLIP, 1.0 - CLIP).ln();
            }
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        k.kernel(shader!("cross_entropy"))
            .sizes(&[("ROWS", rows), ("N", n)])
            .float("LOW", CLIP)
            .float("HIGH", 1.0 - CLIP)
            .flag("CLIP", self.clip)
            .bind(&[At::X(0), At::X(1), At::Y(0), At::Y(1)])
            .each_row(rows, n);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        5 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        let clip = if self.clip { "(clip 1e-7)" } else { "" };
        format!("softmax_cross_entropy{clip}")
    }
}

impl OpDef for SoftmaxCrossEntropyGrad {
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
            let class = c.x[1][r].f64() as usize;
            let out = self.clip && clipped(c.x[0][r * n + class].f64() as f32);
            for j in 0..n {
                let hot = T::of(f64::from(j == class));
                let g = if out { T::of(0.0) } else { c.x[2][r] };
                c.y[0][r * n + j] = (c.x[0][r * n + j] - hot) * g;
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
        let (rows, n) = rows_last(c.xs(0));
        let (p, class) = (c.x(0), c.x(1));
        softmax::cross_entropy_grad::<V>(p, class, c.x(2), n, c.y(0));
        if self.clip {
            let dx = c.y(0);
            for r in 0..rows {
                if clipped(p[r * n + class[r] as usize]) {
                    dx[r * n..][..n].fill(0.0);
                }
            }
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let n = rows_last(k.xs(0)).1;
        let row = format!("i / {n}u");
        let own = format!("i / {n}u * {n}u + u32(a1)");
        let body = match self.clip {
            true => format!("let g = select(a2, 0.0, {});", outside("a3")),
            false => "let g = a2;".into(),
        };
        k.map(Map {
            n: numel(k.xs(0)),
            reads: vec![
                (At::X(0), EACH.into()),
                (At::X(1), row.clone()),
                (At::X(2), row),
                (At::X(0), own),
            ],
            writes: vec![(At::Y(0), EACH.into())],
            body: format!("{body} r0 = (a0 - select(0.0, 1.0, i % {n}u == u32(a1))) * g;"),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        2 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        let clip = if self.clip { "(clip 1e-7)" } else { "" };
        format!("softmax_cross_entropy_grad{clip}")
    }
}

impl OpDef for CrossEntropyProbs {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![x[0][0]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let dx = b.emit(CrossEntropyProbsGrad, &[b.x(0), b.x(1), dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n) = rows_last(c.xs[0]);
        let e = f64::from(CLIP);
        for r in 0..rows {
            let p = &c.x[0][r * n..][..n];
            let mut sum = T::of(0.0);
            for v in p {
                sum += *v;
            }
            let q = p[c.x[1][r].f64() as usize] / sum;
            c.y[0][r] = q.map(|q| -libm::log(q.clamp(e, 1.0 - e)));
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let (rows, n) = rows_last(c.xs(0));
        let (p, class, y) = (c.x(0), c.x(1), c.y(0));
        for r in 0..rows {
            let p = &p[r * n..][..n];
            let q = p[class[r] as usize] / p.iter().sum::<f32>();
            y[r] = -libm::logf(q.clamp(CLIP, 1.0 - CLIP));
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        let (low, high) = (float(CLIP), float(1.0 - CLIP));
        k.reduce(&Reduction {
            outs: rows,
            count: n,
            reads: &[At::X(0), At::X(1)],
            value: &format!("return x0[o * {n}u + r];"),
            combine: Combine::Sum,
            finish: &format!("-log(clamp(x0[o * {n}u + u32(x1[o])] / v, {low}, {high}))"),
            along_r: true,
            write: At::Y(0),
            uses: &[],
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        2 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "cross_entropy_probs".into()
    }
}

impl OpDef for CrossEntropyProbsGrad {
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
        // loss = −ln(p_c / Σp): dp_j = (1/Σp − [j = c]/p_c)·g
        let (rows, n) = rows_last(c.xs[0]);
        for r in 0..rows {
            let p = &c.x[0][r * n..][..n];
            let class = c.x[1][r].f64() as usize;
            let mut sum = T::of(0.0);
            for v in p {
                sum += *v;
            }
            let out = clipped((p[class] / sum).f64() as f32);
            for j in 0..n {
                let mut d = T::of(1.0) / sum;
                if j == class {
                    d = d - T::of(1.0) / p[class];
                }
                c.y[0][r * n + j] = if out { T::of(0.0) } else { d * c.x[2][r] };
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
        let (rows, n) = rows_last(c.xs(0));
        let (p, class, g, y) = (c.x(0), c.x(1), c.x(2), c.y(0));
        for r in 0..rows {
            let (p, y, k) = (&p[r * n..][..n], &mut y[r * n..][..n], class[r] as usize);
            let sum = p.iter().sum::<f32>();
            if clipped(p[k] / sum) {
                y.fill(0.0);
            } else {
                y.fill(g[r] / sum);
                y[k] -= g[r] / p[k];
            }
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        let sums = k.scratch(rows);
        k.reduce(&Reduction {
            outs: rows,
            count: n,
            reads: &[At::X(0)],
            value: &format!("return x0[o * {n}u + r];"),
            combine: Combine::Sum,
            finish: "v",
            along_r: true,
            write: sums,
            uses: &[],
        });
        let row = format!("i / {n}u");
        let own = format!("i / {n}u * {n}u + u32(a0)");
        k.map(Map {
            n: numel(k.xs(0)),
            reads: vec![
                (At::X(1), row.clone()),
                (At::X(2), row.clone()),
                (sums, row),
                (At::X(0), own),
            ],
            writes: vec![(At::Y(0), EACH.into())],
            body: format!(
                "let d = 1.0 / a2 - select(0.0, 1.0 / a3, i % {n}u == u32(a0)); r0 = select(d * a1, 0.0, {});",
                outside("a3 / a2")
            ),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        2 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "cross_entropy_probs_grad".into()
    }
}

/// [`clipped`] in WGSL.
fn outside(p: &str) -> String {
    let (low, high) = (float(CLIP), float(1.0 - CLIP));
    format!("({p} < {low} || {p} > {high})")
}
