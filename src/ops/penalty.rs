//! L1 and L2 penalties on a weight.
use super::optimizer::hyper;
use super::*;
use crate::graph::numel;

/// `(w[…], hyper[16]) → y[1]`, λ₁·Σ|w| + λ₂·Σw² (Keras' `L1L2`).
#[derive(Clone, Debug, PartialEq)]
pub struct Penalty;

/// `(w[…], hyper[16], dy[1]) → dw[…]`, (λ₁·sign w + 2λ₂·w)·dy.
#[derive(Clone, Debug, PartialEq)]
pub struct PenaltyGrad;

impl OpDef for Penalty {
    fn infer(&self, _: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![1]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let dw = b.emit(PenaltyGrad, &[b.x(0), b.x(1), dy])?;
        b.give(0, dw)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (l1, l2) = (c.x[1][hyper::L1], c.x[1][hyper::L2]);
        let mut s = T::of(0.0);
        for w in &c.x[0] {
            s += l1 * w.map(f64::abs) + l2 * *w * *w;
        }
        c.y[0][0] = s;
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (w, h) = (c.x(0), c.x(1));
        let (mut abs, mut sq) = ([0.0f32; 4], [0.0f32; 4]);
        for w in w.chunks(4) {
            for (i, v) in w.iter().enumerate() {
                abs[i] += v.abs();
                sq[i] += v * v;
            }
        }
        let sum = |a: [f32; 4]| (a[0] + a[1]) + (a[2] + a[3]);
        c.y(0)[0] = h[hyper::L1] * sum(abs) + h[hyper::L2] * sum(sq);
    }
    fn gpu(&self, k: &mut Kernels) {
        let value = format!(
            "let w = x0[r]; return x1[{}] * abs(w) + x1[{}] * w * w;",
            hyper::L1,
            hyper::L2
        );
        let reads = [At::X(0), At::X(1)];
        k.reduce(&super::reduce::total(numel(k.xs(0)), &reads, &value, "v"));
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        4 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "l1l2".into()
    }
}

impl OpDef for PenaltyGrad {
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
        let (l1, l2) = (c.x[1][hyper::L1], c.x[1][hyper::L2]);
        let (g, two) = (c.x[2][0], T::of(2.0));
        for (d, w) in c.y[0].iter_mut().zip(&c.x[0]) {
            *d = (l1 * w.map(sign) + two * l2 * *w) * g;
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (h, g) = (c.x(1), c.x(2)[0]);
        let (l1, l2) = (h[hyper::L1] * g, 2.0 * h[hyper::L2] * g);
        for (d, w) in c.y(0).iter_mut().zip(c.x(0)) {
            let s = if *w == 0.0 { 0.0 } else { l1.copysign(*w) };
            *d = s + l2 * w;
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        k.map(Map {
            n: numel(k.xs(0)),
            reads: vec![
                (At::X(0), EACH.into()),
                (At::X(1), hyper::L1.to_string()),
                (At::X(1), hyper::L2.to_string()),
                (At::X(2), "0".into()),
            ],
            writes: vec![(At::Y(0), EACH.into())],
            body: "r0 = (a1 * sign(a0) + 2.0 * a2 * a0) * a3;".into(),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        3 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "l1l2_grad".into()
    }
}

fn sign(w: f64) -> f64 {
    if w == 0.0 { 0.0 } else { w.signum() }
}
