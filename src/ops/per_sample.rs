//! Losses that are a mean over the numbers of each sample: `ŷ[B,T], y[B,T] → loss[B]`.
use super::*;
use crate::backend::cpu::kernels::elementwise::map2;
use crate::backend::cpu::kernels::{F32x4, V, math, reduce};
use crate::graph::numel;
use crate::spec::Framework;

/// What is averaged; p is the network's number, y the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// (p − y)²
    Squared,
    /// |p − y|
    Absolute,
    /// ½d² for |d| ≤ δ, else δ(|d| − ½δ)
    Huber { delta: f32 },
    /// max(0, 1 − (2y−1)·p), y = 0 or 1
    Hinge,
    /// (step(p) − y)·p, y = 0 or 1
    Perceptron,
    /// −y·ln σ(p) − (1−y)·ln(1−σ(p)), as max(p,0) − p·y + ln(1 + e^−|p|)
    BceLogits,
    /// −y·ln p − (1−y)·ln(1−p). PyTorch keeps each logarithm at or above −100, Keras keeps p
    /// within [1e−7, 1 − 1e−7].
    BceProbs { framework: Framework },
}

const CLIP: f64 = 1e-7;

impl Measure {
    pub fn value(self, p: f64, y: f64) -> f64 {
        let d = p - y;
        match self {
            Measure::Squared => d * d,
            Measure::Absolute => d.abs(),
            Measure::Huber { delta } => {
                let delta = f64::from(delta);
                if d.abs() <= delta {
                    0.5 * d * d
                } else {
                    delta * (d.abs() - 0.5 * delta)
                }
            }
            Measure::Hinge => (1.0 - (2.0 * y - 1.0) * p).max(0.0),
            Measure::Perceptron => (f64::from(p > 0.0) - y) * p,
            Measure::BceLogits => p.max(0.0) - p * y + libm::log1p(libm::exp(-p.abs())),
            Measure::BceProbs {
                framework: Framework::Pytorch,
            } => -(y * libm::log(p).max(-100.0) + (1.0 - y) * libm::log1p(-p).max(-100.0)),
            Measure::BceProbs {
                framework: Framework::Keras,
            } => {
                let p = p.clamp(CLIP, 1.0 - CLIP);
                -(y * libm::log(p) + (1.0 - y) * libm::log1p(-p))
            }
        }
    }

    /// d value / d p, as the frameworks give it (0 at the kink of an absolute value).
    pub fn slope(self, p: f64, y: f64) -> f64 {
        let d = p - y;
        match self {
            Measure::Squared => 2.0 * d,
            Measure::Absolute => sign(d),
            Measure::Huber { delta } => d.clamp(-f64::from(delta), f64::from(delta)),
            Measure::Hinge => {
                let t = 2.0 * y - 1.0;
                if t * p < 1.0 { -t } else { 0.0 }
            }
            Measure::Perceptron => f64::from(p > 0.0) - y,
            Measure::BceLogits => activation::sigmoid(p) - y,
            Measure::BceProbs {
                framework: Framework::Pytorch,
            } => d / (p * (1.0 - p)).max(1e-12),
            Measure::BceProbs {
                framework: Framework::Keras,
            } => {
                if (CLIP..=1.0 - CLIP).contains(&p) {
                    d / (p * (1.0 - p))
                } else {
                    0.0
                }
            }
        }
    }

    /// [`Measure::value`] in WGSL, of p, y and d = p − y, with the piece `math`.
    fn wgsl(self) -> String {
        let low = float(CLIP as f32);
        match self {
            Measure::Squared => "d * d".into(),
            Measure::Absolute => "abs(d)".into(),
            Measure::Huber { delta } => {
                let delta = float(delta);
                format!(
                    "select({delta} * (abs(d) - 0.5 * {delta}), 0.5 * d * d, abs(d) <= {delta})"
                )
            }
            Measure::Hinge => "max(1.0 - (2.0 * y - 1.0) * p, 0.0)".into(),
            Measure::Perceptron => "(select(0.0, 1.0, p > 0.0) - y) * p".into(),
            Measure::BceLogits => "softplus_(p, 1.0) - p * y".into(),
            Measure::BceProbs {
                framework: Framework::Pytorch,
            } => "-(y * ln_floor(p) + (1.0 - y) * ln_rest(p))".into(),
            Measure::BceProbs {
                framework: Framework::Keras,
            } => {
                let q = format!("clamp(p, {low}, 1.0 - {low})");
                format!("-(y * log({q}) + (1.0 - y) * log1p_(-{q}))")
            }
        }
    }

