//! Convolutions of images with few channels, such as a network's first. The image is copied with
//! its padding, and both operands are then read where they lie: packing would cost as much as the
//! few products that follow.
use super::act::Act;
use super::conv::Conv;
use super::elementwise::act_in_place;
use super::simd::F32x4;

/// Positions that a filter sums over, at most.
const TAPS: usize = 128;
/// Rows and vectors of a register tile.
const MR: usize = 4;
const NV: usize = 2;
const WIDTH: usize = 4 * NV;

/// Whether this file's kernels are for it.
pub fn suits(v: &Conv) -> bool {
    v.groups == 1 && v.c <= 4 && v.window.taps() * v.c <= TAPS
}

/// Rows and columns of the padded copy.
fn padded(v: &Conv) -> [usize; 2] {
    std::array::from_fn(|a| {
        let read = (v.out[a] - 1) * v.window.stride[a] + v.window.span(a);
        read.max(v.window.pad[a][0] + v.size[a])
    })
}

/// Where each tap of the window at (0, 0) lies in the padded copy, in the order (r, s, c).
fn offsets(v: &Conv) -> [usize; TAPS] {
    let [_, width] = padded(v);
    let [_, columns] = v.window.kernel;
    std::array::from_fn(|i| {
        let (tap, c) = (i / v.c, i % v.c);
        let (r, s) = (tap / columns, tap % columns);
        if r >= v.window.kernel[0] {
            return 0;
        }
        (r * v.window.dilation[0] * width + s * v.window.dilation[1]) * v.c + c
    })
}

/// One image with its padding.
fn pad<'a>(v: &Conv, x: &'a [f32], n: usize, room: &'a mut [f32]) -> &'a [f32] {
    let [h, w] = v.size;
    let [ph, pw] = padded(v);
    let [top, left] = [v.window.pad[0][0], v.window.pad[1][0]];
    let line = w * v.c;
    let image = &x[n * h * line..][..h * line];
    if [ph, pw] == v.size {
        return image;
    }
    let room = &mut room[..ph * pw * v.c];
    if n == 0 {
        room.fill(0.0);
    }
    for (y, from) in image.chunks_exact(line).enumerate() {
        room[((top + y) * pw + left) * v.c..][..line].copy_from_slice(from);
    }
    room
}

pub fn scratch(v: &Conv) -> usize {
    let [ph, pw] = padded(v);
    ph * pw * v.c + 2 * v.window.taps() * v.c * v.k.next_multiple_of(WIDTH) + 64
}

/// As [`super::conv::forward`].
pub fn forward<V: F32x4>(
    v: &Conv,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    act: Act,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let (taps, k) = (v.window.taps(), v.k);
    let n = taps * v.c;
    let [p, q] = v.out;
    let [_, width] = padded(v);
    let offsets = offsets(v);
    let columns = k.next_multiple_of(WIDTH);
    // filters[panel][(r, s, c)][8], and behind them the bias
    let (filters, room) = scratch.split_at_mut((columns * (n + 1)).next_multiple_of(16));
    filters.fill(0.0);
    for k_at in 0..k {
        let (panel, lane) = (k_at / WIDTH, k_at % WIDTH);
        for i in 0..n {
            filters[(panel * n + i) * WIDTH + lane] = w[(k_at * v.c + i % v.c) * taps + i / v.c];
        }
        filters[columns * n + k_at] = bias.map_or(0.0, |b| b[k_at]);
    }
    let relu = act == Act::Relu;
    for image in 0..v.n {
        let from = pad(v, x, image, room);
        for row in 0..p {
            let line = row * v.window.stride[0] * width * v.c;
            let to = &mut y[(image * p + row) * q * k..][..q * k];
            for at in (0..q).step_by(MR) {
                let rows = MR.min(q - at);
                let pixel = |i: usize| {
                    let column = (at + i.min(rows - 1)) * v.window.stride[1];
                    from[line + column * v.c..].as_ptr()
                };
                let pixels: [*const f32; MR] = std::array::from_fn(pixel);
                for j in (0..k).step_by(WIDTH) {
                    let panel = &filters[j * n..][..WIDTH * n];
                    // SAFETY: the padded copy holds every window, the panel n rows of 8.
                    let mut acc = unsafe { dots::<V>(&pixels, &offsets[..n], panel.as_ptr()) };
                    for (g, bias) in filters[columns * n + j..][..WIDTH]
                        .chunks_exact(4)
                        .enumerate()
                    {
                        let bias = V::load(bias);
                        for acc in &mut acc {
                            acc[g] = acc[g].add(bias);
                            if relu {
                                acc[g] = acc[g].max(V::zero());
                            }
                        }
                    }
                    let lanes = WIDTH.min(k - j);
                    for (i, acc) in acc.iter().enumerate().take(rows) {
                        let to = &mut to[(at + i) * k + j..][..lanes];
                        if lanes == WIDTH {
                            acc[0].store(to);
                            acc[1].store(&mut to[4..]);
                        } else {
                            for (to, acc) in to.chunks_mut(4).zip(acc) {
                                acc.store_part(to);
                            }
                        }
                    }
                }
            }
        }
    }
    if !matches!(act, Act::None | Act::Relu) {
        act_in_place::<V>(act, y);
    }
}

