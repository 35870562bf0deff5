//! Reductions of any elements: `y[o] = finish(fold over r < count of value(o, r))`.
use super::kernel::{At, Kernels, shader};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    Sum,
    Max,
}

pub struct Reduction<'r> {
    /// Results.
    pub outs: usize,
    /// Elements of each.
    pub count: usize,
    /// Bound as `x0`, `x1`, …
    pub reads: &'r [At],
    /// Statements that return element r of result o.
    pub value: &'r str,
    pub combine: Combine,
    /// The result from what was folded, in terms of v and o.
    pub finish: &'r str,
    /// Whether neighbours in r, rather than those in o, are neighbours in memory.
    pub along_r: bool,
    pub write: At,
    pub uses: &'r [&'static str],
}

impl Kernels<'_> {
    /// Sums over the rows of matrices `[rows, n]`, where o is the column and r the row.
    pub fn columns(
        &mut self,
        rows: usize,
        n: usize,
        reads: &[At],
        value: &str,
        finish: &str,
        write: At,
    ) {
        self.reduce(&Reduction {
            outs: n,
            count: rows,
            reads,
            value,
            combine: Combine::Sum,
            finish,
            along_r: false,
            write,
            uses: &[],
        });
    }

    pub fn reduce(&mut self, r: &Reduction) {
        let lanes = match r.count {
            _ if !r.along_r || self.alone() => 1,
            0..32 => 1,
            32..1024 => 64,
            _ => 256,
        };
        // Parts, so that few results keep many lanes busy; each is long enough to be worth it.
        let (wanted, least) = if self.alone() {
            (64 / r.outs, 256)
        } else if lanes > 1 {
            (32usize.div_ceil(r.outs), 16 * lanes)
        } else {
            (4096 / r.outs, 64)
        };
        let split = wanted.min(r.count / least).max(1);
        if split == 1 {
            return self.fold(r, lanes, 1, r.value, r.reads, r.finish, r.write);
        }
        let parts = self.scratch(split * r.outs);
        self.fold(r, lanes, split, r.value, r.reads, "v", parts);
        let second = Reduction {
            count: split,
            along_r: false,
            uses: &[],
            ..*r
        };
        let mut reads = vec![parts];
        reads.extend_from_slice(r.reads);
        // The finish may name the inputs, so they keep their names.
        self.second(&second, &reads);
    }

    fn second(&mut self, r: &Reduction, reads: &[At]) {
        let names: Vec<String> = (0..reads.len())
            .map(|i| match i {
                0 => "#read parts: array<f32>".to_string(),
                i if r.finish.contains(&format!("x{}[", i - 1)) => {
                    format!("#read x{}: array<f32>", i - 1)
                }
                _ => String::new(),
            })
            .filter(|l| !l.is_empty())
            .collect();
        let bind: Vec<At> = reads
            .iter()
            .enumerate()
            .filter(|(i, _)| *i == 0 || r.finish.contains(&format!("x{}[", i - 1)))
            .map(|(_, a)| *a)
            .collect();
        let value = format!("return parts[r * {}u + o];", r.outs);
        self.pass(
            r,
            (1, 1),
            &value,
            &names.join("\n"),
            &bind,
            r.finish,
            r.write,
        );
    }

    #[allow(clippy::too_many_arguments, reason = "one caller above")]
    fn fold(
        &mut self,
        r: &Reduction,
        lanes: usize,
        split: usize,
        value: &str,
        reads: &[At],
        finish: &str,
        write: At,
    ) {
        let names: Vec<String> = (0..reads.len())
            .map(|i| format!("#read x{i}: array<f32>"))
            .collect();
        self.pass(
            r,
            (lanes, split),
            value,
            &names.join("\n"),
            reads,
            finish,
            write,
        );
    }

    #[allow(clippy::too_many_arguments, reason = "two callers above")]
    fn pass(
        &mut self,
        r: &Reduction,
        (lanes, split): (usize, usize),
        value: &str,
        names: &str,
        reads: &[At],
        finish: &str,
        write: At,
    ) {
        let uses: String = r.uses.iter().map(|u| format!("#use {u}\n")).collect();
        let (fold, start) = match r.combine {
            Combine::Sum => ("a + b", "0.0"),
            Combine::Max => ("select(b, a, a > b || a != a)", "-3.4028234e38"),
        };
        let rows = r.outs * split;
        let k = self
            .kernel(shader!("reduce"))
            .sizes(&[
                ("OUTS", r.outs),
                ("ROWS", rows),
                ("COUNT", r.count),
                ("PART", r.count.div_ceil(split)),
            ])
            .flag("WIDE", lanes > 1)
            .flag("SUM", r.combine == Combine::Sum)
            .hole("READS", names)
            .hole("USES", uses)
            .hole("VALUE", value)
            .hole("FOLD", fold)
            .hole("START", start)
            .hole("FINISH", format!("return {finish};"))
            .bind(reads)
            .bind(&[write]);
        k.rows(rows, lanes);
    }
}
