//! The micro-kernel: one register tile of C.
use super::simd::F32x4;

/// Where the micro-kernel finds A[i,p], at p·aks + i·axs, and B[p,·], at p·bks.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    pub a: *const f32,
    pub axs: usize,
    pub aks: usize,
    /// Floats from MR rows of A to the next MR.
    pub next: usize,
    pub b: *const f32,
    pub bks: usize,
}

/// What the micro-kernel does with its tiles of C, one below the other.
pub(super) struct Tile {
    pub c: *mut f32,
    pub ldc: usize,
    pub rows: usize,
    pub cols: usize,
    pub add: bool,
    /// Null for none.
    pub bias: *const f32,
    pub relu: bool,
}

/// C[rows,4·NV] from kc products, MR rows at a time.
///
/// # Safety
/// `op` has `t.rows` rows of A (whole panels where it is packed) and 4·NV columns of B for kc
/// products, `t` lies in C, and the bias, if any, has `t.cols` floats.
#[inline(always)]
pub(super) unsafe fn micro_any<V: F32x4, const MR: usize, const NV: usize>(
    a_direct: bool,
    b_direct: bool,
    kc: usize,
    op: Operands,
    t: &Tile,
) {
    // SAFETY: the caller's.
    unsafe {
        match (a_direct, b_direct) {
            (false, false) => micro::<V, MR, NV, false, false>(kc, op, t),
            (false, true) => micro::<V, MR, NV, false, true>(kc, op, t),
            (true, false) => micro::<V, MR, NV, true, false>(kc, op, t),
            (true, true) => micro::<V, MR, NV, true, true>(kc, op, t),
        }
    }
}

/// # Safety
/// As [`micro_any`].
#[inline(never)]
unsafe fn micro<V: F32x4, const MR: usize, const NV: usize, const AD: bool, const BD: bool>(
    kc: usize,
    op: Operands,
    t: &Tile,
) {
    let aks = if AD { op.aks } else { MR };
    let bks = if BD { op.bks } else { 4 * NV };
    let whole = t.cols == 4 * NV;
    let (mut from, mut to, mut left) = (op.a, t.c, t.rows);
    while left > 0 {
        let rows = left.min(MR);
        let mut acc = [[V::zero(); NV]; MR];
        // A short tile taken straight from memory repeats its last row.
        let mut a: [*const f32; MR] = std::array::from_fn(|i| {
            from.wrapping_add(if AD { i.min(rows - 1) * op.axs } else { i })
        });
        let mut b = op.b;
        for _ in 0..kc {
            // SAFETY: the operands hold kc products; pointers past them are made but not read.
            unsafe {
                let bv: [V; NV] = std::array::from_fn(|j| V::load_ptr(b.add(4 * j)));
                for i in 0..MR {
                    let av = V::splat(*if AD { a[i] } else { a[0].add(i) });
                    for j in 0..NV {
                        acc[i][j] = av.mul_add(bv[j], acc[i][j]);
                    }
                }
            }
            if AD {
                for a in &mut a {
                    *a = a.wrapping_add(aks);
                }
            } else {
                a[0] = a[0].wrapping_add(aks);
            }
            b = b.wrapping_add(bks);
        }
        if rows == MR && whole {
            for (i, acc) in acc.iter().enumerate() {
                for (j, acc) in acc.iter().enumerate() {
                    let c = to.wrapping_add(i * t.ldc + 4 * j);
                    // SAFETY: the tile is whole and lies in C; the bias has its columns.
                    unsafe {
                        let mut v = *acc;
                        if t.add {
                            v = V::load_ptr(c).add(v);
                        }
                        if !t.bias.is_null() {
                            v = v.add(V::load_ptr(t.bias.add(4 * j)));
                        }
                        if t.relu {
                            v = v.max(V::zero());
                        }
                        v.store_ptr(c);
                    }
                }
            }
        } else {
            for (i, acc) in acc.iter().enumerate().take(rows) {
                let mut row = [[0.0; 4]; 4];
                for (row, acc) in row.iter_mut().zip(acc) {
                    *row = acc.to_array();
                }
                // SAFETY: the first `rows` rows and `t.cols` columns lie in C, the bias has its
                // columns.
                unsafe { finish_part(row.as_flattened(), t, to.wrapping_add(i * t.ldc)) }
            }
        }
        from = from.wrapping_add(op.next);
        to = to.wrapping_add(MR * t.ldc);
        left -= rows;
    }
}

/// A row of a tile that is cut off; the same arithmetic as for a whole one.
///
/// # Safety
/// As [`micro_any`].
#[inline(never)]
unsafe fn finish_part(acc: &[f32], t: &Tile, row: *mut f32) {
    for (j, acc) in acc[..t.cols].iter().enumerate() {
        // SAFETY: the caller's.
        unsafe {
            let c = row.add(j);
            let mut v = *acc;
            if t.add {
                v += *c;
            }
            if !t.bias.is_null() {
                v += *t.bias.add(j);
            }
            if t.relu && v < 0.0 {
                v = 0.0;
            }
            *c = v;
        }
    }
}
