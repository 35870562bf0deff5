//! Every CPU kernel against a plain f64 loop, and the target's vectors against scalar code, bit
//! for bit. Outputs lie between sentinels.
use nabla::backend::cpu::kernels::elementwise as ew;
use nabla::backend::cpu::kernels::gemm::{Epilogue, gemm, gemm_block, part, scratch_len};
use nabla::backend::cpu::kernels::optim::{Adagrad, Adam, Convention, Rmsprop, Sgd};
use nabla::backend::cpu::kernels::pack::{Gathered, GatheredT, Source, Strided};
use nabla::backend::cpu::kernels::{Act, F32x4, Scalar4, V, math, reduce, softmax};

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
    if cfg!(target_feature = "relaxed-simd") {
        return;
    }
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!(
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            "{what}[{i}]: {a:e} and {b:e}"
        );
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

// ------------------------------------------------------------------------------------- gemm

struct Case {
    m: usize,
    n: usize,
    k: usize,
    ldc: usize,
    trans: (bool, bool),
    accumulate: bool,
    bias: bool,
    act: Act,
}

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

fn gemm_case(c: &Case, rng: &mut Rng) {
    let (m, n, k) = (c.m, c.n, c.k);
    let (a, b) = (rng.vec(m * k), rng.vec(k * n));
    let (bias, init) = (rng.vec(n), rng.vec(m.max(1) * c.ldc));
    let sa = if c.trans.0 {
        Strided::a_t(&a, m)
    } else {
        Strided::a(&a, k)
    };
    let sb = if c.trans.1 {
        Strided::b_t(&b, k)
    } else {
        Strided::b(&b, n)
    };
    let ep = Epilogue {
        accumulate: c.accumulate,
        bias: c.bias.then_some(&bias),
        act: c.act,
    };
    let what = format!("{m}x{n}x{k} ldc {} {:?} {ep:?}", c.ldc, c.trans);
    let mut scratch = vec![f32::NAN; scratch_len(m, n, k)];
    let got = guarded(&init, |o| {
        gemm::<V, _, _>(m, n, k, &sa, &sb, o, c.ldc, &ep, &mut scratch)
    });
    let scalar = guarded(&init, |o| {
        gemm::<Scalar4, _, _>(m, n, k, &sa, &sb, o, c.ldc, &ep, &mut scratch)
    });
    same_bits(&got, &scalar, &what);
    for i in 0..m {
        let row = (0..n).map(|j| {
            let dot: f64 = (0..k)
                .map(|p| d(&a[i * sa.xs + p * sa.ks]) * d(&b[j * sb.xs + p * sb.ks]))
                .sum();
            let mut x = dot
                + if c.accumulate {
                    d(&init[i * c.ldc + j])
                } else {
                    0.0
                };
            x += if c.bias { d(&bias[j]) } else { 0.0 };
            scalar_act(c.act, x)
        });
        close(
            &got[i * c.ldc..][..n],
            row,
            2e-7 * (4.0 + (k as f64).sqrt() * 2.0),
            &what,
        );
        same_bits(
            &got[i * c.ldc + n..(i + 1) * c.ldc],
            &init[i * c.ldc + n..(i + 1) * c.ldc],
            "beyond a row",
        );
    }
    for parts in [2, 3] {
        let split = guarded(&init, |o| {
            for t in 0..parts {
                let (r, cols) = part(m, n, t, parts);
                // SAFETY: `o` is all of C and nobody else has it.
                unsafe {
                    gemm_block::<V, _, _>(
                        r,
                        cols,
                        k,
                        &sa,
                        &sb,
                        o.as_mut_ptr(),
                        c.ldc,
                        &ep,
                        &mut scratch,
                    )
                }
            }
        });
        same_bits(&split, &got, &format!("{what} in {parts} parts"));
    }
}

