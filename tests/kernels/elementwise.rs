use crate::{LENS, Rng, close, d, guarded, like_scalar, same_bits, scalar_act, ulps};
use nabla::backend::cpu::kernels::elementwise as ew;
use nabla::backend::cpu::kernels::{Act, F32x4, Scalar4, V, reduce};

const ACTS: [Act; 13] = [
    Act::None,
    Act::Step,
    Act::Relu,
    Act::LeakyRelu(0.01),
    Act::LeakyRelu(0.3),
    Act::Elu(1.0),
    Act::Elu(0.5),
    Act::Sigmoid,
    Act::Tanh,
    Act::Gelu,
    Act::GeluTanh,
    Act::Silu,
    Act::Softplus(2.0),
];

#[test]
fn activations_match_loops() {
    let mut rng = Rng(4);
    for act in ACTS {
        for n in LENS {
            let x: Vec<f32> = rng.vec(n).iter().map(|x| x * 8.0).collect();
            let (dy, dx0, zero) = (rng.vec(n), rng.vec(n), vec![0.0; n]);
            let what = format!("{act:?} {n}");
            let y = guarded(&zero, |y| ew::act::<V>(act, &x, y));
            like_scalar(
                &y,
                &guarded(&zero, |y| ew::act::<Scalar4>(act, &x, y)),
                &what,
            );
            same_bits(&y, &guarded(&x, |y| ew::act_in_place::<V>(act, y)), &what);
            close(&y, x.iter().map(|x| scalar_act(act, d(x))), 5e-7, &what);
            let saved = if act.grad_from_output() { &y } else { &x };
            let dx = guarded(&zero, |dx| ew::act_grad::<V>(act, saved, &dy, dx));
            like_scalar(
                &dx,
                &guarded(&zero, |dx| ew::act_grad::<Scalar4>(act, saved, &dy, dx)),
                &what,
            );
            same_bits(
                &dx,
                &guarded(&dy, |d| ew::act_grad_in_place::<V>(act, saved, d)),
                &what,
            );
            let slope = |x: f64| {
                if act == Act::Step {
                    0.0
                } else {
                    (scalar_act(act, x + 1e-6) - scalar_act(act, x - 1e-6)) / 2e-6
                }
            };
            close(
                &dx,
                x.iter().zip(&dy).map(|(x, dy)| slope(d(x)) * d(dy)),
                1e-6,
                &format!("gradient of {what}"),
            );
            let sum = guarded(&dx0, |dx| ew::act_grad_add::<V>(act, saved, &dy, dx));
            close(
                &sum,
                dx.iter().zip(&dx0).map(|(a, b)| d(a) + d(b)),
                1e-6,
                &what,
            );
        }
    }
}

#[test]
fn activations_far_out() {
    for act in ACTS {
        for x in [-f32::MAX, -1e10, -200.0, -90.0, 90.0, 200.0, 1e10, f32::MAX] {
            let (mut y, mut dx) = ([0.0], [0.0]);
            ew::act::<V>(act, &[x], &mut y);
            let want = scalar_act(act, d(&x));
            assert!(
                ulps(y[0], want) < 4.0 || (d(&y[0]) - want).abs() < 1e-7,
                "{act:?}({x}) = {}",
                y[0]
            );
            let saved = if act.grad_from_output() { y } else { [x] };
            ew::act_grad::<V>(act, &saved, &[1.0], &mut dx);
            assert!(
                dx[0].is_finite() && dx[0].abs() <= 1.2,
                "{act:?}'({x}) = {}",
                dx[0]
            );
        }
        let mut y = [0.0];
        ew::act::<V>(act, &[f32::NAN], &mut y);
        assert!(
            y[0].is_nan() || matches!(act, Act::Step | Act::LeakyRelu(_) | Act::Elu(_)),
            "{act:?}"
        );
    }
}

