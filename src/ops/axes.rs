//! Reductions over some axes, and their opposite. Reduced axes stay, with one entry.
use super::strides::{index, rows, stretched, strides, walk};
use super::*;
use crate::backend::cpu::kernels::{V, elementwise, reduce};
use crate::graph::numel;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    Sum,
    Mean,
    Max,
}

/// `x[…,a,…] → y[…,1,…]` for every axis in `axes`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    pub how: Fold,
    pub axes: Vec<usize>,
}

/// `(x[…,a,…], y[…,1,…], dy[…,1,…]) → dx[…,a,…]`: dy shared evenly among the entries that are the
/// maximum, as PyTorch's `amax` and JAX do.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxGrad;

/// `x[…,1,…] → y[shape]`: entries repeated along the axes where x has only one.
#[derive(Clone, Debug, PartialEq)]
pub struct Broadcast {
    pub shape: Shape,
}

impl Reduce {
    /// Elements that make up one.
    fn count(&self, x: &[usize]) -> usize {
        self.axes.iter().map(|a| x[*a]).product()
    }
}

impl OpDef for Reduce {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = x[0].to_vec();
        for a in &self.axes {
            y[*a] = 1;
        }
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(mut dy) = b.grad(0) else {
            return Ok(());
        };
        let shape = b.shape(b.x(0)).to_vec();
        let dx = match self.how {
            Fold::Max => b.emit(MaxGrad, &[b.x(0), b.y(0), dy])?,
            how => {
                if how == Fold::Mean {
                    let by = 1.0 / self.count(&shape) as f32;
                    dy = b.emit(Scale { by }, &[dy])?;
                }
                b.emit(Broadcast { shape }, &[dy])?
            }
        };
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (from, to) = (strides(c.xs[0]), stretched(c.ys[0], c.xs[0]));
        let (x, y) = (&c.x[0], &mut c.y[0]);
        let count = T::of(self.count(c.xs[0]) as f64);
        if self.how == Fold::Max {
            y.fill(T::of(f64::NEG_INFINITY));
        }
        walk(c.xs[0], &from, &to, |i, o| match self.how {
            Fold::Max => y[o] = y[o].max(x[i]),
            _ => y[o] += x[i],
        });
        if self.how == Fold::Mean {
            y.iter_mut().for_each(|y| *y = *y / count);
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let shape = c.xs(0);
        let (from, to) = (strides(shape), stretched(c.ys(0), shape));
        let n = shape.last().copied().unwrap_or(1);
        let whole = c.ys(0).last() != Some(&n);
        let (x, y) = (c.x(0), c.y(0));
        y.fill(match self.how {
            Fold::Max => f32::NEG_INFINITY,
            _ => 0.0,
        });
        walk(rows(shape), &from, &to, |i, o| {
            let row = &x[i..][..n];
            match (self.how, whole) {
                (Fold::Max, true) => y[o] = y[o].max(reduce::max::<V>(row)),
                (_, true) => y[o] += reduce::sum::<V>(row),
                (Fold::Max, false) => {
                    for (y, x) in y[o..][..n].iter_mut().zip(row) {
                        *y = y.max(*x);
                    }
                }
                (_, false) => elementwise::add_in_place::<V>(&mut y[o..][..n], row),
            }
        });
        if self.how == Fold::Mean {
            elementwise::scale_in_place::<V>(1.0 / self.count(shape) as f32, y);
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (shape, y) = (k.xs(0), k.ys(0));
        let from = strides(shape);
        // The axes that stay, and those that go, each with x's strides.
        let over: Vec<usize> = self.axes.iter().map(|a| shape[*a]).collect();
        let step: Vec<usize> = self.axes.iter().map(|a| from[*a]).collect();
        let count = self.count(shape);
        let value = format!(
            "return x0[{} + {}];",
            index("o", y, &from),
            index("r", &over, &step)
        );
        let finish = match self.how {
            Fold::Mean => format!("v * {}", float(1.0 / count as f32)),
            _ => "v".into(),
        };
        k.reduce(&Reduction {
            outs: numel(y),
            count,
            reads: &[At::X(0)],
            value: &value,
            combine: match self.how {
                Fold::Max => Combine::Max,
                _ => Combine::Sum,
            },
            finish: &finish,
            along_r: self.axes.contains(&(shape.len() - 1)),
            write: At::Y(0),
            uses: &[],
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        let how = format!("{:?}", self.how).to_lowercase();
        format!("{how}(axes {:?})", self.axes)
    }
}

impl OpDef for MaxGrad {
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
        let (from, to) = (strides(c.xs[0]), stretched(c.xs[1], c.xs[0]));
        let (x, max, dy, dx) = (&c.x[0], &c.x[1], &c.x[2], &mut c.y[0]);
        let mut count = vec![0.0; max.len()];
        walk(c.xs[0], &from, &to, |i, o| {
            count[o] += f64::from(x[i].f64() == max[o].f64());
        });
        walk(c.xs[0], &from, &to, |i, o| {
            if x[i].f64() == max[o].f64() {
                dx[i] = dy[o] / T::of(count[o]);
            }
        });
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        numel(x[1])
    }
    fn cpu(&self, c: &mut Call) {
        let shape = c.xs(0);
        let (from, to) = (strides(shape), stretched(c.xs(1), shape));
        let (x, max, dy) = (c.x(0), c.x(1), c.x(2));
        let (dx, count) = c.y_scratch(0);
        count[..max.len()].fill(0.0);
        walk(shape, &from, &to, |i, o| {
            count[o] += f32::from(x[i] == max[o]);
        });
        walk(shape, &from, &to, |i, o| {
            dx[i] = if x[i] == max[o] {
                dy[o] / count[o]
            } else {
                0.0
            };
        });
    }
    fn gpu(&self, k: &mut Kernels) {
        let (shape, small) = (k.xs(0), k.xs(1));
        let from = strides(shape);
        let reduced: Vec<usize> = (0..shape.len())
            .filter(|a| small[*a] != shape[*a])
            .collect();
        let over: Vec<usize> = reduced.iter().map(|a| shape[*a]).collect();
        let step: Vec<usize> = reduced.iter().map(|a| from[*a]).collect();
        let value = format!(
            "return select(0.0, 1.0, x0[{} + {}] == x1[o]);",
            index("o", small, &from),
            index("r", &over, &step)
        );
        let count = k.scratch(numel(small));
        k.reduce(&Reduction {
            outs: numel(small),
            count: numel(&over),
            reads: &[At::X(0), At::X(1)],
            value: &value,
            combine: Combine::Sum,
            finish: "v",
            along_r: reduced.contains(&(shape.len() - 1)),
            write: count,
            uses: &[],
        });
        let to = index("i", shape, &stretched(small, shape));
        k.map(Map {
            n: numel(shape),
            reads: vec![
                (At::X(0), EACH.into()),
                (At::X(1), to.clone()),
                (At::X(2), to.clone()),
                (count, to),
            ],
            writes: vec![(At::Y(0), EACH.into())],
            body: "r0 = select(0.0, a2 / a3, a0 == a1);".into(),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        2 * numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "max_grad".into()
    }
}

impl OpDef for Broadcast {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        debug_assert_eq!(x[0].len(), self.shape.len());
        debug_assert!(x[0].iter().zip(&self.shape).all(|(a, b)| a == b || *a == 1));
        Ok(vec![self.shape.clone()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let shape = b.shape(b.x(0)).iter().zip(&self.shape);
        let axes = shape.enumerate().filter(|(_, (a, b))| a != b);
        let axes = axes.map(|(i, _)| i).collect();
        let how = Fold::Sum;
        let dx = b.emit(Reduce { how, axes }, &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (from, to) = (stretched(c.xs[0], c.ys[0]), strides(c.ys[0]));
        let (x, y) = (&c.x[0], &mut c.y[0]);
        walk(c.ys[0], &from, &to, |i, o| y[o] = x[i]);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let shape = c.ys(0);
        let (from, to) = (stretched(c.xs(0), shape), strides(shape));
        let n = shape.last().copied().unwrap_or(1);
        let one = c.xs(0).last() != Some(&n);
        let (x, y) = (c.x(0), c.y(0));
        walk(rows(shape), &from, &to, |i, o| {
            let row = &mut y[o..][..n];
            if one {
                row.fill(x[i]);
            } else {
                row.copy_from_slice(&x[i..][..n]);
            }
        });
    }
    fn gpu(&self, k: &mut Kernels) {
        let from = stretched(k.xs(0), k.ys(0));
        k.moved(At::X(0), index("i", k.ys(0), &from));
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        "broadcast".into()
    }
}
