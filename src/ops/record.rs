//! What the host reads of a step: metrics and the history's rows.
use super::*;
use crate::graph::numel;

/// `(p[B,C], class[B,1]) → y[1]`: the share of rows whose largest entry is the class; with one
/// column, whose entry is above `threshold` just when the class is 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Correct {
    pub threshold: f32,
}

/// `(history[K,n], s₀[1], … sₙ₋₁[1])`: row `index` of the history takes the n scalars, in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Record;

/// The class that a row of outputs stands for.
pub fn predicted(row: &[f32], threshold: f32) -> usize {
    if row.len() == 1 {
        return usize::from(row[0] > threshold);
    }
    let mut best = 0;
    for (j, v) in row.iter().enumerate() {
        if *v > row[best] {
            best = j;
        }
    }
    best
}

impl OpDef for Correct {
    fn infer(&self, _: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![1]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n) = rows_last(c.xs[0]);
        let mut hits = 0.0;
        for r in 0..rows {
            let row: Vec<f32> = c.x[0][r * n..][..n]
                .iter()
                .map(|v| v.f64() as f32)
                .collect();
            if predicted(&row, self.threshold) == c.x[1][r].f64() as usize {
                hits += 1.0;
            }
        }
        c.y[0][0] = T::of(hits / rows as f64);
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (rows, n) = rows_last(c.xs(0));
        let hits = c
            .x(0)
            .chunks_exact(n)
            .zip(c.x(1))
            .filter(|(row, class)| predicted(row, self.threshold) == **class as usize)
            .count();
        c.y(0)[0] = hits as f32 / rows as f32;
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n) = rows_last(k.xs(0));
        let value = format!(
            "var best = 0u; for (var j = 1u; j < {n}u; j++) {{ if (x0[r * {n}u + j] > x0[r * {n}u + best]) {{ best = j; }} }}"
        );
        let value = match n {
            1 => format!(
                "let best = select(0u, 1u, x0[r] > {});",
                float(self.threshold)
            ),
            _ => value,
        };
        let value = format!("{value} return select(0.0, 1.0, best == u32(x1[r]));");
        let finish = format!("v / {}", float(rows as f32));
        let reads = [At::X(0), At::X(1)];
        k.reduce(&super::reduce::total(rows, &reads, &value, &finish));
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "accuracy".into()
    }
}

impl OpDef for Record {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::InPlace
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let n = c.xs[0][1];
        for i in 0..n {
            c.y[0][c.step.index as usize * n + i] = c.x[i + 1][0];
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let n = c.xs(0)[1];
        let row = c.step.index as usize * n;
        for i in 0..n {
            c.y(0)[row + i] = c.x(i + 1)[0];
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let n = k.xs(0)[1];
        k.map(Map {
            n: 1,
            reads: (0..n).map(|i| (At::X(i + 1), "0".into())).collect(),
            writes: (0..n)
                .map(|i| (At::Y(0), format!("step_index() * {n}u + {i}u")))
                .collect(),
            body: (0..n).map(|i| format!("r{i} = a{i};")).collect(),
            uses: Vec::new(),
            step: true,
        });
    }
    fn flops(&self, _: &[&[usize]], _: &[&[usize]]) -> u64 {
        0
    }
    fn describe(&self) -> String {
        "record".into()
    }
}
