//! Scaled dot-product attention with several heads. A head takes D/heads neighbouring numbers.
use super::*;
use crate::backend::cpu::kernels::V;
use crate::backend::cpu::kernels::attention::{self as kernel, Rows};
use crate::graph::numel;

/// `(qkv[N,T,3D]) → (y[N,T,D], l[N,heads,T])` when packed, else `(q[N,T,D], k[N,S,D], v[N,S,D]) → …`.
///
/// y = softmax(q·kᵀ/√(D/heads))·v; l is the logarithm of the softmax' denominator, from which the
/// backward pass makes the probabilities again. `causal`: a step sees itself and earlier ones. `mask`: a
/// last input `keep[N,S]` that is 0 where a key is padding; a row that sees no key gives zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    pub heads: usize,
    pub causal: bool,
    pub packed: bool,
    pub mask: bool,
}

/// `(inputs of Attention, y, l, dy[N,T,D]) → dqkv[N,T,3D]`, or `(dq, dk, dv)`.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionGrad {
    pub forward: Attention,
}

/// `[N, T, S, D]`
fn sizes(packed: bool, x: &[&[usize]]) -> [usize; 4] {
    if packed {
        [x[0][0], x[0][1], x[0][1], x[0][2] / 3]
    } else {
        [x[0][0], x[0][1], x[1][1], x[0][2]]
    }
}

impl Attention {
    /// Inputs but the mask.
    fn tensors(&self) -> usize {
        if self.packed { 1 } else { 3 }
    }
    fn kernel(&self, x: &[&[usize]]) -> kernel::Sizes {
        let [batch, queries, keys, width] = sizes(self.packed, x);
        kernel::Sizes {
            batch,
            queries,
            keys,
            width,
            heads: self.heads,
            causal: self.causal,
        }
    }
    fn sizes_of(&self, k: &Kernels) -> [usize; 4] {
        let other = if self.packed { 0 } else { 1 };
        sizes(self.packed, &[k.xs(0), k.xs(other)])
    }
    /// What the kernels bind first.
    fn operands(&self) -> Vec<At> {
        (0..self.tensors() + usize::from(self.mask))
            .map(At::X)
            .collect()
    }
    /// Pieces of a head's numbers, one of which an invocation keeps in registers.
    fn chunks(&self, [_, _, _, width]: [usize; 4]) -> usize {
        (width / self.heads).div_ceil(CHUNK)
    }
    fn constants<'k>(&self, k: Kernel<'k>, sizes: [usize; 4]) -> Kernel<'k> {
        let [n, t, s, width] = sizes;
        let size = width / self.heads;
        k.sizes(&[
            ("BATCH", n),
            ("T", t),
            ("S", s),
            ("D", width),
            ("HEADS", self.heads),
            ("SIZE", size),
            ("CHUNK", size.min(CHUNK)),
        ])
        .float("SCALE", 1.0 / (size as f32).sqrt())
        .flag("PACKED", self.packed)
        .flag("CAUSAL", self.causal)
        .flag("MASK", self.mask)
    }
    /// q, k and v, which a packed tensor holds side by side.
    fn rows<'a>(&self, width: usize, x: impl Fn(usize) -> &'a [f32]) -> [Rows<'a>; 3] {
        std::array::from_fn(|i| match self.packed {
            true => Rows {
                data: &x(0)[i * width..],
                stride: 3 * width,
            },
            false => Rows {
                data: x(i),
                stride: width,
            },
        })
    }
    /// Element d of head h in row r of q, k or v: (input, index).
    fn at(&self, which: usize, width: usize, r: usize, c: usize) -> (usize, usize) {
        match self.packed {
            true => (0, r * 3 * width + which * width + c),
            false => (which, r * width + c),
        }
    }
    /// Scores of a query, −∞ where it may not look.
    fn scores<T: Real>(
        &self,
        x: &[Vec<T>],
        xs: &[&[usize]],
        n: usize,
        h: usize,
        i: usize,
    ) -> Vec<T> {
        let [_, t, s, width] = sizes(self.packed, xs);
        let size = width / self.heads;
        let scale = T::of(1.0 / (size as f64).sqrt());
        let get = |which: usize, r: usize, c: usize| {
            let (input, index) = self.at(which, width, r, h * size + c);
            x[input][index]
        };
        (0..s)
            .map(|j| {
                let padding = self.mask && x[self.tensors()][n * s + j].f64() == 0.0;
                if padding || (self.causal && j > i) {
                    return T::of(f64::NEG_INFINITY);
                }
                let mut dot = T::of(0.0);
                for c in 0..size {
                    dot += get(0, n * t + i, c) * get(1, n * s + j, c);
                }
                dot * scale
            })
            .collect()
    }
}

