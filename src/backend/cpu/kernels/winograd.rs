//! Winograd's F(4×4, 3×3): the 4×4 results of a 3×3 convolution of stride 1 from 36 products
//! instead of 144 (Lavin and Gray 2015, arXiv:1509.09308). Tiles of 6×6 pixels and the filters are
//! transformed, multiplied as 36 matrices, and transformed back; for the filters' gradient the
//! same tiles meet 4×4 pixels of dy, F(3×3, 4×4).
//!
//! The points of interpolation are 0, ±p, ±q and ∞ with p = √½ and q = √2 rather than the usual 0,
//! ±1, ±2 and ∞: p·q = 1 keeps the factors near 1, and the error is a fifth.
//!
//! Tiles are taken in blocks that stay in the cache. The order of summation is fixed by the
//! sizes alone.
use super::act::Act;
use super::micro::{Operands, Tile, micro_any};
use super::simd::F32x4;

/// Pixels that a tile reads along an axis, and results that it gives.
const IN: usize = 6;
const OUT: usize = 4;
/// Products per tile.
const POINTS: usize = IN * IN;
const P: f32 = std::f32::consts::FRAC_1_SQRT_2;
const Q: f32 = std::f32::consts::SQRT_2;
/// Rows and vectors of a register tile.
const MR: usize = 4;
const NV: usize = 2;
/// Floats of a block's transformed tiles: a good part of a core's cache. The filters' gradient
/// reads and writes all its sums for every block, so its blocks are larger.
const BLOCK: usize = 96 << 10;
const WEIGHT_BLOCK: usize = 192 << 10;
/// What lies outside an image, for as many channels as there may be.
static ZEROS: [f32; MAX_CHANNELS] = [0.0; MAX_CHANNELS];
pub const MAX_CHANNELS: usize = 1024;

/// A convolution with 3×3 filters at a stride of 1.
#[derive(Clone, Copy, Debug)]
pub struct Conv3x3 {
    pub n: usize,
    /// `[H,W]` of the image that is read, and its channels.
    pub size: [usize; 2],
    pub c: usize,
    /// `[P,Q]` and channels of the result.
    pub out: [usize; 2],
    pub k: usize,
    /// Zeros before the image's rows and columns.
    pub pad: [usize; 2],
}

impl Conv3x3 {
    fn tiles(&self) -> [usize; 2] {
        self.out.map(|v| v.div_ceil(OUT))
    }
    fn count(&self) -> usize {
        let [a, b] = self.tiles();
        self.n * a * b
    }
    /// Tiles of a block of so many floats.
    fn block(&self, floats: usize) -> usize {
        let fit = floats / (POINTS * (self.c + self.k));
        (fit / MR * MR)
            .max(2 * MR)
            .min(self.count().next_multiple_of(MR))
    }
    /// Image, row and column of a tile.
    fn place(&self, t: usize) -> [usize; 3] {
        let [rows, columns] = self.tiles();
        [t / (rows * columns), t / columns % rows, t % columns]
    }
}

/// Floats from one point's matrix `[tiles, channels]` to the next one's. An odd number of cache
/// lines: a tile's 16 values would else fall into the same few sets of the cache.
fn plane(tiles: usize, channels: usize) -> usize {
    ((tiles * channels).div_ceil(16) | 1) * 16
}

/// Columns of the packed filters.
fn padded(k: usize) -> usize {
    k.next_multiple_of(4 * NV)
}

pub fn scratch(v: &Conv3x3) -> usize {
    let planes = plane(v.block(BLOCK), v.c) + plane(v.block(BLOCK), v.k);
    POINTS * (v.c * padded(v.k) + planes) + 3 * 16
}

pub fn weight_scratch(v: &Conv3x3) -> usize {
    let planes = plane(v.block(WEIGHT_BLOCK), v.c) + plane(v.block(WEIGHT_BLOCK), v.k);
    POINTS * (v.c * v.k + planes) + 3 * 16
}

/// a·x + y for a number a.
#[inline(always)]
fn axpy<V: F32x4>(a: f32, x: V, y: V) -> V {
    x.mul_add(V::splat(a), y)
}

/// (e + a·o, e − a·o)
#[inline(always)]
fn both<V: F32x4>(e: V, a: f32, o: V) -> (V, V) {
    (axpy(a, o, e), axpy(-a, o, e))
}

/// Bᵀ·d.
#[inline(always)]
fn data<V: F32x4>(d: [V; IN]) -> [V; IN] {
    let (t1, t2) = both(axpy(-2.0, d[2], d[4]), P, axpy(-2.0, d[1], d[3]));
    let (t3, t4) = both(axpy(-0.5, d[2], d[4]), Q, axpy(-0.5, d[1], d[3]));
    let first = axpy(-2.5, d[2], d[0]).add(d[4]);
    let last = axpy(-2.5, d[3], d[1]).add(d[5]);
    [first, t1, t2, t3, t4, last]
}

