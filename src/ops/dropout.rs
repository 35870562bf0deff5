//! Dropout: `x[…] → y[…]`.
use super::*;
use crate::backend::cpu::kernels::V;
use crate::backend::cpu::kernels::dropout::dropout;
use crate::data::rng;
use crate::graph::numel;

/// y = x/(1−rate) where kept, else 0. Element e of the step is kept when the counter-based
/// generator's word for (seed, layer, step, e), as a number in [0, 1), is at least `rate`; the
/// backward pass draws the same words again.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout {
    pub rate: f32,
    pub seed: u32,
    /// Index of the layer, so that layers draw different words.
    pub layer: u32,
}

impl Dropout {
    /// Words below this are dropped: rate·2³² on the 24 bits that make up the uniform number.
    fn threshold(&self) -> u32 {
        (libm::ceil(f64::from(self.rate) * 16_777_216.0) as u32).min(1 << 24)
    }
}

impl OpDef for Dropout {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let dx = b.emit(self.clone(), &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        for (e, (y, x)) in c.y[0].iter_mut().zip(&c.x[0]).enumerate() {
            let word = rng::dropout_word(self.seed, self.layer, c.step.step, e as u32);
            let u = f64::from(word >> 8) / 16_777_216.0;
            let keep = u >= f64::from(self.rate);
            *y = *x * T::of(f64::from(keep) / (1.0 - f64::from(self.rate)));
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (threshold, scale) = (self.threshold(), 1.0 / (1.0 - self.rate));
        let key = rng::dropout_key(self.seed, self.layer);
        let step = c.step.step;
        let x = c.x(0);
        c.each_rows(0, 16, &|rows, y, _| {
            let first = 16 * rows.start;
            dropout::<V>(
                threshold,
                scale,
                key,
                step,
                first,
                &x[first..][..y.len()],
                y,
            );
        });
    }
    fn gpu(&self, k: &mut Kernels) {
        let n = numel(k.ys(0));
        k.kernel(shader!("dropout"))
            .sizes(&[
                ("N", n),
                ("LAYER", self.layer as usize),
                ("SEED", self.seed as usize),
            ])
            .size("THRESHOLD", self.threshold() as usize)
            .float("SCALE", 1.0 / (1.0 - self.rate))
            .bind(&[At::X(0), At::Y(0)])
            .flat(n.div_ceil(4));
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        format!("dropout({})", self.rate)
    }
}
