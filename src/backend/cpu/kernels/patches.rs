//! The operands of a convolution seen as a product: windows of an image, filters.
use super::conv::Conv;
use super::pack::{SLACK, Source, Strided};
use super::simd::F32x4;
use std::ops::Range;

/// Windows of an image as the rows of a matrix: element(x = (n, p, q), k = (r, s, c)).
#[derive(Clone, Copy)]
pub struct Patches<'a> {
    data: &'a [f32],
    size: [usize; 2],
    out: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Zeros before each axis; negative where the image begins before the first window.
    pad: [isize; 2],
    /// Channels of a pixel, the first that is read, and how many.
    c: usize,
    first: usize,
    len: usize,
}

/// What windows read outside the image.
static ZEROS: [f32; 256] = [0.0; 256];

impl<'a> Patches<'a> {
    /// The windows of a group of the image's channels.
    pub fn new(conv: &Conv, group: usize, data: &'a [f32]) -> Self {
        let (w, (len, _)) = (&conv.window, conv.group());
        assert!(data.len() >= conv.pixels() * conv.c);
        Patches {
            data,
            size: conv.size,
            out: conv.out,
            kernel: w.kernel,
            stride: w.stride,
            dilation: w.dilation,
            pad: [w.pad[0][0] as isize, w.pad[1][0] as isize],
            c: conv.c,
            first: group * len,
            len,
        }
    }

    /// The windows of dy `[N,P,Q,K]` that each pixel of the image gets its gradient from, for a
    /// stride of 1.
    pub fn turned(conv: &Conv, group: usize, data: &'a [f32]) -> Self {
        let (w, (_, len)) = (&conv.window, conv.group());
        assert!(data.len() >= conv.rows() * conv.k);
        let pad = |a: usize| w.span(a) as isize - 1 - w.pad[a][0] as isize;
        Patches {
            data,
            size: conv.out,
            out: conv.size,
            kernel: w.kernel,
            stride: [1, 1],
            dilation: w.dilation,
            pad: [pad(0), pad(1)],
            c: conv.k,
            first: group * len,
            len,
        }
    }

    /// Pixel of the image's row or column that tap `k` of position `o` reads, if it is there.
    #[inline(always)]
    fn pixel(&self, axis: usize, o: usize, k: usize) -> Option<usize> {
        let at = (o * self.stride[axis] + k * self.dilation[axis]) as isize - self.pad[axis];
        (at >= 0 && (at as usize) < self.size[axis]).then_some(at as usize)
    }

    /// (n, p, q) of a row.
    #[inline(always)]
    fn place(&self, x: usize) -> [usize; 3] {
        let [p, q] = self.out;
        [x / (p * q), x / q % p, x % q]
    }
}

impl Source for Patches<'_> {
    #[inline]
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        let (w, kc) = (x.len(), k.len());
        let images = self.data.len() / (self.size[0] * self.size[1] * self.c).max(1);
        assert!(w <= W && out.len() >= kc * W + SLACK);
        assert!(x.end <= images * self.out[0] * self.out[1]);
        assert!(k.end <= self.kernel[0] * self.kernel[1] * self.len);
        if w == 0 || kc == 0 {
            return out[..kc * W].fill(0.0);
        }
        // Row of the image in which tap (0, 0) begins and its column, by row of the matrix; rows
        // that are missing read zeros.
        let mut corner = [[isize::MIN / 4; 2]; W];
        let mut image = [0; W];
        let [mut n, mut p, mut q] = self.place(x.start);
        for (corner, image) in corner.iter_mut().zip(&mut image).take(w) {
            *corner = [
                (p * self.stride[0]) as isize - self.pad[0],
                (q * self.stride[1]) as isize - self.pad[1],
            ];
            *image = n * self.size[0] * self.size[1];
            q += 1;
            if q == self.out[1] {
                (q, p) = (0, p + 1);
                if p == self.out[0] {
                    (p, n) = (0, n + 1);
                }
            }
        }
        let [h, width] = self.size.map(|v| v as isize);
        let (tap, mut c) = (k.start / self.len, k.start % self.len);
        let (mut r, mut s) = (tap / self.kernel[1], tap % self.kernel[1]);
        let mut at = 0;
        while at < kc {
            let run = (self.len - c).min(kc - at).min(ZEROS.len());
            let (dy, dx) = (
                (r * self.dilation[0]) as isize,
                (s * self.dilation[1]) as isize,
            );
            let rows: [*const f32; W] = std::array::from_fn(|i| {
                let (y, x) = (corner[i][0] + dy, corner[i][1] + dx);
                if y >= 0 && y < h && x >= 0 && x < width {
                    let pixel = image[i] + (y * width + x) as usize;
                    self.data[pixel * self.c + self.first + c..].as_ptr()
                } else {
                    ZEROS.as_ptr()
                }
            });
            // SAFETY: a pixel holds `len` channels from `first` on, ZEROS `run` floats; out holds
            // kc·W + SLACK.
            unsafe { interleave::<V, W>(&rows, run, out.as_mut_ptr().add(at * W)) }
            at += run;
            c += run;
            if c == self.len {
                c = 0;
                s += 1;
                if s == self.kernel[1] {
                    (s, r) = (0, r + 1);
                }
            }
        }
    }

    fn strided(&self) -> Option<Strided<'_>> {
        let plain = self.kernel == [1, 1] && self.stride == [1, 1] && self.pad == [0, 0];
        (plain && self.size == self.out).then(|| Strided {
            data: &self.data[self.first..],
            xs: self.c,
            ks: 1,
        })
    }
}