#[test]
fn gemm_matches_loops() {
    let mut rng = Rng(1);
    let sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17, 31, 40];
    let acts = [
        Act::None,
        Act::Relu,
        Act::LeakyRelu(0.1),
        Act::Sigmoid,
        Act::Tanh,
        Act::Elu(0.7),
        Act::Gelu,
    ];
    let mut t = 0;
    for m in sizes {
        for n in sizes {
            for k in [0, 1, 2, 3, 4, 6, 11, 33] {
                let case = Case {
                    m,
                    n,
                    k,
                    ldc: n + t % 3,
                    trans: (t % 2 == 1, t / 2 % 2 == 1),
                    accumulate: t / 4 % 3 == 1,
                    bias: t / 3 % 2 == 1,
                    act: acts[t / 5 % acts.len()],
                };
                gemm_case(&case, &mut rng);
                t += 1;
            }
        }
    }
}

#[test]
fn gemm_across_blocks() {
    let mut rng = Rng(2);
    let shapes = [
        (97, 10, 513),
        (5, 500, 300),
        (200, 130, 257),
        (1, 600, 520),
        (610, 1, 520),
        (100, 481, 64),
        (3, 970, 2),
        (130, 23, 700),
    ];
    for (i, (m, n, k)) in shapes.into_iter().enumerate() {
        for trans in [(false, false), (true, false), (false, true), (true, true)] {
            let (accumulate, bias) = (i % 2 == 0, i % 3 == 0);
            gemm_case(
                &Case {
                    m,
                    n,
                    k,
                    ldc: n,
                    trans,
                    accumulate,
                    bias,
                    act: [Act::Relu, Act::Tanh, Act::None][i % 3],
                },
                &mut rng,
            );
        }
    }
}

#[test]
fn gemm_keeps_nan_and_infinity() {
    let a = [f32::NAN, 1.0, 1.0, f32::INFINITY];
    let b = [1.0, 2.0, 3.0, 4.0];
    let ep = Epilogue {
        act: Act::Relu,
        ..Epilogue::STORE
    };
    let mut c = [0.0; 4];
    let mut scratch = vec![0.0; scratch_len(2, 2, 2)];
    gemm::<V, _, _>(
        2,
        2,
        2,
        &Strided::a(&a, 2),
        &Strided::b(&b, 2),
        &mut c,
        2,
        &ep,
        &mut scratch,
    );
    assert!(c[0].is_nan() && c[1].is_nan() && c[2] == f32::INFINITY && c[3] == f32::INFINITY);
}

/// Hides that a matrix is one in memory, as an implicit operand would.
struct Hidden<S>(S);
impl<S: Source> Source for Hidden<S> {
    fn pack<V: F32x4, const W: usize>(
        &self,
        x: std::ops::Range<usize>,
        k: std::ops::Range<usize>,
        out: &mut [f32],
    ) {
        self.0.pack::<V, W>(x, k, out);
    }
}

#[test]
fn sources_agree() {
    let mut rng = Rng(3);
    let (set, stride) = (rng.vec(50 * 40), 40);
    for (m, n, k) in [
        (1, 5, 40),
        (7, 1, 40),
        (13, 17, 40),
        (33, 50, 33),
        (8, 4, 8),
        (20, 8, 40),
    ] {
        let rows: Vec<u32> = (0..m as u32).map(|i| i * 7 % 50).collect();
        let copy: Vec<f32> = rows
            .iter()
            .flat_map(|&r| set[r as usize * stride..][..k].to_vec())
            .collect();
        let b = rng.vec(k * n);
        let mut scratch = vec![f32::NAN; scratch_len(m.max(k), m.max(n), k.max(m))];
        let ep = Epilogue::STORE;
        let init = vec![0.0; m * n];
        let (plain, sb) = (Strided::a(&copy, k), Strided::b(&b, n));
        let want = guarded(&init, |o| {
            gemm::<V, _, _>(m, n, k, &plain, &sb, o, n, &ep, &mut scratch)
        });
        let picked = Gathered {
            data: &set,
            stride,
            rows: &rows,
        };
        let got = guarded(&init, |o| {
            gemm::<V, _, _>(m, n, k, &picked, &sb, o, n, &ep, &mut scratch)
        });
        same_bits(&got, &want, "gathered");
        let got = guarded(&init, |o| {
            gemm::<V, _, _>(
                m,
                n,
                k,
                &Hidden(plain),
                &Hidden(sb),
                o,
                n,
                &ep,
                &mut scratch,
            )
        });
        same_bits(&got, &want, "hidden");
        // Xᵀ·D for D[m,n], as left operand.
        let dy = rng.vec(m * n);
        let sd = Strided::b(&dy, n);
        let init = vec![0.0; k * n];
        let want = guarded(&init, |o| {
            gemm::<V, _, _>(
                k,
                n,
                m,
                &Strided::a_t(&copy, k),
                &sd,
                o,
                n,
                &ep,
                &mut scratch,
            )
        });
        let picked = GatheredT {
            data: &set,
            stride,
            rows: &rows,
        };
        let got = guarded(&init, |o| {
            gemm::<V, _, _>(k, n, m, &picked, &sd, o, n, &ep, &mut scratch)
        });
        same_bits(&got, &want, "gathered, transposed");
    }
}

