//! Arguments of a kernel call.
use super::kernels::V;
use super::kernels::elementwise::add_in_place;
use super::kernels::gemm::{self, Epilogue};
use super::kernels::pack::Source;
use super::pool;
use crate::graph::{Dtype, Shape, numel};
use crate::ops::StepCtx;
use std::ops::Range;

/// Pieces of a sum over rows, with any number of threads: their number shows in the bits of the
/// result. See [`Call::sums`].
pub const SUMS: usize = 8;

/// A tensor in a block's memory.
///
/// Invariant: the address stays good for as long as the block lives, and whoever holds views
/// (the backend, `run_op`) keeps the blocks alive beside them.
pub struct View {
    data: *mut f32,
    /// Elements.
    len: usize,
    pub shape: Shape,
    pub dtype: Dtype,
}

impl View {
    /// `offset` in floats, into a block of `floats`. Panics when the tensor does not fit.
    pub(super) fn at(
        data: *mut f32,
        floats: usize,
        offset: usize,
        shape: &[usize],
        dtype: Dtype,
    ) -> View {
        let len = numel(shape);
        let words = match dtype {
            Dtype::F32 => len,
            Dtype::U8 => len.div_ceil(4),
        };
        assert!(offset + words <= floats, "a tensor must lie in its block");
        View {
            // SAFETY: within the block, as just asserted.
            data: unsafe { data.add(offset) },
            len,
            shape: shape.to_vec(),
            dtype,
        }
    }
    /// Rows `first..first + rows` of the tensor, whose first axis holds `of` rows or a multiple.
    pub(super) fn cut(&self, first: usize, rows: usize, of: usize) -> View {
        debug_assert_eq!(self.dtype, Dtype::F32);
        let row = self.len / of;
        let mut shape = self.shape.clone();
        shape[0] = shape[0] / of * rows;
        assert!((first + rows) * row <= self.len && numel(&shape) == rows * row);
        View {
            // SAFETY: within the tensor, as just asserted.
            data: unsafe { self.data.add(first * row) },
            len: rows * row,
            shape,
            dtype: self.dtype,
        }
    }
    /// The same tensor.
    pub(super) fn share(&self) -> View {
        View {
            shape: self.shape.clone(),
            ..*self
        }
    }
    pub(super) fn over(data: &mut [f32], shape: &[usize]) -> View {
        View::at(data.as_mut_ptr(), data.len(), 0, shape, Dtype::F32)
    }
    pub(super) fn f32(&self) -> &[f32] {
        debug_assert_eq!(self.dtype, Dtype::F32);
        // SAFETY: `len` floats lie there (checked in `at`).
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
    #[allow(
        clippy::mut_from_ref,
        reason = "memory is shared between steps by the plan"
    )]
    pub(super) fn f32_mut(&self) -> &mut [f32] {
        debug_assert_eq!(self.dtype, Dtype::F32);
        // SAFETY: as above; the plan never lets a step's output overlap what it reads, except
        // in-place ops, which do not read that input.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.len) }
    }
    pub(super) fn u8(&self) -> &[u8] {
        debug_assert_eq!(self.dtype, Dtype::U8);
        // SAFETY: `len` bytes lie there (checked in `at`).
        unsafe { std::slice::from_raw_parts(self.data.cast(), self.len) }
    }
    #[allow(clippy::mut_from_ref, reason = "as f32_mut")]
    pub(super) fn u8_mut(&self) -> &mut [u8] {
        debug_assert_eq!(self.dtype, Dtype::U8);
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.data.cast(), self.len) }
    }
}

// SAFETY: a view is an address and a length. Threads that share views work on different parts of
// what they write.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

/// An address that threads share, each for its own part.
#[derive(Clone, Copy)]
struct Shared(*mut f32);
// SAFETY: see `Call::gemm`.
unsafe impl Sync for Shared {}
impl Shared {
    fn get(&self) -> *mut f32 {
        self.0
    }
}

/// Called as `work(rows, floats of those rows, scratch)`.
pub type RowsWork<'a> = &'a (dyn Fn(Range<usize>, &mut [f32], &mut [f32]) + Sync);

/// What a kernel gets: inputs, outputs, scratch memory, and which step it is.
///
/// Outputs of an in-place op are its first inputs; such an op reads them through [`Call::y`] only.
pub struct Call<'a> {
    x: &'a [View],
    y: &'a [View],
    /// One per thread that may help; the first is the caller's.
    scratch: &'a [View],
    /// Floats at the beginning of the caller's scratch that are in use: see [`Call::keep`].
    kept: usize,
    pub step: StepCtx,
}