/// dst[p·W + q] = rows[q][p] for p < n. Where W is no multiple of 4, a store spills into the next
/// p, which then overwrites it; the last spills into the slack.
///
/// # Safety
/// Every row holds n floats, dst n·W + [`SLACK`].
#[inline(always)]
unsafe fn interleave<V: F32x4, const W: usize>(rows: &[*const f32; W], n: usize, dst: *mut f32) {
    let groups = W.div_ceil(4);
    let mut p = 0;
    // SAFETY: p + 4 ≤ n or p < n bounds the reads, the caller vouches for the rest.
    unsafe {
        while p + 4 <= n {
            let mut cols = [[V::zero(); 4]; 4];
            for (g, cols) in cols.iter_mut().enumerate().take(groups) {
                *cols = V::transpose(std::array::from_fn(|q| {
                    V::load_ptr(rows[(4 * g + q).min(W - 1)].add(p))
                }));
            }
            for i in 0..4 {
                for (g, cols) in cols.iter().enumerate().take(groups) {
                    cols[i].store_ptr(dst.add((p + i) * W + 4 * g));
                }
            }
            p += 4;
        }
        while p < n {
            for (q, row) in rows.iter().enumerate() {
                *dst.add(p * W + q) = *row.add(p);
            }
            p += 1;
        }
    }
}

/// The transpose of [`Patches`]: element(x = (r, s, c), k = (n, p, q)).
#[derive(Clone, Copy)]
pub struct PatchesT<'a>(pub Patches<'a>);

impl Source for PatchesT<'_> {
    #[inline]
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        let f = &self.0;
        let kc = k.len();
        assert!(x.len() <= W && out.len() >= kc * W);
        assert!(x.end <= f.kernel[0] * f.kernel[1] * f.len);
        if x.len() < W {
            out[..kc * W].fill(0.0);
        }
        // Columns of one tap at a time, and of these one row of windows at a time.
        let mut done = 0;
        while done < x.len() {
            let (tap, c) = ((x.start + done) / f.len, (x.start + done) % f.len);
            let run = (f.len - c).min(x.len() - done);
            let (r, s) = (tap / f.kernel[1], tap % f.kernel[1]);
            let [mut n, mut p, mut q] = f.place(k.start);
            let mut at = 0;
            while at < kc {
                let count = (f.out[1] - q).min(kc - at);
                let line = f.pixel(0, p, r).map(|y| (n * f.size[0] + y) * f.size[1]);
                for i in 0..count {
                    let to = &mut out[(at + i) * W + done..][..run];
                    match (line, f.pixel(1, q + i, s)) {
                        (Some(line), Some(x)) => {
                            let from = &f.data[(line + x) * f.c + f.first + c..][..run];
                            copy_short::<V>(from, to);
                        }
                        _ => to.fill(0.0),
                    }
                }
                at += count;
                q = 0;
                p += 1;
                if p == f.out[0] {
                    (p, n) = (0, n + 1);
                }
            }
            done += run;
        }
    }
}

/// A copy of a few floats, without a call.
#[inline(always)]
fn copy_short<V: F32x4>(from: &[f32], to: &mut [f32]) {
    let mut i = 0;
    while i + 4 <= from.len() {
        V::load(&from[i..]).store(&mut to[i..]);
        i += 4;
    }
    while i < from.len() {
        to[i] = from[i];
        i += 1;
    }
}

/// Filters as the right operand: element(x, k = (tap, j)) = data[x·xs + j·js + tap].
#[derive(Clone, Copy)]
pub struct Filters<'a> {
    pub data: &'a [f32],
    pub xs: usize,
    pub js: usize,
    /// Length of j.
    pub len: usize,
    pub taps: usize,
    /// Taps from the last to the first.
    pub turned: bool,
}

impl Source for Filters<'_> {
    #[inline]
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        assert!(x.len() <= W);
        let (mut tap, mut j) = (k.start / self.len, k.start % self.len);
        for out in out.chunks_exact_mut(W).take(k.len()) {
            let t = if self.turned {
                self.taps - 1 - tap
            } else {
                tap
            };
            let from = &self.data[x.start * self.xs + j * self.js + t..];
            for (q, out) in out.iter_mut().enumerate() {
                *out = if q < x.len() { from[q * self.xs] } else { 0.0 };
            }
            j += 1;
            if j == self.len {
                (j, tap) = (0, tap + 1);
            }
        }
    }
}

/// Filters as the right operand of an unfolded gradient: element(x = (tap, c), k) = w[k, c, tap].
#[derive(Clone, Copy)]
pub struct FiltersT<'a> {
    pub data: &'a [f32],
    pub c: usize,
    pub taps: usize,
}

impl Source for FiltersT<'_> {
    #[inline]
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        assert!(x.len() <= W);
        let offsets: [usize; W] = std::array::from_fn(|q| {
            let x = x.start + q.min(x.len().saturating_sub(1));
            x % self.c * self.taps + x / self.c
        });
        for (k, out) in k.zip(out.chunks_exact_mut(W)) {
            let from = &self.data[k * self.c * self.taps..][..self.c * self.taps];
            for (q, out) in out.iter_mut().enumerate() {
                *out = if q < x.len() { from[offsets[q]] } else { 0.0 };
            }
        }
    }
}
