//! Convolutions along one axis. With its padding a sample is a matrix already, whose rows overlap:
//! window q begins stride·C floats after the one before it and is one run of S·C floats. So products
//! read it where it lies, and nothing is unfolded or packed.
use super::act::Act;
use super::conv::Conv;
use super::gemm::{Epilogue, Prepacked, gemm, scratch_len};
use super::pack::{Source, Strided};
use super::patches::Filters;
use super::simd::F32x4;

/// Windows below which a sample's product is too small to stand alone.
const WINDOWS: usize = 32;

/// Whether this file's kernels are for it.
pub fn suits(v: &Conv) -> bool {
    let w = &v.window;
    let one_row = v.size[0] == 1 && w.kernel[0] == 1 && v.out[0] == 1;
    one_row && w.dilation[1] == 1 && v.groups == 1 && v.out[1] >= WINDOWS
}

/// Whether [`data_grad`] is.
pub fn suits_back(v: &Conv) -> bool {
    suits(v) && v.window.stride[1] == 1 && v.window.pad[1][0] < v.window.kernel[1]
}

/// One product per sample: `rows` windows, `stride` floats apart, of `taps` pixels of `c` floats.
#[derive(Clone, Copy)]
struct Lines {
    /// Pixels of a sample, and zeros before them.
    pixels: usize,
    before: usize,
    rows: usize,
    step: usize,
    taps: usize,
    c: usize,
}

impl Lines {
    fn forward(v: &Conv) -> Lines {
        Lines {
            pixels: v.size[1],
            before: v.window.pad[1][0],
            rows: v.out[1],
            step: v.window.stride[1],
            taps: v.window.kernel[1],
            c: v.c,
        }
    }
    /// The windows of dy that each pixel of the sample gets its gradient from.
    fn back(v: &Conv) -> Lines {
        Lines {
            pixels: v.out[1],
            before: v.window.kernel[1] - 1 - v.window.pad[1][0],
            rows: v.size[1],
            step: 1,
            taps: v.window.kernel[1],
            c: v.k,
        }
    }
    /// Floats of a sample with its padding.
    fn padded(&self) -> usize {
        ((self.rows - 1) * self.step + self.taps) * self.c
    }
    /// Sample n with its padding, in `room`, whose padding sample 0 clears.
    fn pad<'a>(&self, x: &[f32], n: usize, room: &'a mut [f32]) -> &'a [f32] {
        if n == 0 {
            room.fill(0.0);
        }
        let len = self.pixels * self.c;
        let to = &mut room[self.before * self.c..];
        let kept = len.min(to.len());
        to[..kept].copy_from_slice(&x[n * len..][..kept]);
        room
    }
    fn windows<'a>(&self, line: &'a [f32]) -> Strided<'a> {
        Strided {
            data: line,
            xs: self.step * self.c,
            ks: 1,
        }
    }
    fn scratch(&self, n: usize) -> usize {
        let k = self.taps * self.c;
        let panels = Prepacked::<Filters>::len(n, k).next_multiple_of(16);
        panels + self.padded().next_multiple_of(16) + scratch_len(self.rows, n, k)
    }
    /// y[samples, rows, n] = epilogue(windows · filters).
    fn run<V: F32x4>(
        &self,
        n: usize,
        x: &[f32],
        filters: impl Source,
        ep: &Epilogue,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let k = self.taps * self.c;
        let panels = Prepacked::<Filters>::len(n, k).next_multiple_of(16);
        let (panels, scratch) = scratch.split_at_mut(panels);
        let (room, scratch) = scratch.split_at_mut(self.padded().next_multiple_of(16));
        let b = Prepacked::new::<V>(self.rows, n, k, filters, panels);
        for (sample, y) in y.chunks_exact_mut(self.rows * n).enumerate() {
            let a = self.windows(self.pad(x, sample, &mut room[..self.padded()]));
            gemm::<V, _, _>(self.rows, n, k, &a, &b, y, n, ep, scratch);
        }
    }
}

pub fn forward_scratch(v: &Conv) -> usize {
    Lines::forward(v).scratch(v.k)
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
    let taps = v.window.kernel[1];
    let filters = Filters {
        data: w,
        xs: v.c * taps,
        js: taps,
        len: v.c,
        taps,
        turned: false,
    };
    let ep = Epilogue {
        accumulate: false,
        bias,
        act,
    };
    Lines::forward(v).run::<V>(v.k, x, filters, &ep, y, scratch);
}

pub fn data_grad_scratch(v: &Conv) -> usize {
    Lines::back(v).scratch(v.c)
}

/// As [`super::conv::data_grad`].
pub fn data_grad<V: F32x4>(
    v: &Conv,
    dy: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    act: Act,
    dx: &mut [f32],
    scratch: &mut [f32],
) {
    let taps = v.window.kernel[1];
    let filters = Filters {
        data: w,
        xs: taps,
        js: v.c * taps,
        len: v.k,
        taps,
        turned: true,
    };
    let ep = Epilogue {
        accumulate: false,
        bias,
        act,
    };
    Lines::back(v).run::<V>(v.c, dy, filters, &ep, dx, scratch);
}

pub fn weight_grad_scratch(v: &Conv) -> usize {
    let l = Lines::forward(v);
    let rows = l.taps * l.c;
    let sum = (rows * v.k).next_multiple_of(16);
    sum + l.padded().next_multiple_of(16) + scratch_len(rows, v.k, l.rows)
}

/// As [`super::conv::weight_grad`].
pub fn weight_grad<V: F32x4>(v: &Conv, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
    let l = Lines::forward(v);
    let (m, k) = (l.taps * l.c, v.k);
    let (sum, scratch) = scratch.split_at_mut((m * k).next_multiple_of(16));
    let (room, scratch) = scratch.split_at_mut(l.padded().next_multiple_of(16));
    // sum[(s, c), k]: the windows' columns, as rows, times dy
    for (sample, dy) in dy.chunks_exact(l.rows * k).enumerate() {
        let windows = l.windows(l.pad(x, sample, &mut room[..l.padded()]));
        let a = Strided {
            xs: windows.ks,
            ks: windows.xs,
            ..windows
        };
        let b = Strided::b(dy, k);
        let ep = match sample {
            0 => Epilogue::STORE,
            _ => Epilogue::ADD,
        };
        gemm::<V, _, _>(m, k, l.rows, &a, &b, sum, k, &ep, scratch);
    }
    for (k_at, dw) in dw.chunks_exact_mut(m).enumerate() {
        for (c, dw) in dw.chunks_exact_mut(l.taps).enumerate() {
            for (s, dw) in dw.iter_mut().enumerate() {
                *dw = sum[(s * l.c + c) * k + k_at];
            }
        }
    }
}
