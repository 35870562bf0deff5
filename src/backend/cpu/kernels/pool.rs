//! Pooling of images `[N,H,W,C]`, channels in the lanes.
use super::simd::F32x4;
use super::window::Window;

/// An image batch and what a window makes of it.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    pub n: usize,
    pub size: [usize; 2],
    pub out: [usize; 2],
    pub c: usize,
    pub window: Window,
}

impl Pool {
    /// Calls `f` with every window's place in `[N,P,Q,C]` and the pixels that it reads, as
    /// offsets into `[N,H,W,C]` by tap: first pixel, steps to the next row and column, counts.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, Taps)) {
        let ([h, w], [p, q], v) = (self.size, self.out, &self.window);
        let mut at = 0;
        for n in 0..self.n {
            for y in 0..p {
                let rows = v.inside(0, h, y);
                for x in 0..q {
                    let columns = v.inside(1, w, x);
                    let top = v.pixel(0, h, y, rows.start).unwrap_or(0);
                    let left = v.pixel(1, w, x, columns.start).unwrap_or(0);
                    f(
                        at,
                        Taps {
                            first: ((n * h + top) * w + left) * self.c,
                            row: v.dilation[0] * w * self.c,
                            column: v.dilation[1] * self.c,
                            rows: rows.len(),
                            columns: columns.len(),
                        },
                    );
                    at += self.c;
                }
            }
        }
    }

    fn check(&self, x: &[f32], y: &[f32]) {
        assert!(x.len() >= self.n * self.size[0] * self.size[1] * self.c);
        assert!(y.len() >= self.n * self.out[0] * self.out[1] * self.c);
    }
}

#[derive(Clone, Copy)]
struct Taps {
    first: usize,
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
}

impl Taps {
    #[inline(always)]
    fn each(self, mut f: impl FnMut(usize)) {
        for r in 0..self.rows {
            for s in 0..self.columns {
                f(self.first + r * self.row + s * self.column);
            }
        }
    }
}

/// Up to four floats from `at` on, the missing ones 0.
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

/// The largest value of every window; −∞ of a window that lies in the padding.
pub fn max<V: F32x4>(v: &Pool, x: &[f32], y: &mut [f32]) {
    v.check(x, y);
    v.each(|to, taps| {
        for j in (0..v.c).step_by(4) {
            let n = v.c - j;
            let mut m = V::splat(f32::NEG_INFINITY);
            taps.each(|at| m = m.max(load::<V>(x, at + j, n)));
            store(m, y, to + j, n);
        }
    });
}

/// dx: each window's gradient goes to the first pixel that has its largest value. With `relu`,
/// only where that value is above 0: what a ReLU before the pooling passes on.
pub fn max_grad<V: F32x4>(v: &Pool, relu: bool, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    v.check(x, y);
    v.check(dx, dy);
    let w = &v.window;
    let halves = [w.kernel, w.stride] == [[2, 2]; 2] && w.pad == [[0, 0]; 2];
    if halves && w.dilation == [1, 1] {
        return halve_grad::<V>(v, relu, x, y, dy, dx);
    }
    dx.fill(0.0);
    v.each(|to, taps| {
        for j in (0..v.c).step_by(4) {
            let n = v.c - j;
            let top = load::<V>(y, to + j, n);
            let mut left = load::<V>(dy, to + j, n);
            if relu {
                left = left.and(top.gt(V::zero()));
            }
            taps.each(|at| {
                let hit = load::<V>(x, at + j, n).eq(top);
                let d = load::<V>(dx, at + j, n).add(left.and(hit));
                store(d, dx, at + j, n);
                left = left.and_not(hit);
            });
        }
    });
}

/// [`max_grad`] of windows of 2×2 pixels side by side: each pixel is written once.
fn halve_grad<V: F32x4>(v: &Pool, relu: bool, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let ([h, w], [p, q], c) = (v.size, v.out, v.c);
    if h % 2 + w % 2 > 0 {
        dx.fill(0.0);
    }
    let line = w * c;
    for (row, (y, dy)) in y
        .chunks_exact(q * c)
        .zip(dy.chunks_exact(q * c))
        .enumerate()
    {
        let at = (row / p * h + row % p * 2) * line;
        let x = &x[at..][..2 * line];
        let dx = &mut dx[at..][..2 * line];
        for column in 0..q {
            for j in (0..c).step_by(4) {
                let (n, at) = (c - j, 2 * column * c + j);
                let top = load::<V>(y, column * c + j, n);
                let mut left = load::<V>(dy, column * c + j, n);
                if relu {
                    left = left.and(top.gt(V::zero()));
                }
                for at in [at, at + c, at + line, at + line + c] {
                    let hit = load::<V>(x, at, n).eq(top);
                    store(left.and(hit), dx, at, n);
                    left = left.and_not(hit);
                }
            }
        }
    }
}

