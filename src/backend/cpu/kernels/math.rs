//! Vector functions: one polynomial each, fitted for this file (weighted minimax over the reduced
//! range), argument reductions after Cephes. Errors are the largest seen by `tests/kernels.rs`
//! against f64, in units of the last place of the exact result unless said otherwise. A NaN gives
//! a NaN.
use super::simd::F32x4;

/// ln 2 in two parts; the first has 9 bits, so its product with an exponent is exact.
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;
/// 1.5·2²³ + 126: adding it rounds to an integer k, and the low bits of the sum are k + 126.
const ROUND: f32 = 12_582_912.0 + 126.0;

/// (eʳ − 1 − r)/r² for |r| ≤ ½ ln 2.
const EXP: [f32; 5] = [
    0.5,
    0.166_665_43,
    0.041_666_28,
    8.366_644e-3,
    1.394_655_2e-3,
];
/// (ln(1 + r) − r + r²/2)/r³ for √½ ≤ 1 + r ≤ √2.
const LN: [f32; 8] = [
    0.333_333_3,
    -0.250_008_2,
    0.200_012_27,
    -0.166_233_56,
    0.142_017_62,
    -0.131_601_95,
    0.127_615_5,
    -0.076_344_3,
];
/// −ln(erfc a)/a for 0 ≤ a ≤ 4, weighted for the error of erf.
const ERF: [f32; 9] = [
    std::f32::consts::FRAC_2_SQRT_PI,
    0.636_619_4,
    0.102_777_83,
    -0.019_153_062,
    -1.604_005e-4,
    1.667_032_3e-3,
    -6.328_397e-4,
    1.176_421_1e-4,
    -9.256_364e-6,
];

/// tanh x = x·P(x²)/Q(x²) for |x| ≤ 8.
const TANH_P: [f32; 5] = [1.0, 0.134_445_2, 3.571_625e-3, 2.189_51e-5, 1.523_101_1e-8];
const TANH_Q: [f32; 5] = [
    1.0,
    0.467_778_47,
    2.616_454_7e-2,
    3.411_336e-4,
    8.522_692e-7,
];

/// c[0] + c[1]·x + …
#[inline(always)]
fn poly<V: F32x4, const N: usize>(x: V, c: [f32; N]) -> V {
    let mut p = V::splat(c[N - 1]);
    for i in (0..N - 1).rev() {
        p = p.mul_add(x, V::splat(c[i]));
    }
    p
}

/// x = k·ln 2 + r: gives (eʳ − 1, 2ᵏ⁻¹) for x in [−87, 88.8].
#[inline(always)]
fn exp_parts<V: F32x4>(x: V) -> (V, V) {
    let t = x.mul_add(V::splat(std::f32::consts::LOG2_E), V::splat(ROUND));
    let k = t.sub(V::splat(ROUND));
    let r = k.mul_add(V::splat(-LN2_HI), x);
    let r = k.mul_add(V::splat(-LN2_LO), r);
    let p = poly(r, EXP);
    (p.mul(r).mul_add(r, r), t.shl_i32::<23>())
}

/// eˣ; 2 ulp. Below −86.9 the result is 0, above 88.73 infinite.
#[inline(always)]
pub fn exp<V: F32x4>(x: V) -> V {
    let (p, half) = exp_parts(x.min(V::splat(88.8)).max(V::splat(-87.0)));
    let scale2 = p.add(V::splat(1.0)).mul(V::splat(2.0)).mul(half);
    scale2.and_not(x.lt(V::splat(-86.9)))
}

/// eˣ − 1; 2 ulp.
#[inline(always)]
pub fn expm1<V: F32x4>(x: V) -> V {
    let x = x.min(V::splat(88.8)).max(V::splat(-80.0));
    let (p, half) = exp_parts(x);
    let small = p.mul_add(half, half.sub(V::splat(0.5)));
    small.mul(V::splat(2.0))
}

/// tanh x; 3 ulp.
#[inline(always)]
pub fn tanh<V: F32x4>(x: V) -> V {
    let e = expm1(x.abs().mul(V::splat(-2.0)));
    let y = e.div(e.add(V::splat(2.0)));
    // y is −tanh|x|; a zero comes out as −0, so the sign is x's.
    y.abs().or(x.and(V::splat_i32(i32::MIN)))
}

/// 1/(1 + e⁻ˣ); 3 ulp, and 0 below −88.73.
#[inline(always)]
pub fn sigmoid<V: F32x4>(x: V) -> V {
    let one = V::splat(1.0);
    one.div(one.add(exp(x.neg())))
}

