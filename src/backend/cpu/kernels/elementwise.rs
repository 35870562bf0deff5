//! Elementwise kernels. The drivers take a closure on vectors and run tails through a padded
//! vector, so that every element gets the same arithmetic.
use super::act::{Act, Activation, with_act};
use super::simd::F32x4;

/// `N` buffers changed in place, `R` read: element i of `w` becomes `f(w[..][i], r[..][i])`.
///
/// `U` is the number of vectors to a turn of the loop, at most 4: 1 serves a cheap `f` best, 2 one
/// with many constants, which wasm engines set up anew in every turn.
///
/// Panics unless all slices are equally long.
#[inline(always)]
pub fn update<V: F32x4, const U: usize, const N: usize, const R: usize>(
    w: [&mut [f32]; N],
    r: [&[f32]; R],
    f: impl Fn([V; N], [V; R]) -> [V; N],
) {
    let n = w[0].len();
    assert!(w.iter().all(|x| x.len() == n) && r.iter().all(|x| x.len() == n));
    let (whole, rest) = (n / (4 * U) * (4 * U), n % (4 * U));
    let wp = w.map(|x| x.as_mut_ptr());
    let rp = r.map(|x| x.as_ptr());
    // SAFETY: all slices hold `whole` elements and `rest` more; the buffers hold U vectors, since
    // U is at most 4.
    unsafe {
        vectors::<V, U, N, R>(wp, rp, whole, &f);
        if rest == 0 {
            return;
        }
        let (mut wt, mut rt) = ([[0.0; 16]; N], [[0.0; 16]; R]);
        for (t, p) in wt.iter_mut().zip(wp) {
            p.add(whole).copy_to(t.as_mut_ptr(), rest);
        }
        for (t, p) in rt.iter_mut().zip(rp) {
            p.add(whole).copy_to(t.as_mut_ptr(), rest);
        }
        let (wtp, rtp) = (
            wt.each_mut().map(|x| x.as_mut_ptr()),
            rt.each_ref().map(|x| x.as_ptr()),
        );
        vectors::<V, U, N, R>(wtp, rtp, rest, &f);
        for (t, p) in wt.iter().zip(wp) {
            p.add(whole).copy_from(t.as_ptr(), rest);
        }
    }
}

/// [`update`] of `len` elements, rounded up to U vectors.
///
/// # Safety
/// The pointers reach that many elements.
#[inline(never)]
unsafe fn vectors<V: F32x4, const U: usize, const N: usize, const R: usize>(
    w: [*mut f32; N],
    r: [*const f32; R],
    len: usize,
    f: &impl Fn([V; N], [V; R]) -> [V; N],
) {
    for i in (0..len).step_by(4 * U) {
        for i in (i..i + 4 * U).step_by(4) {
            // SAFETY: the caller's.
            unsafe {
                let out = f(
                    w.map(|p| V::load_ptr(p.add(i))),
                    r.map(|p| V::load_ptr(p.add(i))),
                );
                for (p, v) in w.iter().zip(out) {
                    v.store_ptr(p.add(i));
                }
            }
        }
    }
}

/// y = f(x₁, …), elementwise. Panics unless all slices are equally long.
#[inline(always)]
pub fn map<V: F32x4, const U: usize, const R: usize>(
    r: [&[f32]; R],
    y: &mut [f32],
    f: impl Fn([V; R]) -> V,
) {
    let n = y.len();
    assert!(r.iter().all(|x| x.len() == n));
    let (whole, rest) = (n / (4 * U) * (4 * U), n % (4 * U));
    let (mut yt, mut rt) = ([0.0; 16], [[0.0; 16]; R]);
    for (t, x) in rt.iter_mut().zip(&r) {
        t[..rest].copy_from_slice(&x[whole..]);
    }
    let rp = r.map(|x| x.as_ptr());
    let rtp = rt.each_ref().map(|x| x.as_ptr());
    for (yp, rp, len) in [(y.as_mut_ptr(), rp, whole), (yt.as_mut_ptr(), rtp, rest)] {
        let mut i = 0;
        while i < len {
            for i in (i..i + 4 * U).step_by(4) {
                // SAFETY: i + 4 ≤ n for the slices, and the tail's buffers hold U vectors.
                unsafe { f(rp.map(|p| V::load_ptr(p.add(i)))).store_ptr(yp.add(i)) }
            }
            i += 4 * U;
        }
    }
    y[whole..].copy_from_slice(&yt[..rest]);
}

/// y = f(a).
#[inline(always)]
pub fn map1<V: F32x4>(a: &[f32], y: &mut [f32], f: impl Fn(V) -> V) {
    map::<V, 1, _>([a], y, |[a]| f(a));
}

/// y = f(a, b).
#[inline(always)]
pub fn map2<V: F32x4>(a: &[f32], b: &[f32], y: &mut [f32], f: impl Fn(V, V) -> V) {
    map::<V, 1, _>([a, b], y, |[a, b]| f(a, b));
}