/// Aᵀ·m: the results of a tile along an axis.
#[inline(always)]
fn result<V: F32x4>(m: [V; IN]) -> [V; OUT] {
    let (s1, d1) = (m[1].add(m[2]), m[1].sub(m[2]));
    let (s2, d2) = (m[3].add(m[4]), m[3].sub(m[4]));
    let odd = |p: f32, q: f32| axpy(p, d1, d2.mul(V::splat(q)));
    [
        m[0].add(s1).add(s2),
        odd(P, Q),
        axpy(0.5, s1, s2.add(s2)),
        odd(0.5 * P, 2.0 * Q).add(m[5]),
    ]
}

/// A·y: what a tile's gradients are worth at the points.
#[inline(always)]
fn spread<V: F32x4>(y: [V; OUT]) -> [V; IN] {
    let (t1, t2) = both(axpy(0.5, y[2], y[0]), P, axpy(0.5, y[3], y[1]));
    let (t3, t4) = both(axpy(2.0, y[2], y[0]), Q, axpy(2.0, y[3], y[1]));
    [y[0], t1, t2, t3, t4, y[3]]
}

/// G·g of three values.
fn filter([a, b, c]: [f32; 3]) -> [f32; IN] {
    let pair = |e: f32, o: f32, by: f32| ((e + o) * by, (e - o) * by);
    let (t1, t2) = pair(a + 0.5 * c, P * b, -2.0 / 3.0);
    let (t3, t4) = pair(a + 2.0 * c, Q * b, 1.0 / 6.0);
    [a, t1, t2, t3, t4, c]
}

/// Gᵀ·m: a filter's three gradients.
fn gather(m: [f32; IN]) -> [f32; 3] {
    let (s1, d1) = ((m[1] + m[2]) * (-2.0 / 3.0), (m[1] - m[2]) * (-2.0 / 3.0));
    let (s2, d2) = ((m[3] + m[4]) / 6.0, (m[3] - m[4]) / 6.0);
    [m[0] + s1 + s2, P * d1 + Q * d2, 0.5 * s1 + 2.0 * s2 + m[5]]
}

/// Transforms the tiles `first..first + count` to out[point][tile − first][c], points a
/// [`plane`] apart.
fn transform_tiles<V: F32x4>(
    v: &Conv3x3,
    x: &[f32],
    first: usize,
    count: usize,
    room: usize,
    out: &mut [f32],
) {
    let ([h, w], c) = (v.size, v.c);
    let plane = plane(room, c);
    assert!(c <= MAX_CHANNELS && out.len() >= POINTS * plane && count <= room);
    for t in 0..count {
        let [n, row, column] = v.place(first + t);
        let mut pixels = [[ZEROS.as_ptr(); IN]; IN];
        for (r, line) in pixels.iter_mut().enumerate() {
            for (s, pixel) in line.iter_mut().enumerate() {
                let y = (OUT * row + r).wrapping_sub(v.pad[0]);
                let x_at = (OUT * column + s).wrapping_sub(v.pad[1]);
                if y < h && x_at < w {
                    *pixel = x[((n * h + y) * w + x_at) * c..][..c].as_ptr();
                }
            }
        }
        let to = out[t * c..].as_mut_ptr();
        let mut j = 0;
        // SAFETY: every pixel and ZEROS hold c floats, and out[point][t] begins c floats before
        // its end at the latest.
        unsafe {
            while j + 4 <= c {
                let put = |r, s, v: V| v.store_ptr(to.add((IN * r + s) * plane + j));
                square(|r, s| V::load_ptr(pixels[r][s].add(j)), data, put);
                j += 4;
            }
            while j < c {
                let put = |r, s, v: V| *to.add((IN * r + s) * plane + j) = v.to_array()[0];
                square(|r, s| V::splat(*pixels[r][s].add(j)), data, put);
                j += 1;
            }
        }
    }
}

/// A transformation of the rows, then of the columns, of what `get(row, column)` gives; each
/// value goes to `put(row, column, value)` as soon as it is there, for registers are few.
#[inline(always)]
fn square<V: F32x4, const A: usize, const B: usize>(
    get: impl Fn(usize, usize) -> V,
    f: impl Fn([V; A]) -> [V; B],
    mut put: impl FnMut(usize, usize, V),
) {
    let mut half = [[V::zero(); B]; A];
    for (r, half) in half.iter_mut().enumerate() {
        *half = f(std::array::from_fn(|s| get(r, s)));
    }
    for s in 0..B {
        for (r, value) in f(half.map(|line| line[s])).into_iter().enumerate() {
            put(r, s, value);
        }
    }
}

