//! Walking over tensors by strides, without allocation.
use crate::graph::numel;

/// Most axes of a tensor: those of a sample, the batch, and one to spare.
pub(super) const RANK: usize = 8;

/// Row-major strides.
pub(super) fn strides(shape: &[usize]) -> [usize; RANK] {
    let mut s = [0; RANK];
    let mut step = 1;
    for (i, d) in shape.iter().enumerate().rev() {
        s[i] = step;
        step *= d;
    }
    s
}

/// Strides of a tensor seen as `shape`: 0 along axes of which it has only one entry.
pub(super) fn stretched(own: &[usize], shape: &[usize]) -> [usize; RANK] {
    let mut s = strides(own);
    for (i, (a, b)) in own.iter().zip(shape).enumerate() {
        if a != b {
            s[i] = 0;
        }
    }
    s
}

/// Calls `f(Σ index·a, Σ index·b)` for every index within `dims`, the last axis running fastest.
pub(super) fn walk(dims: &[usize], a: &[usize], b: &[usize], mut f: impl FnMut(usize, usize)) {
    let mut index = [0; RANK];
    let (mut at, mut bt) = (0, 0);
    for _ in 0..numel(dims) {
        f(at, bt);
        for i in (0..dims.len()).rev() {
            index[i] += 1;
            at += a[i];
            bt += b[i];
            if index[i] < dims[i] {
                break;
            }
            at -= a[i] * dims[i];
            bt -= b[i] * dims[i];
            index[i] = 0;
        }
    }
}

/// All axes but the last.
pub(super) fn rows(shape: &[usize]) -> &[usize] {
    &shape[..shape.len().saturating_sub(1)]
}

/// Σ index·stride in WGSL, `at` being the row-major number of an element of `dims`.
pub(super) fn index(at: &str, dims: &[usize], strides: &[usize]) -> String {
    let mut terms = Vec::new();
    let mut below = 1;
    for (axis, n) in dims.iter().enumerate().rev() {
        let stride = strides[axis];
        if *n > 1 && stride > 0 {
            terms.push(format!("{} * {stride}u", coordinate(at, dims, axis)));
        }
        below *= n;
    }
    debug_assert_eq!(below, numel(dims));
    if terms.is_empty() {
        return "0u".into();
    }
    terms.join(" + ")
}

/// An element's index along an axis in WGSL.
pub(super) fn coordinate(at: &str, dims: &[usize], axis: usize) -> String {
    match (numel(&dims[axis + 1..]), dims[axis]) {
        (1, n) => format!("{at} % {n}u"),
        (below, n) => format!("{at} / {below}u % {n}u"),
    }
}
