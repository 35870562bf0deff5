//! Rows of a table by number, and a table added to every sample.
use super::*;
use crate::backend::cpu::kernels::{V, elementwise};
use crate::graph::numel;

/// `(id[…], table[V,D]) → y[…,D]`: y is row id of the table. Ids are whole numbers as f32; one
/// outside 0…V−1 takes the nearest row.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding;

/// `(id[…], dy[…,D]) → dtable[V,D]`: each row of dy is added to its id's row, in order. Only the
/// rows in use are written after one clearing pass.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingGrad {
    pub vocab: usize,
}

/// `(x[N,…], row[…]) → y[N,…]`, y = x + row for each sample.
#[derive(Clone, Debug, PartialEq)]
pub struct AddRow;

fn row_of(id: f64, vocab: usize) -> usize {
    (id as usize).min(vocab - 1)
}

impl OpDef for Embedding {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = x[0].to_vec();
        y.push(x[1][1]);
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        if b.needs(1) {
            let vocab = b.shape(b.x(1))[0];
            let dw = b.emit(EmbeddingGrad { vocab }, &[b.x(0), dy])?;
            b.give(1, dw)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (vocab, d) = (c.xs[1][0], c.xs[1][1]);
        for (i, id) in c.x[0].iter().enumerate() {
            let row = row_of(id.f64(), vocab);
            c.y[0][i * d..][..d].copy_from_slice(&c.x[1][row * d..][..d]);
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::rows(x[0], &[0])
    }
    fn cpu(&self, c: &mut Call) {
        let (vocab, d) = (c.xs(1)[0], c.xs(1)[1]);
        let (ids, table, y) = (c.x(0), c.x(1), c.y(0));
        for (y, id) in y.chunks_exact_mut(d).zip(ids) {
            y.copy_from_slice(&table[row_of(f64::from(*id), vocab) * d..][..d]);
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        let (vocab, d) = (k.xs(1)[0], k.xs(1)[1]);
        k.map(Map {
            n: numel(k.ys(0)),
            reads: vec![
                (At::X(0), format!("i / {d}u")),
                (
                    At::X(1),
                    format!("min(u32(max(a0, 0.0)), {}u) * {d}u + i % {d}u", vocab - 1),
                ),
            ],
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
        "embedding".into()
    }
}

impl OpDef for EmbeddingGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let d = x[1].last().copied().unwrap_or(1);
        Ok(vec![vec![self.vocab, d]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (_, d) = rows_last(c.xs[1]);
        for (i, id) in c.x[0].iter().enumerate() {
            let row = row_of(id.f64(), self.vocab);
            for j in 0..d {
                c.y[0][row * d + j] += c.x[1][i * d + j];
            }
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn cpu(&self, c: &mut Call) {
        let (_, d) = rows_last(c.xs(1));
        let (ids, dy, dw) = (c.x(0), c.x(1), c.y(0));
        dw.fill(0.0);
        for (dy, id) in dy.chunks_exact(d).zip(ids) {
            let row = &mut dw[row_of(f64::from(*id), self.vocab) * d..][..d];
            elementwise::add_in_place::<V>(row, dy);
        }
    }
    fn gpu(&self, k: &mut Kernels) {
        // Floating-point atomics would add in any order. Instead each row of the table has one bit for
        // every 32 neighbouring ids, which says whether it is among them; it then reads those alone.
        let (n, d) = rows_last(k.xs(1));
        let words = n.div_ceil(32).div_ceil(32);
        let bits = k.scratch(self.vocab * words);
        k.map(Map {
            n: self.vocab * words,
            reads: Vec::new(),
            writes: vec![(bits, EACH.into())],
            body: "r0 = 0.0;".into(),
            uses: Vec::new(),
            step: false,
        });
        let sizes = [
            ("IDS", n),
            ("VOCAB", self.vocab),
            ("WORDS", words),
            ("D", d),
        ];
        k.kernel(shader!("embedding_mark"))
            .sizes(&sizes)
            .bind(&[At::X(0), bits])
            .flat(n);
        k.kernel(shader!("embedding_grad"))
            .sizes(&sizes)
            .bind(&[At::X(0), At::X(1), bits, At::Y(0)])
            .flat(self.vocab * d);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[1]) as u64
    }
    fn describe(&self) -> String {
        "embedding_grad".into()
    }
}

impl OpDef for AddRow {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        if x[0][1..] != *x[1] {
            return Err(Problem::new("same-shape")
                .arg("a", show(&x[0][1..]))
                .arg("b", show(x[1])));
        }
        Ok(vec![x[0].to_vec()])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        b.give(0, dy)?;
        if b.needs(1) {
            let row = b.shape(b.x(1)).to_vec();
            let shape = vec![b.shape(dy)[0], numel(&row)];
            let flat = b.emit(Reshape { shape }, &[dy])?;
            let sums = b.emit(ColSums, &[flat])?;
            let drow = b.emit(Reshape { shape: row }, &[sums])?;
            b.give(1, drow)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let n = c.x[1].len();
        for (i, y) in c.y[0].iter_mut().enumerate() {
            *y = c.x[0][i] + c.x[1][i % n];
        }
    }
    fn scratch(&self, _: &[&[usize]], _: &[&[usize]]) -> usize {
        0
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::rows(x[0], &[0])
    }
    fn cpu(&self, c: &mut Call) {
        elementwise::bias_add::<V>(c.x(0), c.x(1), c.y(0));
    }
    fn gpu(&self, k: &mut Kernels) {
        let row = format!("i % {}u", numel(k.xs(1)));
        k.map(Map {
            n: numel(k.ys(0)),
            reads: vec![(At::X(0), EACH.into()), (At::X(1), row)],
            writes: vec![(At::Y(0), EACH.into())],
            body: "r0 = a0 + a1;".into(),
            uses: Vec::new(),
            step: false,
        });
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        numel(x[0]) as u64
    }
    fn describe(&self) -> String {
        "add_row".into()
    }
}