/// y[N,P,Q,K] = act(x[N,H,W,C] ∗ g + bias), where `g(k, c)` is a filter's nine taps. `act` is none
/// or ReLU.
pub fn forward<V: F32x4>(
    v: &Conv3x3,
    x: &[f32],
    g: impl Fn(usize, usize) -> [f32; 9],
    bias: Option<&[f32]>,
    act: Act,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let (c, k, room) = (v.c, v.k, v.block(BLOCK));
    let kp = padded(k);
    let (filters, rest) = split(scratch, POINTS * c * kp);
    let (tiles, products) = split(rest, POINTS * plane(room, c));
    // filters[point][panel][c][8]
    for panel in 0..kp / 8 {
        for channel in 0..c {
            for lane in 0..8 {
                let k_at = panel * 8 + lane;
                let t = if k_at < k { g(k_at, channel) } else { [0.0; 9] };
                let rows = [0, 1, 2].map(|r| filter([t[3 * r], t[3 * r + 1], t[3 * r + 2]]));
                for s in 0..IN {
                    let column = filter(rows.map(|row| row[s]));
                    for (r, value) in column.into_iter().enumerate() {
                        let at = (IN * r + s) * c * kp + (panel * c + channel) * 8 + lane;
                        filters[at] = value;
                    }
                }
            }
        }
    }
    for first in (0..v.count()).step_by(room) {
        let count = room.min(v.count() - first);
        transform_tiles::<V>(v, x, first, count, room, tiles);
        for point in 0..POINTS {
            let a = &tiles[point * plane(room, c)..][..room * c];
            let b = &filters[point * c * kp..][..c * kp];
            let m = &mut products[point * plane(room, k)..][..room * k];
            multiply::<V>(a, b, m, count, c, k);
        }
        finish::<V>(v, products, first, count, room, bias, act == Act::Relu, y);
    }
}

/// Two parts of a buffer, the second at a multiple of 16 floats.
fn split(x: &mut [f32], n: usize) -> (&mut [f32], &mut [f32]) {
    x.split_at_mut(n.next_multiple_of(16))
}

/// m[rows,k] = a[rows,c]·b with b packed in panels of 8 columns.
fn multiply<V: F32x4>(a: &[f32], b: &[f32], m: &mut [f32], rows: usize, c: usize, k: usize) {
    for j in (0..k).step_by(4 * NV) {
        let panel = &b[j * c..][..4 * NV * c];
        let tile = Tile {
            c: m[j..].as_mut_ptr(),
            ldc: k,
            rows,
            cols: (4 * NV).min(k - j),
            add: false,
            bias: std::ptr::null(),
            relu: false,
        };
        let op = Operands {
            a: a.as_ptr(),
            axs: c,
            aks: 1,
            next: MR * c,
            b: panel.as_ptr(),
            bks: 4 * NV,
        };
        // SAFETY: a holds `rows` rows of c, the panel c rows of 8, m `rows` rows of k.
        unsafe { micro_any::<V, MR, NV>(true, false, c, op, &tile) }
    }
}

/// Transforms products[point][tile][k] back into the pixels of y.
#[allow(clippy::too_many_arguments)]
fn finish<V: F32x4>(
    v: &Conv3x3,
    products: &[f32],
    first: usize,
    count: usize,
    room: usize,
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    let ([p, q], k) = (v.out, v.k);
    let plane = plane(room, k);
    assert!(products.len() >= POINTS * plane && y.len() >= v.n * p * q * k);
    assert!(bias.is_none_or(|b| b.len() >= k) && count <= room);
    let whole = k / 4 * 4;
    for t in 0..count {
        let [n, row, column] = v.place(first + t);
        let (rows, columns) = (OUT.min(p - OUT * row), OUT.min(q - OUT * column));
        let at = ((n * p + OUT * row) * q + OUT * column) * k;
        let from = products[t * k..].as_ptr();
        let to = y[at..].as_mut_ptr();
        // SAFETY: the last point's row of k floats begins k before its end at the latest; the
        // pixels (r, s) below `rows` and `columns` lie in y.
        unsafe {
            for j in (0..whole).step_by(4) {
                let get = |r, s| V::load_ptr(from.add((IN * r + s) * plane + j));
                let b = bias.map_or(V::zero(), |b| V::load_ptr(b.as_ptr().add(j)));
                square(get, result, |r, s, v| {
                    if r < rows && s < columns {
                        last(v, b, relu).store_ptr(to.add((r * q + s) * k + j));
                    }
                });
            }
            for j in whole..k {
                let get = |r, s| V::splat(*from.add((IN * r + s) * plane + j));
                let b = V::splat(bias.map_or(0.0, |b| b[j]));
                square(get, result, |r, s, v| {
                    if r < rows && s < columns {
                        *to.add((r * q + s) * k + j) = last(v, b, relu).to_array()[0];
                    }
                });
            }
        }
    }
}