/// Numbers that an average divides by: the window's pixels, or with `count_pad` its taps.
#[inline(always)]
fn share(v: &Pool, count_pad: bool, taps: &Taps) -> f32 {
    let n = if count_pad {
        v.window.taps()
    } else {
        taps.rows * taps.columns
    };
    1.0 / n.max(1) as f32
}

/// The mean of every window.
pub fn average<V: F32x4>(v: &Pool, count_pad: bool, x: &[f32], y: &mut [f32]) {
    v.check(x, y);
    v.each(|to, taps| {
        let share = V::splat(share(v, count_pad, &taps));
        for j in (0..v.c).step_by(4) {
            let n = v.c - j;
            let mut sum = V::zero();
            taps.each(|at| sum = sum.add(load::<V>(x, at + j, n)));
            store(sum.mul(share), y, to + j, n);
        }
    });
}

/// dx of [`average`].
pub fn average_grad<V: F32x4>(v: &Pool, count_pad: bool, dy: &[f32], dx: &mut [f32]) {
    v.check(dx, dy);
    dx.fill(0.0);
    v.each(|to, taps| {
        let share = V::splat(share(v, count_pad, &taps));
        for j in (0..v.c).step_by(4) {
            let n = v.c - j;
            let d = load::<V>(dy, to + j, n).mul(share);
            taps.each(|at| store(load::<V>(dx, at + j, n).add(d), dx, at + j, n));
        }
    });
}

/// Every pixel of `x[N,H,W,C]` as a block of `factor` pixels of y.
pub fn upsample(
    n: usize,
    [h, w]: [usize; 2],
    c: usize,
    factor: [usize; 2],
    x: &[f32],
    y: &mut [f32],
) {
    let line = w * factor[1] * c;
    for (row, from) in x.chunks_exact(w * c).enumerate().take(n * h) {
        let to = &mut y[row * factor[0] * line..][..factor[0] * line];
        let (first, others) = to.split_at_mut(line);
        for (pixel, to) in from
            .chunks_exact(c)
            .zip(first.chunks_exact_mut(factor[1] * c))
        {
            to.chunks_exact_mut(c)
                .for_each(|t| t.copy_from_slice(pixel));
        }
        others
            .chunks_exact_mut(line)
            .for_each(|t| t.copy_from_slice(first));
    }
}

/// dx of [`upsample`]: the sum of each block.
pub fn upsample_grad<V: F32x4>(
    n: usize,
    [h, w]: [usize; 2],
    c: usize,
    factor: [usize; 2],
    dy: &[f32],
    dx: &mut [f32],
) {
    let line = w * factor[1] * c;
    for row in 0..n * h {
        for x in 0..w {
            for j in (0..c).step_by(4) {
                let lanes = c - j;
                let mut sum = V::zero();
                for r in 0..factor[0] {
                    for s in 0..factor[1] {
                        let at = (row * factor[0] + r) * line + (x * factor[1] + s) * c + j;
                        sum = sum.add(load::<V>(dy, at, lanes));
                    }
                }
                store(sum, dx, (row * w + x) * c + j, lanes);
            }
        }
    }
}

/// `x[N,A,B] → y[N,B,A]`: channels moved behind the pixels, or back.
pub fn swap_axes<V: F32x4>(n: usize, a: usize, b: usize, x: &[f32], y: &mut [f32]) {
    assert!(x.len() >= n * a * b && y.len() >= n * a * b);
    for (x, y) in x.chunks_exact(a * b).zip(y.chunks_exact_mut(a * b)).take(n) {
        let (whole_a, whole_b) = (a / 4 * 4, b / 4 * 4);
        for i in (0..whole_a).step_by(4) {
            for j in (0..whole_b).step_by(4) {
                let rows = std::array::from_fn(|r| V::load(&x[(i + r) * b + j..]));
                for (s, column) in V::transpose(rows).into_iter().enumerate() {
                    column.store(&mut y[(j + s) * a + i..]);
                }
            }
            for j in whole_b..b {
                for r in i..i + 4 {
                    y[j * a + r] = x[r * b + j];
                }
            }
        }
        for i in whole_a..a {
            for j in 0..b {
                y[j * a + i] = x[i * b + j];
            }
        }
    }
}
