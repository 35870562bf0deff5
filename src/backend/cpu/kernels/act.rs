//! Activations on vectors.
use super::math::{exp, expm1, phi, sigmoid, softplus, tanh};
use super::simd::F32x4;

/// An activation y = f(x).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// y = x.
    None,
    /// 1 where x > 0, else 0; gradient 0 everywhere.
    Step,
    /// max(x, 0).
    Relu,
    /// x where x > 0, else slope·x. The slope is ≥ 0: the gradient reads x's sign off y.
    LeakyRelu(f32),
    /// x where x > 0, else α(eˣ − 1). α is ≥ 0, for the same reason.
    Elu(f32),
    Sigmoid,
    Tanh,
    /// x·Φ(x).
    Gelu,
    /// ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
    GeluTanh,
    /// x·σ(x).
    Silu,
    /// ln(1 + e^(βx))/β.
    Softplus(f32),
}

const GELU_C: f32 = 0.797_884_6;
const GELU_C3: f32 = 0.797_884_6 * 0.044_715;

impl Act {
    /// What the gradient is computed from: the output y where true, the input x where false.
    pub fn grad_from_output(self) -> bool {
        !matches!(
            self,
            Act::Gelu | Act::GeluTanh | Act::Silu | Act::Softplus(_)
        )
    }

    /// Whether it needs no exponential, and so may ride along where a value is in a register.
    pub fn is_cheap(self) -> bool {
        matches!(self, Act::None | Act::Step | Act::Relu | Act::LeakyRelu(_))
    }
}

/// One activation as a type, so that a loop over it is compiled for it alone.
pub trait Activation<V: F32x4>: Copy {
    fn forward(self, x: V) -> V;
    /// dy/dx from `saved`, which is y or x as [`Act::grad_from_output`] says.
    fn slope(self, saved: V) -> V;
}

macro_rules! activation {
    ($name:ident $(($p:ident))?, $x:ident => $f:expr, $s:ident => $g:expr) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name $((pub activation!(@ty $p)))?;
        impl<V: F32x4> Activation<V> for $name {
            #[inline(always)]
            fn forward(self, $x: V) -> V {
                $(let $p = V::splat(self.0);)?
                $f
            }
            #[inline(always)]
            fn slope(self, $s: V) -> V {
                $(let $p = V::splat(self.0);)?
                $g
            }
        }
    };
    (@ty $p:ident) => { f32 };
}

#[inline(always)]
fn one<V: F32x4>() -> V {
    V::splat(1.0)
}

activation!(Identity, x => x, _y => one());
activation!(Step, x => one::<V>().and(x.gt(V::zero())), _y => V::zero());
activation!(Relu, x => x.max(V::zero()), y => one::<V>().and(y.gt(V::zero())));
activation!(LeakyRelu(s), x => x.gt(V::zero()).select(x, x.mul(s)), y => y.gt(V::zero()).select(one(), s));
activation!(Elu(a),
    x => x.gt(V::zero()).select(x, a.mul(expm1(x.min(V::zero())))),
    y => y.gt(V::zero()).select(one(), y.add(a)));
activation!(Sigmoid, x => sigmoid(x), y => y.mul(one::<V>().sub(y)));
activation!(Tanh, x => tanh(x), y => one::<V>().sub(y.mul(y)));
activation!(Gelu,
x => x.mul(phi(x)),
x => {
    // Φ(x) + x·φ(x), φ the density; far out x·φ would be ∞·0.
    let c = x.min(V::splat(16.0)).max(V::splat(-16.0));
    let density = exp(c.mul(c).mul(V::splat(-0.5))).mul(V::splat(0.398_942_3));
    c.mul_add(density, phi(x))
});
activation!(GeluTanh,
x => {
    let u = x.mul(x).mul_add(V::splat(GELU_C3), V::splat(GELU_C)).mul(x);
    // ½(1 + tanh u) = σ(2u)
    x.mul(sigmoid(u.add(u)))
},
x => {
    let c = x.min(V::splat(32.0)).max(V::splat(-32.0));
    let x2 = c.mul(c);
    let u = x2.mul_add(V::splat(GELU_C3), V::splat(GELU_C)).mul(c);
    let s = sigmoid(u.add(u));
    // s + 2x·s(1−s)·u′
    let du = x2.mul_add(V::splat(3.0 * GELU_C3), V::splat(GELU_C));
    let w = c.add(c).mul(s.mul(one::<V>().sub(s)));
    w.mul_add(du, s)
});
activation!(Silu,
x => x.mul(sigmoid(x)),
x => {
    let c = x.min(V::splat(100.0)).max(V::splat(-100.0));
    let s = sigmoid(c);
    s.mul(c.mul_add(one::<V>().sub(s), one()))
});
activation!(Softplus(b), x => softplus(x, b), x => sigmoid(x.mul(b)));

/// Calls `$run` with the activation of `$act` as a type.
macro_rules! with_act {
    ($act:expr, $a:ident => $run:expr) => {{
        use $crate::backend::cpu::kernels::act::{self, Act};
        match $act {
            Act::None => {
                let $a = act::Identity;
                $run
            }
            Act::Step => {
                let $a = act::Step;
                $run
            }
            Act::Relu => {
                let $a = act::Relu;
                $run
            }
            Act::LeakyRelu(s) => {
                let $a = act::LeakyRelu(s);
                $run
            }
            Act::Elu(s) => {
                let $a = act::Elu(s);
                $run
            }
            Act::Sigmoid => {
                let $a = act::Sigmoid;
                $run
            }
            Act::Tanh => {
                let $a = act::Tanh;
                $run
            }
            Act::Gelu => {
                let $a = act::Gelu;
                $run
            }
            Act::GeluTanh => {
                let $a = act::GeluTanh;
                $run
            }
            Act::Silu => {
                let $a = act::Silu;
                $run
            }
            Act::Softplus(s) => {
                let $a = act::Softplus(s);
                $run
            }
        }
    }};
}
pub(super) use with_act;

/// y = act(x) for one vector.
#[inline(never)]
pub fn apply<V: F32x4>(act: Act, x: V) -> V {
    with_act!(act, a => a.forward(x))
}
