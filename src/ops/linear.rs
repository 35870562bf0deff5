//! The fully connected layer: `x[…,in] · w[out,in]ᵀ (+ b[out]) → y[…,out]`.
use super::*;
use crate::backend::cpu::kernels::{
    Act,
    gemm::{Epilogue, scratch_len},
    pack::Strided,
};
use crate::graph::numel;

/// y = act(x·wᵀ + b). `act` is set by fusion only; a fused op has no gradient of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    pub bias: bool,
    pub act: Act,
}

impl OpDef for Linear {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let (last, w) = (x[0].last().copied().unwrap_or(0), x[1]);
        if x[0].len() < 2 || w.len() != 2 || w[1] != last {
            return Err(Problem::new("flat-input")
                .arg("kind", "Linear")
                .arg("got", show(&x[0][1..])));
        }
        let mut y = x[0].to_vec();
        *y.last_mut().expect("has two axes") = w[0];
        Ok(vec![y])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        debug_assert_eq!(self.act, Act::None);
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let flat = |b: &mut Backward, v| {
            let (rows, last) = rows_last(b.shape(v));
            if b.shape(v).len() == 2 {
                return Ok(v);
            }
            b.emit(
                Reshape {
                    shape: vec![rows, last],
                },
                &[v],
            )
        };
        let dy = flat(b, dy)?;
        if b.needs(1) {
            let x = flat(b, b.x(0))?;
            let dw = b.emit(
                MatMul {
                    ta: true,
                    tb: false,
                },
                &[dy, x],
            )?;
            b.give(1, dw)?;
        }
        if self.bias && b.needs(2) {
            let db = b.emit(ColSums, &[dy])?;
            b.give(2, db)?;
        }
        if b.needs(0) {
            let mut dx = b.emit(
                MatMul {
                    ta: false,
                    tb: false,
                },
                &[dy, b.x(1)],
            )?;
            if b.shape(b.x(0)).len() != 2 {
                let shape = b.shape(b.x(0)).to_vec();
                dx = b.emit(Reshape { shape }, &[dx])?;
            }
            b.give(0, dx)?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (rows, n_in) = rows_last(c.xs[0]);
        let n_out = c.xs[1][0];
        for r in 0..rows {
            for o in 0..n_out {
                let mut s = T::of(0.0);
                for i in 0..n_in {
                    s += c.x[0][r * n_in + i] * c.x[1][o * n_in + i];
                }
                if self.bias {
                    s += c.x[2][o];
                }
                c.y[0][r * n_out + o] = s.map(|v| activation::value(self.act, v));
            }
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        let (rows, n_in) = rows_last(x[0]);
        scratch_len(rows, x[1][0], n_in)
    }
    fn cpu(&self, c: &mut Call) {
        let (rows, n_in) = rows_last(c.xs(0));
        let n_out = c.xs(1)[0];
        let a = Strided {
            data: c.x(0),
            xs: n_in,
            ks: 1,
        };
        let w = Strided {
            data: c.x(1),
            xs: n_in,
            ks: 1,
        };
        let epilogue = Epilogue {
            accumulate: false,
            bias: self.bias.then(|| c.x(2)),
            act: self.act,
        };
        c.gemm((rows, n_out, n_in), &a, &w, (0, 0, n_out), &epilogue);
    }
    fn gpu(&self, k: &mut Kernels) {
        let (rows, n_in) = rows_last(k.xs(0));
        let n_out = k.xs(1)[0];
        k.product(&Product {
            shader: shader!("matmul"),
            batch: 1,
            m: rows,
            n: n_out,
            k: n_in,
            a_along_k: true,
            b_along_k: true,
            reads: [At::X(0), At::X(1)],
            write: At::Y(0),
            place: matmul::PLACE,
            bias: self.bias.then_some((At::X(2), "n")),
            finish: activation::finish(self.act),
            sizes: &[("AM", n_in), ("AK", 1), ("BK", 1), ("BN", n_in)],
        });
    }
    fn flops(&self, x: &[&[usize]], y: &[&[usize]]) -> u64 {
        let (_, n_in) = rows_last(x[0]);
        (2 * numel(y[0]) * n_in) as u64 + if self.bias { numel(y[0]) as u64 } else { 0 }
    }
    fn describe(&self) -> String {
        match self.act {
            Act::None => "linear".into(),
            act => format!("linear+{}", activation::describe(act)),
        }
    }
}
