//! Ops that move or rename elements.
use super::strides::{coordinate, index, strides};
use super::*;
use crate::graph::numel;

/// `x[…] → y[shape]`, the same elements in the same order.
#[derive(Clone, Debug, PartialEq)]
pub struct Reshape {
    pub shape: Shape,
}

/// Joins its inputs along `axis`: `x₀[…,a₀,…], x₁[…,a₁,…] → y[…,a₀+a₁,…]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Concat {
    pub axis: usize,
}

/// `x[…,a,…] → y[…,len,…]`: `len` entries of `axis` from `start` on.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    pub axis: usize,
    pub start: usize,
    pub len: usize,
}

/// `[0; n]` where a gradient did not reach the rest of a sliced tensor: `dy[…,len,…] → dx[…,a,…]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceGrad {
    pub axis: usize,
    pub start: usize,
    /// Entries of the axis before slicing.
    pub full: usize,
}

/// (product before the axis, product after it)
fn around(shape: &[usize], axis: usize) -> (usize, usize) {
    (numel(&shape[..axis]), numel(&shape[axis + 1..]))
}

/// Copies `len·inner` elements `outer` times between tensors whose rows are `from` and `to` long.
fn copy_blocks<T: core::marker::Copy>(
    outer: usize,
    block: usize,
    (x, x_row, x_at): (&[T], usize, usize),
    (y, y_row, y_at): (&mut [T], usize, usize),
) {
    for o in 0..outer {
        y[o * y_row + y_at..][..block].copy_from_slice(&x[o * x_row + x_at..][..block]);
    }
}

impl OpDef for Reshape {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        if numel(x[0]) != numel(&self.shape) {
            return Err(Problem::new("reshape-size")
                .arg("from", show(x[0]))
                .arg("have", numel(x[0]))
                .arg("to", show(&self.shape))
                .arg("want", numel(&self.shape)));
        }
        Ok(vec![self.shape.clone()])
    }
    fn memory(&self) -> Memory {
        Memory::View
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let shape = b.shape(b.x(0)).to_vec();
        let dx = b.emit(Reshape { shape }, &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        c.y[0].copy_from_slice(&c.x[0]);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, _: &mut Call) {}
    fn gpu(&self, _: &mut Kernels) {}
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        "reshape".into()
    }
}

impl OpDef for Concat {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = x[0].to_vec();
        for s in &x[1..] {
            let rest = |s: &[usize]| {
                let mut s = s.to_vec();
                s.remove(self.axis);
                s
            };
            if s.len() != y.len() || rest(s) != rest(x[0]) {
                return Err(Problem::new("concat-shape")
                    .arg("a", show(&x[0][1..]))
                    .arg("b", show(&s[1..])));
            }
            y[self.axis] += s[self.axis];
        }
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let mut start = 0;
        for i in 0..b.inputs() {
            let len = b.shape(b.x(i))[self.axis];
            if b.needs(i) {
                let axis = self.axis;
                let dx = b.emit(Slice { axis, start, len }, &[dy])?;
                b.give(i, dx)?;
            }
            start += len;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (outer, inner) = around(c.ys[0], self.axis);
        let row = c.ys[0][self.axis] * inner;
        let mut at = 0;
        for (x, s) in c.x.iter().zip(c.xs) {
            let block = s[self.axis] * inner;
            copy_blocks(outer, block, (x, block, 0), (&mut c.y[0], row, at));
            at += block;
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (outer, inner) = around(c.ys(0), self.axis);
        let row = c.ys(0)[self.axis] * inner;
        let mut at = 0;
        for i in 0..c.inputs() {
            let block = c.xs(i)[self.axis] * inner;
            copy_blocks(outer, block, (c.x(i), block, 0), (c.y(0), row, at));
            at += block;
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let y = k.ys(0);
        let mut start = 0;
        for i in 0..k.inputs() {
            let x = k.xs(i);
            let to = strides(y);
            k.map(Map {
                n: numel(x),
                reads: vec![(At::X(i), EACH.into())],
                writes: vec![(
                    At::Y(0),
                    format!("{} + {}u", index("i", x, &to), start * to[self.axis]),
                )],
                body: "r0 = a0;".into(),
                uses: Vec::new(),
                step: false,
            });
            start += x[self.axis];
        }
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        format!("concat(axis {})", self.axis)
    }
}

impl OpDef for Slice {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = x[0].to_vec();
        debug_assert!(self.start + self.len <= y[self.axis]);
        y[self.axis] = self.len;
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let op = SliceGrad {
            axis: self.axis,
            start: self.start,
            full: b.shape(b.x(0))[self.axis],
        };
        let dx = b.emit(op, &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (outer, inner) = around(c.xs[0], self.axis);
        let row = c.xs[0][self.axis] * inner;
        let block = self.len * inner;
        let from = (&c.x[0][..], row, self.start * inner);
        copy_blocks(outer, block, from, (&mut c.y[0], block, 0));
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (outer, inner) = around(c.xs(0), self.axis);
        let row = c.xs(0)[self.axis] * inner;
        let block = self.len * inner;
        let from = (c.x(0), row, self.start * inner);
        copy_blocks(outer, block, from, (c.y(0), block, 0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let from = strides(k.xs(0));
        let at = index("i", k.ys(0), &from);
        k.moved(
            At::X(0),
            format!("{at} + {}u", self.start * from[self.axis]),
        );
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        let Slice { axis, start, len } = self;
        format!("slice(axis {axis}, {start}..{})", start + len)
    }
}

impl OpDef for SliceGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = x[0].to_vec();
        y[self.axis] = self.full;
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (outer, inner) = around(c.ys[0], self.axis);
        let row = self.full * inner;
        let block = c.xs[0][self.axis] * inner;
        let to = (&mut c.y[0][..], row, self.start * inner);
        copy_blocks(outer, block, (&c.x[0], block, 0), to);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (outer, inner) = around(c.ys(0), self.axis);
        let row = self.full * inner;
        let block = c.xs(0)[self.axis] * inner;
        c.y(0).fill(0.0);
        let to = (c.y(0), row, self.start * inner);
        copy_blocks(outer, block, (c.x(0), block, 0), to);
    }
    fn gpu(&self, k: &mut Kernels) {
        let (x, y) = (k.xs(0), k.ys(0));
        let from = strides(x);
        let at = coordinate("i", y, self.axis);
        let (start, len) = (self.start, x[self.axis]);
        let inside = format!("{at} >= {start}u && {at} < {}u", start + len);
        let terms: Vec<String> = (0..x.len())
            .map(|a| {
                let before = if a == self.axis { start } else { 0 };
                format!("({} - {before}u) * {}u", coordinate("i", y, a), from[a])
            })
            .collect();
        k.within(At::X(0), &[inside], &terms, 0.0);
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        format!("slice_grad(axis {}, from {})", self.axis, self.start)
    }
}
