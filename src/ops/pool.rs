//! Pooling: `x[N,H,W,C] → y[N,P,Q,C]`.
use super::*;
use crate::backend::cpu::kernels::{V, pool};
use crate::graph::numel;

/// The largest value under every window; the padding is −∞.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool {
    pub window: Window,
}

/// `x[N,H,W,C], y[N,P,Q,C], dy[N,P,Q,C] → dx[N,H,W,C]`: dy goes to the first pixel of its window
/// that is y. With `relu`, set by fusion, only where y is above 0.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPoolGrad {
    pub window: Window,
    pub relu: bool,
}

/// The mean under every window; `count_pad` counts the padding's zeros among its pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct AvgPool {
    pub window: Window,
    pub count_pad: bool,
}

/// `dy[N,P,Q,C] → dx[N,H,W,C]`, with `size` = `[H,W]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AvgPoolGrad {
    pub window: Window,
    pub count_pad: bool,
    pub size: [usize; 2],
}

fn sizes(x: &[usize], y: &[usize], window: Window) -> pool::Pool {
    pool::Pool {
        n: x[0],
        size: [x[1], x[2]],
        out: [y[1], y[2]],
        c: x[3],
        window,
    }
}

/// Calls `f` with the places in x of every window's pixels, and its place in y.
fn each(v: &pool::Pool, mut f: impl FnMut(&[usize], usize)) {
    let ([h, w], [p, q], win) = (v.size, v.out, &v.window);
    let mut pixels = Vec::new();
    for at in 0..v.n * p * q * v.c {
        let (c, place) = (at % v.c, at / v.c);
        let (n, py, qx) = (place / (p * q), place / q % p, place % q);
        pixels.clear();
        for (r, s) in (0..win.taps()).map(|t| (t / win.kernel[1], t % win.kernel[1])) {
            if let (Some(y), Some(x)) = (win.pixel(0, h, py, r), win.pixel(1, w, qx, s)) {
                pixels.push(((n * h + y) * w + x) * v.c + c);
            }
        }
        f(&pixels, at);
    }
}

impl OpDef for MaxPool {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let [p, q] = window::out(&self.window, x[0])?;
        Ok(vec![vec![x[0][0], p, q, x[0][3]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let op = MaxPoolGrad {
            window: self.window,
            relu: false,
        };
        let dx = b.emit(op, &[b.x(0), b.y(0), dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        each(&sizes(c.xs[0], c.ys[0], self.window), |pixels, y| {
            let low = T::of(f64::NEG_INFINITY);
            c.y[0][y] = pixels.iter().fold(low, |m, x| m.max(c.x[0][*x]));
        });
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let v = sizes(c.xs(0), c.ys(0), self.window);
        pool::max::<V>(&v, c.x(0), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let v = sizes(k.xs(0), k.ys(0), self.window);
        let n = numel(k.ys(0));
        k.kernel(shader!("max_pool"))
            .sizes(&window::constants(&v.window, v.size, v.out))
            .size("C", v.c)
            .bind(&[At::X(0), At::Y(0)])
            .flat(n);
    }
    fn flops(&self, _: &[&[usize]], y: &[&[usize]]) -> u64 {
        (numel(y[0]) * self.window.taps()) as u64
    }
    fn describe(&self) -> String {
        format!("max_pool({})", window::describe(&self.window))
    }
}

impl OpDef for MaxPoolGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        each(&sizes(c.xs[0], c.xs[1], self.window), |pixels, y| {
            let top = c.x[1][y];
            let first = pixels.iter().find(|x| c.x[0][**x] == top);
            if let Some(x) = first.filter(|_| !self.relu || top > T::of(0.0)) {
                c.y[0][*x] += c.x[2][y];
            }
        });
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let v = sizes(c.xs(0), c.xs(1), self.window);
        pool::max_grad::<V>(&v, self.relu, c.x(0), c.x(1), c.x(2), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let v = sizes(k.xs(0), k.xs(1), self.window);
        let n = numel(k.ys(0));
        k.kernel(shader!("max_pool_grad"))
            .sizes(&window::constants(&v.window, v.size, v.out))
            .size("C", v.c)
            .flag("RELU", self.relu)
            .bind(&[At::X(0), At::X(1), At::X(2), At::Y(0)])
            .flat(n);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        (numel(x[1]) * self.window.taps()) as u64
    }
    fn describe(&self) -> String {
        let relu = if self.relu { "+relu_grad" } else { "" };
        format!("max_pool_grad({}){relu}", window::describe(&self.window))
    }
}

/// What an average divides by.
fn share(count_pad: bool, window: &Window, pixels: usize) -> f64 {
    let n = if count_pad { window.taps() } else { pixels };
    1.0 / n.max(1) as f64
}

impl OpDef for AvgPool {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let [p, q] = window::out(&self.window, x[0])?;
        Ok(vec![vec![x[0][0], p, q, x[0][3]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let shape = b.shape(b.x(0));
        let op = AvgPoolGrad {
            window: self.window,
            count_pad: self.count_pad,
            size: [shape[1], shape[2]],
        };
        let dx = b.emit(op, &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        each(&sizes(c.xs[0], c.ys[0], self.window), |pixels, y| {
            let mut sum = T::of(0.0);
            for x in pixels {
                sum += c.x[0][*x];
            }
            c.y[0][y] = sum * T::of(share(self.count_pad, &self.window, pixels.len()));
        });
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let v = sizes(c.xs(0), c.ys(0), self.window);
        pool::average::<V>(&v, self.count_pad, c.x(0), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let v = sizes(k.xs(0), k.ys(0), self.window);
        let n = numel(k.ys(0));
        k.kernel(shader!("avg_pool"))
            .sizes(&window::constants(&v.window, v.size, v.out))
            .size("C", v.c)
            .flag("COUNT_PAD", self.count_pad)
            .bind(&[At::X(0), At::Y(0)])
            .flat(n);
    }
    fn flops(&self, _: &[&[usize]], y: &[&[usize]]) -> u64 {
        (numel(y[0]) * self.window.taps()) as u64
    }
    fn describe(&self) -> String {
        format!("avg_pool({})", window::describe(&self.window))
    }
}

impl OpDef for AvgPoolGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let [h, w] = self.size;
        Ok(vec![vec![x[0][0], h, w, x[0][3]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        each(&sizes(c.ys[0], c.xs[0], self.window), |pixels, y| {
            let share = T::of(share(self.count_pad, &self.window, pixels.len()));
            for x in pixels {
                c.y[0][*x] += c.x[0][y] * share;
            }
        });
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let v = sizes(c.ys(0), c.xs(0), self.window);
        pool::average_grad::<V>(&v, self.count_pad, c.x(0), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let v = sizes(k.ys(0), k.xs(0), self.window);
        let n = numel(k.ys(0));
        k.kernel(shader!("avg_pool_grad"))
            .sizes(&window::constants(&v.window, v.size, v.out))
            .size("C", v.c)
            .flag("COUNT_PAD", self.count_pad)
            .bind(&[At::X(0), At::Y(0)])
            .flat(n);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        (numel(x[0]) * self.window.taps()) as u64
    }
    fn describe(&self) -> String {
        format!("avg_pool_grad({})", window::describe(&self.window))
    }
}
