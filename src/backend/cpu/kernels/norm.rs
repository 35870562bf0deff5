//! Batch norm and layer norm. Batch norm sees `x[rows,C]` and normalises every column, layer norm
//! every row.
use super::simd::F32x4;

/// Rows that are summed before the sum is added to the total.
const ROWS: usize = 256;

#[inline(always)]
fn load<V: F32x4>(x: &[f32], at: usize, n: usize) -> V {
    if n >= 4 {
        V::load(&x[at..])
    } else {
        V::load_part(&x[at..at + n], 0.0)
    }
}

#[inline(always)]
fn store<V: F32x4>(v: V, x: &mut [f32], at: usize, n: usize) {
    if n >= 4 {
        v.store(&mut x[at..]);
    } else {
        v.store_part(&mut x[at..at + n]);
    }
}

/// out[k][j] = Σ over rows of f(row·C + j, j, lanes)[k].
#[inline(always)]
fn column_sums<V: F32x4, const K: usize>(
    rows: usize,
    out: [&mut [f32]; K],
    f: impl Fn(usize, usize, usize) -> [V; K],
) {
    let c = out[0].len();
    let mut out = out;
    for o in &mut out {
        o.fill(0.0);
    }
    for first in (0..rows).step_by(ROWS) {
        let last = (first + ROWS).min(rows);
        for j in (0..c).step_by(4) {
            let n = c - j;
            let mut acc = [V::zero(); K];
            for row in first..last {
                for (acc, v) in acc.iter_mut().zip(f(row * c + j, j, n)) {
                    *acc = acc.add(v);
                }
            }
            for (o, acc) in out.iter_mut().zip(acc) {
                store(load::<V>(o, j, n).add(acc), o, j, n);
            }
        }
    }
}

/// Σ (x − mean)² of every column.
pub fn column_squares<V: F32x4>(x: &[f32], mean: &[f32], out: &mut [f32]) {
    let rows = x.len() / mean.len().max(1);
    column_sums::<V, 1>(rows, [out], |at, j, n| {
        let d = load::<V>(x, at, n).sub(load::<V>(mean, j, n));
        [d.mul(d)]
    });
}

fn inverse(var: f32, eps: f32) -> f32 {
    1.0 / (var + eps).sqrt()
}

/// y = (x − mean)·γ/√(var + ε) + β by column; γ and β may be missing. `scale[C]` is scratch.
#[allow(clippy::too_many_arguments)]
pub fn normalize_columns<V: F32x4>(
    x: &[f32],
    mean: &[f32],
    var: &[f32],
    affine: Option<(&[f32], &[f32])>,
    eps: f32,
    y: &mut [f32],
    scale: &mut [f32],
) {
    let c = mean.len();
    for j in 0..c {
        scale[j] = inverse(var[j], eps) * affine.map_or(1.0, |(g, _)| g[j]);
    }
    let scale = &scale[..c];
    for (x, y) in x.chunks_exact(c).zip(y.chunks_exact_mut(c)) {
        for j in (0..c).step_by(4) {
            let n = c - j;
            let d = load::<V>(x, j, n).sub(load::<V>(mean, j, n));
            let shift = affine.map_or(V::zero(), |(_, b)| load::<V>(b, j, n));
            store(d.mul_add(load::<V>(scale, j, n), shift), y, j, n);
        }
    }
}

/// Σ dy·(x − mean) and Σ dy of every column, one after the other in `out[2C]`.
pub fn column_grads<V: F32x4>(x: &[f32], mean: &[f32], dy: &[f32], out: &mut [f32]) {
    let rows = x.len() / mean.len().max(1);
    let (products, sums) = out.split_at_mut(mean.len());
    column_sums::<V, 2>(rows, [products, sums], |at, j, n| {
        let (d, dy) = (
            load::<V>(x, at, n).sub(load::<V>(mean, j, n)),
            load::<V>(dy, at, n),
        );
        [dy.mul(d), dy]
    });
}

/// Turns the sums of [`column_grads`] over all `rows` into the gradients of γ and β, and gives
/// `terms[3C]`: a, b and e of dx = a·dy + b·(x − mean) + e, with the batch's own statistics.
#[allow(clippy::too_many_arguments)]
pub fn column_terms(
    rows: usize,
    var: &[f32],
    gamma: Option<&[f32]>,
    eps: f32,
    dgamma: &mut [f32],
    dbeta: &[f32],
    terms: &mut [f32],
) {
    let c = var.len();
    let (a, rest) = terms.split_at_mut(c);
    let (b, e) = rest.split_at_mut(c);
    let share = 1.0 / rows.max(1) as f32;
    for j in 0..c {
        let r = inverse(var[j], eps);
        dgamma[j] *= r;
        a[j] = r * gamma.map_or(1.0, |g| g[j]);
        b[j] = -a[j] * r * dgamma[j] * share;
        e[j] = -a[j] * dbeta[j] * share;
    }
}