    /// [`Measure::slope`] in WGSL.
    fn wgsl_slope(self) -> String {
        let low = float(CLIP as f32);
        match self {
            Measure::Squared => "2.0 * d".into(),
            Measure::Absolute => "sign(d)".into(),
            Measure::Huber { delta } => format!("clamp(d, -{0}, {0})", float(delta)),
            Measure::Hinge => "select(0.0, 1.0 - 2.0 * y, (2.0 * y - 1.0) * p < 1.0)".into(),
            Measure::Perceptron => "select(0.0, 1.0, p > 0.0) - y".into(),
            Measure::BceLogits => "sigmoid_(p) - y".into(),
            Measure::BceProbs {
                framework: Framework::Pytorch,
            } => "d / max(p * (1.0 - p), 1e-12)".into(),
            Measure::BceProbs {
                framework: Framework::Keras,
            } => {
                format!("select(d / max(p * (1.0 - p), 1e-12), 0.0, p < {low} || p > 1.0 - {low})")
            }
        }
    }

    /// Whether there is a form in vectors.
    fn is_wide(self) -> bool {
        matches!(
            self,
            Measure::Squared | Measure::BceLogits | Measure::BceProbs { .. }
        )
    }

    fn describe(self) -> String {
        match self {
            Measure::Squared => "mse".into(),
            Measure::Absolute => "mae".into(),
            Measure::Huber { delta } => format!("huber({delta})"),
            Measure::Hinge => "hinge".into(),
            Measure::Perceptron => "perceptron".into(),
            Measure::BceLogits => "bce_logits".into(),
            Measure::BceProbs { .. } => "bce_probs".into(),
        }
    }
}

