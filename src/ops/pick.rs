//! One number of each row, by its index: what an action was worth, a class' own probability.
use super::*;

/// `(x[…,K], i[…]) → y[…]`: y is number i of its row. Indices are whole numbers as f32; one outside
/// 0…K−1 takes the nearest.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick;

/// `(i[…], dy[…]) → dx[…,K]`: dy at the index, else 0.
#[derive(Clone, Debug, PartialEq)]
pub struct PickGrad {
    pub classes: usize,
}

fn place(i: f64, k: usize) -> usize {
    (i as usize).min(k - 1)
}

impl OpDef for Pick {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let lead = &x[0][..x[0].len() - 1];
        if lead != x[1] {
            return Err(Problem::new("same-shape")
                .arg("a", show(lead))
                .arg("b", show(x[1])));
        }
        Ok(vec![lead.to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let (_, classes) = rows_last(b.shape(b.x(0)));
        let dx = b.emit(PickGrad { classes }, &[b.x(1), dy])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, k) = rows_last(c.xs[0]);
        for r in 0..rows {
            c.y[0][r] = c.x[0][r * k + place(c.x[1][r].f64(), k)];
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (_, k) = rows_last(c.xs(0));
        let (x, index, y) = (c.x(0), c.x(1), c.y(0));
        for ((y, i), row) in y.iter_mut().zip(index).zip(x.chunks_exact(k)) {
            *y = row[place(f64::from(*i), k)];
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let classes = rows_last(k.xs(0)).1;
        let at = format!("i * {classes}u + min(u32(max(a0, 0.0)), {}u)", classes - 1);
        k.map(Map {
            n: crate::graph::numel(k.ys(0)),
            reads: vec![(At::X(1), EACH.into()), (At::X(0), at)],
            writes: vec![(At::Y(0), EACH.into())],
            body: "r0 = a1;".into(),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        "pick".into()
    }
}

impl OpDef for PickGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = x[1].to_vec();
        y.push(self.classes);
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        for (r, dy) in c.x[1].iter().enumerate() {
            let at = place(c.x[0][r].f64(), self.classes);
            c.y[0][r * self.classes + at] = *dy;
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (index, dy, dx) = (c.x(0), c.x(1), c.y(0));
        dx.fill(0.0);
        for ((dx, i), dy) in dx.chunks_exact_mut(self.classes).zip(index).zip(dy) {
            dx[place(f64::from(*i), self.classes)] = *dy;
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let classes = self.classes;
        let row = format!("i / {classes}u");
        k.map(Map {
            n: crate::graph::numel(k.ys(0)),
            reads: vec![(At::X(0), row.clone()), (At::X(1), row)],
            writes: vec![(At::Y(0), EACH.into())],
            body: format!(
                "r0 = select(0.0, a1, i % {classes}u == min(u32(max(a0, 0.0)), {}u));",
                classes - 1
            ),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        "pick_grad".into()
    }
}
