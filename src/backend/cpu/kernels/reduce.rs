//! Reductions in a fixed order: four lanes are summed apart within a block of [`BLOCK`] elements,
//! blocks one after the other in f64.
use super::simd::F32x4;

/// Elements of one block; short enough for f32 sums to stay accurate.
const BLOCK: usize = 4096;
/// Rows that [`col_sums`] sums before it adds them to the total.
const ROWS: usize = 256;

#[inline(always)]
fn sum_of<V: F32x4>(x: &[f32], f: impl Fn(V, V) -> V) -> f32 {
    let mut total = 0.0;
    for block in x.chunks(BLOCK) {
        let mut acc = [V::zero(); 4];
        let mut it = block.chunks_exact(16);
        for c in &mut it {
            for (j, a) in acc.iter_mut().enumerate() {
                *a = f(*a, V::load(&c[4 * j..]));
            }
        }
        for (c, a) in it.remainder().chunks(4).zip(&mut acc) {
            *a = f(*a, V::load_part(c, 0.0));
        }
        total += f64::from(acc[0].add(acc[1]).add(acc[2].add(acc[3])).sum());
    }
    total as f32
}

/// Σ x.
pub fn sum<V: F32x4>(x: &[f32]) -> f32 {
    sum_of::<V>(x, V::add)
}

/// Σ x².
pub fn sum_sq<V: F32x4>(x: &[f32]) -> f32 {
    sum_of::<V>(x, |a, x| x.mul_add(x, a))
}

/// Σ |x|.
pub fn sum_abs<V: F32x4>(x: &[f32]) -> f32 {
    sum_of::<V>(x, |a, x| a.add(x.abs()))
}

/// The largest element; −∞ of none, NaN if one is NaN.
pub fn max<V: F32x4>(x: &[f32]) -> f32 {
    let mut acc = V::splat(f32::NEG_INFINITY);
    let mut it = x.chunks_exact(4);
    for c in &mut it {
        acc = nan_max(acc, V::load(c));
    }
    nan_max(acc, V::load_part(it.remainder(), f32::NEG_INFINITY)).max_lane()
}

#[inline(always)]
fn nan_max<V: F32x4>(acc: V, x: V) -> V {
    let m = x.max(acc);
    acc.eq(acc).select(m, acc)
}

/// out[n] = (or +=) Σ over rows of x[rows,n]. Panics unless x's length is a multiple of n.
pub fn col_sums<V: F32x4>(x: &[f32], out: &mut [f32], accumulate: bool) {
    let n = out.len();
    if n == 0 {
        return;
    }
    assert!(x.len().is_multiple_of(n));
    if !accumulate {
        out.fill(0.0);
    }
    for block in x.chunks(ROWS * n) {
        let mut j = 0;
        while j + 16 <= n {
            cols::<V, 4>(block, n, j, &mut out[j..]);
            j += 16;
        }
        while j + 4 <= n {
            cols::<V, 1>(block, n, j, &mut out[j..]);
            j += 4;
        }
        if j < n {
            let mut acc = V::zero();
            for row in block.chunks_exact(n) {
                acc = acc.add(V::load_part(&row[j..], 0.0));
            }
            V::load_part(&out[j..], 0.0)
                .add(acc)
                .store_part(&mut out[j..]);
        }
    }
}

/// 4·N columns from column j on.
#[inline(always)]
fn cols<V: F32x4, const N: usize>(x: &[f32], n: usize, j: usize, out: &mut [f32]) {
    let mut acc = [V::zero(); N];
    for row in x.chunks_exact(n) {
        let row = &row[j..j + 4 * N];
        for (i, a) in acc.iter_mut().enumerate() {
            *a = a.add(V::load(&row[4 * i..]));
        }
    }
    for (a, out) in acc.iter().zip(out.chunks_exact_mut(4)) {
        V::load(out).add(*a).store(out);
    }
}
