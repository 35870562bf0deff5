//! Attention by blocks of queries: the scores of one head and `BLOCK` queries are all that is
//! in memory at a time; the backward pass computes them anew. What each tensor means is said in
//! `ops::attention`.
use super::elementwise::{map_in_place, scale_in_place, zip_in_place};
use super::gemm::{Epilogue, gemm, scratch_len};
use super::math::exp;
use super::pack::Strided;
use super::reduce;
use super::simd::F32x4;

/// Queries taken together; fewer where each block sees keys that the one before does not.
const BLOCK: usize = 64;
const CAUSAL: usize = 16;

#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub batch: usize,
    pub queries: usize,
    pub keys: usize,
    /// Of all heads together.
    pub width: usize,
    pub heads: usize,
    pub causal: bool,
}

/// Rows of q, k or v, `stride` floats apart.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub data: &'a [f32],
    pub stride: usize,
}

impl<'a> Rows<'a> {
    /// From a row and column on, as the left operand of a product, or a transposed right one.
    fn along(self, row: usize, column: usize) -> Strided<'a> {
        Strided {
            data: &self.data[row * self.stride + column..],
            xs: self.stride,
            ks: 1,
        }
    }
    /// The same as a right operand, its rows summed over.
    fn across(self, row: usize, column: usize) -> Strided<'a> {
        Strided {
            data: &self.data[row * self.stride + column..],
            xs: 1,
            ks: self.stride,
        }
    }
}

impl Sizes {
    fn block(&self) -> usize {
        self.queries.min(if self.causal { CAUSAL } else { BLOCK })
    }
    fn gemm_scratch(&self) -> usize {
        let (b, s, d) = (self.block(), self.keys, self.width / self.heads);
        [(b, s, d), (b, d, s), (s, d, b)]
            .map(|(m, n, k)| scratch_len(m, n, k))
            .into_iter()
            .fold(0, usize::max)
    }
    pub fn forward_scratch(&self) -> usize {
        self.block() * self.keys + self.gemm_scratch()
    }
    pub fn backward_scratch(&self) -> usize {
        2 * self.block() * self.keys + self.gemm_scratch()
    }
    fn scale(&self) -> f32 {
        1.0 / ((self.width / self.heads) as f32).sqrt()
    }
    /// Blocks of queries: the first, how many, and how many keys they may see.
    fn blocks(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let Sizes {
            queries,
            keys,
            causal,
            ..
        } = *self;
        let block = self.block().max(1);
        (0..queries).step_by(block).map(move |i| {
            let rows = block.min(queries - i);
            (i, rows, if causal { i + rows } else { keys })
        })
    }
    /// Scores of a block of queries before they are scaled, −∞ where they may not look.
    #[allow(clippy::too_many_arguments)]
    fn scores<V: F32x4>(
        &self,
        [q, k, _]: [Rows; 3],
        keep: Option<&[f32]>,
        (n, h): (usize, usize),
        (first, rows, keys): (usize, usize, usize),
        out: &mut [f32],
        scratch: &mut [f32],
    ) {
        let size = self.width / self.heads;
        let a = q.along(n * self.queries + first, h * size);
        let b = k.along(n * self.keys, h * size);
        gemm::<V, _, _>(
            rows,
            keys,
            size,
            &a,
            &b,
            out,
            keys,
            &Epilogue::STORE,
            scratch,
        );
        for (i, row) in out.chunks_exact_mut(keys).take(rows).enumerate() {
            if self.causal {
                row[first + i + 1..].fill(f32::NEG_INFINITY);
            }
            if let Some(keep) = keep {
                for (s, keep) in row.iter_mut().zip(&keep[n * self.keys..]) {
                    if *keep == 0.0 {
                        *s = f32::NEG_INFINITY;
                    }
                }
            }
        }
    }
}

pub fn forward<V: F32x4>(
    s: &Sizes,
    qkv: [Rows; 3],
    keep: Option<&[f32]>,
    y: &mut [f32],
    l: &mut [f32],
    scratch: &mut [f32],
) {
    let size = s.width / s.heads;
    let (p, scratch) = scratch.split_at_mut(s.block() * s.keys);
    for n in 0..s.batch {
        for h in 0..s.heads {
            for block in s.blocks() {
                let (first, rows, keys) = block;
                s.scores::<V>(qkv, keep, (n, h), block, p, scratch);
                let l = &mut l[(n * s.heads + h) * s.queries + first..][..rows];
                let mut sums = [0.0; BLOCK];
                for ((row, l), sum) in p.chunks_exact_mut(keys).zip(l).zip(&mut sums) {
                    (*l, *sum) = exponents::<V>(row, s.scale());
                }
                let a = Strided::a(&p[..rows * keys], keys);
                let b = qkv[2].across(n * s.keys, h * size);
                let to = &mut y[(n * s.queries + first) * s.width + h * size..];
                gemm::<V, _, _>(
                    rows,
                    size,
                    keys,
                    &a,
                    &b,
                    to,
                    s.width,
                    &Epilogue::STORE,
                    scratch,
                );
                for (row, sum) in to.chunks_mut(s.width).zip(&sums[..rows]) {
                    scale_in_place::<V>(1.0 / sum, &mut row[..size]);
                }
            }
        }
    }
}