fn sign(d: f64) -> f64 {
    if d > 0.0 {
        1.0
    } else if d < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// `(p[B,T], y[B,T]) → loss[B]`, the mean over T.
#[derive(Clone, Debug, PartialEq)]
pub struct PerSample {
    pub measure: Measure,
}

/// `(p[B,T], y[B,T], dloss[B]) → dp[B,T]`.
#[derive(Clone, Debug, PartialEq)]
pub struct PerSampleGrad {
    pub measure: Measure,
}

/// Each element is computed in f64, which probabilities near 0 and 1 gain by; for one number per
/// sample or few.
fn forward<T: Real>(measure: Measure, p: &[T], y: &[T], out: &mut [T]) {
    let t = p.len() / out.len();
    for (b, out) in out.iter_mut().enumerate() {
        let mut s = 0.0;
        for i in b * t..(b + 1) * t {
            s += measure.value(p[i].f64(), y[i].f64());
        }
        *out = T::of(s / t as f64);
    }
}

fn backward<T: Real>(measure: Measure, p: &[T], y: &[T], g: &[T], out: &mut [T]) {
    let t = p.len() / g.len();
    for (i, out) in out.iter_mut().enumerate() {
        *out = T::of(measure.slope(p[i].f64(), y[i].f64()) * g[i / t].f64() / t as f64);
    }
}

/// Numbers per sample from which on vectors are used, in f32: images, where f64 would take longer
/// than the layers.
const WIDE: usize = 16;

fn wide_forward<S: F32x4>(
    measure: Measure,
    p: &[f32],
    y: &[f32],
    out: &mut [f32],
    each: &mut [f32],
) {
    let t = each.len();
    let one = S::splat(1.0);
    for (b, out) in out.iter_mut().enumerate() {
        let (p, y) = (&p[b * t..][..t], &y[b * t..][..t]);
        match measure {
            Measure::Squared => map2::<S>(p, y, each, |p, y| {
                let d = p.sub(y);
                d.mul(d)
            }),
            Measure::BceLogits => {
                map2::<S>(p, y, each, |p, y| math::softplus(p, one).sub(p.mul(y)))
            }
            Measure::BceProbs { framework } => {
                let keras = framework == Framework::Keras;
                let (low, high) = (S::splat(CLIP as f32), S::splat(1.0 - CLIP as f32));
                let least = S::splat(-100.0);
                map2::<S>(p, y, each, |p, y| {
                    let p = if keras { p.max(low).min(high) } else { p };
                    let (a, b) = (math::ln(p).max(least), math::ln(one.sub(p)).max(least));
                    y.mul(a).add(one.sub(y).mul(b)).neg()
                });
            }
            _ => unreachable!("not wide"),
        }
        *out = reduce::sum::<S>(each) / t as f32;
    }
}

fn wide_backward<S: F32x4>(measure: Measure, p: &[f32], y: &[f32], g: &[f32], out: &mut [f32]) {
    let t = p.len() / g.len();
    let one = S::splat(1.0);
    let rows = p
        .chunks_exact(t)
        .zip(y.chunks_exact(t))
        .zip(out.chunks_exact_mut(t));
    for (((p, y), out), g) in rows.zip(g) {
        let g = S::splat(g / t as f32);
        match measure {
            Measure::Squared => {
                let g = g.add(g);
                map2::<S>(p, y, out, |p, y| p.sub(y).mul(g));
            }
            Measure::BceLogits => map2::<S>(p, y, out, |p, y| math::sigmoid(p).sub(y).mul(g)),
            Measure::BceProbs { framework } => {
                let keras = framework == Framework::Keras;
                let (low, high) = (S::splat(CLIP as f32), S::splat(1.0 - CLIP as f32));
                let least = S::splat(1e-12);
                map2::<S>(p, y, out, |p, y| {
                    let d = p.sub(y).mul(g).div(p.mul(one.sub(p)).max(least));
                    if keras {
                        d.and(p.ge(low).and(high.ge(p)))
                    } else {
                        d
                    }
                });
            }
            _ => unreachable!("not wide"),
        }
    }
}

impl OpDef for PerSample {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        if numel(x[0]) != numel(x[1]) {
            return Err(Problem::new("same-shape")
                .arg("a", show(&x[0][1..]))
                .arg("b", show(&x[1][1..])));
        }
        Ok(vec![vec![x[0][0]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let op = PerSampleGrad {
            measure: self.measure,
        };
        let dx = b.emit(op, &[b.x(0), b.x(1), dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        forward(self.measure, &c.x[0], &c.x[1], &mut c.y[0]);
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        numel(&x[0][1..])
    }
    fn cpu(&self, c: &mut Call) {
        let width = numel(&c.xs(0)[1..]);
        let (p, y) = (c.x(0), c.x(1));
        let (out, scratch) = c.y_scratch(0);
        if width >= WIDE && self.measure.is_wide() {
            wide_forward::<V>(self.measure, p, y, out, &mut scratch[..width]);
        } else {
            forward(self.measure, p, y, out);
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (b, t) = (k.xs(0)[0], numel(&k.xs(0)[1..]));
        k.reduce(&Reduction {
            outs: b,
            count: t,
            reads: &[At::X(0), At::X(1)],
            value: &format!(
                "let p = x0[o * {t}u + r]; let y = x1[o * {t}u + r]; let d = p - y; return {};",
                self.measure.wgsl()
            ),
            combine: Combine::Sum,
            finish: &format!("v / {}", float(t as f32)),
            along_r: true,
            write: At::Y(0),
            uses: &["math"],
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        4 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        self.measure.describe()
    }
}

impl OpDef for PerSampleGrad {
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
        backward(self.measure, &c.x[0], &c.x[1], &c.x[2], &mut c.y[0]);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (p, y, g) = (c.x(0), c.x(1), c.x(2));
        if p.len() >= WIDE * g.len() && self.measure.is_wide() {
            wide_backward::<V>(self.measure, p, y, g, c.y(0));
        } else {
            backward(self.measure, p, y, g, c.y(0));
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let t = numel(&k.xs(0)[1..]);
        k.map(Map {
            n: numel(k.xs(0)),
            reads: vec![
                (At::X(0), EACH.into()),
                (At::X(1), EACH.into()),
                (At::X(2), format!("i / {t}u")),
            ],
            writes: vec![(At::Y(0), EACH.into())],
            body: format!(
                "let p = a0; let y = a1; let d = p - y; r0 = ({}) * (a2 / {});",
                self.measure.wgsl_slope(),
                float(t as f32)
            ),
            uses: vec!["math"],
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        3 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        format!("{}_grad", self.measure.describe())
    }
}
