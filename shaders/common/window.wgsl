// A window of KR×KS taps that moves over an image of H×W pixels, as backend/cpu/kernels/window.rs
// has it. Coordinates beyond the image come out as numbers ≥ its size.
fn pixel_row(p: u32, r: u32) -> u32 { return p * STRIDE_R + r * DILATION_R - PAD_R; }
fn pixel_column(q: u32, s: u32) -> u32 { return q * STRIDE_S + s * DILATION_S - PAD_S; }