// ------------------------------------------------------------------------------------- math

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

/// `lo`..`hi` densely, both signs of tiny values, and every special value inside the range.
fn points(lo: f32, hi: f32) -> Vec<f32> {
    let n = 400_000;
    let mut x: Vec<f32> = (0..=n)
        .map(|i| (d(&lo) + (d(&hi) - d(&lo)) * f64::from(i) / f64::from(n)) as f32)
        .collect();
    for e in -149..=127 {
        for s in [1.0, -1.0] {
            x.extend([1.0, 1.25, 1.75].map(|m| (s * m * 2f64.powi(e)) as f32));
        }
    }
    x.extend([0.0, -0.0]);
    x.retain(|x| *x >= lo && *x <= hi);
    x
}

fn check_math(
    name: &str,
    lo: f32,
    hi: f32,
    max: f64,
    f: fn(V) -> V,
    g: fn(Scalar4) -> Scalar4,
    exact: fn(f64) -> f64,
) {
    let x = points(lo, hi);
    let mut y = vec![0.0; x.len()];
    ew::map1::<V>(&x, &mut y, f);
    let mut z = vec![0.0; x.len()];
    ew::map1::<Scalar4>(&x, &mut z, g);
    same_bits(&y, &z, name);
    let (err, at) = x
        .iter()
        .zip(&y)
        .map(|(x, y)| (ulps(*y, exact(d(x))), *x))
        .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
    println!("{name} on {lo}..{hi}: {err:.2} ulp at {at:e}");
    assert!(err <= max, "{name}: {err} ulp at {at:e}");
}

macro_rules! math {
    ($f:ident, $lo:expr, $hi:expr, $ulp:expr, $exact:expr) => {
        check_math(stringify!($f), $lo, $hi, $ulp, math::$f, math::$f, $exact)
    };
}

#[test]
fn math_error() {
    math!(exp, -86.9, 88.72, 2.0, f64::exp);
    math!(expm1, -87.0, 88.7, 2.0, f64::exp_m1);
    math!(tanh, -20.0, 20.0, 3.0, f64::tanh);
    math!(sigmoid, -86.0, 100.0, 3.0, |x| 1.0 / (1.0 + (-x).exp()));
    math!(ln, 0.0, 4.0, 2.0, f64::ln);
    math!(ln, 0.0, f32::MAX, 2.0, f64::ln);
    math!(log1p, -1.0, 4.0, 2.0, f64::ln_1p);
    math!(log1p, -1.0, f32::MAX, 2.0, f64::ln_1p);
    check_math(
        "softplus",
        -86.0,
        100.0,
        3.0,
        |x| math::softplus(x, V::splat(1.0)),
        |x| math::softplus(x, Scalar4::splat(1.0)),
        |x| x.max(0.0) + (-x.abs()).exp().ln_1p(),
    );
    math!(erf, -6.0, 6.0, 3.0, erf);
}

#[test]
fn phi_error() {
    let x = points(-30.0, 30.0);
    let mut y = vec![0.0; x.len()];
    ew::map1::<V>(&x, &mut y, math::phi);
    for (x, y) in x.iter().zip(&y) {
        assert!(
            (d(y) - 0.5 * erfc(-d(x) / 2f64.sqrt())).abs() <= 1e-7,
            "{x}: {y}"
        );
    }
}

