//! Winograd's F(2×2, 3×3): the 2×2 results of a 3×3 convolution of stride 1 from 16 products
//! instead of 36 (Lavin and Gray 2015, arXiv:1509.09308). Tiles of 4×4 pixels and the filters are
//! transformed, multiplied as 16 matrices, and transformed back; for the filters' gradient the
//! same tiles meet 2×2 pixels of dy, F(3×3, 2×2).
//!
//! Tiles are taken in blocks that stay in the cache. The order of summation is fixed by the
//! sizes alone.
use super::act::Act;
use super::micro::{Operands, Tile, micro_any};
use super::simd::F32x4;

/// Products per result tile.
const POINTS: usize = 16;
/// Rows and vectors of a register tile.
const MR: usize = 4;
const NV: usize = 2;
/// Floats of a block's transformed tiles: a good part of a core's cache. The filters' gradient
/// reads and writes all its sums for every block, so its blocks are larger.
const BLOCK: usize = 48 << 10;
const WEIGHT_BLOCK: usize = 96 << 10;
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
        self.out.map(|v| v.div_ceil(2))
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

/// Bᵀ·d of four values.
#[inline(always)]
fn data<V: F32x4>([a, b, c, d]: [V; 4]) -> [V; 4] {
    [a.sub(c), b.add(c), c.sub(b), b.sub(d)]
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
        let mut pixels = [[ZEROS.as_ptr(); 4]; 4];
        for (r, line) in pixels.iter_mut().enumerate() {
            for (s, pixel) in line.iter_mut().enumerate() {
                let y = (2 * row + r).wrapping_sub(v.pad[0]);
                let x_at = (2 * column + s).wrapping_sub(v.pad[1]);
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
                let mut half = [[V::zero(); 4]; 4];
                for (line, half) in pixels.iter().zip(&mut half) {
                    *half = data(line.map(|p| V::load_ptr(p.add(j))));
                }
                for s in 0..4 {
                    let column = data(half.map(|line| line[s]));
                    for (r, value) in column.into_iter().enumerate() {
                        value.store_ptr(to.add((4 * r + s) * plane + j));
                    }
                }
                j += 4;
            }
            while j < c {
                let mut half = [[0.0; 4]; 4];
                for (line, half) in pixels.iter().zip(&mut half) {
                    let [a, b, c, d] = line.map(|p| *p.add(j));
                    *half = [a - c, b + c, c - b, b - d];
                }
                for s in 0..4 {
                    let [a, b, c_, d] = half.map(|line| line[s]);
                    let column = [a - c_, b + c_, c_ - b, b - d];
                    for (r, value) in column.into_iter().enumerate() {
                        *to.add((4 * r + s) * plane + j) = value;
                    }
                }
                j += 1;
            }
        }
    }
}

/// G·g of three values.
fn filter([a, b, c]: [f32; 3]) -> [f32; 4] {
    let sum = 0.5 * (a + c);
    [a, sum + 0.5 * b, sum - 0.5 * b, c]
}

