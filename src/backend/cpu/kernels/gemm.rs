//! `C[m,n]` = act(A·B + bias), or act(C + A·B + bias): packed, cache-blocked, register-blocked.
//!
//! **Order of summation.** For every element of C, k is cut into blocks of [`KC`]; within a block
//! products are added one after the other to an accumulator that starts at 0, and the blocks'
//! sums are added to C in turn. All paths keep this order, whatever the tile, the panel or the
//! operands' strides. So any part of C may be computed by anyone, in any order, with the same
//! bits: a pool divides C by [`part`] into blocks of rows and columns and calls [`gemm_block`]
//! for each, every worker with scratch of its own.
use super::act::Act;
use super::elementwise::act_in_place;
use super::gemv;
use super::micro::{Operands, Tile, micro_any};
use super::pack::{SLACK, Source, Strided};
use super::simd::F32x4;
use std::ops::Range;

/// Products summed in one accumulator; fixed, since it shows in the bits of the result.
pub const KC: usize = 256;
/// Rows and columns of the packed blocks: KC·MC floats stay in L2, KC·NC in L2 or L3.
const MC: usize = 96;
const NC: usize = 768;

/// What becomes of the product before it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// Add to what C holds.
    pub accumulate: bool,
    /// One per column of C.
    pub bias: Option<&'a [f32]>,
    pub act: Act,
}

impl Epilogue<'_> {
    pub const STORE: Epilogue<'static> = Epilogue {
        accumulate: false,
        bias: None,
        act: Act::None,
    };
    pub const ADD: Epilogue<'static> = Epilogue {
        accumulate: true,
        bias: None,
        act: Act::None,
    };
}

/// Floats of scratch that suffice for [`gemm`], and for [`gemm_block`] on a part, of this size.
pub fn scratch_len(m: usize, n: usize, k: usize) -> usize {
    let kc = k.min(KC);
    // A panel of A is up to 12 rows, one of B up to 16 columns.
    kc * ((m.min(MC) + 12) + (n.min(NC) + 16)) + 4 * SLACK + 16
}

/// `C[m,n]` = epilogue(`A[m,k]`·`B[k,n]`); row i of C begins at `c[i·ldc]`.
///
/// Panics if an operand, the bias or C is too short, ldc < n, or the scratch is shorter than
/// [`scratch_len`].
#[allow(clippy::too_many_arguments)]
pub fn gemm<V: F32x4, A: Source, B: Source>(
    m: usize,
    n: usize,
    k: usize,
    a: &A,
    b: &B,
    c: &mut [f32],
    ldc: usize,
    ep: &Epilogue,
    scratch: &mut [f32],
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(ldc >= n && (m - 1) * ldc + n <= c.len());
    // SAFETY: all of C lies in `c`.
    unsafe { gemm_block::<V, A, B>(0..m, 0..n, k, a, b, c.as_mut_ptr(), ldc, ep, scratch) }
}

/// The rows and columns of `C[m,n]` that worker `i` of `parts` computes. The longer side is divided,
/// at multiples of 12 rows or 16 columns; a worker may get nothing.
pub fn part(m: usize, n: usize, i: usize, parts: usize) -> (Range<usize>, Range<usize>) {
    let cut = |len: usize, unit: usize| {
        let units = len.div_ceil(unit);
        let at = |i: usize| (units * i / parts * unit).min(len);
        at(i)..at(i + 1)
    };
    if m >= n {
        (cut(m, 12), 0..n)
    } else {
        (0..m, cut(n, 16))
    }
}

/// The part `rows` × `cols` of the product that [`gemm`] computes; `c` points to C's element (0, 0).
///
/// # Safety
/// C's elements in `rows` × `cols` are valid for reading and writing, and nobody else accesses them
/// meanwhile.
#[allow(clippy::too_many_arguments)]
pub unsafe fn gemm_block<V: F32x4, A: Source, B: Source>(
    rows: Range<usize>,
    cols: Range<usize>,
    k: usize,
    a: &A,
    b: &B,
    c: *mut f32,
    ldc: usize,
    ep: &Epilogue,
    scratch: &mut [f32],
) {
    if rows.is_empty() || cols.is_empty() {
        return;
    }
    assert!(scratch.len() >= scratch_len(rows.len(), cols.len(), k));
    assert!(ep.bias.is_none_or(|b| b.len() >= cols.end));
    let (sa, sb) = (a.strided(), b.strided());
    if let Some(s) = sa {
        s.check(rows.end, k);
    }
    if let Some(s) = sb {
        s.check(cols.end, k);
    }
    let job = Job {
        rows,
        cols,
        k,
        a,
        b,
        sa,
        sb,
        c,
        ldc,
        ep,
    };
    // SAFETY: the strided operands were checked, the rest is this function's contract.
    unsafe {
        if let (Some(sa), Some(sb)) = (sa, sb)
            && (job.rows.len() == 1 || job.cols.len() == 1)
        {
            return gemv::run::<V>(job.rows, job.cols, k, sa, sb, c, ldc, ep);
        }
        match width(job.rows.len(), job.cols.len()) {
            1 => job.run::<V, 8, 1>(scratch),
            2 => job.run::<V, 4, 2>(scratch),
            _ => job.run::<V, 3, 3>(scratch),
        }
    }
}

