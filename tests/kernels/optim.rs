use crate::{LENS, Rng, close, d, guarded, like_scalar};
use nabla::backend::cpu::kernels::optim::{Adagrad, Adam, Convention, Rmsprop, Sgd};
use nabla::backend::cpu::kernels::{Scalar4, V};

/// One parameter's (p, s1, s2) after a step, in f64.
type Rule<'a> = &'a dyn Fn(u32, f64, f64, f64, f64) -> (f64, f64, f64);

/// Five steps of `step(t, p, g, s1, s2)` on slabs of several lengths against `rule`.
fn check_optim<F, G>(what: &str, step: F, scalar: G, rule: Rule)
where
    F: Fn(u32, &mut [f32], &[f32], &mut [f32], &mut [f32]),
    G: Fn(u32, &mut [f32], &[f32], &mut [f32], &mut [f32]),
{
    let mut rng = Rng(9);
    for n in LENS {
        let mut s = [rng.vec(n), vec![0.0; n], vec![0.0; n]];
        let mut z = s.clone();
        let mut e: Vec<_> = s[0].iter().map(|p| (d(p), 0.0, 0.0)).collect();
        for t in 1..=5 {
            let g = rng.vec(n);
            let [p, a, b] = &mut s;
            *p = guarded(&p.clone(), |p| step(t, p, &g, a, b));
            let [p, a, b] = &mut z;
            scalar(t, p, &g, a, b);
            for (e, g) in e.iter_mut().zip(&g) {
                *e = rule(t, e.0, d(g), e.1, e.2);
            }
        }
        for i in 0..3 {
            like_scalar(&s[i], &z[i], what);
        }
        close(&s[0], e.iter().map(|e| e.0), 1e-6, what);
        close(&s[1], e.iter().map(|e| e.1), 1e-6, what);
        close(&s[2], e.iter().map(|e| e.2), 1e-6, what);
    }
}

const BOTH: [Convention; 2] = [Convention::Pytorch, Convention::Keras];

/// (p, g) after weight decay.
fn decayed(decoupled: bool, lr: f64, wd: f64, p: f64, g: f64) -> (f64, f64) {
    if decoupled {
        (p - lr * wd * p, g)
    } else {
        (p, g + wd * p)
    }
}

#[test]
fn sgd() {
    for convention in BOTH {
        for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
            for weight_decay in [0.0, 0.1] {
                let o = Sgd {
                    convention,
                    lr: 0.05,
                    momentum,
                    nesterov,
                    weight_decay,
                };
                let keras = convention == Convention::Keras;
                let (lr, mu, wd) = (0.05, d(&momentum), d(&weight_decay));
                check_optim(
                    &format!("{o:?}"),
                    |_, p, g, b, _| o.step::<V>(p, g, b),
                    |_, p, g, b, _| o.step::<Scalar4>(p, g, b),
                    &|_, p, g, b, _| {
                        let (p, g) = decayed(keras, lr, wd, p, g);
                        if mu == 0.0 {
                            return (p - lr * g, 0.0, 0.0);
                        }
                        if keras {
                            let b = mu * b - lr * g;
                            (p + if nesterov { mu * b - lr * g } else { b }, b, 0.0)
                        } else {
                            let b = mu * b + g;
                            (p - lr * if nesterov { g + mu * b } else { b }, b, 0.0)
                        }
                    },
                );
            }
        }
    }
}

#[test]
fn rmsprop() {
    for convention in BOTH {
        for momentum in [0.0, 0.8] {
            let o = Rmsprop {
                convention,
                lr: 0.01,
                rho: 0.9,
                epsilon: 1e-3,
                momentum,
                weight_decay: 0.1,
            };
            let keras = convention == Convention::Keras;
            let (lr, eps, mu) = (0.01, 1e-3, d(&momentum));
            check_optim(
                &format!("{o:?}"),
                |_, p, g, v, b| o.step::<V>(p, g, v, b),
                |_, p, g, v, b| o.step::<Scalar4>(p, g, v, b),
                &|_, p, g, v, b| {
                    let (p, g) = decayed(keras, lr, d(&0.1), p, g);
                    let v = 0.9 * v + 0.1 * g * g;
                    let inc = if keras {
                        lr * g / (v + eps).sqrt()
                    } else {
                        g / (v.sqrt() + eps)
                    };
                    let b2 = mu * b + inc;
                    (
                        p - if keras { b2 } else { lr * b2 },
                        v,
                        if mu == 0.0 { b } else { b2 },
                    )
                },
            );
        }
    }
}

#[test]
fn adagrad() {
    for convention in BOTH {
        let o = Adagrad {
            convention,
            lr: 0.05,
            epsilon: 1e-3,
            weight_decay: 0.1,
        };
        let keras = convention == Convention::Keras;
        check_optim(
            &format!("{o:?}"),
            |_, p, g, s, _| o.step::<V>(p, g, s),
            |_, p, g, s, _| o.step::<Scalar4>(p, g, s),
            &|_, p, g, s, _| {
                let (p, g) = decayed(keras, 0.05, d(&0.1), p, g);
                let s = s + g * g;
                (
                    p - 0.05 * g
                        / if keras {
                            (s + 1e-3).sqrt()
                        } else {
                            s.sqrt() + 1e-3
                        },
                    s,
                    0.0,
                )
            },
        );
    }
}

#[test]
fn adam() {
    for convention in BOTH {
        for decoupled in [false, true] {
            let o = Adam {
                convention,
                lr: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-7,
                weight_decay: 0.1,
                decoupled,
            };
            let keras = convention == Convention::Keras;
            check_optim(
                &format!("{o:?}"),
                |t, p, g, m, v| o.step::<V>(t, p, g, m, v),
                |t, p, g, m, v| o.step::<Scalar4>(t, p, g, m, v),
                &|t, p, g, m, v| {
                    let (p, g) = decayed(decoupled || keras, 0.01, d(&0.1), p, g);
                    let (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
                    let (c1, c2) = (
                        1.0 - 0.9f64.powf(t.into()),
                        (1.0 - 0.999f64.powf(t.into())).sqrt(),
                    );
                    let step = if keras {
                        0.01 * c2 / c1 * m / (v.sqrt() + 1e-7)
                    } else {
                        0.01 / c1 * m / (v.sqrt() / c2 + 1e-7)
                    };
                    (p - step, m, v)
                },
            );
        }
    }
}
