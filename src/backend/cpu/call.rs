//! Arguments of a kernel call.
use crate::graph::{Dtype, Shape, numel};
use crate::ops::StepCtx;

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

/// What a kernel gets: inputs, outputs, scratch memory, and which step it is.
///
/// Outputs of an in-place op are its first inputs; such an op reads them through [`Call::y`] only.
pub struct Call<'a> {
    x: &'a [View],
    y: &'a [View],
    scratch: &'a View,
    pub step: StepCtx,
}

impl<'a> Call<'a> {
    pub fn new(x: &'a [View], y: &'a [View], scratch: &'a View, step: StepCtx) -> Call<'a> {
        Call {
            x,
            y,
            scratch,
            step,
        }
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
        (self.y[i].f32_mut(), self.scratch.f32_mut())
    }
}
