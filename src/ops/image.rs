//! Ops that move the pixels of images.
use super::*;
use crate::backend::cpu::kernels::{V, pool};
use crate::graph::numel;

/// Moves the channels behind the pixels, `x[N,C,…] → y[N,…,C]`, or with `last` false back,
/// `x[N,…,C] → y[N,C,…]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Channels {
    pub last: bool,
}

/// `x[N,H,W,C] → y[N,H·a,W·b,C]` for `factor` = `[a,b]`: every pixel becomes a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Upsample {
    pub factor: [usize; 2],
}

/// `dy[N,H·a,W·b,C] → dx[N,H,W,C]`: the sum of each block.
#[derive(Clone, Debug, PartialEq)]
pub struct UpsampleGrad {
    pub factor: [usize; 2],
}

impl Channels {
    /// (N, A, B) of `x[N,A,B] → y[N,B,A]`.
    fn dims(&self, x: &[usize]) -> (usize, usize, usize) {
        let c = if self.last { x[1] } else { x[x.len() - 1] };
        let pixels = numel(&x[1..]) / c.max(1);
        if self.last {
            (x[0], c, pixels)
        } else {
            (x[0], pixels, c)
        }
    }
}

impl OpDef for Channels {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = x[0].to_vec();
        if self.last {
            y[1..].rotate_left(1);
        } else {
            y[1..].rotate_right(1);
        }
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let dx = b.emit(Channels { last: !self.last }, &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (n, rows, columns) = self.dims(c.xs[0]);
        for i in 0..n * rows * columns {
            let (image, r, s) = (i / (rows * columns), i / columns % rows, i % columns);
            c.y[0][(image * columns + s) * rows + r] = c.x[0][i];
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let (n, a, b) = self.dims(c.xs(0));
        pool::swap_axes::<V>(n, a, b, c.x(0), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let (_, a, b) = self.dims(k.xs(0));
        let at = format!("i / {0}u * {0}u + i % {a}u * {b}u + i / {a}u % {b}u", a * b);
        k.moved(At::X(0), at);
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        let what = if self.last { "last" } else { "first" };
        format!("channels_{what}")
    }
}

impl OpDef for Upsample {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let (x, [a, b]) = (x[0], self.factor);
        Ok(vec![vec![x[0], x[1] * a, x[2] * b, x[3]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let factor = self.factor;
        let dx = b.emit(UpsampleGrad { factor }, &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (x, y) = (&c.x[0], &mut c.y[0]);
        each(c.xs[0], self.factor, |at, to| y[to] = x[at]);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let s = c.xs(0);
        pool::upsample(s[0], [s[1], s[2]], s[3], self.factor, c.x(0), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let (x, y, [a, b]) = (k.xs(0), k.ys(0), self.factor);
        let (h, w, c) = (x[1], x[2], x[3]);
        let at = format!(
            "((i / {}u * {h}u + i / {}u % {}u / {a}u) * {w}u + i / {c}u % {}u / {b}u) * {c}u + i % {c}u",
            y[1] * y[2] * c,
            y[2] * c,
            y[1],
            y[2]
        );
        k.moved(At::X(0), at);
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        format!("upsample({})", show(&self.factor))
    }
}

impl OpDef for UpsampleGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let (x, [a, b]) = (x[0], self.factor);
        Ok(vec![vec![x[0], x[1] / a, x[2] / b, x[3]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (x, y) = (&c.x[0], &mut c.y[0]);
        each(c.ys[0], self.factor, |to, at| y[to] += x[at]);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let s = c.ys(0);
        pool::upsample_grad::<V>(s[0], [s[1], s[2]], s[3], self.factor, c.x(0), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let (s, [a, b]) = (k.ys(0), self.factor);
        let (h, w, c) = (s[1], s[2], s[3]);
        let value = format!(
            "let y = o / {}u % {h}u * {a}u + r / {b}u; let x = o / {c}u % {w}u * {b}u + r % {b}u; \
             return x0[((o / {}u * {}u + y) * {}u + x) * {c}u + o % {c}u];",
            w * c,
            h * w * c,
            h * a,
            w * b
        );
        k.reduce(&Reduction {
            outs: numel(s),
            count: a * b,
            reads: &[At::X(0)],
            value: &value,
            combine: Combine::Sum,
            finish: "v",
            along_r: false,
            write: At::Y(0),
            uses: &[],
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        format!("upsample_grad({})", show(&self.factor))
    }
}

/// Calls `f` with the places of every pixel in the small and the large image.
fn each(small: &[usize], [a, b]: [usize; 2], mut f: impl FnMut(usize, usize)) {
    let (h, w, c) = (small[1], small[2], small[3]);
    for to in 0..numel(small) * a * b {
        let (channel, x, y) = (to % c, to / c % (w * b), to / (c * w * b));
        let (n, y) = (y / (h * a), y % (h * a));
        f(((n * h + y / a) * w + x / b) * c + channel, to);
    }
}
