//! What a variational autoencoder adds: drawing a code, and the divergence of its distribution.
//!
//! Kingma and Welling, "Auto-Encoding Variational Bayes", 2014.
use super::*;
use crate::backend::cpu::kernels::{F32x4, V, elementwise, math, reduce};
use crate::data::rng;
use crate::graph::numel;

/// `(mean[…], logvar[…]) → z[…]`, z = mean + ε·exp(½·logvar), ε from N(0,1): the pair of normals
/// of block e/2 that the counter-based generator gives for (seed, layer, step).
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub seed: u32,
    /// Index of the layer, so that layers draw different numbers.
    pub layer: u32,
}

/// `(mean[B,…], logvar[B,…]) → kl[B]`: −½ Σ (1 + logvar − mean² − exp logvar), the divergence of
/// N(mean, exp logvar) from N(0, 1).
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence;

/// `(mean[B,…], logvar[B,…], dkl[B]) → (dmean, dlogvar)`: mean·dkl and ½(exp logvar − 1)·dkl.
#[derive(Clone, Debug, PartialEq)]
pub struct DivergenceGrad;

impl OpDef for Sample {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        if x[0] != x[1] {
            return Err(Problem::new("same-shape")
                .arg("a", show(&x[0][1..]))
                .arg("b", show(&x[1][1..])));
        }
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dz) = b.grad(0) else { return Ok(()) };
        if b.needs(0) {
            b.give(0, dz)?;
        }
        if b.needs(1) {
            // ½·ε·exp(½·logvar) = ½(z − mean)
            let spread = b.emit(Pairwise { how: Pair::Sub }, &[b.y(0), b.x(0)])?;
            let product = b.emit(Pairwise { how: Pair::Mul }, &[spread, dz])?;
            let dl = b.emit(Scale { by: 0.5 }, &[product])?;
            b.give(1, dl)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        for (e, z) in c.y[0].iter_mut().enumerate() {
            let pair = rng::normal_pair(self.seed, self.layer, c.step.step, (e / 2) as u32);
            let noise = T::of(f64::from(pair[e % 2]));
            *z = c.x[0][e] + noise * c.x[1][e].map(|v| libm::exp(0.5 * v));
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let step = c.step.step;
        let (mean, logvar, z) = (c.x(0), c.x(1), c.y(0));
        for (block, z) in z.chunks_mut(2).enumerate() {
            let pair = rng::normal_pair(self.seed, self.layer, step, block as u32);
            z.copy_from_slice(&pair[..z.len()]);
        }
        elementwise::zip2_in_place::<V>(z, mean, logvar, |noise, mean, l| {
            noise.mul_add(math::exp(l.mul(V::splat(0.5))), mean)
        });
    }
    fn gpu(&self, k: &mut Kernels) {
        k.map(Map {
            n: numel(k.ys(0)),
            reads: vec![(At::X(0), EACH.into()), (At::X(1), EACH.into())],
            writes: vec![(At::Y(0), EACH.into())],
            // The stream of codes is 7, see data::rng.
            body: format!(
                "let w = philox(vec4<u32>(i / 2u, step_number(), 0u, 0u), vec2<u32>({}u, {}u)); \
                 r0 = a0 + normal_of(w.x, w.y)[i % 2u] * exp_(0.5 * a1);",
                self.seed,
                rng::CODE ^ (self.layer << 8)
            ),
            uses: vec!["math", "philox", "normal"],
            step: true,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        4 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "sample".into()
    }
}

impl OpDef for Divergence {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![x[0][0]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let d = b.emit_all(DivergenceGrad, &[b.x(0), b.x(1), dy])?;
        b.give(0, d[0])?;
        b.give(1, d[1])
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let n = numel(&c.xs[0][1..]);
        for (i, (m, l)) in c.x[0].iter().zip(&c.x[1]).enumerate() {
            let term = *m * *m + l.map(libm::exp) - T::of(1.0) - *l;
            c.y[0][i / n] += T::of(0.5) * term;
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        numel(&x[0][1..])
    }
    fn cpu(&self, c: &mut Call) {
        let n = numel(&c.xs(0)[1..]);
        let (mean, logvar) = (c.x(0), c.x(1));
        let (kl, scratch) = c.y_scratch(0);
        let rows = mean.chunks_exact(n).zip(logvar.chunks_exact(n));
        for ((m, l), kl) in rows.zip(kl) {
            let one = V::splat(1.0);
            elementwise::map2::<V>(m, l, &mut scratch[..n], |m, l| {
                m.mul_add(m, math::exp(l)).sub(one).sub(l)
            });
            *kl = 0.5 * reduce::sum::<V>(&scratch[..n]);
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = (k.xs(0)[0], numel(&k.xs(0)[1..]));
        k.reduce(&Reduction {
            outs: rows,
            count: n,
            reads: &[At::X(0), At::X(1)],
            value: &format!(
                "let m = x0[o * {n}u + r]; let l = x1[o * {n}u + r]; return m * m + expm1_(l) - l;"
            ),
            combine: Combine::Sum,
            finish: "0.5 * v",
            along_r: true,
            write: At::Y(0),
            uses: &["math"],
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        5 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "divergence".into()
    }
}

impl OpDef for DivergenceGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec(), x[1].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let n = numel(&c.xs[0][1..]);
        for i in 0..c.x[0].len() {
            let g = c.x[2][i / n];
            c.y[0][i] = c.x[0][i] * g;
            c.y[1][i] = T::of(0.5) * (c.x[1][i].map(libm::exp) - T::of(1.0)) * g;
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let n = numel(&c.xs(0)[1..]);
        let (mean, logvar, g) = (c.x(0), c.x(1), c.x(2));
        let (dm, dl) = c.y2();
        for (i, g) in g.iter().enumerate() {
            let row = i * n..(i + 1) * n;
            let (g, half) = (V::splat(*g), V::splat(0.5 * g));
            elementwise::map1::<V>(&mean[row.clone()], &mut dm[row.clone()], |m| m.mul(g));
            elementwise::map1::<V>(&logvar[row.clone()], &mut dl[row], |l| {
                math::exp(l).sub(V::splat(1.0)).mul(half)
            });
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let n = numel(&k.xs(0)[1..]);
        k.map(Map {
            n: numel(k.xs(0)),
            reads: vec![
                (At::X(0), EACH.into()),
                (At::X(1), EACH.into()),
                (At::X(2), format!("i / {n}u")),
            ],
            writes: vec![(At::Y(0), EACH.into()), (At::Y(1), EACH.into())],
            body: "r0 = a0 * a2; r1 = 0.5 * expm1_(a1) * a2;".into(),
            uses: vec!["math"],
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        4 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "divergence_grad".into()
    }
}