/// eˢ of the scaled scores over that of the largest, in place; gives ln Σ eˢ and what the row now
/// sums to, or 0 and 1 where all scores are −∞ (the row is then 0).
fn exponents<V: F32x4>(row: &mut [f32], scale: f32) -> (f32, f32) {
    let max = reduce::max::<V>(row);
    if max == f32::NEG_INFINITY {
        row.fill(0.0);
        return (0.0, 1.0);
    }
    let (factor, shift) = (V::splat(scale), V::splat(max));
    let mut sum = V::zero();
    let mut parts = row.chunks_exact_mut(4);
    for part in &mut parts {
        let e = exp(V::load(part).sub(shift).mul(factor));
        e.store(part);
        sum = sum.add(e);
    }
    let rest = parts.into_remainder();
    if !rest.is_empty() {
        let e = exp(V::load_part(rest, f32::NEG_INFINITY).sub(shift).mul(factor));
        e.store_part(rest);
        sum = sum.add(e);
    }
    let sum = sum.sum();
    (max * scale + libm::logf(sum), sum)
}

/// Σ a·b.
fn dot<V: F32x4>(a: &[f32], b: &[f32]) -> f32 {
    let (mut a4, mut b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let sum = (&mut a4)
        .zip(&mut b4)
        .fold(V::zero(), |s, (a, b)| V::load(a).mul_add(V::load(b), s));
    let rest = a4.remainder().iter().zip(b4.remainder());
    rest.fold(sum.sum(), |s, (a, b)| s + a * b)
}

pub struct Saved<'a> {
    pub qkv: [Rows<'a>; 3],
    pub keep: Option<&'a [f32]>,
    pub y: &'a [f32],
    pub l: &'a [f32],
    pub dy: &'a [f32],
}

/// `out` holds dq, dk and dv, or all three in the first one's rows.
pub fn backward<V: F32x4>(s: &Sizes, v: &Saved, out: [&mut [f32]; 3], scratch: &mut [f32]) {
    let size = s.width / s.heads;
    let packed = out[1].is_empty();
    let [o0, o1, o2] = out;
    o0.fill(0.0);
    o1.fill(0.0);
    o2.fill(0.0);
    let (p, scratch) = scratch.split_at_mut(s.block() * s.keys);
    let (ds, scratch) = scratch.split_at_mut(s.block() * s.keys);
    let stride = if packed { 3 * s.width } else { s.width };
    let dy = Rows {
        data: v.dy,
        stride: s.width,
    };
    let [q, k, value] = v.qkv;
    for n in 0..s.batch {
        for h in 0..s.heads {
            let column = h * size;
            for block in s.blocks() {
                let (first, rows, keys) = block;
                let (query, key) = (n * s.queries + first, n * s.keys);
                s.scores::<V>(v.qkv, v.keep, (n, h), block, p, scratch);
                let l = &v.l[(n * s.heads + h) * s.queries + first..];
                for (row, l) in p.chunks_exact_mut(keys).take(rows).zip(l) {
                    let (factor, l) = (V::splat(s.scale()), V::splat(*l));
                    map_in_place::<V>(row, |x| exp(x.mul(factor).sub(l)));
                }
                let probs = Strided::a_t(&p[..rows * keys], keys);
                let to = if packed {
                    &mut o0[2 * s.width..]
                } else {
                    &mut *o2
                };
                let to = &mut to[key * stride + column..];
                let (d, ep) = (dy.across(query, column), &Epilogue::ADD);
                gemm::<V, _, _>(keys, size, rows, &probs, &d, to, stride, ep, scratch);

                let (a, b) = (dy.along(query, column), value.along(key, column));
                gemm::<V, _, _>(
                    rows,
                    keys,
                    size,
                    &a,
                    &b,
                    ds,
                    keys,
                    &Epilogue::STORE,
                    scratch,
                );
                let scale = V::splat(s.scale());
                for i in 0..rows {
                    let at = (query + i) * s.width + column;
                    let (y, dy) = (&v.y[at..][..size], &v.dy[at..][..size]);
                    let delta = V::splat(dot::<V>(y, dy));
                    let row = &mut ds[i * keys..][..keys];
                    zip_in_place::<V>(row, &p[i * keys..][..keys], |d, p| {
                        d.sub(delta).mul(p).mul(scale)
                    });
                }
                let d = Strided::a(&ds[..rows * keys], keys);
                let to = &mut o0[query * stride + column..];
                let b = k.across(key, column);
                gemm::<V, _, _>(
                    rows,
                    size,
                    keys,
                    &d,
                    &b,
                    to,
                    stride,
                    &Epilogue::STORE,
                    scratch,
                );
                let d = Strided::a_t(&ds[..rows * keys], keys);
                let to = if packed { &mut o0[s.width..] } else { &mut *o1 };
                let to = &mut to[key * stride + column..];
                let b = q.across(query, column);
                gemm::<V, _, _>(keys, size, rows, &d, &b, to, stride, ep, scratch);
            }
        }
    }
}
