//! The op case table and the modes in which each case runs: forward against the scalar reference
//! in f64 and f32, gradient against central differences in f64, sentinels around every output.
//! The native tests and the browser tests run the same table.
#![allow(dead_code, reason = "each test file uses a part")]
#[cfg(feature = "gpu")]
pub mod gpu;
mod image;
mod modes;
mod sequences;

use nabla::backend::cpu::{kernels::Act, pool, run_op};
use nabla::data::rng::{DATA, Rng};
use nabla::graph::{Dtype, Graph, Layout, Slab, ValueId, differentiate, numel};
use nabla::ops::optimizer::{Rule, hyper};
use nabla::ops::*;
use nabla::spec::Framework;

pub use modes::*;

/// How an input is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Draw {
    /// U(lo, hi)
    U(f32, f32),
    /// U(lo, hi), but at least this far from every multiple of 1: keeps clear of kinks.
    Clear(f32, f32),
    /// Whole numbers from 0 to n − 1.
    Class(usize),
    /// Rows that are probabilities.
    Probs,
    /// The hyper-parameter table.
    Hyper,
}
use Draw::*;

pub struct Case {
    pub op: Op,
    pub x: Vec<(Vec<usize>, Draw)>,
    /// Inputs whose gradient is checked.
    pub grad: Vec<usize>,
    /// Bound on |kernel − reference|, relative to the largest value of the output.
    pub tolerance: f64,
    pub dtype: Dtype,
    pub step: StepCtx,
}

fn case(op: impl Into<Op>, x: &[(&[usize], Draw)], grad: &[usize]) -> Case {
    Case {
        op: op.into(),
        x: x.iter().map(|(s, f)| (s.to_vec(), *f)).collect(),
        grad: grad.to_vec(),
        tolerance: 2e-6,
        dtype: Dtype::F32,
        step: StepCtx { step: 3, index: 1 },
    }
}

const ACTS: [Act; 12] = [
    Act::None,
    Act::Step,
    Act::Relu,
    Act::LeakyRelu(0.01),
    Act::LeakyRelu(0.3),
    Act::Elu(1.0),
    Act::Sigmoid,
    Act::Tanh,
    Act::Gelu,
    Act::GeluTanh,
    Act::Silu,
    Act::Softplus(1.0),
];

