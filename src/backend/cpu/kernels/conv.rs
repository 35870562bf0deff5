//! Convolutions as matrix products. One operand is read out of the image while it is packed, so
//! nothing is unfolded in memory. Images are `[N,H,W,C]`, filters `[K,C,R,S]`, and what is summed
//! over runs through (r, s, c), c fastest.
use super::act::Act;
use super::elementwise::{act_in_place, bias_add_in_place};
use super::gemm::{Epilogue, gemm, scratch_len};
use super::line;
use super::pack::Strided;
use super::patches::{Filters, FiltersT, Patches, PatchesT};
use super::simd::F32x4;
use super::thin;
use super::window::Window;
use super::winograd::{self, Conv3x3};

/// A convolution's sizes. `size` is the image's `[H,W]`, `out` the `[P,Q]` of the result.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    pub n: usize,
    pub size: [usize; 2],
    pub out: [usize; 2],
    /// Channels of the image.
    pub c: usize,
    /// Filters.
    pub k: usize,
    pub groups: usize,
    pub window: Window,
}

impl Conv {
    /// Channels and filters of a group.
    pub(super) fn group(&self) -> (usize, usize) {
        (self.c / self.groups, self.k / self.groups)
    }
    /// Positions of the kernel over all images.
    pub(super) fn rows(&self) -> usize {
        self.n * self.out[0] * self.out[1]
    }
    pub(super) fn pixels(&self) -> usize {
        self.n * self.size[0] * self.size[1]
    }
    /// Whether the data gradient is a convolution of dy with the filters turned round.
    fn turns(&self) -> bool {
        self.window.stride == [1, 1]
    }
    /// Whether to unfold the data gradient: turned round, the filters meet mostly zeros.
    fn unfolds(&self) -> bool {
        !self.turns() || 2 * self.pixels() > 3 * self.rows()
    }
    /// As Winograd's, where that is faster: with few channels its transformations cost more than
    /// the products that they save.
    fn winograd(&self) -> Option<Conv3x3> {
        let w = &self.window;
        let plain = w.kernel == [3, 3] && w.dilation == [1, 1] && self.groups == 1;
        let fits = self.c.min(self.k) >= 16 && self.c.max(self.k) <= winograd::MAX_CHANNELS;
        (plain && self.turns() && fits).then(|| Conv3x3 {
            n: self.n,
            size: self.size,
            c: self.c,
            out: self.out,
            k: self.k,
            pad: [w.pad[0][0], w.pad[1][0]],
        })
    }
    /// The data gradient as a convolution of dy.
    fn winograd_back(&self) -> Option<Conv3x3> {
        let v = self.winograd()?;
        Some(Conv3x3 {
            size: v.out,
            c: v.k,
            out: v.size,
            k: v.c,
            pad: [2usize.checked_sub(v.pad[0])?, 2usize.checked_sub(v.pad[1])?],
            ..v
        })
    }
    /// Images whose unfolded gradient is made at once.
    fn chunk(&self) -> usize {
        (512 / (self.out[0] * self.out[1]).max(1)).clamp(1, self.n.max(1))
    }
}

/// The activation that Winograd's last pass applies, and the one that is left for after it.
fn around(act: Act) -> (Act, Act) {
    match act {
        Act::Relu => (Act::Relu, Act::None),
        act => (Act::None, act),
    }
}

/// The nine taps of filter number `at`.
fn taps_of(w: &[f32], at: usize) -> [f32; 9] {
    std::array::from_fn(|i| w[at * 9 + i])
}

pub fn forward_scratch(v: &Conv) -> usize {
    let (c, k) = v.group();
    if let Some(w) = v.winograd() {
        return winograd::scratch(&w);
    }
    if thin::suits(v) {
        return thin::scratch(v);
    }
    if line::suits(v) {
        return line::forward_scratch(v);
    }
    scratch_len(v.rows(), k, v.window.taps() * c)
}