/// Vectors across the tile that suits a product best: 8×4, 4×8 or 3×12.
fn width(m: usize, n: usize) -> usize {
    // Measured: per vector of columns, a 3×12 tile costs 1.00, 3×8 1.26, 4×8 1.07.
    let vectors = n.div_ceil(4);
    let threes = vectors.div_ceil(3);
    let narrow = (3 * threes - vectors).min(threes);
    let cost_3x12 = m.next_multiple_of(3) * (300 * (threes - narrow) + 253 * narrow);
    let cost_4x8 = m.next_multiple_of(4) * 107 * vectors.next_multiple_of(2);
    if vectors == 1 && m > 4 {
        1
    } else if cost_4x8 <= cost_3x12 {
        2
    } else {
        3
    }
}

/// A right operand together with its panels, for products of one size with many left operands.
pub struct Prepacked<'a, B> {
    source: B,
    nv: usize,
    n: usize,
    panels: &'a [f32],
}

impl<'a, B: Source> Prepacked<'a, B> {
    /// Floats that [`Prepacked::new`] wants.
    pub fn len(n: usize, k: usize) -> usize {
        n.next_multiple_of(4) * k + SLACK
    }
    /// For products `[m,k]`·`[k,n]`.
    pub fn new<V: F32x4>(m: usize, n: usize, k: usize, source: B, room: &'a mut [f32]) -> Self {
        let nv = width(m, n);
        match nv {
            1 => pack_all::<V, B, 1>(n, k, &source, room),
            2 => pack_all::<V, B, 2>(n, k, &source, room),
            _ => pack_all::<V, B, 3>(n, k, &source, room),
        }
        Prepacked {
            source,
            nv,
            n,
            panels: room,
        }
    }
}

impl<B: Source> Source for Prepacked<'_, B> {
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        self.source.pack::<V, W>(x, k, out);
    }
    fn panels(&self, nv: usize, n: usize) -> Option<&[f32]> {
        ((nv, n) == (self.nv, self.n)).then_some(self.panels)
    }
}

/// Every block in the order of [`Job::run`].
fn pack_all<V: F32x4, B: Source, const NV: usize>(n: usize, k: usize, b: &B, out: &mut [f32]) {
    let nc_max = columns::<NV>();
    for jc in (0..n).step_by(nc_max) {
        let nc = nc_max.min(n - jc);
        for pc in (0..k).step_by(KC) {
            let ks = pc..k.min(pc + KC);
            let out = &mut out[jc * k + pc * nc.next_multiple_of(4)..];
            pack_block::<V, B, NV>(b, jc, nc, ks, out);
        }
    }
}

/// Columns of a block.
const fn columns<const NV: usize>() -> usize {
    NC / (4 * NV) * (4 * NV)
}

/// Packs the panels of a block of columns.
fn pack_block<V: F32x4, B: Source, const NV: usize>(
    b: &B,
    jc: usize,
    nc: usize,
    ks: Range<usize>,
    out: &mut [f32],
) {
    for (j, v) in panels::<NV>(nc) {
        let x = jc + j..jc + nc.min(j + 4 * v);
        let (out, ks) = (&mut out[j * ks.len()..], ks.clone());
        match v {
            3 if NV >= 3 => b.pack::<V, 12>(x, ks, out),
            2 if NV >= 2 => b.pack::<V, 8>(x, ks, out),
            _ => b.pack::<V, 4>(x, ks, out),
        }
    }
}

struct Job<'a, A, B> {
    rows: Range<usize>,
    cols: Range<usize>,
    k: usize,
    a: &'a A,
    b: &'a B,
    sa: Option<Strided<'a>>,
    sb: Option<Strided<'a>>,
    c: *mut f32,
    ldc: usize,
    ep: &'a Epilogue<'a>,
}

/// Floats from `p` on by which it misses a 16-byte boundary.
fn align(p: *const f32) -> usize {
    (p as usize).wrapping_neg() % 16 / 4
}

/// Cuts `n` columns into panels of at most `NV` vectors, as even as can be: (column, vectors).
fn panels<const NV: usize>(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let vectors = n.div_ceil(4);
    let count = vectors.div_ceil(NV);
    let (base, wider) = (vectors / count, vectors % count);
    (0..count).map(move |i| (4 * (i * base + i.min(wider)), base + usize::from(i < wider)))
}