/// Gradient of [`normalize_columns`] by x, from the terms of [`column_terms`].
pub fn normalize_columns_grad<V: F32x4>(
    x: &[f32],
    mean: &[f32],
    terms: &[f32],
    dy: &[f32],
    dx: &mut [f32],
) {
    let c = mean.len();
    let (a, rest) = terms.split_at(c);
    let (b, e) = rest.split_at(c);
    let rows = x.chunks_exact(c).zip(dy.chunks_exact(c));
    for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(c)) {
        for j in (0..c).step_by(4) {
            let n = c - j;
            let d = load::<V>(x, j, n).sub(load::<V>(mean, j, n));
            let rest = d.mul_add(load::<V>(b, j, n), load::<V>(e, j, n));
            let v = load::<V>(dy, j, n).mul_add(load::<V>(a, j, n), rest);
            store(v, dx, j, n);
        }
    }
}

/// Σ f over a row.
#[inline(always)]
fn row_sum<V: F32x4>(len: usize, f: impl Fn(usize, usize) -> V) -> f32 {
    let mut acc = [V::zero(); 2];
    for (i, j) in (0..len).step_by(4).enumerate() {
        acc[i % 2] = acc[i % 2].add(f(j, len - j));
    }
    acc[0].add(acc[1]).sum()
}

/// y = (x − mean)·w/√(var + ε) + b by row; without `center` the mean counts as 0. Writes each
/// row's mean and 1/√(var + ε).
#[allow(clippy::too_many_arguments)]
pub fn normalize_rows<V: F32x4>(
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    center: bool,
    eps: f32,
    y: &mut [f32],
    means: &mut [f32],
    rstds: &mut [f32],
) {
    let c = w.len();
    let share = 1.0 / c as f32;
    let rows = x.chunks_exact(c).zip(y.chunks_exact_mut(c));
    for (((x, y), m), r) in rows.zip(means).zip(rstds) {
        let mean = if center {
            row_sum::<V>(c, |j, n| load(x, j, n)) * share
        } else {
            0.0
        };
        let mv = V::splat(mean);
        let whole = c / 4 * 4;
        let mut var = row_sum::<V>(whole, |j, n| {
            let d = load::<V>(x, j, n).sub(mv);
            d.mul(d)
        });
        var += x[whole..]
            .iter()
            .map(|v| (v - mean) * (v - mean))
            .sum::<f32>();
        let rstd = inverse(var * share, eps);
        (*m, *r) = (mean, rstd);
        let rv = V::splat(rstd);
        for j in (0..c).step_by(4) {
            let n = c - j;
            let hat = load::<V>(x, j, n).sub(mv).mul(rv);
            let shift = bias.map_or(V::zero(), |b| load::<V>(b, j, n));
            store(hat.mul_add(load::<V>(w, j, n), shift), y, j, n);
        }
    }
}

/// Gradient of [`normalize_rows`].
#[allow(clippy::too_many_arguments)]
pub fn normalize_rows_grad<V: F32x4>(
    x: &[f32],
    w: &[f32],
    means: &[f32],
    rstds: &[f32],
    center: bool,
    dy: &[f32],
    [dx, dw, db]: [&mut [f32]; 3],
) {
    let c = w.len();
    let share = 1.0 / c as f32;
    dw.fill(0.0);
    db.fill(0.0);
    let rows = x.chunks_exact(c).zip(dy.chunks_exact(c));
    let stats = means.iter().zip(rstds);
    for (((x, dy), dx), (mean, rstd)) in rows.zip(dx.chunks_exact_mut(c)).zip(stats) {
        let (mv, rv) = (V::splat(*mean), V::splat(*rstd));
        let hat = |j: usize, n: usize| load::<V>(x, j, n).sub(mv).mul(rv);
        let g = |j: usize, n: usize| load::<V>(dy, j, n).mul(load::<V>(w, j, n));
        let m1 = if center {
            row_sum::<V>(c, g) * share
        } else {
            0.0
        };
        // Lanes past the row's end hold no zeros in `hat`, but they do in `g`.
        let m2 = row_sum::<V>(c, |j, n| g(j, n).mul(hat(j, n))) * share;
        let (m1, m2) = (V::splat(m1), V::splat(m2));
        for j in (0..c).step_by(4) {
            let n = c - j;
            let (h, d) = (hat(j, n), load::<V>(dy, j, n));
            let v = g(j, n).sub(m1).sub(h.mul(m2)).mul(rv);
            store(v, dx, j, n);
            store(d.mul_add(h, load::<V>(dw, j, n)), dw, j, n);
            store(load::<V>(db, j, n).add(d), db, j, n);
        }
    }
}