/// `x[N,H,W,C], w[K,C/g,R,S] (, bias[K]) → y[N,P,Q,K]`.
pub fn forward<V: F32x4>(
    v: &Conv,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    act: Act,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let (c, k) = v.group();
    let taps = v.window.taps();
    if let Some(v) = v.winograd() {
        let (inside, after) = around(act);
        let filter = |k: usize, c: usize| taps_of(w, k * v.c + c);
        winograd::forward::<V>(&v, x, filter, bias, inside, y, scratch);
        if after != Act::None {
            act_in_place::<V>(after, y);
        }
        return;
    }
    if thin::suits(v) {
        return thin::forward::<V>(v, x, w, bias, act, y, scratch);
    }
    if line::suits(v) {
        return line::forward::<V>(v, x, w, bias, act, y, scratch);
    }
    for g in 0..v.groups {
        let filters = Filters {
            data: &w[g * k * c * taps..][..k * c * taps],
            xs: c * taps,
            js: taps,
            len: c,
            taps,
            turned: false,
        };
        let ep = Epilogue {
            accumulate: false,
            bias: bias.map(|b| &b[g * k..][..k]),
            act,
        };
        let a = Patches::new(v, g, x);
        let y = &mut y[g * k..];
        gemm::<V, _, _>(v.rows(), k, taps * c, &a, &filters, y, v.k, &ep, scratch);
    }
}

pub fn data_grad_scratch(v: &Conv) -> usize {
    let (c, k) = v.group();
    let taps = v.window.taps();
    if let Some(w) = v.winograd_back() {
        return winograd::scratch(&w);
    }
    if line::suits_back(v) {
        return line::data_grad_scratch(v);
    }
    if !v.unfolds() {
        return scratch_len(v.pixels(), c, taps * k);
    }
    let rows = v.chunk() * v.out[0] * v.out[1];
    rows * taps * c + scratch_len(rows, taps * c, k) + 64
}

/// `dy[N,P,Q,K], w[K,C/g,R,S] (, bias[C]) → dx[N,H,W,C]`; bias and activation serve the transposed
/// convolution, whose forward pass this is.
pub fn data_grad<V: F32x4>(
    v: &Conv,
    dy: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    act: Act,
    dx: &mut [f32],
    scratch: &mut [f32],
) {
    let (c, k) = v.group();
    let taps = v.window.taps();
    if let Some(v) = v.winograd_back() {
        let (inside, after) = around(act);
        let filter = |c: usize, k: usize| {
            let mut taps = taps_of(w, k * v.k + c);
            taps.reverse();
            taps
        };
        winograd::forward::<V>(&v, dy, filter, bias, inside, dx, scratch);
        if after != Act::None {
            act_in_place::<V>(after, dx);
        }
        return;
    }
    if line::suits_back(v) {
        return line::data_grad::<V>(v, dy, w, bias, act, dx, scratch);
    }
    let w = |g: usize| &w[g * k * c * taps..][..k * c * taps];
    if !v.unfolds() {
        for g in 0..v.groups {
            let filters = Filters {
                data: w(g),
                xs: taps,
                js: c * taps,
                len: k,
                taps,
                turned: true,
            };
            let ep = Epilogue {
                accumulate: false,
                bias: bias.map(|b| &b[g * c..][..c]),
                act,
            };
            let a = Patches::turned(v, g, dy);
            let dx = &mut dx[g * c..];
            gemm::<V, _, _>(v.pixels(), c, taps * k, &a, &filters, dx, v.c, &ep, scratch);
        }
        return;
    }
    dx.fill(0.0);
    let (windows, chunk) = (v.out[0] * v.out[1], v.chunk());
    let n = taps * c;
    let (unfolded, scratch) = scratch.split_at_mut((chunk * windows * n).next_multiple_of(16));
    for first in (0..v.n).step_by(chunk) {
        let images = chunk.min(v.n - first);
        for g in 0..v.groups {
            let a = Strided::a(&dy[first * windows * v.k + g * k..], v.k);
            let b = FiltersT {
                data: w(g),
                c,
                taps,
            };
            let m = images * windows;
            gemm::<V, _, _>(m, n, k, &a, &b, unfolded, n, &Epilogue::STORE, scratch);
            for image in 0..images {
                let from = &unfolded[image * windows * n..][..windows * n];
                let pixels = v.size[0] * v.size[1] * v.c;
                let to = &mut dx[(first + image) * pixels..][..pixels];
                fold::<V>(v, from, &mut to[g * c..], c);
            }
        }
    }
    if let Some(bias) = bias {
        bias_add_in_place::<V>(dx, bias);
    }
    if act != Act::None {
        act_in_place::<V>(act, dx);
    }
}

