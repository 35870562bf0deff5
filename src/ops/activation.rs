//! Elementwise activations: `x[…] → y[…]`.
use super::*;
use crate::backend::cpu::kernels::{Act, V, elementwise};
use crate::graph::numel;

/// y = f(x). Softmax is an op of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    pub act: Act,
}

/// `(saved[…], dy[…]) → dx[…]`, dx = dy·f′; `saved` is y where f′ can be told from it, else x
/// ([`Act::grad_from_output`]).
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationGrad {
    pub act: Act,
}

/// f(x) in f64; the definitions are PyTorch's and Keras'.
pub fn value(act: Act, x: f64) -> f64 {
    match act {
        Act::None => x,
        Act::Step => f64::from(x > 0.0),
        Act::Relu => x.max(0.0),
        Act::LeakyRelu(a) => {
            if x > 0.0 {
                x
            } else {
                f64::from(a) * x
            }
        }
        Act::Elu(a) => {
            if x > 0.0 {
                x
            } else {
                f64::from(a) * libm::expm1(x)
            }
        }
        Act::Sigmoid => sigmoid(x),
        Act::Tanh => libm::tanh(x),
        Act::Gelu => x * phi(x),
        Act::GeluTanh => 0.5 * x * (1.0 + libm::tanh(GELU_C * (x + 0.044715 * x * x * x))),
        Act::Silu => x * sigmoid(x),
        Act::Softplus(b) => {
            let b = f64::from(b);
            ((b * x).max(0.0) + libm::log1p(libm::exp(-(b * x).abs()))) / b
        }
    }
}

/// f′(x) in f64.
pub fn slope(act: Act, x: f64) -> f64 {
    match act {
        Act::None => 1.0,
        Act::Step => 0.0,
        Act::Relu => f64::from(x > 0.0),
        Act::LeakyRelu(a) => {
            if x > 0.0 {
                1.0
            } else {
                f64::from(a)
            }
        }
        Act::Elu(a) => {
            if x > 0.0 {
                1.0
            } else {
                f64::from(a) * libm::exp(x)
            }
        }
        Act::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
        Act::Tanh => 1.0 - libm::tanh(x) * libm::tanh(x),
        Act::Gelu => phi(x) + x * libm::exp(-0.5 * x * x) / (2.0 * std::f64::consts::PI).sqrt(),
        Act::GeluTanh => {
            let t = libm::tanh(GELU_C * (x + 0.044715 * x * x * x));
            0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * GELU_C * (1.0 + 3.0 * 0.044715 * x * x)
        }
        Act::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
        Act::Softplus(b) => sigmoid(f64::from(b) * x),
    }
}

/// f′ told from y = f(x), for the activations that allow it.
fn slope_from_output(act: Act, y: f64) -> f64 {
    match act {
        Act::Relu => f64::from(y > 0.0),
        Act::LeakyRelu(a) => {
            if y > 0.0 {
                1.0
            } else {
                f64::from(a)
            }
        }
        Act::Elu(a) => {
            if y > 0.0 {
                1.0
            } else {
                y + f64::from(a)
            }
        }
        Act::Sigmoid => y * (1.0 - y),
        Act::Tanh => 1.0 - y * y,
        Act::None => 1.0,
        _ => 0.0,
    }
}

/// √(2/π)
const GELU_C: f64 = 0.797_884_560_802_865_4;

pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// Distribution function of the standard normal.
fn phi(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

pub(super) fn describe(act: Act) -> String {
    match act {
        Act::LeakyRelu(a) => format!("leaky_relu({a})"),
        Act::Elu(a) => format!("elu({a})"),
        Act::Softplus(b) => format!("softplus({b})"),
        Act::GeluTanh => "gelu_tanh".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// f(v) in WGSL, with the piece `math`.
pub(super) fn wgsl(act: Act) -> String {
    match act {
        Act::None => "v".into(),
        Act::Step => "select(0.0, 1.0, v > 0.0)".into(),
        Act::Relu => "select(v, 0.0, v <= 0.0)".into(),
        Act::LeakyRelu(a) => format!("select(v * {}, v, v > 0.0)", float(a)),
        Act::Elu(a) => format!("select({} * expm1_(v), v, v > 0.0)", float(a)),
        Act::Sigmoid => "sigmoid_(v)".into(),
        Act::Tanh => "tanh_(v)".into(),
        Act::Gelu => "v * phi_(v)".into(),
        Act::GeluTanh => "gelu_tanh(v)".into(),
        Act::Silu => "v * sigmoid_(v)".into(),
        Act::Softplus(b) => format!("softplus_(v, {})", float(b)),
    }
}

/// f′ in WGSL from s, which is y or x as [`Act::grad_from_output`] says.
fn wgsl_slope(act: Act) -> String {
    match act {
        Act::None => "1.0".into(),
        Act::Step => "0.0".into(),
        Act::Relu => "select(0.0, 1.0, s > 0.0)".into(),
        Act::LeakyRelu(a) => format!("select({}, 1.0, s > 0.0)", float(a)),
        Act::Elu(a) => format!("select(s + {}, 1.0, s > 0.0)", float(a)),
        Act::Sigmoid => "s * (1.0 - s)".into(),
        Act::Tanh => "1.0 - s * s".into(),
        Act::Gelu => "phi_(s) + s * exp_(-0.5 * s * s) * 0.3989423".into(),
        Act::GeluTanh => "gelu_tanh_slope(s)".into(),
        Act::Silu => "silu_slope(s)".into(),
        Act::Softplus(b) => format!("sigmoid_({} * s)", float(b)),
    }
}

/// An activation at the end of a product, for [`Product`].
pub(super) fn finish(act: Act) -> (String, &'static [&'static str]) {
    let uses: &[&str] = if act.is_cheap() { &[] } else { &["math"] };
    (wgsl(act), uses)
}

impl OpDef for Activation {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        if self.act == Act::Step {
            return Ok(());
        }
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let saved = if self.act.grad_from_output() {
            b.y(0)
        } else {
            b.x(0)
        };
        let dx = b.emit(ActivationGrad { act: self.act }, &[saved, dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        for (y, x) in c.y[0].iter_mut().zip(&c.x[0]) {
            *y = x.map(|v| value(self.act, v));
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::elements(x)
    }
    fn cpu(&self, c: &mut Call) {
        elementwise::act::<V>(self.act, c.x(0), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let body = format!("let v = a0; r0 = {};", wgsl(self.act));
        k.map(Map {
            n: numel(k.ys(0)),
            reads: vec![(At::X(0), EACH.into())],
            writes: vec![(At::Y(0), EACH.into())],
            body,
            uses: vec!["math"],
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        describe(self.act)
    }
}

impl OpDef for ActivationGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[1].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        for i in 0..c.y[0].len() {
            let s = c.x[0][i].map(|v| {
                if self.act.grad_from_output() {
                    slope_from_output(self.act, v)
                } else {
                    slope(self.act, v)
                }
            });
            c.y[0][i] = c.x[1][i] * s;
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::elements(x)
    }
    fn cpu(&self, c: &mut Call) {
        elementwise::act_grad::<V>(self.act, c.x(0), c.x(1), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let body = format!("let s = a0; r0 = a1 * ({});", wgsl_slope(self.act));
        k.map(Map {
            n: numel(k.ys(0)),
            reads: vec![(At::X(0), EACH.into()), (At::X(1), EACH.into())],
            writes: vec![(At::Y(0), EACH.into())],
            body,
            uses: vec!["math"],
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        2 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        format!("{}_grad", describe(self.act))
    }
}
