//! Reductions in a fixed order: four lanes are summed apart within a block of `BLOCK` elements,
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
    let low = V::splat(f32::NEG_INFINITY);
    // `max` drops a NaN that comes second, so whether there was one is kept apart.
    let (mut acc, mut number) = ([low; 4], low.eq(low));
    let mut see = |acc: &mut V, x: V| {
        *acc = acc.max(x);
        number = number.and(x.eq(x));
    };
    let mut it = x.chunks_exact(16);
    for c in &mut it {
        for (j, acc) in acc.iter_mut().enumerate() {
            see(acc, V::load(&c[4 * j..]));
        }
    }
    let mut it = it.remainder().chunks_exact(4);
    for (c, acc) in (&mut it).zip(&mut acc) {
        see(acc, V::load(c));
    }
    see(&mut acc[3], V::load_part(it.remainder(), f32::NEG_INFINITY));
    let max = acc[0].max(acc[1]).max(acc[2].max(acc[3]));
    number.select(max, V::splat(f32::NAN)).max_lane()
}

/// `out[n]` = (or +=) Σ over rows of `x[rows,n]`. Panics unless x's length is a multiple of n.
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