#[inline(always)]
fn last<V: F32x4>(v: V, bias: V, relu: bool) -> V {
    let v = v.add(bias);
    if relu { v.max(V::zero()) } else { v }
}

/// dw[K,C,3,3] of the convolution from x[N,H,W,C] and dy[N,P,Q,K].
pub fn weight_grad<V: F32x4>(
    v: &Conv3x3,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
    scratch: &mut [f32],
) {
    let (c, k, room) = (v.c, v.k, v.block(WEIGHT_BLOCK));
    let (sums, rest) = split(scratch, POINTS * c * k);
    let (tiles, blocks) = split(rest, POINTS * plane(room, c));
    for first in (0..v.count()).step_by(room) {
        let count = room.min(v.count() - first);
        transform_tiles::<V>(v, x, first, count, room, tiles);
        transform_grads::<V>(v, dy, first, count, room, blocks);
        for point in 0..POINTS {
            let a = &tiles[point * plane(room, c)..][..count * c];
            let b = &blocks[point * plane(room, k)..][..count * k];
            let sum = &mut sums[point * c * k..][..c * k];
            add_products::<V>(a, b, sum, c, k, count, first > 0);
        }
    }
    for k_at in 0..k {
        for channel in 0..c {
            let m = |r: usize, s: usize| sums[((IN * r + s) * c + channel) * k + k_at];
            let rows: [[f32; 3]; IN] =
                std::array::from_fn(|r| gather(std::array::from_fn(|s| m(r, s))));
            for s in 0..3 {
                let column = gather(rows.map(|row| row[s]));
                for (r, value) in column.into_iter().enumerate() {
                    dw[(k_at * c + channel) * 9 + 3 * r + s] = value;
                }
            }
        }
    }
}

/// sum[c,k] (+)= aᵀ[c,n]·b[n,k].
fn add_products<V: F32x4>(
    a: &[f32],
    b: &[f32],
    sum: &mut [f32],
    c: usize,
    k: usize,
    n: usize,
    add: bool,
) {
    // Whole vectors of columns are read where they lie; the last few are taken one by one.
    let whole = k / 4 * 4;
    for j in (0..whole).step_by(4 * NV) {
        let cols = (4 * NV).min(whole - j);
        let tile = Tile {
            c: sum[j..].as_mut_ptr(),
            ldc: k,
            rows: c,
            cols,
            add,
            bias: std::ptr::null(),
            relu: false,
        };
        let op = Operands {
            a: a.as_ptr(),
            axs: 1,
            aks: c,
            next: MR,
            b: b[j..].as_ptr(),
            bks: k,
        };
        // SAFETY: a has n rows of c, b n rows of k, sum c rows of k, and the tile is inside.
        unsafe {
            if cols == 4 * NV {
                micro_any::<V, MR, NV>(true, true, n, op, &tile);
            } else {
                micro_any::<V, MR, 1>(true, true, n, op, &tile);
            }
        }
    }
    for j in whole..k {
        for i in 0..c {
            let dot = (0..n).fold(0.0, |s, t| s + a[t * c + i] * b[t * k + j]);
            let to = &mut sum[i * k + j];
            *to = if add { *to + dot } else { dot };
        }
    }
}

/// Transforms the 4×4 pixels of dy that belong to each tile to out[point][tile − first][k].
fn transform_grads<V: F32x4>(
    v: &Conv3x3,
    dy: &[f32],
    first: usize,
    count: usize,
    room: usize,
    out: &mut [f32],
) {
    let ([p, q], k) = (v.out, v.k);
    let plane = plane(room, k);
    assert!(k <= MAX_CHANNELS && out.len() >= POINTS * plane && count <= room);
    for t in 0..count {
        let [n, row, column] = v.place(first + t);
        let mut pixels = [[ZEROS.as_ptr(); OUT]; OUT];
        for (r, line) in pixels.iter_mut().enumerate() {
            for (s, pixel) in line.iter_mut().enumerate() {
                let (y, x) = (OUT * row + r, OUT * column + s);
                if y < p && x < q {
                    *pixel = dy[((n * p + y) * q + x) * k..][..k].as_ptr();
                }
            }
        }
        let to = out[t * k..].as_mut_ptr();
        let whole = k / 4 * 4;
        // SAFETY: as in `transform_tiles`.
        unsafe {
            for j in (0..whole).step_by(4) {
                let put = |r, s, v: V| v.store_ptr(to.add((IN * r + s) * plane + j));
                square(|r, s| V::load_ptr(pixels[r][s].add(j)), spread, put);
            }
            for j in whole..k {
                let put = |r, s, v: V| *to.add((IN * r + s) * plane + j) = v.to_array()[0];
                square(|r, s| V::splat(*pixels[r][s].add(j)), spread, put);
            }
        }
    }
}
