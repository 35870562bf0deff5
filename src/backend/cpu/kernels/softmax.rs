//! Softmax over the rows of `x[rows,cols]`, and cross-entropy on it.
use super::elementwise::{map_in_place, map1, map2};
use super::math::exp;
use super::reduce;
use super::simd::F32x4;

/// y = exp(x − max) of one row; gives (max, Σ y).
#[inline(always)]
fn exp_row<V: F32x4>(x: &[f32], y: &mut [f32]) -> (f32, f32) {
    let max = reduce::max::<V>(x);
    let shift = V::splat(max);
    let mut acc = V::zero();
    let mut xs = x.chunks_exact(4);
    let mut ys = y.chunks_exact_mut(4);
    for (x, y) in (&mut xs).zip(&mut ys) {
        let e = exp(V::load(x).sub(shift));
        e.store(y);
        acc = acc.add(e);
    }
    let e = exp(V::load_part(xs.remainder(), f32::NEG_INFINITY).sub(shift));
    e.store_part(ys.into_remainder());
    // Missing lanes are exp(−∞) = 0, unless the row itself is at −∞ or NaN.
    (max, acc.add(e).sum())
}

/// y = softmax(x) over rows of `cols`. Panics unless y is as long as x, a multiple of `cols`.
pub fn softmax<V: F32x4>(x: &[f32], cols: usize, y: &mut [f32]) {
    check(x, y, cols);
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        let (_, sum) = exp_row::<V>(x, y);
        scale::<V>(y, 1.0 / sum);
    }
}

/// y = ln softmax(x) over rows of `cols`.
pub fn log_softmax<V: F32x4>(x: &[f32], cols: usize, y: &mut [f32]) {
    check(x, y, cols);
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        let (max, sum) = exp_row::<V>(x, y);
        let shift = V::splat(max);
        let log = V::splat(ln(sum));
        map1::<V>(x, y, |x| x.sub(shift).sub(log));
    }
}

/// dx = y·(dy − Σ dy·y) over rows of `cols`, y the softmax.
pub fn softmax_grad<V: F32x4>(y: &[f32], dy: &[f32], cols: usize, dx: &mut [f32]) {
    check(y, dx, cols);
    assert_eq!(dy.len(), y.len());
    for ((y, dy), dx) in y
        .chunks_exact(cols)
        .zip(dy.chunks_exact(cols))
        .zip(dx.chunks_exact_mut(cols))
    {
        let dot = V::splat(dot::<V>(y, dy));
        map2::<V>(y, dy, dx, |y, dy| y.mul(dy.sub(dot)));
    }
}

/// dx = dy − exp(y)·Σ dy over rows of `cols`, y the log-softmax.
pub fn log_softmax_grad<V: F32x4>(y: &[f32], dy: &[f32], cols: usize, dx: &mut [f32]) {
    check(y, dx, cols);
    assert_eq!(dy.len(), y.len());
    for ((y, dy), dx) in y
        .chunks_exact(cols)
        .zip(dy.chunks_exact(cols))
        .zip(dx.chunks_exact_mut(cols))
    {
        let sum = V::splat(reduce::sum::<V>(dy));
        map2::<V>(y, dy, dx, |y, dy| dy.sub(exp(y).mul(sum)));
    }
}

/// `losses[r] = −ln p[r, class[r]]` and probs = softmax(logits), in one pass over `logits[rows,cols]`.
///
/// A negative class leaves its row out (loss 0, gradient 0); one past the end, or a NaN, gives NaN.
pub fn cross_entropy<V: F32x4>(
    logits: &[f32],
    classes: &[f32],
    cols: usize,
    probs: &mut [f32],
    losses: &mut [f32],
) {
    check(logits, probs, cols);
    assert!(classes.len() == logits.len() / cols && losses.len() == classes.len());
    let rows = logits.chunks_exact(cols).zip(probs.chunks_exact_mut(cols));
    for (((x, p), &class), loss) in rows.zip(classes).zip(losses) {
        let (max, sum) = exp_row::<V>(x, p);
        scale::<V>(p, 1.0 / sum);
        *loss = match x.get(class as usize) {
            _ if class < 0.0 => 0.0,
            Some(&at) if class >= 0.0 => ln(sum) - (at - max),
            _ => f32::NAN,
        };
    }
}

/// `dx[r,·] = grad[r]·(probs[r,·] − onehot(class[r]))`, for probabilities from [`cross_entropy`].
pub fn cross_entropy_grad<V: F32x4>(
    probs: &[f32],
    classes: &[f32],
    grads: &[f32],
    cols: usize,
    dx: &mut [f32],
) {
    check(probs, dx, cols);
    assert!(classes.len() == probs.len() / cols && grads.len() == classes.len());
    let rows = probs.chunks_exact(cols).zip(dx.chunks_exact_mut(cols));
    for (((p, dx), &class), &grad) in rows.zip(classes).zip(grads) {
        if class < 0.0 {
            dx.fill(0.0);
            continue;
        }
        let g = V::splat(grad);
        map1::<V>(p, dx, |p| p.mul(g));
        match (dx.get_mut(class as usize), p.get(class as usize)) {
            (Some(dx), Some(p)) if class >= 0.0 => *dx = grad * (p - 1.0),
            _ => dx.fill(f32::NAN),
        }
    }
}

fn check(x: &[f32], y: &[f32], cols: usize) {
    assert!(cols > 0 && x.len() == y.len() && x.len().is_multiple_of(cols));
}

#[inline(always)]
fn scale<V: F32x4>(y: &mut [f32], s: f32) {
    let s = V::splat(s);
    map_in_place::<V>(y, |y| y.mul(s));
}

/// The scalar instance: one lane is wanted, and the bits are the same on every target.
fn ln(x: f32) -> f32 {
    use super::simd::Scalar4;
    super::math::ln(Scalar4::splat(x)).to_array()[0]
}

#[inline(always)]
fn dot<V: F32x4>(a: &[f32], b: &[f32]) -> f32 {
    let mut acc = V::zero();
    let (mut xs, mut ys) = (a.chunks_exact(4), b.chunks_exact(4));
    for (x, y) in (&mut xs).zip(&mut ys) {
        acc = V::load(x).mul_add(V::load(y), acc);
    }
    let (x, y) = (
        V::load_part(xs.remainder(), 0.0),
        V::load_part(ys.remainder(), 0.0),
    );
    x.mul_add(y, acc).sum()
}
