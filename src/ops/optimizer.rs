//! Gradient clipping and the optimisers, over whole slabs.
use super::*;
use crate::backend::cpu::kernels::{F32x4, V, elementwise, optim};
use crate::graph::numel;
use crate::spec::Framework;

/// Places in the `hyper` slot, which the host writes between steps.
pub mod hyper {
    pub const LEN: usize = 16;
    pub const MOMENTUM: usize = 0;
    pub const WEIGHT_DECAY: usize = 1;
    pub const BETA1: usize = 2;
    pub const BETA2: usize = 3;
    pub const EPSILON: usize = 4;
    pub const RHO: usize = 5;
    pub const CLIP: usize = 6;
    pub const L1: usize = 7;
    pub const L2: usize = 8;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// State: with momentum, the velocity.
    Sgd { momentum: bool, nesterov: bool },
    /// State: mean square; with momentum, the velocity.
    Rmsprop { momentum: bool },
    /// State: sum of squares.
    Adagrad,
    /// State: both moments. `decoupled` is AdamW.
    Adam { decoupled: bool },
}

impl Rule {
    /// Names of the state's slabs, as PyTorch's optimisers call them.
    pub fn state(self) -> &'static [&'static str] {
        match self {
            Rule::Sgd {
                momentum: false, ..
            } => &[],
            Rule::Sgd { .. } => &["momentum_buffer"],
            Rule::Rmsprop { momentum: false } => &["square_avg"],
            Rule::Rmsprop { .. } => &["square_avg", "momentum_buffer"],
            Rule::Adagrad => &["sum"],
            Rule::Adam { .. } => &["exp_avg", "exp_avg_sq"],
        }
    }
}

/// `(p[n], state[n]…, g[n], rate[K], hyper[16])`: p and its state take one step, in place.
/// rate\[index\] is the learning rate of this step; Adam's bias correction counts from `step`.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub rule: Rule,
    pub framework: Framework,
}

/// `(g[n], hyper[16])`: each element kept within ±clip, in place; with `norm`,
/// `(g[n], hyper[16], norm[1])`: all scaled so that the norm is at most clip.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipGrad {
    pub norm: bool,
    pub framework: Framework,
}

impl ClipGrad {
    /// PyTorch: min(1, max/(norm + 1e−6)). Keras: max·min(1/norm, 1/max).
    fn factor(&self, norm: f64, max: f64) -> f64 {
        match self.framework {
            Framework::Pytorch => (max / (norm + 1e-6)).min(1.0),
            Framework::Keras => (max / norm).min(1.0),
        }
    }
}

