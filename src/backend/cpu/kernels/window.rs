//! How a kernel moves over an image.

/// Sizes by axis, rows first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Zeros before and after each axis.
    pub pad: [[usize; 2]; 2],
}

impl Window {
    /// Positions of the kernel on an image of this size; None where it is larger than the
    /// padded image.
    pub fn out(&self, size: [usize; 2]) -> Option<[usize; 2]> {
        let along = |a: usize| {
            let span = self.span(a);
            let padded = size[a] + self.pad[a][0] + self.pad[a][1];
            (span <= padded).then(|| (padded - span) / self.stride[a] + 1)
        };
        Some([along(0)?, along(1)?])
    }

    /// Pixels from the first to the last that the kernel touches along an axis.
    pub fn span(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The pixel that tap `k` of position `o` reads along an axis, None in the padding.
    #[inline]
    pub fn pixel(&self, axis: usize, size: usize, o: usize, k: usize) -> Option<usize> {
        let at =
            (o * self.stride[axis] + k * self.dilation[axis]).checked_sub(self.pad[axis][0])?;
        (at < size).then_some(at)
    }

    /// Taps of position `o` that lie in the image along an axis.
    #[inline]
    pub fn inside(&self, axis: usize, size: usize, o: usize) -> std::ops::Range<usize> {
        let (at, d) = (o * self.stride[axis], self.dilation[axis]);
        let pad = self.pad[axis][0];
        let first = pad.saturating_sub(at).div_ceil(d);
        let last = (size + pad)
            .saturating_sub(at)
            .div_ceil(d)
            .min(self.kernel[axis]);
        first.min(last)..last
    }
}
