//! Products with a single row or column: a matrix times a vector, four rows of the matrix to a
//! vector register, in the order of summation that `gemm` states.
use super::act::{Act, apply};
use super::gemm::{Epilogue, KC};
use super::pack::Strided;
use super::simd::F32x4;
use std::ops::Range;

/// out[r·os] = epilogue(Σ_p mat[r·rs + p·ks]·x[p·xs]) for r in 0..rows.
struct Gemv {
    rows: usize,
    mat: *const f32,
    rs: usize,
    ks: usize,
    x: *const f32,
    xs: usize,
    out: *mut f32,
    os: usize,
    accumulate: bool,
    /// Null for none; bias of row r at r·bs.
    bias: *const f32,
    bs: usize,
    act: Act,
}

/// C's block of one row or one column.
///
/// # Safety
/// As [`super::gemm::gemm_block`], with operands checked and one of the ranges a single number.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe fn run<V: F32x4>(
    rows: Range<usize>,
    cols: Range<usize>,
    k: usize,
    a: Strided,
    b: Strided,
    c: *mut f32,
    ldc: usize,
    ep: &Epilogue,
) {
    let a_ptr = a.data.as_ptr().wrapping_add(rows.start * a.xs);
    let b_ptr = b.data.as_ptr().wrapping_add(cols.start * b.xs);
    let bias = ep
        .bias
        .map_or(std::ptr::null(), |b| b[cols.start..].as_ptr());
    let out = c.wrapping_add(rows.start * ldc + cols.start);
    let (accumulate, act) = (ep.accumulate, ep.act);
    let g = if cols.len() == 1 {
        Gemv {
            rows: rows.len(),
            mat: a_ptr,
            rs: a.xs,
            ks: a.ks,
            x: b_ptr,
            xs: b.ks,
            out,
            os: ldc,
            accumulate,
            bias,
            bs: 0,
            act,
        }
    } else {
        Gemv {
            rows: cols.len(),
            mat: b_ptr,
            rs: b.xs,
            ks: b.ks,
            x: a_ptr,
            xs: a.ks,
            out,
            os: 1,
            accumulate,
            bias,
            bs: 1,
            act,
        }
    };
    let mut pc = 0;
    loop {
        let kc = KC.min(k - pc);
        let last = pc + kc == k;
        // SAFETY: the rows named exist, by the caller's contract.
        unsafe {
            let mut r = 0;
            while r + 32 <= g.rows && g.rs == 1 {
                g.rows::<V, 8, true>(r, pc, kc, last);
                r += 32;
            }
            while r + 8 <= g.rows && g.rs == 1 {
                g.rows::<V, 2, true>(r, pc, kc, last);
                r += 8;
            }
            while r + 8 <= g.rows {
                g.rows::<V, 2, false>(r, pc, kc, last);
                r += 8;
            }
            while r < g.rows {
                g.rows::<V, 1, false>(r, pc, kc, last);
                r += 4;
            }
        }
        pc += kc;
        if last {
            return;
        }
    }
}

impl Gemv {
    /// Rows r..r+4·G (as far as they exist) and products pc..pc+kc. `UNIT` says that neighbours
    /// in a column are neighbours in memory and that all rows exist.
    ///
    /// # Safety
    /// The fields' pointers reach what their strides name.
    #[inline(never)]
    unsafe fn rows<V: F32x4, const G: usize, const UNIT: bool>(
        &self,
        r: usize,
        pc: usize,
        kc: usize,
        last: bool,
    ) {
        let at = |q: usize| (r + q).min(self.rows - 1);
        let mut acc = [V::zero(); G];
        let (mat, x) = (
            self.mat.wrapping_add(pc * self.ks),
            self.x.wrapping_add(pc * self.xs),
        );
        // SAFETY: rows are clamped to the last, p < kc, and p + 4 ≤ kc for the 4×4 blocks.
        unsafe {
            let mut p = 0;
            if !UNIT && self.ks == 1 {
                while p + 4 <= kc {
                    let xv: [V; 4] = std::array::from_fn(|i| V::splat(*x.add((p + i) * self.xs)));
                    for (g, acc) in acc.iter_mut().enumerate() {
                        let rows = std::array::from_fn(|q| {
                            V::load_ptr(mat.add(at(4 * g + q) * self.rs + p))
                        });
                        for (col, xv) in V::transpose(rows).into_iter().zip(xv) {
                            *acc = xv.mul_add(col, *acc);
                        }
                    }
                    p += 4;
                }
            }
            while p < kc {
                let xv = V::splat(*x.add(p * self.xs));
                let col = mat.add(p * self.ks);
                for (g, acc) in acc.iter_mut().enumerate() {
                    let m = if UNIT {
                        V::load_ptr(col.add(r + 4 * g))
                    } else {
                        V::from_array(std::array::from_fn(|q| *col.add(at(4 * g + q) * self.rs)))
                    };
                    *acc = xv.mul_add(m, *acc);
                }
                p += 1;
            }
            let add = self.accumulate || pc > 0;
            for (g, acc) in acc.into_iter().enumerate() {
                let r = r + 4 * g;
                let n = 4.min(self.rows - r);
                let mut v = acc;
                if add {
                    let c = std::array::from_fn(|q| *self.out.add((r + q.min(n - 1)) * self.os));
                    v = V::from_array(c).add(v);
                }
                if last && !self.bias.is_null() {
                    let b = std::array::from_fn(|q| *self.bias.add((r + q.min(n - 1)) * self.bs));
                    v = v.add(V::from_array(b));
                }
                if last {
                    v = apply(self.act, v);
                }
                for (q, v) in v.to_array().into_iter().enumerate().take(n) {
                    *self.out.add((r + q) * self.os) = v;
                }
            }
        }
    }
}
