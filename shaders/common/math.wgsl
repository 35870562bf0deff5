// Functions that WGSL lacks or has too coarse. A NaN gives a NaN; arguments are kept where no
// intermediate overflows, since WGSL may assume that there are no infinities.
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

fn exp_(x: f32) -> f32 {
    let y = select(exp(clamp(x, -87.0, 88.7)), 0.0, x < -87.0);
    return select(y, x, is_nan(x));
}

// eˣ − 1: a series near 0, where the difference would cancel.
fn expm1_(x: f32) -> f32 {
    let series = x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334
        + x * (0.0013888889 + x * (0.0001984127 + x * 0.000024801588)))))));
    return select(exp_(x) - 1.0, series, abs(x) < 0.4);
}

// ln(1 + x) = 2·artanh(x/(2 + x)) near 0.
fn log1p_(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let q = s * s;
    let series = 2.0 * s * (1.0 + q * (0.33333334 + q * (0.2 + q * (0.14285715 + q * (0.11111111
        + q * (0.09090909 + q * 0.07692308))))));
    return select(log(1.0 + x), series, abs(x) < 0.45);
}

fn sigmoid_(x: f32) -> f32 { return 1.0 / (1.0 + exp_(-x)); }

fn tanh_(x: f32) -> f32 {
    let e = expm1_(-2.0 * abs(x));
    let y = -e / (e + 2.0);
    return select(select(y, -y, x < 0.0), x, is_nan(x));
}

// −ln erfc|x|, a polynomial that backend/cpu/kernels/math.rs has, too.
fn neg_ln_erfc(x: f32) -> f32 {
    let a = min(abs(x), 4.0);
    return a * (1.1283792 + a * (0.6366194 + a * (0.10277783 + a * (-0.019153062
        + a * (-0.0001604005 + a * (0.0016670323 + a * (-0.0006328397 + a * (0.00011764211
        + a * -0.000009256364))))))));
}

// The standard normal's distribution function.
fn phi_(x: f32) -> f32 {
    let tail = select(0.5 * exp_(-neg_ln_erfc(x * 0.70710677)), 0.0, x < -5.656854);
    return select(select(1.0 - tail, tail, x < 0.0), x, is_nan(x));
}

// ln(1 + e^(βx))/β.
fn softplus_(x: f32, beta: f32) -> f32 {
    let y = log1p_(exp_(-abs(beta * x))) / beta + max(x, 0.0);
    return select(y, x, is_nan(x));
}

fn gelu_tanh(x: f32) -> f32 {
    return 0.5 * x * (1.0 + tanh_(0.7978846 * (x + 0.044715 * x * x * x)));
}
fn gelu_tanh_slope(x: f32) -> f32 {
    let t = tanh_(0.7978846 * (x + 0.044715 * x * x * x));
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * 0.7978846 * (1.0 + 0.134145 * x * x);
}
fn silu_slope(x: f32) -> f32 {
    let s = sigmoid_(x);
    return s * (1.0 + x * (1.0 - s));
}

// ln p and ln(1 − p), at least −100.
fn ln_floor(p: f32) -> f32 { return select(log(p), -100.0, p < 1.2e-38); }
fn ln_rest(p: f32) -> f32 { return select(log1p_(-p), -100.0, p >= 1.0); }