impl<A: Source, B: Source> Job<'_, A, B> {
    /// # Safety
    /// As [`gemm_block`], with the scratch and the operands checked.
    unsafe fn run<V: F32x4, const MR: usize, const NV: usize>(&self, scratch: &mut [f32]) {
        let (m, n) = (self.rows.len(), self.cols.len());
        let kc_max = self.k.min(KC);
        let skip = align(scratch.as_ptr());
        let (_, scratch) = scratch.split_at_mut(skip);
        let (pa, pb) =
            scratch.split_at_mut((kc_max * (m.min(MC) + 12) + SLACK).next_multiple_of(4));
        // Packing pays when a panel is used several times.
        let a_direct = self.sa.filter(|_| n <= 16 * NV);
        let b_direct = self.sb.filter(|s| s.xs == 1 && m <= 2 * MR);
        let nc_max = columns::<NV>();
        // Where all panels of B stay in the first cache, so do a few rows of A.
        let small = n.min(nc_max) * kc_max <= 8192;
        let mc_max = if small { 2 * MR } else { MC / MR * MR };
        let prepacked = self.b.panels(NV, n).filter(|_| self.cols.start == 0);

        for jc in self.cols.clone().step_by(nc_max) {
            let nc = nc_max.min(self.cols.end - jc);
            let mut pc = 0;
            loop {
                let kc = KC.min(self.k - pc);
                let ks = pc..pc + kc;
                let last = pc + kc == self.k;
                let block = match prepacked {
                    Some(all) => &all[jc * self.k + pc * nc.next_multiple_of(4)..],
                    None => {
                        // What is taken where it lies needs no panels, unless some are cut off.
                        if b_direct.is_none() || !nc.is_multiple_of(4) {
                            pack_block::<V, B, NV>(self.b, jc, nc, ks.clone(), pb);
                        }
                        &*pb
                    }
                };
                for ic in self.rows.clone().step_by(mc_max) {
                    let mc = mc_max.min(self.rows.end - ic);
                    if a_direct.is_none() {
                        for i in (0..mc).step_by(MR) {
                            let x = ic + i..ic + i + MR.min(mc - i);
                            self.a.pack::<V, MR>(x, ks.clone(), &mut pa[i * kc..]);
                        }
                    }
                    for (j, v) in panels::<NV>(nc) {
                        let w = (4 * v).min(nc - j);
                        let direct = b_direct.filter(|_| w == 4 * v);
                        let (b, bks) = match direct {
                            Some(s) => (s.data.as_ptr().wrapping_add(jc + j + pc * s.ks), s.ks),
                            None => (block[j * kc..].as_ptr(), 4 * v),
                        };
                        let bias = match self.ep.bias {
                            Some(bias) if last => bias[jc + j..].as_ptr(),
                            _ => std::ptr::null(),
                        };
                        let tile = Tile {
                            c: self.c.wrapping_add(ic * self.ldc + jc + j),
                            ldc: self.ldc,
                            rows: mc,
                            cols: w,
                            add: self.ep.accumulate || pc > 0,
                            bias,
                            relu: last && self.ep.act == Act::Relu,
                        };
                        let op = match a_direct {
                            Some(s) => Operands {
                                a: s.data.as_ptr().wrapping_add(ic * s.xs + pc * s.ks),
                                next: MR * s.xs,
                                axs: s.xs,
                                aks: s.ks,
                                b,
                                bks,
                            },
                            None => Operands {
                                a: pa.as_ptr(),
                                next: MR * kc,
                                axs: 1,
                                aks: MR,
                                b,
                                bks,
                            },
                        };
                        // SAFETY: operands and scratch hold what the tile reads, and the tile
                        // lies in the block the caller vouches for.
                        unsafe {
                            match v {
                                3 if NV >= 3 => micro_any::<V, MR, 3>(
                                    a_direct.is_some(),
                                    direct.is_some(),
                                    kc,
                                    op,
                                    &tile,
                                ),
                                2 if NV >= 2 => micro_any::<V, MR, 2>(
                                    a_direct.is_some(),
                                    direct.is_some(),
                                    kc,
                                    op,
                                    &tile,
                                ),
                                _ => micro_any::<V, MR, 1>(
                                    a_direct.is_some(),
                                    direct.is_some(),
                                    kc,
                                    op,
                                    &tile,
                                ),
                            }
                        }
                    }
                    if last && !matches!(self.ep.act, Act::None | Act::Relu) {
                        for i in ic..ic + mc {
                            // SAFETY: the row lies in the block the caller vouches for.
                            let row = unsafe {
                                std::slice::from_raw_parts_mut(self.c.add(i * self.ldc + jc), nc)
                            };
                            act_in_place::<V>(self.ep.act, row);
                        }
                    }
                }
                pc += kc;
                if last {
                    break;
                }
            }
        }
    }
}
