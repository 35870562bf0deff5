//! What the products of a recurrent layer read: operands side by side, and rows of several steps.
use super::{F32x4, Range, Sizes, Source, Strided, at};

/// Two operands one behind the other in what is summed over: the second from `at` on.
pub(super) struct Joined<'a> {
    pub(super) parts: (Strided<'a>, Strided<'a>),
    pub(super) at: usize,
}

impl Source for Joined<'_> {
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        let (first, second) = &self.parts;
        let cut = self.at.clamp(k.start, k.end);
        if k.start < cut {
            first.pack::<V, W>(x.clone(), k.start..cut, out);
        }
        if cut < k.end {
            let out = &mut out[(cut - k.start) * W..];
            second.pack::<V, W>(x, cut - self.at..k.end - self.at, out);
        }
    }
}

/// A sequence tensor `[N,T,width]` as the right operand of a product over the rows of some steps:
/// element(x, k) is that of sample k mod N in step `first` + k/N of those from the last on, or of
/// the step before it, 0 where there is none.
#[derive(Clone, Copy)]
pub(super) struct Steps<'a> {
    pub(super) s: &'a Sizes,
    pub(super) first: usize,
    pub(super) data: &'a [f32],
    pub(super) width: usize,
    pub(super) before: bool,
}

impl<'a> Steps<'a> {
    fn row(&self, k: usize) -> Option<&'a [f32]> {
        let i = self.s.steps - 1 - self.first - k / self.s.batch;
        let i = i.checked_sub(usize::from(self.before))?;
        let t = if self.s.reverse {
            self.s.steps - 1 - i
        } else {
            i
        };
        Some(&self.data[at(self.s, k % self.s.batch, t, self.width)])
    }
}

impl Source for Steps<'_> {
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        for (k, out) in k.zip(out.chunks_exact_mut(W)) {
            let Some(row) = self.row(k) else {
                out.fill(0.0);
                continue;
            };
            if x.len() == W && W.is_multiple_of(4) {
                for (out, row) in out.chunks_exact_mut(4).zip(row[x.clone()].chunks_exact(4)) {
                    V::load(row).store(out);
                }
                continue;
            }
            let (head, rest) = out.split_at_mut(x.len());
            head.copy_from_slice(&row[x.clone()]);
            rest.fill(0.0);
        }
    }
}

/// The input's columns, and beside them those of the state before.
pub(super) struct Beside<'a> {
    pub(super) x: Steps<'a>,
    pub(super) h: Steps<'a>,
}

impl Source for Beside<'_> {
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        let inputs = self.x.width;
        if x.end <= inputs {
            return self.x.pack::<V, W>(x, k, out);
        }
        if x.start >= inputs {
            let x = x.start - inputs..x.end - inputs;
            return self.h.pack::<V, W>(x, k, out);
        }
        for (k, out) in k.zip(out.chunks_exact_mut(W)) {
            out.fill(0.0);
            let (left, right) = out.split_at_mut(inputs - x.start);
            if let Some(row) = self.x.row(k) {
                left.copy_from_slice(&row[x.start..inputs]);
            }
            if let Some(row) = self.h.row(k) {
                let n = x.end - inputs;
                right[..n].copy_from_slice(&row[..n]);
            }
        }
    }
}
