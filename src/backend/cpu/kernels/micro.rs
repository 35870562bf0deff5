//! The micro-kernel: one register tile of C.
use super::simd::F32x4;

/// Where the micro-kernel finds A[i,p], at p·aks + i·axs, and B[p,·], at p·bks.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    pub a: *const f32,
    pub axs: usize,
    pub aks: usize,
    pub b: *const f32,
    pub bks: usize,
}

/// What the micro-kernel does with its tile of C.
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

/// C[MR,4·NV] from kc products.
///
/// # Safety
/// `op` has `t.rows` rows of A (MR where `a_packed`) and 4·NV columns of B for kc products, `t` lies in C, and
/// the bias, if any, has `t.cols` floats.
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
    let mut acc = [[V::zero(); NV]; MR];
    let aks = if AD { op.aks } else { MR };
    let bks = if BD { op.bks } else { 4 * NV };
    // A short tile taken straight from memory repeats its last row.
    let mut a: [*const f32; MR] = std::array::from_fn(|i| {
        op.a.wrapping_add(if AD { i.min(t.rows - 1) * op.axs } else { i })
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
    if t.rows == MR && t.cols == 4 * NV {
        let finish = |acc: V, c: *mut f32, j: usize| {
            // SAFETY: the tile is whole and lies in C; the bias has its columns.
            unsafe {
                let mut v = acc;
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
        };
        for (i, acc) in acc.iter().enumerate() {
            for (j, acc) in acc.iter().enumerate() {
                finish(*acc, t.c.wrapping_add(i * t.ldc + 4 * j), j);
            }
        }
        return;
    }
    let mut rows = [[0.0; 4]; 16];
    for (i, acc) in acc.iter().enumerate().take(t.rows) {
        for (row, acc) in rows.iter_mut().zip(acc) {
            *row = acc.to_array();
        }
        // SAFETY: the first `t.rows` rows and `t.cols` columns lie in C, the bias has its columns.
        unsafe { finish_part(rows.as_flattened(), t, i) }
    }
}

/// Row `i` of a tile that is cut off; the same arithmetic as for a whole one.
///
/// # Safety
/// As [`micro_any`].
#[inline(never)]
unsafe fn finish_part(acc: &[f32], t: &Tile, i: usize) {
    for (j, acc) in acc[..t.cols].iter().enumerate() {
        // SAFETY: the caller's.
        unsafe {
            let c = t.c.add(i * t.ldc + j);
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
