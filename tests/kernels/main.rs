//! Every CPU kernel against a plain f64 loop, and the target's vectors against scalar code, bit
//! for bit. Outputs lie between sentinels.
#![cfg(not(target_arch = "wasm32"))]
mod elementwise;
mod gemm;
mod math;
mod optim;
mod softmax;

use nabla::backend::cpu::kernels::Act;

const GUARD: f32 = -7.25e9;
const LENS: [usize; 12] = [0, 1, 2, 3, 4, 5, 15, 16, 17, 33, 100, 1027];

struct Rng(u32);
impl Rng {
    /// Uniform in [−1, 1).
    fn f(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
    }
    fn vec(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.f()).collect()
    }
}

/// Runs `f` on a copy of `init` with sentinels around it; gives what it left there.
fn guarded(init: &[f32], f: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let mut buf = vec![GUARD; init.len() + 16];
    let inner = 7..7 + init.len();
    buf[inner.clone()].copy_from_slice(init);
    f(&mut buf[inner.clone()]);
    for (i, x) in buf.iter().enumerate() {
        assert!(
            inner.contains(&i) || *x == GUARD,
            "wrote outside at {}",
            i as i64 - 7
        );
    }
    buf[inner].to_vec()
}

#[track_caller]
fn same_bits(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!(
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            "{what}[{i}]: {a:e} and {b:e}"
        );
    }
}

/// The same bits, unless multiply-adds may be fused on one side.
#[track_caller]
fn like_scalar(a: &[f32], b: &[f32], what: &str) {
    if !cfg!(target_feature = "relaxed-simd") {
        same_bits(a, b, what);
    }
}

#[track_caller]
fn close(a: &[f32], b: impl IntoIterator<Item = f64>, tol: f64, what: &str) {
    let mut n = 0;
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        let err = (f64::from(*a) - b).abs();
        assert!(
            err <= tol * (1.0 + b.abs()),
            "{what}[{i}]: {a:e}, should be {b:e}"
        );
        n += 1;
    }
    assert_eq!(n, a.len());
}

fn d(x: &f32) -> f64 {
    f64::from(*x)
}

/// y = act(x) in f64.
fn scalar_act(act: Act, x: f64) -> f64 {
    match act {
        Act::None => x,
        Act::Step => f64::from(x > 0.0),
        Act::Relu => x.max(0.0),
        Act::LeakyRelu(s) => {
            if x > 0.0 {
                x
            } else {
                x * d(&s)
            }
        }
        Act::Elu(a) => {
            if x > 0.0 {
                x
            } else {
                d(&a) * x.exp_m1()
            }
        }
        Act::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Act::Tanh => x.tanh(),
        Act::Gelu => 0.5 * x * erfc(-x / 2f64.sqrt()),
        Act::GeluTanh => {
            0.5 * x
                * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh())
        }
        Act::Silu => x / (1.0 + (-x).exp()),
        Act::Softplus(b) => ((-(d(&b) * x).abs()).exp().ln_1p() / d(&b)) + x.max(0.0),
    }
}

/// erfc in f64: the series near 0, the continued fraction further out.
fn erfc(x: f64) -> f64 {
    let a = x.abs();
    let c = 2.0 / std::f64::consts::PI.sqrt();
    let tail = if a < 2.5 {
        let (mut term, mut sum) = (a, a);
        for n in 1..80 {
            term *= -a * a / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        1.0 - c * sum
    } else {
        let f = (1..120).rev().fold(a, |f, n| a + f64::from(n) / 2.0 / f);
        (-a * a).exp() * c / 2.0 / f
    };
    if x < 0.0 { 2.0 - tail } else { tail }
}
fn erf(x: f64) -> f64 {
    if x.abs() < 0.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..40 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    } else {
        1.0 - erfc(x)
    }
}

/// Distance in units of the last place of the exact value; subnormal results count absolutely.
fn ulps(got: f32, want: f64) -> f64 {
    let w = want as f32;
    if got == w || (got.is_nan() && w.is_nan()) {
        return 0.0;
    }
    if !w.is_finite() || !got.is_finite() {
        return f64::INFINITY;
    }
    let ulp = f64::from(w.abs().max(f32::MIN_POSITIVE))
        .log2()
        .floor()
        .exp2()
        * 2f64.powi(-23);
    (f64::from(got) - want).abs() / ulp
}