/// Shapes hold 1, odd sizes, and sizes that are no multiple of a vector or a register block.
pub fn table() -> Vec<Case> {
    let mut t = Vec::new();
    let matrices: [(usize, usize, usize); 9] = [
        (1, 1, 1),
        (1, 7, 5),
        (5, 1, 3),
        (4, 4, 1),
        (17, 13, 19),
        (32, 10, 64),
        (33, 31, 300),
        (128, 10, 16),
        (7, 65, 257),
    ];
    for (m, n, k) in matrices {
        for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
            let a = if ta { [k, m] } else { [m, k] };
            let b = if tb { [n, k] } else { [k, n] };
            t.push(case(
                MatMul { ta, tb },
                &[(&a, U(-1.0, 1.0)), (&b, U(-1.0, 1.0))],
                &[0, 1],
            ));
        }
        for bias in [false, true] {
            let mut x: Vec<(&[usize], Draw)> = Vec::new();
            let (xs, ws, bs) = ([m, k], [n, k], [n]);
            x.push((&xs, U(-1.0, 1.0)));
            x.push((&ws, U(-1.0, 1.0)));
            if bias {
                x.push((&bs, U(-1.0, 1.0)));
            }
            let grad: Vec<usize> = (0..x.len()).collect();
            t.push(case(
                Linear {
                    bias,
                    act: Act::None,
                },
                &x,
                &grad,
            ));
        }
    }
    let (xs, ws, bs) = ([2, 5, 6], [7, 6], [7]);
    let x: [(&[usize], Draw); 3] = [
        (&xs, U(-1.0, 1.0)),
        (&ws, U(-1.0, 1.0)),
        (&bs, U(-1.0, 1.0)),
    ];
    t.push(case(
        Linear {
            bias: true,
            act: Act::None,
        },
        &x,
        &[0, 1, 2],
    ));
    for act in ACTS {
        // Fused into the product's epilogue; fusion never asks for its gradient.
        if act.grad_from_output() {
            let x: [(&[usize], Draw); 3] = [
                (&[9, 11], U(-1.0, 1.0)),
                (&[13, 11], U(-1.0, 1.0)),
                (&[13], U(-1.0, 1.0)),
            ];
            let mut c = case(Linear { bias: true, act }, &x, &[]);
            // A step's output jumps where sums of different order differ in sign.
            if act == Act::Step {
                c.x[0].1 = Clear(-1.0, 1.0);
            }
            t.push(c);
        }
        for shape in [&[1][..], &[3, 5], &[4, 16], &[2, 3, 7]] {
            t.push(case(Activation { act }, &[(shape, Clear(-4.0, 4.0))], &[0]));
            t.push(case(
                ActivationGrad { act },
                &[(shape, Clear(-0.9, 0.9)), (shape, U(-1.0, 1.0))],
                &[],
            ));
        }
    }
    for shape in [&[1, 2][..], &[3, 10], &[5, 17], &[2, 3, 4], &[64, 33]] {
        t.push(case(Softmax, &[(shape, U(-5.0, 5.0))], &[0]));
        let x = [(shape, Probs), (shape, U(-1.0, 1.0))];
        t.push(case(SoftmaxGrad, &x, &[]));
    }
    for (b, c) in [(1, 2), (7, 3), (16, 10), (5, 33)] {
        let (class, each) = ([b, 1], [b]);
        for clip in [false, true] {
            let x: [(&[usize], Draw); 2] = [(&[b, c], U(-3.0, 3.0)), (&class, Class(c))];
            t.push(case(SoftmaxCrossEntropy { clip }, &x, &[0]));
            let x: [(&[usize], Draw); 3] =
                [(&[b, c], Probs), (&class, Class(c)), (&each, U(-1.0, 1.0))];
            t.push(case(SoftmaxCrossEntropyGrad { clip }, &x, &[]));
        }
        let x: [(&[usize], Draw); 2] = [(&[b, c], U(0.1, 1.0)), (&class, Class(c))];
        t.push(case(CrossEntropyProbs, &x, &[0]));
        let x: [(&[usize], Draw); 3] = [
            (&[b, c], U(0.1, 1.0)),
            (&class, Class(c)),
            (&each, U(-1.0, 1.0)),
        ];
        t.push(case(CrossEntropyProbsGrad, &x, &[]));
        for normalized in [false, true] {
            let x: [(&[usize], Draw); 3] = [
                (&each, U(0.1, 3.0)),
                (&class, Class(c)),
                (&[c], U(0.1, 4.0)),
            ];
            t.push(case(ClassWeight { normalized }, &x, &[0]));
        }
        let x: [(&[usize], Draw); 2] = [(&[b, c], U(0.0, 1.0)), (&class, Class(c))];
        t.push(case(Correct { threshold: 0.5 }, &x, &[]));
    }
    t.push(case(
        Correct { threshold: 0.5 },
        &[(&[9, 1], U(0.0, 1.0)), (&[9, 1], Class(2))],
        &[],
    ));
    use Measure::*;
    let pytorch = BceProbs {
        framework: Framework::Pytorch,
    };
    let keras = BceProbs {
        framework: Framework::Keras,
    };
    let measures = [
        (Squared, U(-2.0, 2.0), U(-1.0, 1.0)),
        // Predictions near half-integers and targets near integers stay clear of the kink.
        (Absolute, Clear(-2.0, 2.0), Class(2)),
        (Huber { delta: 0.25 }, Clear(-2.0, 2.0), Class(2)),
        (Hinge, Clear(-2.0, 2.0), Class(2)),
        (Perceptron, Clear(-2.0, 2.0), Class(2)),
        (BceLogits, U(-4.0, 4.0), Class(2)),
        (pytorch, U(0.05, 0.95), Class(2)),
        (keras, U(0.05, 0.95), Class(2)),
    ];
    for (measure, p, y) in measures {
        for shape in [&[1, 1][..], &[7, 1], &[4, 6], &[3, 37]] {
            t.push(case(PerSample { measure }, &[(shape, p), (shape, y)], &[0]));
            let x = [(shape, p), (shape, y), (&shape[..1], U(-1.0, 1.0))];
            t.push(case(PerSampleGrad { measure }, &x, &[]));
        }
    }
    for shape in [&[1][..], &[3, 7], &[64, 65], &[2, 3, 4]] {
        let x = [(shape, U(-1.0, 1.0)), (shape, U(-1.0, 1.0))];
        t.push(case(Add, &x, &[0, 1]));
        t.push(case(Copy, &x[..1], &[0]));
        t.push(case(Mean, &x[..1], &[0]));
        t.push(case(Norm, &x[..1], &[]));
        t.push(case(
            Fill {
                shape: shape.to_vec(),
                value: 0.5,
            },
            &[],
            &[],
        ));
        let expand = Expand {
            shape: shape.to_vec(),
            scale: 0.25,
        };
        t.push(case(expand, &[(&[1], U(-1.0, 1.0))], &[0]));
        let flat = Reshape {
            shape: vec![numel(shape)],
        };
        t.push(case(flat, &x[..1], &[0]));
        for seed in [0, 9] {
            let op = Dropout {
                rate: 0.4,
                seed,
                layer: 2,
            };
            t.push(case(op, &x[..1], &[0]));
        }
    }
    for shape in [&[1, 1][..], &[5, 3], &[130, 37], &[2, 3, 4]] {
        t.push(case(ColSums, &[(shape, U(-1.0, 1.0))], &[0]));
    }
    for axis in [1, 2] {
        let mut b = [2, 3, 4];
        b[axis] = 5;
        let x: [(&[usize], Draw); 3] = [
            (&[2, 3, 4], U(-1.0, 1.0)),
            (&b, U(-1.0, 1.0)),
            (&[2, 3, 4], U(-1.0, 1.0)),
        ];
        t.push(case(Concat { axis }, &x, &[0, 1, 2]));
        let x: [(&[usize], Draw); 1] = [(&[3, 5, 6], U(-1.0, 1.0))];
        t.push(case(
            Slice {
                axis,
                start: 1,
                len: 3,
            },
            &x,
            &[0],
        ));
        t.push(case(
            SliceGrad {
                axis,
                start: 2,
                full: 9,
            },
            &x,
            &[],
        ));
    }
    for dtype in [Dtype::F32, Dtype::U8] {
        for scaled in [false, true] {
            let mut x: Vec<(&[usize], Draw)> = vec![(&[9, 3, 5], Class(256)), (&[8], Class(9))];
            if scaled {
                x.extend([(&[15][..], U(0.1, 1.0)), (&[15][..], U(-1.0, 1.0))]);
            }
            let mut c = case(
                Gather {
                    batch: 4,
                    dtype,
                    scaled,
                },
                &x,
                &[],
            );
            c.dtype = dtype;
            t.push(c);
        }
    }
    for shape in [&[1][..], &[5, 7]] {
        let x = [
            (shape, Clear(-2.0, 2.0)),
            (&[hyper::LEN][..], Hyper),
            (&[1][..], U(0.5, 1.0)),
        ];
        t.push(case(Penalty, &x[..2], &[0]));
        t.push(case(PenaltyGrad, &x, &[]));
    }
    let x: [(&[usize], Draw); 4] = [
        (&[4, 3], U(0.0, 1.0)),
        (&[1], U(0.0, 1.0)),
        (&[1], U(0.0, 1.0)),
        (&[1], U(0.0, 1.0)),
    ];
    t.push(case(Record, &x, &[]));
    for framework in [Framework::Pytorch, Framework::Keras] {
        let x: [(&[usize], Draw); 3] = [
            (&[67], U(-1.0, 1.0)),
            (&[hyper::LEN], Hyper),
            (&[1], U(2.0, 3.0)),
        ];
        t.push(case(
            ClipGrad {
                norm: false,
                framework,
            },
            &x[..2],
            &[],
        ));
        t.push(case(
            ClipGrad {
                norm: true,
                framework,
            },
            &x,
            &[],
        ));
        let rules = [
            Rule::Sgd {
                momentum: false,
                nesterov: false,
            },
            Rule::Sgd {
                momentum: true,
                nesterov: false,
            },
            Rule::Sgd {
                momentum: true,
                nesterov: true,
            },
            Rule::Rmsprop { momentum: false },
            Rule::Rmsprop { momentum: true },
            Rule::Adagrad,
            Rule::Adam { decoupled: false },
            Rule::Adam { decoupled: true },
        ];
        for rule in rules {
            for n in [1, 64, 67] {
                let size = [n];
                let mut x: Vec<(&[usize], Draw)> = vec![(&size, U(-1.0, 1.0))];
                x.extend(rule.state().iter().map(|_| (&size[..], U(0.1, 0.5))));
                x.push((&size, U(-1.0, 1.0)));
                x.push((&[4], U(0.01, 0.02)));
                x.push((&[hyper::LEN], Hyper));
                t.push(case(Update { rule, framework }, &x, &[]));
            }
        }
    }
    t.extend(image::table());
    sequences::add(&mut t);
    divided(&mut t);
    t
}