#[test]
fn math_special_values() {
    fn at(f: fn(V) -> V, x: f32) -> f32 {
        f(V::splat(x)).to_array()[0]
    }
    fn softplus(x: V) -> V {
        math::softplus(x, V::splat(1.0))
    }
    let inf = f32::INFINITY;
    for f in [
        math::exp,
        math::expm1,
        math::tanh,
        math::sigmoid,
        math::ln,
        math::log1p,
        softplus,
        math::erf,
        math::phi,
    ] {
        assert!(at(f, f32::NAN).is_nan());
    }
    let table: [(fn(V) -> V, f32, f32); 24] = [
        (math::exp, inf, inf),
        (math::exp, 89.0, inf),
        (math::exp, f32::MAX, inf),
        (math::exp, -inf, 0.0),
        (math::exp, -100.0, 0.0),
        (math::exp, 0.0, 1.0),
        (math::expm1, inf, inf),
        (math::expm1, -inf, -1.0),
        (math::tanh, inf, 1.0),
        (math::tanh, -inf, -1.0),
        (math::sigmoid, inf, 1.0),
        (math::sigmoid, -inf, 0.0),
        (math::ln, 0.0, -inf),
        (math::ln, -0.0, -inf),
        (math::ln, inf, inf),
        (math::ln, 1.0, 0.0),
        (math::log1p, inf, inf),
        (math::log1p, -1.0, -inf),
        (softplus, inf, inf),
        (softplus, -inf, 0.0),
        (math::erf, inf, 1.0),
        (math::erf, -inf, -1.0),
        (math::phi, inf, 1.0),
        (math::phi, -inf, 0.0),
    ];
    for (i, (f, x, y)) in table.into_iter().enumerate() {
        assert_eq!(at(f, x), y, "row {i}: f({x})");
    }
    assert!(
        at(math::ln, -1.0).is_nan()
            && at(math::log1p, -2.0).is_nan()
            && at(math::ln, -inf).is_nan()
    );
    assert!(at(math::tanh, -0.0).is_sign_negative() && at(math::erf, -0.0).is_sign_negative());
}

// ------------------------------------------------------------------------------ elementwise

const ACTS: [Act; 13] = [
    Act::None,
    Act::Step,
    Act::Relu,
    Act::LeakyRelu(0.01),
    Act::LeakyRelu(0.3),
    Act::Elu(1.0),
    Act::Elu(0.5),
    Act::Sigmoid,
    Act::Tanh,
    Act::Gelu,
    Act::GeluTanh,
    Act::Silu,
    Act::Softplus(2.0),
];

#[test]
fn activations_match_loops() {
    let mut rng = Rng(4);
    for act in ACTS {
        for n in LENS {
            let x: Vec<f32> = rng.vec(n).iter().map(|x| x * 8.0).collect();
            let (dy, dx0, zero) = (rng.vec(n), rng.vec(n), vec![0.0; n]);
            let what = format!("{act:?} {n}");
            let y = guarded(&zero, |y| ew::act::<V>(act, &x, y));
            same_bits(
                &y,
                &guarded(&zero, |y| ew::act::<Scalar4>(act, &x, y)),
                &what,
            );
            same_bits(&y, &guarded(&x, |y| ew::act_in_place::<V>(act, y)), &what);
            close(&y, x.iter().map(|x| scalar_act(act, d(x))), 5e-7, &what);
            let saved = if act.grad_from_output() { &y } else { &x };
            let dx = guarded(&zero, |dx| ew::act_grad::<V>(act, saved, &dy, dx));
            same_bits(
                &dx,
                &guarded(&zero, |dx| ew::act_grad::<Scalar4>(act, saved, &dy, dx)),
                &what,
            );
            same_bits(
                &dx,
                &guarded(&dy, |d| ew::act_grad_in_place::<V>(act, saved, d)),
                &what,
            );
            let slope = |x: f64| {
                if act == Act::Step {
                    0.0
                } else {
                    (scalar_act(act, x + 1e-6) - scalar_act(act, x - 1e-6)) / 2e-6
                }
            };
            close(
                &dx,
                x.iter().zip(&dy).map(|(x, dy)| slope(d(x)) * d(dy)),
                1e-6,
                &format!("gradient of {what}"),
            );
            let sum = guarded(&dx0, |dx| ew::act_grad_add::<V>(act, saved, &dy, dx));
            close(
                &sum,
                dx.iter().zip(&dx0).map(|(a, b)| d(a) + d(b)),
                1e-6,
                &what,
            );
        }
    }
}