#[test]
fn arithmetic_matches_loops() {
    let mut rng = Rng(5);
    for n in LENS {
        let (a, b, c, zero) = (rng.vec(n), rng.vec(n), rng.vec(n), vec![0.0; n]);
        let pairs = || a.iter().zip(&b).map(|(a, b)| (d(a), d(b)));
        close(
            &guarded(&zero, |y| ew::add::<V>(&a, &b, y)),
            pairs().map(|(a, b)| a + b),
            1e-7,
            "add",
        );
        close(
            &guarded(&zero, |y| ew::sub::<V>(&a, &b, y)),
            pairs().map(|(a, b)| a - b),
            1e-7,
            "sub",
        );
        close(
            &guarded(&zero, |y| ew::mul::<V>(&a, &b, y)),
            pairs().map(|(a, b)| a * b),
            1e-7,
            "mul",
        );
        close(
            &guarded(&b, |y| ew::add_in_place::<V>(y, &a)),
            pairs().map(|(a, b)| a + b),
            1e-7,
            "add in place",
        );
        close(
            &guarded(&zero, |y| ew::scale::<V>(0.3, &a, y)),
            pairs().map(|(a, _)| a * d(&0.3)),
            1e-7,
            "scale",
        );
        close(
            &guarded(&a, |y| ew::scale_in_place::<V>(0.3, y)),
            pairs().map(|(a, _)| a * d(&0.3)),
            1e-7,
            "scale",
        );
        close(
            &guarded(&b, |y| ew::axpy::<V>(0.3, &a, y)),
            pairs().map(|(a, b)| b + a * d(&0.3)),
            1e-7,
            "axpy",
        );
        let triples = || pairs().zip(&c).map(|((a, b), c)| a * b + d(c));
        close(
            &guarded(&c, |y| ew::mul_add_in_place::<V>(y, &a, &b)),
            triples(),
            1e-7,
            "mul_add",
        );
        close(
            &guarded(&zero, |y| {
                ew::map3::<V>(&a, &b, &c, y, |a, b, c| a.mul_add(b, c))
            }),
            triples(),
            1e-7,
            "map3",
        );
    }
}

#[test]
fn rows_match_loops() {
    let mut rng = Rng(6);
    for n in [1, 2, 3, 4, 5, 10, 16, 21, 67] {
        for rows in [0, 1, 2, 7, 300] {
            let (x, bias, zero) = (rng.vec(rows * n), rng.vec(n), vec![0.0; rows * n]);
            let y = guarded(&zero, |y| ew::bias_add::<V>(&x, &bias, y));
            close(
                &y,
                x.iter().enumerate().map(|(i, x)| d(x) + d(&bias[i % n])),
                1e-7,
                "bias",
            );
            same_bits(
                &y,
                &guarded(&x, |y| ew::bias_add_in_place::<V>(y, &bias)),
                "bias in place",
            );
            for add in [false, true] {
                let s = guarded(&bias, |o| reduce::col_sums::<V>(&x, o, add));
                like_scalar(
                    &s,
                    &guarded(&bias, |o| reduce::col_sums::<Scalar4>(&x, o, add)),
                    "column sums",
                );
                let sum = |j: usize| (0..rows).map(|i| d(&x[i * n + j])).sum::<f64>();
                close(
                    &s,
                    (0..n).map(|j| sum(j) + if add { d(&bias[j]) } else { 0.0 }),
                    1e-5,
                    "column sums",
                );
            }
        }
    }
}

#[test]
fn reductions_match_loops() {
    let mut rng = Rng(7);
    for n in LENS.into_iter().chain([4095, 4097, 100_003]) {
        let x = rng.vec(n);
        let sum = |f: fn(f64) -> f64| x.iter().map(|x| f(d(x))).sum::<f64>();
        close(&[reduce::sum::<V>(&x)], [sum(|x| x)], 1e-5, "sum");
        close(
            &[reduce::sum_sq::<V>(&x)],
            [sum(|x| x * x)],
            1e-6,
            "sum of squares",
        );
        close(
            &[reduce::sum_abs::<V>(&x)],
            [sum(f64::abs)],
            1e-6,
            "sum of absolutes",
        );
        like_scalar(
            &[reduce::sum::<V>(&x)],
            &[reduce::sum::<Scalar4>(&x)],
            "sum",
        );
        like_scalar(
            &[reduce::sum_sq::<V>(&x)],
            &[reduce::sum_sq::<Scalar4>(&x)],
            "sum of squares",
        );
        assert_eq!(
            reduce::max::<V>(&x),
            x.iter().copied().fold(f32::NEG_INFINITY, f32::max)
        );
        for i in [0, n / 2, n.saturating_sub(1)] {
            let mut x = x.clone();
            if n > 0 {
                x[i] = f32::NAN;
                assert!(reduce::max::<V>(&x).is_nan() && reduce::max::<Scalar4>(&x).is_nan());
            }
        }
    }
}
