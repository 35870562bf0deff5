//! Convolution: `x[N,H,W,C] · w[K,C/groups,R,S] (+ b[K]) → y[N,P,Q,K]`, and its two gradients. The
//! data gradient is the transposed convolution too. Filters have PyTorch's layout, images their
//! channels last.
use super::*;
use crate::backend::cpu::kernels::{Act, V, conv};
use crate::graph::numel;

/// y = act(x ∗ w + b). `act` is set by fusion only; a fused op has no gradient of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    pub window: Window,
    pub groups: usize,
    pub bias: bool,
    pub act: Act,
}

/// `dy[N,P,Q,K] · w[K,C/groups,R,S] (+ b[C]) → dx[N,H,W,C]`, with `size` = `[H,W]`: the gradient of
/// [`Conv2d`] by x, and the forward pass of the transposed convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvTranspose2d {
    pub window: Window,
    pub groups: usize,
    pub size: [usize; 2],
    pub bias: bool,
    pub act: Act,
}

/// `x[N,H,W,C], dy[N,P,Q,K] → dw[K,C/groups,R,S]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvWeightGrad {
    pub window: Window,
    pub groups: usize,
}

fn sizes(x: &[usize], y: &[usize], window: Window, groups: usize) -> conv::Conv {
    conv::Conv {
        n: x[0],
        size: [x[1], x[2]],
        out: [y[1], y[2]],
        c: x[3],
        k: y[3],
        groups,
        window,
    }
}

/// Multiply-adds of all passes, as FLOPs.
fn products(v: &conv::Conv) -> u64 {
    2 * (v.n * v.out[0] * v.out[1] * v.k) as u64 * (v.window.taps() * v.c / v.groups) as u64
}

/// Calls `f` with the places in x, w and y of every product of the convolution.
fn each(v: &conv::Conv, mut f: impl FnMut(usize, usize, usize)) {
    let ([h, w], [p, q], win) = (v.size, v.out, &v.window);
    let (cg, kg, [kr, ks]) = (v.c / v.groups, v.k / v.groups, win.kernel);
    for place in 0..v.n * p * q {
        let (n, py, qx) = (place / (p * q), place / q % p, place % q);
        for (r, s) in (0..kr * ks).map(|t| (t / ks, t % ks)) {
            let (y, x) = (win.pixel(0, h, py, r), win.pixel(1, w, qx, s));
            let (Some(y), Some(x)) = (y, x) else { continue };
            for k in 0..v.k {
                for c in 0..cg {
                    let channel = k / kg * cg + c;
                    f(
                        ((n * h + y) * w + x) * v.c + channel,
                        ((k * cg + c) * kr + r) * ks + s,
                        place * v.k + k,
                    );
                }
            }
        }
    }
}

fn describe(window: &Window, groups: usize, act: Act) -> String {
    let groups = match groups {
        1 => String::new(),
        g => format!(" groups {g}"),
    };
    let act = match act {
        Act::None => String::new(),
        act => format!("+{}", activation::describe(act)),
    };
    format!("({}{groups}){act}", window::describe(window))
}