/// Aᵀ·m of four values: two results.
#[inline(always)]
fn result<V: F32x4>([a, b, c, d]: [V; 4]) -> [V; 2] {
    [a.add(b).add(c), b.sub(c).sub(d)]
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
                for s in 0..4 {
                    let column = filter(rows.map(|row| row[s]));
                    for (r, value) in column.into_iter().enumerate() {
                        let at = (4 * r + s) * c * kp + (panel * c + channel) * 8 + lane;
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
        let (rows, columns) = (2.min(p - 2 * row), 2.min(q - 2 * column));
        let at = ((n * p + 2 * row) * q + 2 * column) * k;
        let from = products[t * k..].as_ptr();
        let to = y[at..].as_mut_ptr();
        // SAFETY: the last point's row of k floats begins k before its end at the latest; the
        // pixels (r, s) below `rows` and `columns` lie in y.
        unsafe {
            for j in (0..whole).step_by(4) {
                let get = |i| V::load_ptr(from.add(i * plane + j));
                let b = bias.map_or(V::zero(), |b| V::load_ptr(b.as_ptr().add(j)));
                for (r, line) in results(get, b, relu).into_iter().enumerate().take(rows) {
                    for (s, value) in line.into_iter().enumerate().take(columns) {
                        value.store_ptr(to.add((r * q + s) * k + j));
                    }
                }
            }
            for j in whole..k {
                let get = |i| V::splat(*from.add(i * plane + j));
                let b = V::splat(bias.map_or(0.0, |b| b[j]));
                for (r, line) in results(get, b, relu).into_iter().enumerate().take(rows) {
                    for (s, value) in line.into_iter().enumerate().take(columns) {
                        *to.add((r * q + s) * k + j) = value.to_array()[0];
                    }
                }
            }
        }
    }
}

/// The 2×2 results of a tile from its 16 products.
#[inline(always)]
fn results<V: F32x4>(get: impl Fn(usize) -> V, bias: V, relu: bool) -> [[V; 2]; 2] {
    let half: [[V; 2]; 4] =
        std::array::from_fn(|r| result(std::array::from_fn(|s| get(4 * r + s))));
    let [left, right] = [0, 1].map(|s| {
        result(half.map(|line| line[s])).map(|v| {
            let v = v.add(bias);
            if relu { v.max(V::zero()) } else { v }
        })
    });
    [[left[0], right[0]], [left[1], right[1]]]
}

#[inline(always)]
fn load<V: F32x4>(x: &[f32], at: usize, lanes: usize) -> V {
    if lanes == 4 {
        V::load(&x[at..])
    } else {
        V::load_part(&x[at..at + lanes], 0.0)
    }
}

#[inline(always)]
fn store<V: F32x4>(v: V, x: &mut [f32], at: usize, lanes: usize) {
    if lanes == 4 {
        v.store(&mut x[at..]);
    } else {
        v.store_part(&mut x[at..at + lanes]);
    }
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
    // Aᵀ·m·A with three results: [1 1 1 0], [0 1 −1 0], [0 1 1 −1].
    let three = |m: [f32; 4]| [m[0] + m[1] + m[2], m[1] - m[2], m[1] + m[2] - m[3]];
    for k_at in 0..k {
        for channel in 0..c {
            let m = |r: usize, s: usize| sums[((4 * r + s) * c + channel) * k + k_at];
            let rows: [[f32; 3]; 4] =
                std::array::from_fn(|r| three(std::array::from_fn(|s| m(r, s))));
            for s in 0..3 {
                let column = three(rows.map(|row| row[s]));
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

/// G·g of two values, for F(3, 2).
#[inline(always)]
fn pair<V: F32x4>(a: V, b: V) -> [V; 4] {
    let half = V::splat(0.5);
    [a, a.add(b).mul(half), a.sub(b).mul(half), b]
}

/// Transforms the 2×2 pixels of dy that belong to each tile to out[point][tile − first][k].
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
    for t in 0..count {
        let [n, row, column] = v.place(first + t);
        let at = ((n * p + 2 * row) * q + 2 * column) * k;
        let (below, right) = (2 * row + 1 < p, 2 * column + 1 < q);
        for j in (0..k).step_by(4) {
            let lanes = 4.min(k - j);
            let get = |there: bool, at: usize| {
                if there {
                    load::<V>(dy, at + j, lanes)
                } else {
                    V::zero()
                }
            };
            let top = pair(get(true, at), get(right, at + k));
            let low = pair(
                get(below, at + q * k),
                get(below && right, at + (q + 1) * k),
            );
            for s in 0..4 {
                for (r, value) in pair(top[s], low[s]).into_iter().enumerate() {
                    let to = (4 * r + s) * plane + t * k + j;
                    store(value, out, to, lanes);
                }
            }
        }
    }
}
