//! Optimisers: one pass over equally laid-out slabs of parameters p, gradients g and state.
//!
//! Frameworks differ in where ε stands, how momentum is scaled and what weight decay does.
//! In the PyTorch convention it adds wd·p to g (except in AdamW); in the Keras convention it is
//! decoupled, p −= lr·wd·p, for every optimiser, and comes before the update.
//!
//! Sources: `torch/optim/*.py` (single-tensor forms), `keras/src/optimizers/*.py` (Keras 3).
use super::elementwise::update;
use super::simd::F32x4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    Pytorch,
    Keras,
}
use Convention::{Keras, Pytorch};

/// Stochastic gradient descent. `momentum` 0 leaves the buffer untouched; it may then be empty.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    pub convention: Convention,
    pub lr: f32,
    pub momentum: f32,
    pub nesterov: bool,
    pub weight_decay: f32,
}

/// RMSprop. `momentum` 0 leaves the buffer untouched; it may then be empty.
#[derive(Clone, Copy, Debug)]
pub struct Rmsprop {
    pub convention: Convention,
    pub lr: f32,
    pub rho: f32,
    pub epsilon: f32,
    pub momentum: f32,
    pub weight_decay: f32,
}

#[derive(Clone, Copy, Debug)]
pub struct Adagrad {
    pub convention: Convention,
    pub lr: f32,
    pub epsilon: f32,
    pub weight_decay: f32,
}

/// Adam, or AdamW where `decoupled` (in the Keras convention both are).
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    pub convention: Convention,
    pub lr: f32,
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    pub weight_decay: f32,
    pub decoupled: bool,
}

/// A decay rate in [0, 1] as it was written: the nearest number of 7 decimals. 1 − 0.999 in f32
/// is off by 5e-5 of its value; the frameworks form it in f64.
fn decimal(x: f32) -> f64 {
    (f64::from(x) * 1e7).round() / 1e7
}

/// Factors of the two kinds of weight decay: g += l2·p, and p = keep·p.
struct Decay<V> {
    l2: V,
    keep: V,
}

impl<V: F32x4> Decay<V> {
    fn new(lr: f32, wd: f32, decoupled: bool) -> Self {
        let keep = 1.0 - f64::from(lr) * f64::from(wd);
        let (l2, keep) = if decoupled {
            (0.0, keep as f32)
        } else {
            (wd, 1.0)
        };
        Decay {
            l2: V::splat(l2),
            keep: V::splat(keep),
        }
    }
    /// (p, g) after decay.
    #[inline(always)]
    fn apply(&self, p: V, g: V) -> (V, V) {
        (p.mul(self.keep), self.l2.mul_add(p, g))
    }
}

/// 0 in the place of a moment below 2⁻¹²⁵. One whose gradients have become 0 shrinks with every step
/// until it is subnormal, and processors take a hundred times as long for such numbers.
#[inline(always)]
fn settle<V: F32x4>(x: V) -> V {
    x.and_not(x.abs().lt(V::splat(2.0 * f32::MIN_POSITIVE)))
}

impl Sgd {
    /// One step; `buf` starts at 0. Panics unless the slabs are equally long.
    pub fn step<V: F32x4>(&self, p: &mut [f32], g: &[f32], buf: &mut [f32]) {
        let decay = Decay::<V>::new(self.lr, self.weight_decay, self.convention == Keras);
        let lr = V::splat(self.lr);
        let mu = V::splat(self.momentum);
        if self.momentum == 0.0 {
            return update::<V, 1, 1, 1>([p], [g], |[p], [g]| {
                let (p, g) = decay.apply(p, g);
                [p.sub(lr.mul(g))]
            });
        }
        let nesterov = self.nesterov;
        match self.convention {
            Pytorch => update::<V, 1, 2, 1>([p, buf], [g], |[p, b], [g]| {
                let (p, g) = decay.apply(p, g);
                let b = settle(mu.mul_add(b, g));
                let d = if nesterov { mu.mul_add(b, g) } else { b };
                [p.sub(lr.mul(d)), b]
            }),
            Keras => update::<V, 1, 2, 1>([p, buf], [g], |[p, b], [g]| {
                let (p, g) = decay.apply(p, g);
                let g = lr.mul(g);
                let b = settle(mu.mul(b).sub(g));
                let d = if nesterov { mu.mul(b).sub(g) } else { b };
                [p.add(d), b]
            }),
        }
    }
}

