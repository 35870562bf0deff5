//! What ops with a moving window share.
use super::*;

/// `[P,Q]` of a window on `[N,H,W,C]`.
pub(super) fn out(window: &Window, x: &[usize]) -> Result<[usize; 2], Problem> {
    window.out([x[1], x[2]]).ok_or_else(|| {
        Problem::new("kernel-size")
            .arg("kernel", show(&[window.span(0), window.span(1)]))
            .arg("got", show(&[x[1], x[2]]))
            .field("kernel")
    })
}

/// `3×3 stride 2 pad 1 dilation 2`, what is usual left out.
pub(super) fn describe(w: &Window) -> String {
    let two = |v: [usize; 2]| match v {
        [a, b] if a == b => a.to_string(),
        [a, b] => format!("{a}×{b}"),
    };
    let mut t = show(&w.kernel);
    if w.stride != [1, 1] {
        t += &format!(" stride {}", two(w.stride));
    }
    if w.pad != [[0, 0]; 2] {
        t += &match w.pad {
            [[a, b], [c, d]] if a == b && c == d => format!(" pad {}", two([a, c])),
            [[a, b], [c, d]] => format!(" pad {a}+{b}×{c}+{d}"),
        };
    }
    if w.dilation != [1, 1] {
        t += &format!(" dilation {}", two(w.dilation));
    }
    t
}

/// What the kernels on images have as constants: image H×W, results P×Q, and the window.
pub(super) fn constants(
    w: &Window,
    size: [usize; 2],
    out: [usize; 2],
) -> Vec<(&'static str, usize)> {
    vec![
        ("H", size[0]),
        ("W", size[1]),
        ("P", out[0]),
        ("Q", out[1]),
        ("KR", w.kernel[0]),
        ("KS", w.kernel[1]),
        ("TAPS", w.taps()),
        ("STRIDE_R", w.stride[0]),
        ("STRIDE_S", w.stride[1]),
        ("DILATION_R", w.dilation[0]),
        ("DILATION_S", w.dilation[1]),
        ("PAD_R", w.pad[0][0]),
        ("PAD_S", w.pad[1][0]),
    ]
}
