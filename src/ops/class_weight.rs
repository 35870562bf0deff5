//! Losses of samples times the weights of their classes.
use super::*;

/// `(loss[B], class[B,1], weight[K]) → y[B]`: y is loss·w with w the weight of the sample's class, as
/// Keras' `class_weight` has it; with `normalized` loss·w·B/Σw, so that the mean over the batch is
/// Σ loss·w / Σw, as PyTorch's `CrossEntropyLoss(weight)` gives it. A batch without any weight is 0.
///
/// Linear in the loss with a factor for each sample, so its gradient is the op itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassWeight {
    pub normalized: bool,
}

fn place(class: f64, classes: usize) -> usize {
    (class as usize).min(classes - 1)
}

/// Σw → what every w is multiplied by.
fn share(sum: f64, rows: usize) -> f64 {
    if sum > 0.0 { rows as f64 / sum } else { 0.0 }
}

impl OpDef for ClassWeight {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let dx = b.emit(self.clone(), &[dy, b.x(1), b.x(2)])?;
        b.give(0, dx)
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, k) = (c.x[0].len(), c.x[2].len());
        let mut sum = 0.0;
        for i in 0..rows {
            sum += c.x[2][place(c.x[1][i].f64(), k)].f64();
        }
        let by = if self.normalized {
            share(sum, rows)
        } else {
            1.0
        };
        for i in 0..rows {
            let w = c.x[2][place(c.x[1][i].f64(), k)];
            c.y[0][i] = c.x[0][i] * w * T::of(by);
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (loss, class, weight, y) = (c.x(0), c.x(1), c.x(2), c.y(0));
        let of = |c: &f32| weight[place(f64::from(*c), weight.len())];
        let by = match self.normalized {
            true => share(class.iter().map(|c| f64::from(of(c))).sum(), class.len()) as f32,
            false => 1.0,
        };
        for ((y, l), c) in y.iter_mut().zip(loss).zip(class) {
            *y = l * (of(c) * by);
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, classes) = (k.xs(0)[0], k.xs(2)[0]);
        let at = |class: &str| format!("min(u32(max({class}, 0.0)), {}u)", classes - 1);
        let mut reads = vec![
            (At::X(0), EACH.into()),
            (At::X(1), EACH.into()),
            (At::X(2), at("a1")),
        ];
        let mut body = "r0 = a0 * a2;";
        if self.normalized {
            let sum = k.scratch(1);
            k.reduce(&Reduction {
                outs: 1,
                count: rows,
                reads: &[At::X(1), At::X(2)],
                value: &format!("return x1[{}];", at("x0[r]")),
                combine: Combine::Sum,
                finish: &format!("select(0.0, {} / v, v > 0.0)", float(rows as f32)),
                along_r: true,
                write: sum,
                uses: &[],
            });
            reads.push((sum, "0".into()));
            body = "r0 = a0 * (a2 * a3);";
        }
        k.map(Map {
            n: rows,
            reads,
            writes: vec![(At::Y(0), EACH.into())],
            body: body.into(),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        2 * x[0][0] as u64
    }
    fn describe(&self) -> String {
        let by = if self.normalized { " normalized" } else { "" };
        format!("class_weight{by}")
    }
}
