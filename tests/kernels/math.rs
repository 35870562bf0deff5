use crate::{d, erf, erfc, like_scalar, ulps};
use nabla::backend::cpu::kernels::elementwise as ew;
use nabla::backend::cpu::kernels::{F32x4, Scalar4, V, math};

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
    like_scalar(&y, &z, name);
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
    math!(ln, 0.0, 4.0, 1.0, f64::ln);
    math!(ln, 0.0, f32::MAX, 1.0, f64::ln);
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
fn quick_error() {
    let x = points(-40.0, 40.0);
    let (mut t, mut s) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    ew::map1::<V>(&x, &mut t, math::quick_tanh);
    ew::map1::<V>(&x, &mut s, math::quick_sigmoid);
    for (x, (t, s)) in x.iter().zip(t.iter().zip(&s)) {
        let exact = d(x).tanh();
        assert!((d(t) - exact).abs() <= 4e-7 * exact.abs(), "tanh {x}: {t}");
        let exact = 1.0 / (1.0 + (-d(x)).exp());
        assert!((d(s) - exact).abs() <= 2.5e-7, "sigmoid {x}: {s}");
    }
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
        math::quick_tanh,
        math::quick_sigmoid,
    ] {
        assert!(at(f, f32::NAN).is_nan());
    }
    type Row = (fn(V) -> V, f32, f32);
    let table: [Row; 24] = [
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
