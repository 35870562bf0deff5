//! Elementwise arithmetic of equal shapes: `a[…], b[…] → y[…]`.
use super::*;
use crate::backend::cpu::kernels::{F32x4, V, elementwise};
use crate::graph::numel;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    Sub,
    Mul,
    Div,
}

/// y = a − b, a·b or a/b.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairwise {
    pub how: Pair,
}

/// y = by·x.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub by: f32,
}

impl OpDef for Pairwise {
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
        let (mul, div) = (Pairwise { how: Pair::Mul }, Pairwise { how: Pair::Div });
        let minus = Scale { by: -1.0 };
        let (x, y) = ([b.x(0), b.x(1)], b.y(0));
        if b.needs(0) {
            let da = match self.how {
                Pair::Sub => dy,
                Pair::Mul => b.emit(mul.clone(), &[dy, x[1]])?,
                Pair::Div => b.emit(div.clone(), &[dy, x[1]])?,
            };
            b.give(0, da)?;
        }
        if b.needs(1) {
            let db = match self.how {
                Pair::Sub => b.emit(minus, &[dy])?,
                Pair::Mul => b.emit(mul, &[dy, x[0]])?,
                // y/b = a/b²
                Pair::Div => {
                    let slope = b.emit(div, &[y, x[1]])?;
                    let product = b.emit(mul, &[dy, slope])?;
                    b.emit(minus, &[product])?
                }
            };
            b.give(1, db)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        for i in 0..c.y[0].len() {
            let (a, b) = (c.x[0][i], c.x[1][i]);
            c.y[0][i] = match self.how {
                Pair::Sub => a - b,
                Pair::Mul => a * b,
                Pair::Div => a / b,
            };
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::elements(x)
    }
    fn cpu(&self, c: &mut Call) {
        let (a, b) = (c.x(0), c.x(1));
        match self.how {
            Pair::Sub => elementwise::sub::<V>(a, b, c.y(0)),
            Pair::Mul => elementwise::mul::<V>(a, b, c.y(0)),
            Pair::Div => elementwise::map2::<V>(a, b, c.y(0), V::div),
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let body = match self.how {
            Pair::Sub => "a0 - a1",
            Pair::Mul => "a0 * a1",
            Pair::Div => "a0 / a1",
        };
        k.each(numel(k.ys(0)), &[At::X(0), At::X(1)], At::Y(0), body, &[]);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        format!("{:?}", self.how).to_lowercase()
    }
}

impl OpDef for Scale {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let dx = b.emit(self.clone(), &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        for (y, x) in c.y[0].iter_mut().zip(&c.x[0]) {
            *y = *x * T::of(f64::from(self.by));
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::elements(x)
    }
    fn cpu(&self, c: &mut Call) {
        elementwise::scale::<V>(self.by, c.x(0), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let body = format!("a0 * {}", float(self.by));
        k.each(numel(k.ys(0)), &[At::X(0)], At::Y(0), &body, &[]);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        format!("scale({})", self.by)
    }
}
