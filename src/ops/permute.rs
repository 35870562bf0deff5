//! Axes in another order, and padding.
use super::strides::{RANK, coordinate, index, rows, strides, walk};
use super::*;

/// Axis i of y is axis `axes[i]` of x: `x[a,b,c] → y[b,c,a]` for axes 1, 2, 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Permute {
    pub axes: Vec<usize>,
}

/// `before[i]` and `after[i]` entries of `value` around axis i: `x[…,a,…] → y[…,before+a+after,…]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pad {
    pub before: Vec<usize>,
    pub after: Vec<usize>,
    pub value: f32,
}

impl Permute {
    /// Strides of x by the axes of y.
    fn strides(&self, x: &[usize]) -> [usize; RANK] {
        let own = strides(x);
        let mut s = [0; RANK];
        for (s, axis) in s.iter_mut().zip(&self.axes) {
            *s = own[*axis];
        }
        s
    }
}

impl OpDef for Permute {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        debug_assert_eq!(x[0].len(), self.axes.len());
        Ok(vec![self.axes.iter().map(|a| x[0][*a]).collect()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let mut axes = vec![0; self.axes.len()];
        for (i, a) in self.axes.iter().enumerate() {
            axes[*a] = i;
        }
        let dx = b.emit(Permute { axes }, &[dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (from, to) = (self.strides(c.xs[0]), strides(c.ys[0]));
        let (x, y) = (&c.x[0], &mut c.y[0]);
        walk(c.ys[0], &from, &to, |i, o| y[o] = x[i]);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        if self.axes.first() == Some(&0) {
            Split::all(x)
        } else {
            Split::WHOLE
        }
    }
    fn cpu(&self, c: &mut Call) {
        let (from, shape) = (self.strides(c.xs(0)), c.ys(0));
        let to = strides(shape);
        let last = shape.len() - 1;
        let (n, step) = (shape[last], from[last]);
        let (x, y) = (c.x(0), c.y(0));
        walk(rows(shape), &from, &to, |i, o| {
            let row = &mut y[o..][..n];
            if step == 1 {
                row.copy_from_slice(&x[i..][..n]);
            } else {
                for (y, x) in row.iter_mut().zip(x[i..].iter().step_by(step)) {
                    *y = *x;
                }
            }
        });
    }
    fn gpu(&self, k: &mut Kernels) {
        let from = self.strides(k.xs(0));
        k.moved(At::X(0), index("i", k.ys(0), &from));
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        let axes: Vec<String> = self.axes.iter().map(usize::to_string).collect();
        format!("permute({})", axes.join(","))
    }
}

impl Pad {
    /// Where x's first element comes to lie in y.
    fn start(&self, y: &[usize]) -> usize {
        let s = strides(y);
        self.before.iter().zip(s).map(|(b, s)| b * s).sum()
    }
}

impl OpDef for Pad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let around = self.before.iter().zip(&self.after);
        let y = x[0].iter().zip(around).map(|(n, (b, a))| b + n + a);
        Ok(vec![y.collect()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let shape = b.shape(b.x(0)).to_vec();
        let mut dx = dy;
        for (axis, len) in shape.into_iter().enumerate() {
            let start = self.before[axis];
            if start + self.after[axis] > 0 {
                dx = b.emit(Slice { axis, start, len }, &[dx])?;
            }
        }
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let start = self.start(c.ys[0]);
        let (from, to) = (strides(c.xs[0]), strides(c.ys[0]));
        let (x, y) = (&c.x[0], &mut c.y[0]);
        y.fill(T::of(f64::from(self.value)));
        walk(c.xs[0], &from, &to, |i, o| y[start + o] = x[i]);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let start = self.start(c.ys(0));
        let (from, to, shape) = (strides(c.xs(0)), strides(c.ys(0)), c.xs(0));
        let n = shape.last().copied().unwrap_or(1);
        let (x, y) = (c.x(0), c.y(0));
        y.fill(self.value);
        walk(rows(shape), &from, &to, |i, o| {
            y[start + o..][..n].copy_from_slice(&x[i..][..n]);
        });
    }
    fn gpu(&self, k: &mut Kernels) {
        let (x, y) = (k.xs(0), k.ys(0));
        let from = strides(x);
        let (mut inside, mut terms) = (Vec::new(), Vec::new());
        for (axis, n) in x.iter().enumerate() {
            let at = coordinate("i", y, axis);
            let before = self.before[axis];
            if y[axis] > *n {
                inside.push(format!("{at} >= {before}u && {at} < {}u", before + n));
            }
            terms.push(format!("({at} - {before}u) * {}u", from[axis]));
        }
        k.within(At::X(0), &inside, &terms, self.value);
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        format!("pad({:?}, {:?})", self.before, self.after)
    }
}
