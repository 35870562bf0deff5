use crate::{Rng, close, d, guarded, like_scalar, same_bits};
use nabla::backend::cpu::kernels::{Scalar4, V, softmax};

#[test]
fn softmax_matches_loops() {
    let mut rng = Rng(8);
    for cols in [1, 2, 3, 4, 5, 10, 16, 33, 1000] {
        for rows in [0, 1, 3, 5] {
            let n = rows * cols;
            let x: Vec<f32> = rng.vec(n).iter().map(|x| x * 20.0).collect();
            let (dy, zero, what) = (rng.vec(n), vec![0.0; n], format!("softmax {rows}x{cols}"));
            let exact: Vec<f64> = x
                .chunks(cols)
                .flat_map(|x| {
                    let max = x.iter().map(d).fold(f64::MIN, f64::max);
                    let sum: f64 = x.iter().map(|x| (d(x) - max).exp()).sum();
                    x.iter().map(move |x| (d(x) - max).exp() / sum)
                })
                .collect();
            let y = guarded(&zero, |y| softmax::softmax::<V>(&x, cols, y));
            like_scalar(
                &y,
                &guarded(&zero, |y| softmax::softmax::<Scalar4>(&x, cols, y)),
                &what,
            );
            close(&y, exact.iter().copied(), 5e-7, &what);
            let dot = |a: &dyn Fn(usize) -> f64, i: usize| {
                (i / cols * cols..(i / cols + 1) * cols).map(a).sum::<f64>()
            };
            let dx = guarded(&zero, |dx| softmax::softmax_grad::<V>(&y, &dy, cols, dx));
            like_scalar(
                &dx,
                &guarded(&zero, |dx| {
                    softmax::softmax_grad::<Scalar4>(&y, &dy, cols, dx)
                }),
                &what,
            );
            close(
                &dx,
                (0..n).map(|i| exact[i] * (d(&dy[i]) - dot(&|j| exact[j] * d(&dy[j]), i))),
                1e-6,
                &what,
            );
            let l = guarded(&zero, |y| softmax::log_softmax::<V>(&x, cols, y));
            close(&l, exact.iter().map(|p| p.ln()), 1e-6, &what);
            let dx = guarded(&zero, |dx| {
                softmax::log_softmax_grad::<V>(&l, &dy, cols, dx)
            });
            close(
                &dx,
                (0..n).map(|i| d(&dy[i]) - exact[i] * dot(&|j| d(&dy[j]), i)),
                1e-5,
                &what,
            );

            let class: Vec<f32> = (0..rows)
                .map(|r| if r == 1 { -1.0 } else { (r * 7 % cols) as f32 })
                .collect();
            let g = rng.vec(rows);
            let mut p = zero.clone();
            let loss = guarded(&vec![0.0; rows], |l| {
                softmax::cross_entropy::<V>(&x, &class, cols, &mut p, l)
            });
            same_bits(&p, &y, "probabilities");
            close(
                &loss,
                (0..rows).map(|r| {
                    if r == 1 {
                        0.0
                    } else {
                        -exact[r * cols + class[r] as usize].ln()
                    }
                }),
                1e-6,
                &what,
            );
            let dx = guarded(&zero, |dx| {
                softmax::cross_entropy_grad::<V>(&p, &class, &g, cols, dx)
            });
            let want = (0..n).map(|i| {
                let (r, c) = (i / cols, i % cols);
                if r == 1 {
                    0.0
                } else {
                    d(&g[r]) * (exact[i] - f64::from(c == class[r] as usize))
                }
            });
            close(&dx, want, 1e-6, &what);
        }
    }
}

#[test]
fn softmax_at_the_edges() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let (mut p, mut l) = ([0.0; 5], [0.0]);
    softmax::cross_entropy::<V>(&[1e30, -1e30, -inf, 1e30, 0.0], &[1.0], 5, &mut p, &mut l);
    assert_eq!(p, [0.5, 0.0, 0.0, 0.5, 0.0]);
    assert!(l[0] >= 1e30);
    softmax::cross_entropy::<V>(&[0.0, 0.0, nan, 0.0, 0.0], &[1.0], 5, &mut p, &mut l);
    assert!(p.iter().all(|p| p.is_nan()) && l[0].is_nan());
    softmax::cross_entropy::<V>(&[0.0; 5], &[5.0], 5, &mut p, &mut l);
    assert!(l[0].is_nan());
    softmax::cross_entropy::<V>(&[0.0; 5], &[nan], 5, &mut p, &mut l);
    assert!(l[0].is_nan());
}