impl OpDef for ClipGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::InPlace
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let max = c.x[1][hyper::CLIP];
        if self.norm {
            let f = T::of(self.factor(c.x[2][0].f64(), max.f64()));
            c.y[0].iter_mut().for_each(|g| *g = *g * f);
        } else {
            c.y[0].iter_mut().for_each(|g| *g = g.min(max).max(-max));
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split {
            x: 1,
            ..Split::elements(x)
        }
    }
    fn cpu(&self, c: &mut Call) {
        let max = c.x(1)[hyper::CLIP];
        if self.norm {
            let f = self.factor(f64::from(c.x(2)[0]), f64::from(max)) as f32;
            elementwise::map_in_place::<V>(c.y(0), |g| g.mul(V::splat(f)));
        } else {
            elementwise::map_in_place::<V>(c.y(0), |g| g.min(V::splat(max)).max(V::splat(-max)));
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let mut reads = vec![
            (At::Y(0), EACH.to_string()),
            (At::X(1), hyper::CLIP.to_string()),
        ];
        let body = match (self.norm, self.framework) {
            (false, _) => "r0 = clamp(a0, -a1, a1);",
            (true, Framework::Pytorch) => "r0 = a0 * min(a1 / (a2 + 1e-6), 1.0);",
            (true, Framework::Keras) => "r0 = a0 * select(1.0, a1 / a2, a2 > a1);",
        };
        if self.norm {
            reads.push((At::X(2), "0".into()));
        }
        k.map(Map {
            n: numel(k.xs(0)),
            reads,
            writes: vec![(At::Y(0), EACH.into())],
            body: body.into(),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        let by = if self.norm { "norm" } else { "value" };
        format!("clip({by})")
    }
}

impl Update {
    fn convention(&self) -> optim::Convention {
        match self.framework {
            Framework::Pytorch => optim::Convention::Pytorch,
            Framework::Keras => optim::Convention::Keras,
        }
    }
}

impl OpDef for Update {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let n = 1 + self.rule.state().len();
        Ok(x[..n].iter().map(|s| s.to_vec()).collect())
    }
    fn memory(&self) -> Memory {
        Memory::InPlace
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    /// As the frameworks' sources have it (torch/optim, keras/src/optimizers).
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let n = 1 + self.rule.state().len();
        let (grad, h) = (&c.x[n], &c.x[n + 2]);
        let lr = c.x[n + 1][c.step.index as usize];
        let (mu, wd, eps) = (
            h[hyper::MOMENTUM],
            h[hyper::WEIGHT_DECAY],
            h[hyper::EPSILON],
        );
        let (b1, b2, rho) = (h[hyper::BETA1], h[hyper::BETA2], h[hyper::RHO]);
        let (one, t) = (T::of(1.0), f64::from(c.step.step + 1));
        let keras = self.framework == Framework::Keras;
        let decoupled = keras || self.rule == Rule::Adam { decoupled: true };
        let sqrt = |v: T| v.map(f64::sqrt);
        let (first, rest) = c.y.split_at_mut(1);
        for (i, p) in first[0].iter_mut().enumerate() {
            let mut g = grad[i];
            if decoupled {
                *p = *p - lr * wd * *p;
            } else {
                g += wd * *p;
            }
            match self.rule {
                Rule::Sgd {
                    momentum: false, ..
                } => *p = *p - lr * g,
                Rule::Sgd { nesterov, .. } => {
                    let buf = &mut rest[0][i];
                    if keras {
                        *buf = mu * *buf - lr * g;
                        *p += if nesterov { mu * *buf - lr * g } else { *buf };
                    } else {
                        *buf = mu * *buf + g;
                        let d = if nesterov { g + mu * *buf } else { *buf };
                        *p = *p - lr * d;
                    }
                }
                Rule::Rmsprop { momentum } => {
                    let v = rho * rest[0][i] + (one - rho) * g * g;
                    rest[0][i] = v;
                    let mut d = if keras {
                        lr * g / sqrt(v + eps)
                    } else {
                        g / (sqrt(v) + eps)
                    };
                    if momentum {
                        d = mu * rest[1][i] + d;
                        rest[1][i] = d;
                    }
                    *p = *p - if keras { d } else { lr * d };
                }
                Rule::Adagrad => {
                    let s = rest[0][i] + g * g;
                    rest[0][i] = s;
                    let root = if keras { sqrt(s + eps) } else { sqrt(s) + eps };
                    *p = *p - lr * g / root;
                }
                Rule::Adam { .. } => {
                    let m = b1 * rest[0][i] + (one - b1) * g;
                    let v = b2 * rest[1][i] + (one - b2) * g * g;
                    (rest[0][i], rest[1][i]) = (m, v);
                    let c1 = one - b1.map(|b| libm::pow(b, t));
                    let c2 = sqrt(one - b2.map(|b| libm::pow(b, t)));
                    *p = *p
                        - if keras {
                            lr * c2 / c1 * m / (sqrt(v) + eps)
                        } else {
                            lr / c1 * m / (sqrt(v) / c2 + eps)
                        };
                }
            }
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        // The parameters, their moments and their gradient; not the rates.
        Split {
            x: (2 << (1 + self.rule.state().len())) - 1,
            ..Split::elements(x)
        }
    }
    fn cpu(&self, c: &mut Call) {
        let n = 1 + self.rule.state().len();
        let (grad, h) = (c.x(n), c.x(n + 2));
        let lr = c.x(n + 1)[c.step.index as usize];
        let convention = self.convention();
        let weight_decay = h[hyper::WEIGHT_DECAY];
        let (momentum, epsilon) = (h[hyper::MOMENTUM], h[hyper::EPSILON]);
        let t = c.step.step + 1;
        let [p, s0, s1] = c.y3();
        match self.rule {
            Rule::Sgd {
                momentum: has,
                nesterov,
            } => optim::Sgd {
                convention,
                lr,
                momentum: if has { momentum } else { 0.0 },
                nesterov,
                weight_decay,
            }
            .step::<V>(p, grad, s0),
            Rule::Rmsprop { momentum: has } => optim::Rmsprop {
                convention,
                lr,
                rho: h[hyper::RHO],
                epsilon,
                momentum: if has { momentum } else { 0.0 },
                weight_decay,
            }
            .step::<V>(p, grad, s0, s1),
            Rule::Adagrad => optim::Adagrad {
                convention,
                lr,
                epsilon,
                weight_decay,
            }
            .step::<V>(p, grad, s0),
            Rule::Adam { decoupled } => optim::Adam {
                convention,
                lr,
                beta1: h[hyper::BETA1],
                beta2: h[hyper::BETA2],
                epsilon,
                weight_decay,
                decoupled,
            }
            .step::<V>(t, p, grad, s0, s1),
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let states = self.rule.state().len();
        let keras = self.framework == Framework::Keras;
        let mut bind: Vec<At> = (0..=states).map(At::Y).collect();
        bind.extend((states + 1..states + 4).map(At::X));
        let (momentum, nesterov) = match self.rule {
            Rule::Sgd { momentum, nesterov } => (momentum, nesterov),
            Rule::Rmsprop { momentum } => (momentum, false),
            _ => (false, false),
        };
        let n = numel(k.xs(0));
        // Each invocation prepares what all of its elements share.
        let alone = k.alone();
        k.kernel(shader!("update"))
            .sizes(&[
                ("MOMENTUM_AT", hyper::MOMENTUM),
                ("WEIGHT_DECAY_AT", hyper::WEIGHT_DECAY),
                ("BETA1_AT", hyper::BETA1),
                ("BETA2_AT", hyper::BETA2),
                ("EPSILON_AT", hyper::EPSILON),
                ("RHO_AT", hyper::RHO),
            ])
            .flag("ONE_STATE", states > 0)
            .flag("TWO_STATES", states > 1)
            .flag("KERAS", keras)
            .flag(
                "DECOUPLED",
                keras || self.rule == Rule::Adam { decoupled: true },
            )
            .flag("SGD", matches!(self.rule, Rule::Sgd { .. }))
            .flag("RMSPROP", matches!(self.rule, Rule::Rmsprop { .. }))
            .flag("ADAGRAD", self.rule == Rule::Adagrad)
            .flag("ADAM", matches!(self.rule, Rule::Adam { .. }))
            .flag("MOMENTUM", momentum)
            .flag("NESTEROV", nesterov)
            .bind(&bind)
            .size("COUNT", n)
            .flat(if alone { n.div_ceil(8) } else { n });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        let each = match self.rule {
            Rule::Sgd {
                momentum: false, ..
            } => 2,
            Rule::Sgd { .. } => 4,
            Rule::Rmsprop { .. } => 8,
            Rule::Adagrad => 6,
            Rule::Adam { .. } => 12,
        };
        each * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        let name = match self.rule {
            Rule::Sgd {
                momentum: false, ..
            } => "sgd",
            Rule::Sgd { nesterov: true, .. } => "sgd(nesterov)",
            Rule::Sgd { .. } => "sgd(momentum)",
            Rule::Rmsprop { momentum: false } => "rmsprop",
            Rule::Rmsprop { .. } => "rmsprop(momentum)",
            Rule::Adagrad => "adagrad",
            Rule::Adam { decoupled: false } => "adam",
            Rule::Adam { decoupled: true } => "adamw",
        };
        let by = match self.framework {
            Framework::Pytorch => "pytorch",
            Framework::Keras => "keras",
        };
        format!("{name} [{by}]")
    }
}
