//! Memory of the CPU backend.
use super::View;
use crate::graph::Dtype;

/// 64 bytes, the alignment of everything.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A block of zeroed floats that never moves.
pub struct Block {
    lines: Box<[Line]>,
    len: usize,
}

impl Block {
    /// None when the memory is not to be had.
    pub fn new(floats: usize) -> Option<Block> {
        let n = floats.div_ceil(16);
        let mut lines = Vec::new();
        lines.try_reserve_exact(n).ok()?;
        lines.resize(n, Line([0.0; 16]));
        Some(Block {
            lines: lines.into_boxed_slice(),
            len: floats,
        })
    }
    pub fn bytes(&self) -> usize {
        self.lines.len() * 64
    }
    pub fn floats(&mut self) -> &mut [f32] {
        let len = self.len;
        // SAFETY: the lines are floats without padding, at least `len` of them.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), len) }
    }
    pub fn view(&self, offset: usize, shape: &[usize], dtype: Dtype) -> View {
        View::at(
            self.lines.as_ptr().cast_mut().cast(),
            self.len,
            offset,
            shape,
            dtype,
        )
    }
}