/// Adds the gradient of one image's windows `[P,Q,R,S,c]` to its pixels.
fn fold<V: F32x4>(v: &Conv, windows: &[f32], dx: &mut [f32], c: usize) {
    let [rows, columns] = v.window.kernel;
    for (at, window) in windows.chunks_exact(rows * columns * c).enumerate() {
        let (p, q) = (at / v.out[1], at % v.out[1]);
        for r in v.window.inside(0, v.size[0], p) {
            for s in v.window.inside(1, v.size[1], q) {
                let (y, x) = (
                    v.window.pixel(0, v.size[0], p, r),
                    v.window.pixel(1, v.size[1], q, s),
                );
                let (Some(y), Some(x)) = (y, x) else { continue };
                let from = &window[(r * columns + s) * c..][..c];
                let to = &mut dx[(y * v.size[1] + x) * v.c..][..c];
                let mut i = 0;
                while i + 4 <= c {
                    V::load(&to[i..])
                        .add(V::load(&from[i..]))
                        .store(&mut to[i..]);
                    i += 4;
                }
                while i < c {
                    to[i] += from[i];
                    i += 1;
                }
            }
        }
    }
}

pub fn weight_grad_scratch(v: &Conv) -> usize {
    let (c, k) = v.group();
    if let Some(w) = v.winograd() {
        return winograd::weight_scratch(&w);
    }
    if thin::suits(v) {
        return thin::scratch(v);
    }
    if line::suits(v) {
        return line::weight_grad_scratch(v);
    }
    let n = v.window.taps() * c;
    k * n + scratch_len(k, n, v.rows()) + 64
}

/// `x[N,H,W,C], dy[N,P,Q,K] → dw[K,C/g,R,S]`.
pub fn weight_grad<V: F32x4>(v: &Conv, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
    let (c, k) = v.group();
    let taps = v.window.taps();
    if let Some(v) = v.winograd() {
        return winograd::weight_grad::<V>(&v, x, dy, dw, scratch);
    }
    if thin::suits(v) {
        return thin::weight_grad::<V>(v, x, dy, dw, scratch);
    }
    if line::suits(v) {
        return line::weight_grad::<V>(v, x, dy, dw, scratch);
    }
    let n = taps * c;
    let (sum, scratch) = scratch.split_at_mut((k * n).next_multiple_of(16));
    for g in 0..v.groups {
        let a = Strided {
            data: &dy[g * k..],
            xs: 1,
            ks: v.k,
        };
        let b = PatchesT(Patches::new(v, g, x));
        gemm::<V, _, _>(k, n, v.rows(), &a, &b, sum, n, &Epilogue::STORE, scratch);
        // (r, s, c) → (c, r, s)
        let dw = &mut dw[g * k * n..][..k * n];
        for (dw, sum) in dw.chunks_exact_mut(n).zip(sum.chunks_exact(n)) {
            for (c_at, dw) in dw.chunks_exact_mut(taps).enumerate() {
                for (tap, dw) in dw.iter_mut().enumerate() {
                    *dw = sum[tap * c + c_at];
                }
            }
        }
    }
}