impl Rmsprop {
    /// One step; `v` and `buf` start at 0. Panics unless the slabs are equally long.
    pub fn step<V: F32x4>(&self, p: &mut [f32], g: &[f32], v: &mut [f32], buf: &mut [f32]) {
        let decay = Decay::<V>::new(self.lr, self.weight_decay, self.convention == Keras);
        let lr = V::splat(self.lr);
        let rho = V::splat(self.rho);
        let rest = V::splat((1.0 - decimal(self.rho)) as f32);
        let eps = V::splat(self.epsilon);
        let mu = V::splat(self.momentum);
        let keras = self.convention == Keras;
        // The increment before momentum, lr included in Keras only.
        let inc = |v: V, g: V| {
            if keras {
                lr.mul(g).div(v.add(eps).sqrt())
            } else {
                g.div(v.sqrt().add(eps))
            }
        };
        let descend = |p: V, d: V| if keras { p.sub(d) } else { p.sub(lr.mul(d)) };
        if self.momentum == 0.0 {
            return update::<V, 1, 2, 1>([p, v], [g], |[p, v], [g]| {
                let (p, g) = decay.apply(p, g);
                let v = settle(rho.mul_add(v, rest.mul(g).mul(g)));
                [descend(p, inc(v, g)), v]
            });
        }
        update::<V, 1, 3, 1>([p, v, buf], [g], |[p, v, b], [g]| {
            let (p, g) = decay.apply(p, g);
            let v = settle(rho.mul_add(v, rest.mul(g).mul(g)));
            let b = settle(mu.mul_add(b, inc(v, g)));
            [descend(p, b), v, b]
        });
    }
}

impl Adagrad {
    /// One step; `s` starts at the initial accumulator. Panics unless the slabs are equally long.
    pub fn step<V: F32x4>(&self, p: &mut [f32], g: &[f32], s: &mut [f32]) {
        let keras = self.convention == Keras;
        let decay = Decay::<V>::new(self.lr, self.weight_decay, keras);
        let lr = V::splat(self.lr);
        let eps = V::splat(self.epsilon);
        update::<V, 1, 2, 1>([p, s], [g], |[p, s], [g]| {
            let (p, g) = decay.apply(p, g);
            let s = g.mul_add(g, s);
            let root = if keras {
                s.add(eps).sqrt()
            } else {
                s.sqrt().add(eps)
            };
            [p.sub(lr.mul(g).div(root)), s]
        });
    }
}

impl Adam {
    /// Step number `t`, counted from 1; `m` and `v` start at 0. The bias corrections are formed
    /// here, in f64. Panics unless the slabs are equally long.
    pub fn step<V: F32x4>(&self, t: u32, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        let decay = Decay::<V>::new(
            self.lr,
            self.weight_decay,
            self.decoupled || self.convention == Keras,
        );
        let (b1, b2) = (decimal(self.beta1), decimal(self.beta2));
        let c1 = 1.0 - b1.powf(f64::from(t));
        let c2 = (1.0 - b2.powf(f64::from(t))).sqrt();
        let lr = f64::from(self.lr);
        // p −= rate·m/(√v·root + ε)
        let (rate, root) = match self.convention {
            Pytorch => (lr / c1, 1.0 / c2),
            Keras => (lr * c2 / c1, 1.0),
        };
        let (rate, root) = (V::splat(rate as f32), V::splat(root as f32));
        let (o1, o2) = (V::splat((1.0 - b1) as f32), V::splat((1.0 - b2) as f32));
        let b2 = V::splat(self.beta2);
        let eps = V::splat(self.epsilon);
        update::<V, 1, 3, 1>([p, m, v], [g], |[p, m, v], [g]| {
            let (p, g) = decay.apply(p, g);
            let m = settle(o1.mul_add(g.sub(m), m));
            let v = settle(b2.mul_add(v, o2.mul(g).mul(g)));
            let d = rate.mul(m).div(v.sqrt().mul_add(root, eps));
            [p.sub(d), m, v]
        });
    }
}
