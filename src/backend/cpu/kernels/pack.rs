//! Where a product's operands come from, and how they get into panels.
use super::simd::F32x4;
use std::ops::Range;

/// An operand seen as element(x, k): x counts the rows of A or the columns of B, k what is
/// summed over. What is not a matrix in memory (patches of an image, gathered rows) can still
/// be one here: only `pack` is required.
pub trait Source {
    /// `out[p·W + q]` = element(x.start + q, k.start + p) for every p < k.len() and q < W, 0 where
    /// q ≥ x.len(). x is no longer than `W`.
    ///
    /// `out` is [`SLACK`] floats longer than k.len()·W; those may be overwritten with anything.
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]);

    /// The matrix in memory, if that is what it is: a small product is then taken straight from it.
    fn strided(&self) -> Option<Strided<'_>> {
        None
    }

    /// All `n` columns in panels of up to `nv` vectors, if they were packed so before.
    fn panels(&self, _nv: usize, _n: usize) -> Option<&[f32]> {
        None
    }
}

/// See [`Source::pack`].
pub const SLACK: usize = 4;

/// element(x, k) = data[x·xs + k·ks]: every transpose of a row-major matrix.
#[derive(Clone, Copy)]
pub struct Strided<'a> {
    pub data: &'a [f32],
    pub xs: usize,
    pub ks: usize,
}

impl<'a> Strided<'a> {
    /// `A[m,k]` row-major, as the left operand.
    pub fn a(data: &'a [f32], k: usize) -> Self {
        Strided { data, xs: k, ks: 1 }
    }
    /// Aᵀ for `A[k,m]` row-major, as the left operand.
    pub fn a_t(data: &'a [f32], m: usize) -> Self {
        Strided { data, xs: 1, ks: m }
    }
    /// `B[k,n]` row-major, as the right operand.
    pub fn b(data: &'a [f32], n: usize) -> Self {
        Strided { data, xs: 1, ks: n }
    }
    /// Bᵀ for `B[n,k]` row-major, as the right operand.
    pub fn b_t(data: &'a [f32], k: usize) -> Self {
        Strided { data, xs: k, ks: 1 }
    }

    /// Panics unless all of element(0..x, 0..k) lie in `data`.
    pub(super) fn check(&self, x: usize, k: usize) {
        if x > 0 && k > 0 {
            assert!((x - 1) * self.xs + (k - 1) * self.ks < self.data.len());
        }
    }
}

impl Source for Strided<'_> {
    #[inline]
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        let (w, kc) = (x.len(), k.len());
        assert!(w <= W && out.len() >= kc * W + SLACK);
        self.check(x.end, k.end);
        if w == 0 || kc == 0 {
            return out[..kc * W].fill(0.0);
        }
        let (xs, ks) = (self.xs, self.ks);
        // SAFETY: `check` showed that the elements read below are in `data`, and the assertion
        // that kc·W + SLACK floats may be written.
        unsafe {
            let src = self.data.as_ptr().add(x.start * xs + k.start * ks);
            let dst = out.as_mut_ptr();
            // Whole vectors; where W is no multiple of 4 they spill into the next p, which then
            // overwrites it, and are read as far as there is data.
            let wide = W.next_multiple_of(4);
            let last = x.start + (k.end - 1) * ks + wide;
            if xs == 1 && w == W && last <= self.data.len() {
                for p in 0..kc {
                    for q in (0..W).step_by(4) {
                        V::load_ptr(src.add(p * ks + q)).store_ptr(dst.add(p * W + q));
                    }
                }
            } else if ks == 1 && w == W {
                transposed::<V, W>(src, xs, kc, dst);
            } else {
                for p in 0..kc {
                    let (src, dst) = (src.add(p * ks), dst.add(p * W));
                    for q in 0..w {
                        *dst.add(q) = *src.add(q * xs);
                    }
                    for q in w..W {
                        *dst.add(q) = 0.0;
                    }
                }
            }
        }
    }

    fn strided(&self) -> Option<Strided<'_>> {
        Some(*self)
    }
}

/// dst[p·W + q] = src[q·xs + p], by 4×4 blocks. Where W is no multiple of 4, a store spills into
/// the next p, which then overwrites it; the last spills into the slack.
///
/// # Safety
/// All elements named are readable, kc·W + SLACK floats writable.
#[inline(always)]
unsafe fn transposed<V: F32x4, const W: usize>(
    src: *const f32,
    xs: usize,
    kc: usize,
    dst: *mut f32,
) {
    let groups = W.div_ceil(4);
    let mut p = 0;
    // SAFETY: q < W and p + 4 ≤ kc (below: p < kc) bound the reads; the caller vouches for both.
    unsafe {
        while p + 4 <= kc {
            let mut cols = [[V::zero(); 4]; 4];
            for (g, cols) in cols.iter_mut().enumerate().take(groups) {
                *cols = V::transpose(std::array::from_fn(|q| {
                    V::load_ptr(src.add((4 * g + q).min(W - 1) * xs + p))
                }));
            }
            for i in 0..4 {
                for (g, cols) in cols.iter().enumerate().take(groups) {
                    cols[i].store_ptr(dst.add((p + i) * W + 4 * g));
                }
            }
            p += 4;
        }
        while p < kc {
            for q in 0..W {
                *dst.add(p * W + q) = *src.add(q * xs + p);
            }
            p += 1;
        }
    }
}

/// Rows picked by number: element(x, k) = `data[rows[x]·stride + k]`. A batch gathered from a data
/// set without a copy of its own.
#[derive(Clone, Copy)]
pub struct Gathered<'a> {
    pub data: &'a [f32],
    pub stride: usize,
    pub rows: &'a [u32],
}

impl Source for Gathered<'_> {
    #[inline]
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        assert!(x.len() <= W);
        out[..k.len() * W].fill(0.0);
        for (q, &row) in self.rows[x].iter().enumerate() {
            let row = &self.data[row as usize * self.stride..][k.clone()];
            for (out, v) in out[q..].iter_mut().step_by(W).zip(row) {
                *out = *v;
            }
        }
    }
}

/// The transpose of [`Gathered`]: element(x, k) = `data[rows[k]·stride + x]`, for the weight
/// gradient of a layer that reads the data set.
#[derive(Clone, Copy)]
pub struct GatheredT<'a> {
    pub data: &'a [f32],
    pub stride: usize,
    pub rows: &'a [u32],
}

impl Source for GatheredT<'_> {
    #[inline]
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        assert!(x.len() <= W);
        for (&row, out) in self.rows[k].iter().zip(out.chunks_exact_mut(W)) {
            let row = &self.data[row as usize * self.stride..][x.clone()];
            let (head, rest) = out.split_at_mut(row.len());
            head.copy_from_slice(row);
            rest.fill(0.0);
        }
    }
}