#[test]
fn activations_far_out() {
    for act in ACTS {
        for x in [-f32::MAX, -1e10, -200.0, -90.0, 90.0, 200.0, 1e10, f32::MAX] {
            let (mut y, mut dx) = ([0.0], [0.0]);
            ew::act::<V>(act, &[x], &mut y);
            let want = scalar_act(act, d(&x));
            assert!(
                ulps(y[0], want) < 4.0 || (d(&y[0]) - want).abs() < 1e-7,
                "{act:?}({x}) = {}",
                y[0]
            );
            let saved = if act.grad_from_output() { y } else { [x] };
            ew::act_grad::<V>(act, &saved, &[1.0], &mut dx);
            assert!(
                dx[0].is_finite() && dx[0].abs() <= 1.2,
                "{act:?}'({x}) = {}",
                dx[0]
            );
        }
        let mut y = [0.0];
        ew::act::<V>(act, &[f32::NAN], &mut y);
        assert!(
            y[0].is_nan() || matches!(act, Act::Step | Act::LeakyRelu(_) | Act::Elu(_)),
            "{act:?}"
        );
    }
}

#[test]
fn arithmetic_matches_loops() {
    let mut rng = Rng(5);
    for n in LENS {
        let (a, b, c, zero) = (rng.vec(n), rng.vec(n), rng.vec(n), vec![0.0; n]);
        let pairs = || a.iter().zip(&b).map(|(a, b)| (d(a), d(b)));
        close(
            &guarded(&zero, |y| ew::add::<V>(&a, &b, y)),
            pairs().map(|(a, b)| a + b),
            1e-7,
            "add",
        );
        close(
            &guarded(&zero, |y| ew::sub::<V>(&a, &b, y)),
            pairs().map(|(a, b)| a - b),
            1e-7,
            "sub",
        );
        close(
            &guarded(&zero, |y| ew::mul::<V>(&a, &b, y)),
            pairs().map(|(a, b)| a * b),
            1e-7,
            "mul",
        );
        close(
            &guarded(&b, |y| ew::add_in_place::<V>(y, &a)),
            pairs().map(|(a, b)| a + b),
            1e-7,
            "add in place",
        );
        close(
            &guarded(&zero, |y| ew::scale::<V>(0.3, &a, y)),
            pairs().map(|(a, _)| a * d(&0.3)),
            1e-7,
            "scale",
        );
        close(
            &guarded(&a, |y| ew::scale_in_place::<V>(0.3, y)),
            pairs().map(|(a, _)| a * d(&0.3)),
            1e-7,
            "scale",
        );
        close(
            &guarded(&b, |y| ew::axpy::<V>(0.3, &a, y)),
            pairs().map(|(a, b)| b + a * d(&0.3)),
            1e-7,
            "axpy",
        );
        let triples = || pairs().zip(&c).map(|((a, b), c)| a * b + d(c));
        close(
            &guarded(&c, |y| ew::mul_add_in_place::<V>(y, &a, &b)),
            triples(),
            1e-7,
            "mul_add",
        );
        close(
            &guarded(&zero, |y| {
                ew::map3::<V>(&a, &b, &c, y, |a, b, c| a.mul_add(b, c))
            }),
            triples(),
            1e-7,
            "map3",
        );
    }
}

#[test]
fn rows_match_loops() {
    let mut rng = Rng(6);
    for n in [1, 2, 3, 4, 5, 10, 16, 21, 67] {
        for rows in [0, 1, 2, 7, 300] {
            let (x, bias, zero) = (rng.vec(rows * n), rng.vec(n), vec![0.0; rows * n]);
            let y = guarded(&zero, |y| ew::bias_add::<V>(&x, &bias, y));
            close(
                &y,
                x.iter().enumerate().map(|(i, x)| d(x) + d(&bias[i % n])),
                1e-7,
                "bias",
            );
            same_bits(
                &y,
                &guarded(&x, |y| ew::bias_add_in_place::<V>(y, &bias)),
                "bias in place",
            );
            for add in [false, true] {
                let s = guarded(&bias, |o| reduce::col_sums::<V>(&x, o, add));
                same_bits(
                    &s,
                    &guarded(&bias, |o| reduce::col_sums::<Scalar4>(&x, o, add)),
                    "column sums",
                );
                let sum = |j: usize| (0..rows).map(|i| d(&x[i * n + j])).sum::<f64>();
                close(
                    &s,
                    (0..n).map(|j| sum(j) + if add { d(&bias[j]) } else { 0.0 }),
                    1e-5,
                    "column sums",
                );
            }
        }
    }
}