impl OpDef for Attention {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        if x[0].len() != 3 {
            return Err(Problem::new("sequence-input").arg("got", show(&x[0][1..])));
        }
        let [n, t, _, d] = sizes(self.packed, x);
        if self.heads == 0 || !d.is_multiple_of(self.heads) {
            return Err(Problem::new("heads")
                .arg("heads", self.heads)
                .arg("width", d)
                .field("heads"));
        }
        Ok(vec![vec![n, t, d], vec![n, self.heads, t]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let mut x: Vec<_> = (0..b.inputs()).map(|i| b.x(i)).collect();
        x.extend([b.y(0), b.y(1), dy]);
        let forward = self.clone();
        let d = b.emit_all(AttentionGrad { forward }, &x)?;
        for (i, d) in d.into_iter().enumerate() {
            b.give(i, d)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let [batch, t, s, width] = sizes(self.packed, c.xs);
        let size = width / self.heads;
        for n in 0..batch {
            for h in 0..self.heads {
                for i in 0..t {
                    let scores = self.scores(c.x, c.xs, n, h, i);
                    let max = scores.iter().fold(scores[0], |m, v| m.max(*v));
                    let l = &mut c.y[1][(n * self.heads + h) * t + i];
                    if max.f64() == f64::NEG_INFINITY {
                        *l = T::of(0.0);
                        continue;
                    }
                    let e: Vec<T> = scores.iter().map(|v| (*v - max).map(libm::exp)).collect();
                    let mut sum = T::of(0.0);
                    e.iter().for_each(|v| sum += *v);
                    *l = max + sum.map(libm::log);
                    for k in 0..size {
                        let mut y = T::of(0.0);
                        for (j, e) in e.iter().enumerate() {
                            let (input, index) = self.at(2, width, n * s + j, h * size + k);
                            y += *e / sum * c.x[input][index];
                        }
                        c.y[0][(n * t + i) * width + h * size + k] = y;
                    }
                }
            }
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        self.kernel(x).forward_scratch()
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let shapes: [&[usize]; 3] = std::array::from_fn(|i| c.xs(if self.packed { 0 } else { i }));
        let s = self.kernel(&shapes);
        let qkv = self.rows(s.width, |i| c.x(i));
        let keep = self.mask.then(|| c.x(self.tensors()));
        let (y, l) = c.y2();
        let (_, scratch) = c.y_scratch(0);
        kernel::forward::<V>(&s, qkv, keep, y, l, scratch);
    }
    fn gpu(&self, k: &mut Kernels) {
        let sizes = self.sizes_of(k);
        let mut bind = self.operands();
        bind.extend([At::Y(0), At::Y(1)]);
        let [n, t, _, _] = sizes;
        self.constants(k.kernel(shader!("attention")), sizes)
            .bind(&bind)
            .flat(n * self.heads * t * self.chunks(sizes));
    }
    fn flops(&self, x: &[&[usize]], y: &[&[usize]]) -> u64 {
        let [_, _, s, _] = sizes(self.packed, x);
        let all = 4 * numel(y[0]) * s;
        (if self.causal { all / 2 } else { all }) as u64
    }
    fn describe(&self) -> String {
        let Attention { heads, .. } = self;
        let causal = if self.causal { ", causal" } else { "" };
        let mask = if self.mask { ", mask" } else { "" };
        format!("attention({heads} heads{causal}{mask})")
    }
}

impl OpDef for AttentionGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let n = self.forward.tensors();
        Ok(x[..n].iter().map(|s| s.to_vec()).collect())
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let f = &self.forward;
        let [batch, t, s, width] = sizes(f.packed, c.xs);
        let size = width / f.heads;
        let scale = T::of(1.0 / (size as f64).sqrt());
        let first = f.tensors() + usize::from(f.mask);
        let (y, l, dy) = (&c.x[first], &c.x[first + 1], &c.x[first + 2]);
        for n in 0..batch {
            for h in 0..f.heads {
                for i in 0..t {
                    let scores = f.scores(c.x, c.xs, n, h, i);
                    let row = (n * t + i) * width + h * size;
                    let mut delta = T::of(0.0);
                    for k in 0..size {
                        delta += y[row + k] * dy[row + k];
                    }
                    for (j, score) in scores.iter().enumerate() {
                        let p = (*score - l[(n * f.heads + h) * t + i]).map(libm::exp);
                        let key = |which, k| f.at(which, width, n * s + j, h * size + k);
                        let mut dp = T::of(0.0);
                        for k in 0..size {
                            let (input, index) = key(2, k);
                            dp += dy[row + k] * c.x[input][index];
                            c.y[input][index] += p * dy[row + k];
                        }
                        let ds = p * (dp - delta) * scale;
                        for k in 0..size {
                            let (qi, qx) = f.at(0, width, n * t + i, h * size + k);
                            let (ki, kx) = key(1, k);
                            c.y[qi][qx] += ds * c.x[ki][kx];
                            c.y[ki][kx] += ds * c.x[qi][qx];
                        }
                    }
                }
            }
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        self.forward.kernel(x).backward_scratch()
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::all(x)
    }
    fn cpu(&self, c: &mut Call) {
        let f = &self.forward;
        let shapes: [&[usize]; 3] = std::array::from_fn(|i| c.xs(if f.packed { 0 } else { i }));
        let s = f.kernel(&shapes);
        let qkv = f.rows(s.width, |i| c.x(i));
        let keep = f.mask.then(|| c.x(f.tensors()));
        let first = f.tensors() + usize::from(f.mask);
        let saved = kernel::Saved {
            qkv,
            keep,
            y: c.x(first),
            l: c.x(first + 1),
            dy: c.x(first + 2),
        };
        let outputs = c.y3();
        let (_, scratch) = c.y_scratch(0);
        kernel::backward::<V>(&s, &saved, outputs, scratch);
    }
    fn gpu(&self, k: &mut Kernels) {
        let f = &self.forward;
        let sizes = f.sizes_of(k);
        let [n, t, s, width] = sizes;
        let size = width / f.heads;
        let first = f.tensors() + usize::from(f.mask);
        let (y, l, dy) = (At::X(first), At::X(first + 1), At::X(first + 2));
        // Σ y·dy of every row and head.
        let delta = k.scratch(n * t * f.heads);
        k.reduce(&Reduction {
            outs: n * t * f.heads,
            count: size,
            reads: &[y, dy],
            value: &format!("return x0[o * {size}u + r] * x1[o * {size}u + r];"),
            combine: Combine::Sum,
            finish: "v",
            along_r: true,
            write: delta,
            uses: &[],
        });
        for (i, (flag, rows)) in [("DQ", t), ("DK", s), ("DV", s)].into_iter().enumerate() {
            // What the kernel of this gradient reads; WebGPU allows 8 bindings.
            let mut bind = f.operands();
            if flag == "DV" && !f.packed {
                bind.remove(2);
            }
            bind.extend([l, dy]);
            if flag != "DV" {
                bind.push(delta);
            }
            bind.push(At::Y(if f.packed { 0 } else { i }));
            f.constants(k.kernel(shader!("attention_grad")), sizes)
                .size("WHICH", i)
                .flag(flag, true)
                .bind(&bind)
                .flat(n * f.heads * rows * f.chunks(sizes));
        }
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        let f = &self.forward;
        let [n, t, s, d] = sizes(f.packed, x);
        let all = 10 * n * t * s * d;
        (if f.causal { all / 2 } else { all }) as u64
    }
    fn describe(&self) -> String {
        format!("{}_grad", self.forward.describe())
    }
}

/// Numbers of a head that an invocation keeps.
const CHUNK: usize = 32;
