//! Elementwise kernels. The drivers take a closure on vectors and run tails through a padded
//! vector, so that every element gets the same arithmetic.
use super::act::{Act, Activation, with_act};
use super::simd::F32x4;

/// `N` buffers changed in place, `R` read: element i of `w` becomes `f(w[..][i], r[..][i])`.
///
/// Panics unless all slices are equally long.
#[inline(always)]
pub fn update<V: F32x4, const N: usize, const R: usize>(
    w: [&mut [f32]; N],
    r: [&[f32]; R],
    f: impl Fn([V; N], [V; R]) -> [V; N],
) {
    let n = w[0].len();
    assert!(w.iter().all(|x| x.len() == n) && r.iter().all(|x| x.len() == n));
    let wp = w.map(|x| x.as_mut_ptr());
    let rp = r.map(|x| x.as_ptr());
    let step = |i: usize| {
        // SAFETY: callers keep i + 4 ≤ n, the length of all slices.
        unsafe {
            let out = f(
                wp.map(|p| V::load_ptr(p.add(i))),
                rp.map(|p| V::load_ptr(p.add(i))),
            );
            for j in 0..N {
                out[j].store_ptr(wp[j].add(i));
            }
        }
    };
    let mut i = 0;
    while i + 16 <= n {
        step(i);
        step(i + 4);
        step(i + 8);
        step(i + 12);
        i += 16;
    }
    while i + 4 <= n {
        step(i);
        i += 4;
    }
    if i < n {
        // SAFETY: i ≤ n, the length of all slices, none of which is otherwise in use.
        unsafe {
            let tail =
                |p: *const f32| V::load_part(std::slice::from_raw_parts(p.add(i), n - i), 0.0);
            let out = f(wp.map(|p| tail(p)), rp.map(tail));
            for j in 0..N {
                out[j].store_part(std::slice::from_raw_parts_mut(wp[j].add(i), n - i));
            }
        }
    }
}

/// y = f(x₁, …), elementwise. Panics unless all slices are equally long.
#[inline(always)]
pub fn map<V: F32x4, const R: usize>(r: [&[f32]; R], y: &mut [f32], f: impl Fn([V; R]) -> V) {
    let n = y.len();
    assert!(r.iter().all(|x| x.len() == n));
    let yp = y.as_mut_ptr();
    let rp = r.map(|x| x.as_ptr());
    let step = |i: usize| {
        // SAFETY: callers keep i + 4 ≤ n, the length of all slices.
        unsafe { f(rp.map(|p| V::load_ptr(p.add(i)))).store_ptr(yp.add(i)) }
    };
    let mut i = 0;
    while i + 16 <= n {
        step(i);
        step(i + 4);
        step(i + 8);
        step(i + 12);
        i += 16;
    }
    while i + 4 <= n {
        step(i);
        i += 4;
    }
    if i < n {
        f(r.map(|x| V::load_part(&x[i..], 0.0))).store_part(&mut y[i..]);
    }
}

/// y = f(a).
#[inline(always)]
pub fn map1<V: F32x4>(a: &[f32], y: &mut [f32], f: impl Fn(V) -> V) {
    map([a], y, |[a]| f(a));
}

/// y = f(a, b).
#[inline(always)]
pub fn map2<V: F32x4>(a: &[f32], b: &[f32], y: &mut [f32], f: impl Fn(V, V) -> V) {
    map([a, b], y, |[a, b]| f(a, b));
}

/// y = f(a, b, c).
#[inline(always)]
pub fn map3<V: F32x4>(a: &[f32], b: &[f32], c: &[f32], y: &mut [f32], f: impl Fn(V, V, V) -> V) {
    map([a, b, c], y, |[a, b, c]| f(a, b, c));
}

/// y = f(y).
#[inline(always)]
pub fn map_in_place<V: F32x4>(y: &mut [f32], f: impl Fn(V) -> V) {
    update([y], [], |[y], []| [f(y)]);
}

/// y = f(y, a).
#[inline(always)]
pub fn zip_in_place<V: F32x4>(y: &mut [f32], a: &[f32], f: impl Fn(V, V) -> V) {
    update([y], [a], |[y], [a]| [f(y, a)]);
}

/// y = f(y, a, b).
#[inline(always)]
pub fn zip2_in_place<V: F32x4>(y: &mut [f32], a: &[f32], b: &[f32], f: impl Fn(V, V, V) -> V) {
    update([y], [a, b], |[y], [a, b]| [f(y, a, b)]);
}

/// y = act(x).
pub fn act<V: F32x4>(act: Act, x: &[f32], y: &mut [f32]) {
    with_act!(act, a => map1::<V>(x, y, |x| a.forward(x)));
}

/// y = act(y).
pub fn act_in_place<V: F32x4>(act: Act, y: &mut [f32]) {
    with_act!(act, a => map_in_place::<V>(y, |y| a.forward(y)));
}

/// dx = dy·act′, with `saved` the output or the input, see [`Act::grad_from_output`].
pub fn act_grad<V: F32x4>(act: Act, saved: &[f32], dy: &[f32], dx: &mut [f32]) {
    with_act!(act, a => map2::<V>(saved, dy, dx, |s, dy| dy.mul(a.slope(s))));
}

/// dx += dy·act′.
pub fn act_grad_add<V: F32x4>(act: Act, saved: &[f32], dy: &[f32], dx: &mut [f32]) {
    with_act!(act, a => zip2_in_place::<V>(dx, saved, dy, |dx, s, dy| dx.add(dy.mul(a.slope(s)))));
}

/// d = d·act′: the gradient of the output turned into that of the input.
pub fn act_grad_in_place<V: F32x4>(act: Act, saved: &[f32], d: &mut [f32]) {
    with_act!(act, a => zip_in_place::<V>(d, saved, |d, s| d.mul(a.slope(s))));
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

/// y[rows,n] = x[rows,n] + bias[n]. Panics unless y is as long as x, a multiple of n.
pub fn bias_add<V: F32x4>(x: &[f32], bias: &[f32], y: &mut [f32]) {
    assert!(x.len() == y.len() && x.len().is_multiple_of(bias.len().max(1)));
    for (x, y) in x
        .chunks_exact(bias.len().max(1))
        .zip(y.chunks_exact_mut(bias.len().max(1)))
    {
        map2::<V>(x, bias, y, V::add);
    }
}

/// y[rows,n] += bias[n]. Panics unless y's length is a multiple of n.
pub fn bias_add_in_place<V: F32x4>(y: &mut [f32], bias: &[f32]) {
    assert!(y.len().is_multiple_of(bias.len().max(1)));
    for y in y.chunks_exact_mut(bias.len().max(1)) {
        zip_in_place::<V>(y, bias, V::add);
    }
}