#[test]
fn reductions_match_loops() {
    let mut rng = Rng(7);
    for n in LENS.into_iter().chain([4095, 4097, 100_003]) {
        let x = rng.vec(n);
        let sum = |f: fn(f64) -> f64| x.iter().map(|x| f(d(x))).sum::<f64>();
        close(&[reduce::sum::<V>(&x)], [sum(|x| x)], 1e-5, "sum");
        close(
            &[reduce::sum_sq::<V>(&x)],
            [sum(|x| x * x)],
            1e-6,
            "sum of squares",
        );
        close(
            &[reduce::sum_abs::<V>(&x)],
            [sum(f64::abs)],
            1e-6,
            "sum of absolutes",
        );
        same_bits(
            &[reduce::sum::<V>(&x)],
            &[reduce::sum::<Scalar4>(&x)],
            "sum",
        );
        same_bits(
            &[reduce::sum_sq::<V>(&x)],
            &[reduce::sum_sq::<Scalar4>(&x)],
            "sum of squares",
        );
        assert_eq!(
            reduce::max::<V>(&x),
            x.iter().copied().fold(f32::NEG_INFINITY, f32::max)
        );
        for i in [0, n / 2, n.saturating_sub(1)] {
            let mut x = x.clone();
            if n > 0 {
                x[i] = f32::NAN;
                assert!(reduce::max::<V>(&x).is_nan() && reduce::max::<Scalar4>(&x).is_nan());
            }
        }
    }
}

// ---------------------------------------------------------------------------------- softmax

#[test]
fn softmax_matches_loops() {
    let mut rng = Rng(8);
    for cols in [1, 2, 3, 4, 5, 10, 16, 33, 1000] {
        for rows in [0, 1, 3, 5] {
            let n = rows * cols;
            let x: Vec<f32> = rng.vec(n).iter().map(|x| x * 20.0).collect();
            let (dy, zero, what) = (rng.vec(n), vec![0.0; n], format!("softmax {rows}x{cols}"));
            let exact: Vec<f64> = x
                .chunks(cols)
                .flat_map(|x| {
                    let max = x.iter().map(d).fold(f64::MIN, f64::max);
                    let sum: f64 = x.iter().map(|x| (d(x) - max).exp()).sum();
                    x.iter().map(move |x| (d(x) - max).exp() / sum)
                })
                .collect();
            let y = guarded(&zero, |y| softmax::softmax::<V>(&x, cols, y));
            same_bits(
                &y,
                &guarded(&zero, |y| softmax::softmax::<Scalar4>(&x, cols, y)),
                &what,
            );
            close(&y, exact.iter().copied(), 5e-7, &what);
            let dot = |a: &dyn Fn(usize) -> f64, i: usize| {
                (i / cols * cols..(i / cols + 1) * cols).map(a).sum::<f64>()
            };
            let dx = guarded(&zero, |dx| softmax::softmax_grad::<V>(&y, &dy, cols, dx));
            same_bits(
                &dx,
                &guarded(&zero, |dx| {
                    softmax::softmax_grad::<Scalar4>(&y, &dy, cols, dx)
                }),
                &what,
            );
            close(
                &dx,
                (0..n).map(|i| exact[i] * (d(&dy[i]) - dot(&|j| exact[j] * d(&dy[j]), i))),
                1e-6,
                &what,
            );
            let l = guarded(&zero, |y| softmax::log_softmax::<V>(&x, cols, y));
            close(&l, exact.iter().map(|p| p.ln()), 1e-6, &what);
            let dx = guarded(&zero, |dx| {
                softmax::log_softmax_grad::<V>(&l, &dy, cols, dx)
            });
            close(
                &dx,
                (0..n).map(|i| d(&dy[i]) - exact[i] * dot(&|j| d(&dy[j]), i)),
                1e-5,
                &what,
            );

            let class: Vec<f32> = (0..rows)
                .map(|r| if r == 1 { -1.0 } else { (r * 7 % cols) as f32 })
                .collect();
            let g = rng.vec(rows);
            let mut p = zero.clone();
            let loss = guarded(&vec![0.0; rows], |l| {
                softmax::cross_entropy::<V>(&x, &class, cols, &mut p, l)
            });
            same_bits(&p, &y, "probabilities");
            close(
                &loss,
                (0..rows).map(|r| {
                    if r == 1 {
                        0.0
                    } else {
                        -exact[r * cols + class[r] as usize].ln()
                    }
                }),
                1e-6,
                &what,
            );
            let dx = guarded(&zero, |dx| {
                softmax::cross_entropy_grad::<V>(&p, &class, &g, cols, dx)
            });
            let want = (0..n).map(|i| {
                let (r, c) = (i / cols, i % cols);
                if r == 1 {
                    0.0
                } else {
                    d(&g[r]) * (exact[i] - f64::from(c == class[r] as usize))
                }
            });
            close(&dx, want, 1e-6, &what);
        }
    }
}