/// y = f(a, b, c).
#[inline(always)]
pub fn map3<V: F32x4>(a: &[f32], b: &[f32], c: &[f32], y: &mut [f32], f: impl Fn(V, V, V) -> V) {
    map::<V, 1, _>([a, b, c], y, |[a, b, c]| f(a, b, c));
}

/// y = f(y).
#[inline(always)]
pub fn map_in_place<V: F32x4>(y: &mut [f32], f: impl Fn(V) -> V) {
    update::<V, 1, _, _>([y], [], |[y], []| [f(y)]);
}

/// y = f(y, a).
#[inline(always)]
pub fn zip_in_place<V: F32x4>(y: &mut [f32], a: &[f32], f: impl Fn(V, V) -> V) {
    update::<V, 1, _, _>([y], [a], |[y], [a]| [f(y, a)]);
}

/// y = f(y, a, b).
#[inline(always)]
pub fn zip2_in_place<V: F32x4>(y: &mut [f32], a: &[f32], b: &[f32], f: impl Fn(V, V, V) -> V) {
    update::<V, 1, _, _>([y], [a, b], |[y], [a, b]| [f(y, a, b)]);
}

/// y = act(x).
pub fn act<V: F32x4>(act: Act, x: &[f32], y: &mut [f32]) {
    with_act!(act, a => map::<V, 2, _>([x], y, |[x]| a.forward(x)));
}

/// y = act(y).
pub fn act_in_place<V: F32x4>(act: Act, y: &mut [f32]) {
    with_act!(act, a => update::<V, 2, _, _>([y], [], |[y], []| [a.forward(y)]));
}

/// dx = dy·act′, with `saved` the output or the input, see [`Act::grad_from_output`].
pub fn act_grad<V: F32x4>(act: Act, saved: &[f32], dy: &[f32], dx: &mut [f32]) {
    with_act!(act, a => map::<V, 2, _>([saved, dy], dx, |[s, dy]| dy.mul(a.slope(s))));
}

/// dx += dy·act′.
pub fn act_grad_add<V: F32x4>(act: Act, saved: &[f32], dy: &[f32], dx: &mut [f32]) {
    with_act!(act, a => update::<V, 2, _, _>([dx], [saved, dy], |[dx], [s, dy]| [dx.add(dy.mul(a.slope(s)))]));
}

/// d = d·act′: the gradient of the output turned into that of the input.
pub fn act_grad_in_place<V: F32x4>(act: Act, saved: &[f32], d: &mut [f32]) {
    with_act!(act, a => update::<V, 2, _, _>([d], [saved], |[d], [s]| [d.mul(a.slope(s))]));
}

/// y = a + b.
pub fn add<V: F32x4>(a: &[f32], b: &[f32], y: &mut [f32]) {
    map2::<V>(a, b, y, V::add);
}

/// y += a.
pub fn add_in_place<V: F32x4>(y: &mut [f32], a: &[f32]) {
    zip_in_place::<V>(y, a, V::add);
}

/// y = a − b.
pub fn sub<V: F32x4>(a: &[f32], b: &[f32], y: &mut [f32]) {
    map2::<V>(a, b, y, V::sub);
}

/// y = a·b.
pub fn mul<V: F32x4>(a: &[f32], b: &[f32], y: &mut [f32]) {
    map2::<V>(a, b, y, V::mul);
}

/// y += a·b.
pub fn mul_add_in_place<V: F32x4>(y: &mut [f32], a: &[f32], b: &[f32]) {
    zip2_in_place::<V>(y, a, b, |y, a, b| a.mul_add(b, y));
}

/// y = s·x.
pub fn scale<V: F32x4>(s: f32, x: &[f32], y: &mut [f32]) {
    map1::<V>(x, y, |x| x.mul(V::splat(s)));
}

/// y = s·y.
pub fn scale_in_place<V: F32x4>(s: f32, y: &mut [f32]) {
    map_in_place::<V>(y, |y| y.mul(V::splat(s)));
}

/// y += s·x.
pub fn axpy<V: F32x4>(s: f32, x: &[f32], y: &mut [f32]) {
    zip_in_place::<V>(y, x, |y, x| x.mul_add(V::splat(s), y));
}

/// `y[rows,n]` = `x[rows,n]` + `bias[n]`. Panics unless y is as long as x, a multiple of n.
pub fn bias_add<V: F32x4>(x: &[f32], bias: &[f32], y: &mut [f32]) {
    assert!(x.len() == y.len() && x.len().is_multiple_of(bias.len().max(1)));
    for (x, y) in x
        .chunks_exact(bias.len().max(1))
        .zip(y.chunks_exact_mut(bias.len().max(1)))
    {
        map2::<V>(x, bias, y, V::add);
    }
}

/// `y[rows,n]` += `bias[n]`. Panics unless y's length is a multiple of n.
pub fn bias_add_in_place<V: F32x4>(y: &mut [f32], bias: &[f32]) {
    assert!(y.len().is_multiple_of(bias.len().max(1)));
    for y in y.chunks_exact_mut(bias.len().max(1)) {
        zip_in_place::<V>(y, bias, V::add);
    }
}