/// Large enough to be divided into sums of parts.
fn divided(t: &mut Vec<Case>) {
    let x: [(&[usize], Draw); 3] = [
        (&[64, 4, 4, 20], U(-1.0, 1.0)),
        (&[20], U(0.5, 1.5)),
        (&[20], U(-1.0, 1.0)),
    ];
    let (eps, affine) = (1e-5, true);
    t.push(case(BatchNorm { eps, affine }, &x, &[]));
    let x: [(&[usize], Draw); 5] = [
        x[0],
        (&[20], U(-0.1, 0.1)),
        (&[20], U(0.3, 0.4)),
        x[0],
        x[1],
    ];
    t.push(case(BatchNormGrad { eps, affine }, &x, &[]));
    let (cell, small) = (Cell::Lstm, U(-0.6, 0.6));
    let (all, gates, state) = ([70, 2, 5], [70, 2, 20], [70, 2, 5]);
    let x: [(&[usize], Draw); 7] = [
        (&all, small),
        (&[20, 5], small),
        (&[20, 5], small),
        (&state, small),
        (&gates, U(0.05, 0.95)),
        (&state, small),
        (&state, small),
    ];
    for dx in [false, true] {
        let reverse = dx;
        t.push(case(RecurrentGrad { cell, reverse, dx }, &x, &[]));
    }
    // A norm of several pieces.
    t.push(case(Norm, &[(&[150_001], U(-1.0, 1.0))], &[]));
}