#[test]
fn softmax_at_the_edges() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let (mut p, mut l) = ([0.0; 5], [0.0]);
    softmax::cross_entropy::<V>(&[1e30, -1e30, -inf, 1e30, 0.0], &[1.0], 5, &mut p, &mut l);
    assert_eq!(p, [0.5, 0.0, 0.0, 0.5, 0.0]);
    assert!(l[0] >= 1e30);
    softmax::cross_entropy::<V>(&[0.0, 0.0, nan, 0.0, 0.0], &[1.0], 5, &mut p, &mut l);
    assert!(p.iter().all(|p| p.is_nan()) && l[0].is_nan());
    softmax::cross_entropy::<V>(&[0.0; 5], &[5.0], 5, &mut p, &mut l);
    assert!(l[0].is_nan());
    softmax::cross_entropy::<V>(&[0.0; 5], &[nan], 5, &mut p, &mut l);
    assert!(l[0].is_nan());
}

// -------------------------------------------------------------------------------- optimisers

/// One parameter's (p, s1, s2) after a step, in f64.
type Rule<'a> = &'a dyn Fn(u32, f64, f64, f64, f64) -> (f64, f64, f64);

/// Five steps of `step(t, p, g, s1, s2)` on slabs of several lengths against `rule`.
fn check_optim<F, G>(what: &str, step: F, scalar: G, rule: Rule)
where
    F: Fn(u32, &mut [f32], &[f32], &mut [f32], &mut [f32]),
    G: Fn(u32, &mut [f32], &[f32], &mut [f32], &mut [f32]),
{
    let mut rng = Rng(9);
    for n in LENS {
        let mut s = [rng.vec(n), vec![0.0; n], vec![0.0; n]];
        let mut z = s.clone();
        let mut e: Vec<_> = s[0].iter().map(|p| (d(p), 0.0, 0.0)).collect();
        for t in 1..=5 {
            let g = rng.vec(n);
            let [p, a, b] = &mut s;
            *p = guarded(&p.clone(), |p| step(t, p, &g, a, b));
            let [p, a, b] = &mut z;
            scalar(t, p, &g, a, b);
            for (e, g) in e.iter_mut().zip(&g) {
                *e = rule(t, e.0, d(g), e.1, e.2);
            }
        }
        for i in 0..3 {
            same_bits(&s[i], &z[i], what);
        }
        close(&s[0], e.iter().map(|e| e.0), 1e-6, what);
        close(&s[1], e.iter().map(|e| e.1), 1e-6, what);
        close(&s[2], e.iter().map(|e| e.2), 1e-6, what);
    }
}

const BOTH: [Convention; 2] = [Convention::Pytorch, Convention::Keras];

/// (p, g) after weight decay.
fn decayed(decoupled: bool, lr: f64, wd: f64, p: f64, g: f64) -> (f64, f64) {
    if decoupled {
        (p - lr * wd * p, g)
    } else {
        (p, g + wd * p)
    }
}