impl<'a> Call<'a> {
    pub fn new(x: &'a [View], y: &'a [View], scratch: &'a [View], step: StepCtx) -> Call<'a> {
        Call {
            x,
            y,
            scratch,
            kept: 0,
            step,
        }
    }
    /// Threads that are worth having for this step: 1 for a small one.
    pub fn threads(&self) -> usize {
        self.scratch.len()
    }
    /// Runs `work(part, scratch)` for all parts on as many threads, each with scratch of its own,
    /// as long as the op asked for. The caller's is that of [`Call::y_scratch`].
    pub fn each(&self, parts: usize, work: &(dyn Fn(usize, &mut [f32]) + Sync)) {
        let scratch = self.scratch;
        pool::run(scratch.len(), parts, &|part, thread| {
            let kept = if thread == 0 { self.kept } else { 0 };
            work(part, &mut scratch[thread].f32_mut()[kept..]);
        });
    }
    /// The next floats of the caller's scratch, which nobody else gets from now on.
    pub fn keep(&mut self, floats: usize) -> &'a mut [f32] {
        let from = self.kept;
        self.kept += floats;
        &mut self.scratch[0].f32_mut()[from..self.kept]
    }
    /// `total` becomes the sum of what `work(rows, sum)` gives for pieces of the rows, up to
    /// [`SUMS`] of them whatever the threads. Uses as many times the total's length of scratch.
    pub fn sums(
        &mut self,
        rows: usize,
        total: &mut [f32],
        work: &(dyn Fn(Range<usize>, &mut [f32]) + Sync),
    ) {
        let n = total.len();
        // What is little work is not worth it, with any number of threads.
        let little = !pool::THREADS || rows * n < 1 << 14;
        let pieces = if little { 1 } else { SUMS.min(rows) };
        let kept = self.kept;
        let room = self.keep(pieces * n);
        let shared = Shared(room.as_mut_ptr());
        self.each(pieces, &|i, _| {
            // SAFETY: within the room, and the pieces do not overlap.
            let sum = unsafe { std::slice::from_raw_parts_mut(shared.get().add(i * n), n) };
            work(rows * i / pieces..rows * (i + 1) / pieces, sum);
        });
        self.kept = kept;
        total.copy_from_slice(&room[..n]);
        for piece in room[n..].chunks_exact(n.max(1)) {
            add_in_place::<V>(total, piece);
        }
    }
    /// Divides output `i`, seen as rows of `row` floats, among the threads:
    /// `work(rows, those rows, scratch)`.
    pub fn each_rows(&mut self, i: usize, row: usize, work: RowsWork) {
        let y = self.y[i].f32_mut();
        let (len, y) = (y.len(), Shared(y.as_mut_ptr()));
        let rows = len.div_ceil(row.max(1));
        let parts = self.threads().min(rows);
        self.each(parts, &|part, scratch| {
            let at = |i: usize| rows * i / parts;
            let (first, last) = (at(part), at(part + 1));
            let floats = first * row..(last * row).min(len);
            // SAFETY: within the output, and the parts do not overlap.
            let mine =
                unsafe { std::slice::from_raw_parts_mut(y.get().add(floats.start), floats.len()) };
            work(first..last, mine, scratch);
        });
    }
    /// [`gemm::gemm`] into output `i`, from element `at` on, divided among the threads.
    #[allow(clippy::too_many_arguments)]
    pub fn gemm<A: Source + Sync, B: Source + Sync>(
        &mut self,
        (m, n, k): (usize, usize, usize),
        a: &A,
        b: &B,
        (i, at, ldc): (usize, usize, usize),
        ep: &Epilogue,
    ) {
        if m == 0 || n == 0 {
            return;
        }
        let c = &mut self.y[i].f32_mut()[at..];
        assert!(ldc >= n && (m - 1) * ldc + n <= c.len());
        let c = Shared(c.as_mut_ptr());
        let parts = self.threads();
        self.each(parts, &|part, scratch| {
            let (rows, cols) = gemm::part(m, n, part, parts);
            // SAFETY: all of C lies in the output, and the parts do not overlap.
            unsafe { gemm::gemm_block::<V, A, B>(rows, cols, k, a, b, c.get(), ldc, ep, scratch) }
        });
    }
    pub fn inputs(&self) -> usize {
        self.x.len()
    }
    pub fn x(&self, i: usize) -> &'a [f32] {
        self.x[i].f32()
    }
    pub fn x_u8(&self, i: usize) -> &'a [u8] {
        self.x[i].u8()
    }
    /// Shape of input `i`.
    pub fn xs(&self, i: usize) -> &'a [usize] {
        &self.x[i].shape
    }
    /// Shape of output `i`.
    pub fn ys(&self, i: usize) -> &'a [usize] {
        &self.y[i].shape
    }
    pub fn y(&mut self, i: usize) -> &'a mut [f32] {
        self.y[i].f32_mut()
    }
    /// Outputs 0 and 1.
    pub fn y2(&mut self) -> (&'a mut [f32], &'a mut [f32]) {
        (self.y[0].f32_mut(), self.y[1].f32_mut())
    }
    /// Outputs 0 to 2, empty where there are fewer.
    pub fn y3(&mut self) -> [&'a mut [f32]; 3] {
        std::array::from_fn(|i| match self.y.get(i) {
            Some(v) => v.f32_mut(),
            None => &mut [],
        })
    }
    pub fn y_scratch(&mut self, i: usize) -> (&'a mut [f32], &'a mut [f32]) {
        (self.y[i].f32_mut(), self.scratch[0].f32_mut())
    }
}
