//! Sums, copies and constants: `a[…], b[…] → y[…]`.
use super::*;
use crate::backend::cpu::kernels::{V, elementwise};
use crate::graph::numel;

/// y = a + b, equal shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Add;

/// y = x, in memory of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy;

/// `→ y[shape]`, every element `value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    pub shape: Shape,
    pub value: f32,
}

impl OpDef for Add {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        if x[0] != x[1] {
            return Err(Problem::new("same-shape")
                .arg("a", show(&x[0][1..]))
                .arg("b", show(&x[1][1..])));
        }
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        for i in 0..2 {
            if b.needs(i) {
                b.give(i, dy)?;
            }
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        for i in 0..c.y[0].len() {
            c.y[0][i] = c.x[0][i] + c.x[1][i];
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::elements(x)
    }
    fn cpu(&self, c: &mut Call) {
        elementwise::add::<V>(c.x(0), c.x(1), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        k.each(
            numel(k.ys(0)),
            &[At::X(0), At::X(1)],
            At::Y(0),
            "a0 + a1",
            &[],
        );
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "add".into()
    }
}

impl OpDef for Copy {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        match b.grad(0) {
            Some(dy) => b.give(0, dy),
            None => Ok(()),
        }
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        c.y[0].copy_from_slice(&c.x[0]);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::elements(x)
    }
    fn cpu(&self, c: &mut Call) {
        c.y(0).copy_from_slice(c.x(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        k.each(numel(k.ys(0)), &[At::X(0)], At::Y(0), "a0", &[]);
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        "copy".into()
    }
}

impl OpDef for Fill {
    fn infer(&self, _: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![self.shape.clone()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        c.y[0].fill(T::of(f64::from(self.value)));
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        c.y(0).fill(self.value);
    }
    fn gpu(&self, k: &mut Kernels) {
        k.each(numel(k.ys(0)), &[], At::Y(0), &float(self.value), &[]);
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        format!("fill({})", self.value)
    }
}