/// Dot products of windows with 8 filters.
///
/// # Safety
/// Every pixel is readable at every offset, `b` holds 8 floats for each.
#[inline(always)]
unsafe fn dots<V: F32x4>(
    pixels: &[*const f32; MR],
    offsets: &[usize],
    mut b: *const f32,
) -> [[V; NV]; MR] {
    let mut acc = [[V::zero(); NV]; MR];
    for offset in offsets {
        // SAFETY: the caller's.
        unsafe {
            let bv: [V; NV] = std::array::from_fn(|g| V::load_ptr(b.add(4 * g)));
            for (acc, pixel) in acc.iter_mut().zip(pixels) {
                let av = V::splat(*pixel.add(*offset));
                for (acc, bv) in acc.iter_mut().zip(bv) {
                    *acc = av.mul_add(bv, *acc);
                }
            }
            b = b.add(WIDTH);
        }
    }
    acc
}

/// As [`super::conv::weight_grad`].
pub fn weight_grad<V: F32x4>(v: &Conv, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
    let (taps, k) = (v.window.taps(), v.k);
    let n = taps * v.c;
    let [p, q] = v.out;
    let [_, width] = padded(v);
    let offsets = offsets(v);
    let columns = k.next_multiple_of(WIDTH);
    // sums[(r, s, c)][K]
    let (sums, room) = scratch.split_at_mut((columns * n).next_multiple_of(16));
    sums.fill(0.0);
    let whole = k / WIDTH * WIDTH;
    for image in 0..v.n {
        let from = pad(v, x, image, room);
        let dy = &dy[image * p * q * k..][..p * q * k];
        for i in (0..n).step_by(MR) {
            let rows = MR.min(n - i);
            let taps: [usize; MR] = std::array::from_fn(|r| offsets[i + r.min(rows - 1)]);
            for j in (0..whole).step_by(WIDTH) {
                let mut acc = [[V::zero(); NV]; MR];
                for row in 0..p {
                    let line = row * v.window.stride[0] * width * v.c;
                    // SAFETY: the padded copy holds every window of the row, dy q pixels of k.
                    unsafe {
                        let mut pixel = from.as_ptr().add(line);
                        let mut b = dy.as_ptr().add(row * q * k + j);
                        for _ in 0..q {
                            let bv: [V; NV] = std::array::from_fn(|g| V::load_ptr(b.add(4 * g)));
                            for (acc, tap) in acc.iter_mut().zip(taps) {
                                let av = V::splat(*pixel.add(tap));
                                for (acc, bv) in acc.iter_mut().zip(bv) {
                                    *acc = av.mul_add(bv, *acc);
                                }
                            }
                            pixel = pixel.wrapping_add(v.window.stride[1] * v.c);
                            b = b.wrapping_add(k);
                        }
                    }
                }
                for (r, acc) in acc.iter().enumerate().take(rows) {
                    let sum = &mut sums[(i + r) * columns + j..][..WIDTH];
                    for (sum, acc) in sum.chunks_exact_mut(4).zip(acc) {
                        V::load(sum).add(*acc).store(sum);
                    }
                }
            }
            for j in whole..k {
                for (r, tap) in taps.iter().enumerate().take(rows) {
                    let mut sum = 0.0;
                    for (at, dy) in dy.chunks_exact(k).enumerate() {
                        let pixel = (at / q * v.window.stride[0] * width
                            + at % q * v.window.stride[1])
                            * v.c;
                        sum += from[pixel + tap] * dy[j];
                    }
                    sums[(i + r) * columns + j] += sum;
                }
            }
        }
    }
    for k_at in 0..k {
        for i in 0..n {
            dw[(k_at * v.c + i % v.c) * taps + i / v.c] = sums[i * columns + k_at];
        }
    }
}