impl OpDef for Conv2d {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let out = window::out(&self.window, x[0])?;
        Ok(vec![vec![x[0][0], out[0], out[1], x[1][0]]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        debug_assert_eq!(self.act, Act::None);
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let (window, groups) = (self.window, self.groups);
        if b.needs(1) {
            let op = ConvWeightGrad { window, groups };
            let dw = b.emit(op, &[b.x(0), dy])?;
            b.give(1, dw)?;
        }
        if self.bias && b.needs(2) {
            let db = b.emit(ColSums, &[dy])?;
            b.give(2, db)?;
        }
        if b.needs(0) {
            let shape = b.shape(b.x(0));
            let op = ConvTranspose2d {
                window,
                groups,
                size: [shape[1], shape[2]],
                bias: false,
                act: Act::None,
            };
            let dx = b.emit(op, &[dy, b.x(1)])?;
            b.give(0, dx)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let v = sizes(c.xs[0], c.ys[0], self.window, self.groups);
        if self.bias {
            for (i, y) in c.y[0].iter_mut().enumerate() {
                *y = c.x[2][i % v.k];
            }
        }
        each(&v, |x, w, y| c.y[0][y] += c.x[0][x] * c.x[1][w]);
        for y in &mut c.y[0] {
            *y = y.map(|v| activation::value(self.act, v));
        }
    }
    fn scratch(&self, x: &[&[usize]], y: &[&[usize]]) -> usize {
        conv::forward_scratch(&sizes(x[0], y[0], self.window, self.groups))
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::rows(x[0], &[0])
    }
    fn cpu(&self, c: &mut Call) {
        let v = sizes(c.xs(0), c.ys(0), self.window, self.groups);
        let bias = self.bias.then(|| c.x(2));
        let (y, scratch) = c.y_scratch(0);
        conv::forward::<V>(&v, c.x(0), c.x(1), bias, self.act, y, scratch);
    }
    fn gpu(&self, k: &mut Kernels) {
        let v = sizes(k.xs(0), k.ys(0), self.window, self.groups);
        let (kg, cg) = (v.k / v.groups, v.c / v.groups);
        k.product(&Product {
            shader: shader!("conv"),
            batch: v.groups,
            m: v.n * v.out[0] * v.out[1],
            n: kg,
            k: v.window.taps() * cg,
            a_along_k: true,
            b_along_k: true,
            reads: [At::X(0), At::X(1)],
            write: At::Y(0),
            place: "m * OUTPUTS + l * N + n",
            bias: self.bias.then_some((At::X(2), "l * N + n")),
            finish: activation::finish(self.act),
            sizes: &constants(&v),
        });
    }
    fn flops(&self, x: &[&[usize]], y: &[&[usize]]) -> u64 {
        let v = sizes(x[0], y[0], self.window, self.groups);
        products(&v) + if self.bias { numel(y[0]) as u64 } else { 0 }
    }
    fn describe(&self) -> String {
        format!("conv{}", describe(&self.window, self.groups, self.act))
    }
}

impl OpDef for ConvTranspose2d {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let [h, w] = self.size;
        let c = x[1][1] * self.groups;
        debug_assert_eq!(self.window.out(self.size), Some([x[0][1], x[0][2]]));
        Ok(vec![vec![x[0][0], h, w, c]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        debug_assert_eq!(self.act, Act::None);
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let (window, groups) = (self.window, self.groups);
        if b.needs(1) {
            let op = ConvWeightGrad { window, groups };
            let dw = b.emit(op, &[dy, b.x(0)])?;
            b.give(1, dw)?;
        }
        if self.bias && b.needs(2) {
            let db = b.emit(ColSums, &[dy])?;
            b.give(2, db)?;
        }
        if b.needs(0) {
            let op = Conv2d {
                window,
                groups,
                bias: false,
                act: Act::None,
            };
            let dx = b.emit(op, &[dy, b.x(1)])?;
            b.give(0, dx)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let v = sizes(c.ys[0], c.xs[0], self.window, self.groups);
        if self.bias {
            for (i, y) in c.y[0].iter_mut().enumerate() {
                *y = c.x[2][i % v.c];
            }
        }
        each(&v, |x, w, y| c.y[0][x] += c.x[0][y] * c.x[1][w]);
        for y in &mut c.y[0] {
            *y = y.map(|v| activation::value(self.act, v));
        }
    }
    fn scratch(&self, x: &[&[usize]], y: &[&[usize]]) -> usize {
        conv::data_grad_scratch(&sizes(y[0], x[0], self.window, self.groups))
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::rows(x[0], &[0])
    }
    fn cpu(&self, c: &mut Call) {
        let v = sizes(c.ys(0), c.xs(0), self.window, self.groups);
        let bias = self.bias.then(|| c.x(2));
        let (y, scratch) = c.y_scratch(0);
        conv::data_grad::<V>(&v, c.x(0), c.x(1), bias, self.act, y, scratch);
    }
    fn gpu(&self, k: &mut Kernels) {
        let v = sizes(k.ys(0), k.xs(0), self.window, self.groups);
        let (kg, cg) = (v.k / v.groups, v.c / v.groups);
        k.product(&Product {
            shader: shader!("conv_data_grad"),
            batch: v.groups,
            m: v.n * v.size[0] * v.size[1],
            n: cg,
            k: v.window.taps() * kg,
            a_along_k: true,
            b_along_k: false,
            reads: [At::X(0), At::X(1)],
            write: At::Y(0),
            place: "m * INPUTS + l * N + n",
            bias: self.bias.then_some((At::X(2), "l * N + n")),
            finish: activation::finish(self.act),
            sizes: &constants(&v),
        });
    }
    fn flops(&self, x: &[&[usize]], y: &[&[usize]]) -> u64 {
        let v = sizes(y[0], x[0], self.window, self.groups);
        products(&v) + if self.bias { numel(y[0]) as u64 } else { 0 }
    }
    fn describe(&self) -> String {
        let what = describe(&self.window, self.groups, self.act);
        format!("conv_transpose{what}")
    }
}

impl OpDef for ConvWeightGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let [r, s] = self.window.kernel;
        Ok(vec![vec![x[1][3], x[0][3] / self.groups, r, s]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let v = sizes(c.xs[0], c.xs[1], self.window, self.groups);
        each(&v, |x, w, y| c.y[0][w] += c.x[0][x] * c.x[1][y]);
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        conv::weight_grad_scratch(&sizes(x[0], x[1], self.window, self.groups))
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::sums(x[0], &[0, 1], 0)
    }
    fn cpu(&self, c: &mut Call) {
        let v = sizes(c.xs(0), c.xs(1), self.window, self.groups);
        let (y, scratch) = c.y_scratch(0);
        conv::weight_grad::<V>(&v, c.x(0), c.x(1), y, scratch);
    }
    fn gpu(&self, k: &mut Kernels) {
        let v = sizes(k.xs(0), k.xs(1), self.window, self.groups);
        let (kg, cg) = (v.k / v.groups, v.c / v.groups);
        k.product(&Product {
            shader: shader!("conv_weight_grad"),
            batch: v.groups,
            m: kg,
            n: v.window.taps() * cg,
            k: v.n * v.out[0] * v.out[1],
            a_along_k: false,
            b_along_k: false,
            reads: [At::X(1), At::X(0)],
            write: At::Y(0),
            place: "((l * M + m) * GROUP_INPUTS + n % GROUP_INPUTS) * TAPS + n / GROUP_INPUTS",
            bias: None,
            finish: activation::finish(Act::None),
            sizes: &constants(&v),
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        products(&sizes(x[0], x[1], self.window, self.groups))
    }
    fn describe(&self) -> String {
        let what = describe(&self.window, self.groups, Act::None);
        format!("conv_weight_grad{what}")
    }
}

/// The constants of all three kernels.
fn constants(v: &conv::Conv) -> Vec<(&'static str, usize)> {
    let mut all = window::constants(&v.window, v.size, v.out);
    all.extend([
        ("INPUTS", v.c),
        ("OUTPUTS", v.k),
        ("GROUP_INPUTS", v.c / v.groups),
        ("GROUP_OUTPUTS", v.k / v.groups),
    ]);
    all
}