#[test]
fn sgd() {
    for convention in BOTH {
        for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
            for weight_decay in [0.0, 0.1] {
                let o = Sgd {
                    convention,
                    lr: 0.05,
                    momentum,
                    nesterov,
                    weight_decay,
                };
                let keras = convention == Convention::Keras;
                let (lr, mu, wd) = (0.05, d(&momentum), d(&weight_decay));
                check_optim(
                    &format!("{o:?}"),
                    |_, p, g, b, _| o.step::<V>(p, g, b),
                    |_, p, g, b, _| o.step::<Scalar4>(p, g, b),
                    &|_, p, g, b, _| {
                        let (p, g) = decayed(keras, lr, wd, p, g);
                        if mu == 0.0 {
                            return (p - lr * g, 0.0, 0.0);
                        }
                        if keras {
                            let b = mu * b - lr * g;
                            (p + if nesterov { mu * b - lr * g } else { b }, b, 0.0)
                        } else {
                            let b = mu * b + g;
                            (p - lr * if nesterov { g + mu * b } else { b }, b, 0.0)
                        }
                    },
                );
            }
        }
    }
}

#[test]
fn rmsprop() {
    for convention in BOTH {
        for momentum in [0.0, 0.8] {
            let o = Rmsprop {
                convention,
                lr: 0.01,
                rho: 0.9,
                epsilon: 1e-3,
                momentum,
                weight_decay: 0.1,
            };
            let keras = convention == Convention::Keras;
            let (lr, eps, mu) = (0.01, 1e-3, d(&momentum));
            check_optim(
                &format!("{o:?}"),
                |_, p, g, v, b| o.step::<V>(p, g, v, b),
                |_, p, g, v, b| o.step::<Scalar4>(p, g, v, b),
                &|_, p, g, v, b| {
                    let (p, g) = decayed(keras, lr, d(&0.1), p, g);
                    let v = 0.9 * v + 0.1 * g * g;
                    let inc = if keras {
                        lr * g / (v + eps).sqrt()
                    } else {
                        g / (v.sqrt() + eps)
                    };
                    let b2 = mu * b + inc;
                    (
                        p - if keras { b2 } else { lr * b2 },
                        v,
                        if mu == 0.0 { b } else { b2 },
                    )
                },
            );
        }
    }
}

#[test]
fn adagrad() {
    for convention in BOTH {
        let o = Adagrad {
            convention,
            lr: 0.05,
            epsilon: 1e-3,
            weight_decay: 0.1,
        };
        let keras = convention == Convention::Keras;
        check_optim(
            &format!("{o:?}"),
            |_, p, g, s, _| o.step::<V>(p, g, s),
            |_, p, g, s, _| o.step::<Scalar4>(p, g, s),
            &|_, p, g, s, _| {
                let (p, g) = decayed(keras, 0.05, d(&0.1), p, g);
                let s = s + g * g;
                (
                    p - 0.05 * g
                        / if keras {
                            (s + 1e-3).sqrt()
                        } else {
                            s.sqrt() + 1e-3
                        },
                    s,
                    0.0,
                )
            },
        );
    }
}

#[test]
fn adam() {
    for convention in BOTH {
        for decoupled in [false, true] {
            let o = Adam {
                convention,
                lr: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-7,
                weight_decay: 0.1,
                decoupled,
            };
            let keras = convention == Convention::Keras;
            check_optim(
                &format!("{o:?}"),
                |t, p, g, m, v| o.step::<V>(t, p, g, m, v),
                |t, p, g, m, v| o.step::<Scalar4>(t, p, g, m, v),
                &|t, p, g, m, v| {
                    let (p, g) = decayed(decoupled || keras, 0.01, d(&0.1), p, g);
                    let (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
                    let (c1, c2) = (
                        1.0 - 0.9f64.powf(t.into()),
                        (1.0 - 0.999f64.powf(t.into())).sqrt(),
                    );
                    let step = if keras {
                        0.01 * c2 / c1 * m / (v.sqrt() + 1e-7)
                    } else {
                        0.01 / c1 * m / (v.sqrt() / c2 + 1e-7)
                    };
                    (p - step, m, v)
                },
            );
        }
    }
}