/// tanh x to 4e-7 of its value, in half the time of [`tanh`].
#[inline(always)]
pub fn quick_tanh<V: F32x4>(x: V) -> V {
    let x = x.min(V::splat(8.0)).max(V::splat(-8.0));
    let square = x.mul(x);
    x.mul(poly(square, TANH_P)).div(poly(square, TANH_Q))
}

/// 1/(1 + e⁻ˣ) to 2.5e-7: not relative to its value, so of use where 0 and almost 0 are the same.
#[inline(always)]
pub fn quick_sigmoid<V: F32x4>(x: V) -> V {
    let half = V::splat(0.5);
    quick_tanh(x.mul(half)).mul_add(half, half)
}

/// ln x for positive normal finite x, with `shift` subtracted from the exponent.
#[inline(always)]
fn ln_normal<V: F32x4>(x: V, shift: V) -> V {
    // k is such that x = 2ᵏ·m, m in [√½, √2).
    let root_half = V::splat(std::f32::consts::FRAC_1_SQRT_2);
    let k = x.sub_i32(root_half).shr_i32::<23>();
    let m = x.sub_i32(k.shl_i32::<23>());
    let k = k.i32_to_f32().sub(shift);
    let r = m.sub(V::splat(1.0));
    let r2 = r.mul(r);
    let y = poly(r, LN).mul(r).mul(r2);
    let y = k.mul_add(V::splat(LN2_LO), y);
    let y = r2.mul_add(V::splat(-0.5), y);
    k.mul_add(V::splat(LN2_HI), r.add(y))
}

/// ln x; 1 ulp. −∞ at 0, NaN below.
#[inline(always)]
pub fn ln<V: F32x4>(x: V) -> V {
    let tiny = x.lt(V::splat(f32::MIN_POSITIVE));
    let v = tiny.select(x.mul(V::splat(8_388_608.0)), x);
    let y = ln_normal(v, V::splat(23.0).and(tiny));
    let inf = V::splat(f32::INFINITY);
    let y = x.lt(inf).select(y, x);
    let y = x.gt(V::zero()).select(y, V::splat(f32::NAN));
    x.eq(V::zero()).select(inf.neg(), y)
}

/// ln(1 + x); 2 ulp. −∞ at −1, NaN below.
#[inline(always)]
pub fn log1p<V: F32x4>(x: V) -> V {
    let one = V::splat(1.0);
    let w = one.add(x);
    // What the rounding of 1 + x lost, to first order.
    let lost = x.sub(w.sub(one)).div(w);
    let y = ln(w);
    let finite = w.gt(V::zero()).and(w.lt(V::splat(f32::INFINITY)));
    finite.select(y.add(lost), y)
}

/// ln(1 + e^(βx))/β; for β = 1 3 ulp above −86.9, 0 below.
#[inline(always)]
pub fn softplus<V: F32x4>(x: V, beta: V) -> V {
    // ln(1 + u) with u in [0, 1]: what the rounding of 1 + u lost is added back.
    let one = V::splat(1.0);
    let u = exp(x.mul(beta).abs().neg());
    let w = one.add(u);
    let bend = ln_normal(w, V::zero()).add(u.sub(w.sub(one)));
    // x.max keeps x's NaN.
    bend.div(beta).add(x.max(V::zero()))
}

/// −ln erfc|x|, its argument held to [0, 4], where erf is 1 to the last bit.
#[inline(always)]
fn neg_ln_erfc<V: F32x4>(x: V) -> V {
    let a = x.abs().min(V::splat(4.0));
    a.mul(poly(a, ERF))
}

/// The error function; 3 ulp.
#[inline(always)]
pub fn erf<V: F32x4>(x: V) -> V {
    expm1(neg_ln_erfc(x).neg())
        .abs()
        .or(x.and(V::splat_i32(i32::MIN)))
}

/// Φ(x), the standard normal distribution; 1e-7 absolute.
#[inline(always)]
pub fn phi<V: F32x4>(x: V) -> V {
    let tail =
        exp(neg_ln_erfc(x.mul(V::splat(std::f32::consts::FRAC_1_SQRT_2))).neg()).mul(V::splat(0.5));
    let tail = tail.and_not(x.lt(V::splat(-5.656_854)));
    x.lt(V::zero()).select(tail, V::splat(1.0).sub(tail))
}
