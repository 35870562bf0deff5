//! The op case table and the modes in which each case runs: forward against the scalar reference
//! in f64 and f32, gradient against central differences in f64, sentinels around every output.
//! The native tests and the browser tests run the same table.
#![allow(dead_code, reason = "each test file uses a part")]
#[cfg(feature = "gpu")]
pub mod gpu;
mod image;
mod sequences;

use nabla::backend::cpu::{kernels::Act, pool, run_op};
use nabla::data::rng::{DATA, Rng};
use nabla::graph::{Dtype, Graph, Layout, Slab, ValueId, differentiate, numel};
use nabla::ops::optimizer::{Rule, hyper};
use nabla::ops::*;
use nabla::spec::Framework;

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

fn draw(fill: Draw, shape: &[usize], rng: &mut Rng) -> Vec<f32> {
    let n = numel(shape);
    match fill {
        U(lo, hi) => (0..n).map(|_| rng.range(lo, hi)).collect(),
        Clear(lo, hi) => (0..n)
            .map(|_| {
                let v = rng.range(lo, hi);
                let off = v - v.round();
                if off.abs() < 0.05 {
                    v + 0.1f32.copysign(off)
                } else {
                    v
                }
            })
            .collect(),
        Class(k) => (0..n).map(|_| rng.below(k as u32) as f32).collect(),
        Probs => {
            let mut v: Vec<f32> = (0..n).map(|_| rng.range(0.1, 1.0)).collect();
            for row in v.chunks_mut(*shape.last().unwrap()) {
                let s: f32 = row.iter().sum();
                row.iter_mut().for_each(|x| *x /= s);
            }
            v
        }
        Hyper => {
            let mut h = vec![0.0; hyper::LEN];
            h[hyper::MOMENTUM] = 0.9;
            h[hyper::WEIGHT_DECAY] = 0.01;
            h[hyper::BETA1] = 0.9;
            h[hyper::BETA2] = 0.999;
            h[hyper::EPSILON] = 1e-3;
            h[hyper::RHO] = 0.9;
            h[hyper::CLIP] = 0.7;
            h[hyper::L1] = 0.1;
            h[hyper::L2] = 0.2;
            h
        }
    }
}

fn reference<T: Real>(c: &Case, x: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let x: Vec<Vec<T>> = x
        .iter()
        .map(|v| v.iter().map(|v| T::of(f64::from(*v))).collect())
        .collect();
    let xs: Vec<&[usize]> = c.x.iter().map(|(s, _)| &s[..]).collect();
    run_reference(&c.op, &x, &xs, c.step)
        .into_iter()
        .map(|v| v.into_iter().map(T::f64).collect())
        .collect()
}

fn run_reference<T: Real>(op: &Op, x: &[Vec<T>], xs: &[&[usize]], step: StepCtx) -> Vec<Vec<T>> {
    let shapes = op.infer(xs).unwrap();
    let mut y: Vec<Vec<T>> = shapes
        .iter()
        .enumerate()
        .map(|(i, s)| match op.memory() {
            Memory::InPlace => x[i].clone(),
            _ => vec![T::of(0.0); numel(s)],
        })
        .collect();
    let ys: Vec<&[usize]> = shapes.iter().map(|s| &s[..]).collect();
    op.reference(&mut Reference {
        x,
        xs,
        y: &mut y,
        ys: &ys,
        step,
    });
    y
}

fn inputs(c: &Case, index: usize) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(index as u32, DATA);
    c.x.iter().map(|(s, f)| draw(*f, s, &mut rng)).collect()
}

/// What a kernel may differ from the reference by: sums in f32 lose with their length.
fn bound(c: &Case, x: &[Vec<f32>], want: &[f64]) -> f64 {
    let scale = want.iter().fold(1e-3, |m: f64, v| m.max(v.abs()));
    c.tolerance * scale * (1.0 + (x.first().map_or(1, Vec::len) as f64).sqrt() / 16.0)
}

/// Runs a case in every mode; panics with its description where one fails.
pub fn check(c: &Case, index: usize) {
    let name = format!("case {index}: {} {:?}", c.op.describe(), c.x);
    let x = inputs(c, index);
    forward(c, &x, &name);
    if !c.grad.is_empty() {
        gradient(c, &x, &name);
    }
}

const SENTINEL: f32 = -12345.678;
/// Sentinels before and after every output.
const GUARD: usize = 19;

/// The outputs of a case's kernel, between sentinels.
fn kernel(c: &Case, x: &[Vec<f32>], shapes: &[Vec<usize>], threads: usize) -> Vec<Vec<f32>> {
    let mut rooms: Vec<Vec<f32>> = shapes
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let mut room = vec![SENTINEL; numel(s) + 2 * GUARD];
            if c.op.memory() == Memory::InPlace {
                room[GUARD..][..numel(s)].copy_from_slice(&x[i]);
            }
            room
        })
        .collect();
    if c.op.memory() == Memory::View {
        return rooms;
    }
    let inputs: Vec<(&[f32], &[usize], Dtype)> = x
        .iter()
        .enumerate()
        .map(|(i, v)| {
            let dtype = if i == 0 { c.dtype } else { Dtype::F32 };
            (&v[..], &c.x[i].0[..], dtype)
        })
        .collect();
    let mut outs: Vec<(&mut [f32], &[usize])> = rooms
        .iter_mut()
        .zip(shapes)
        .map(|(room, s)| (&mut room[GUARD..][..numel(s)], &s[..]))
        .collect();
    run_op(&c.op, &inputs, &mut outs, c.step, threads);
    rooms
}

fn forward(c: &Case, x: &[Vec<f32>], name: &str) {
    let xs: Vec<&[usize]> = c.x.iter().map(|(s, _)| &s[..]).collect();
    let shapes = c.op.infer(&xs).unwrap();
    let want = reference::<f64>(c, x);
    let want32 = reference::<f32>(c, x);
    let rooms = kernel(c, x, &shapes, 1);
    // Results do not depend on the number of threads.
    let most = pool::threads();
    for threads in [2, most].into_iter().filter(|n| *n <= most) {
        let bits = |rooms: &[Vec<f32>]| -> Vec<u32> {
            rooms.iter().flatten().map(|v| v.to_bits()).collect()
        };
        let same = bits(&kernel(c, x, &shapes, threads)) == bits(&rooms);
        assert!(same, "{name}: other bits with {threads} threads");
    }
    for (i, room) in rooms.iter().enumerate() {
        let n = numel(&shapes[i]);
        let (before, rest) = room.split_at(GUARD);
        let (got, after) = rest.split_at(n);
        let untouched = before.iter().chain(after).all(|v| *v == SENTINEL);
        assert!(untouched, "{name}: output {i} wrote outside its slot");
        let scale = want[i].iter().fold(1e-3, |m: f64, v| m.max(v.abs()));
        let bound = bound(c, x, &want[i]);
        for j in 0..n {
            let single = (want32[i][j] - want[i][j]).abs();
            assert!(
                single <= 2e-5 * scale,
                "{name}: reference in f32, output {i}[{j}]: {} instead of {}",
                want32[i][j],
                want[i][j]
            );
            if c.op.memory() == Memory::View {
                continue;
            }
            let error = (f64::from(got[j]) - want[i][j]).abs();
            assert!(
                error <= bound,
                "{name}: output {i}[{j}] is {} instead of {}, off by {error:e}",
                got[j],
                want[i][j]
            );
        }
    }
}

/// L = Σ r·y for fixed numbers r; its gradient through the graph, run in f64, against central
/// differences of the reference in f64.
fn gradient(c: &Case, x: &[Vec<f32>], name: &str) {
    let (mut g, mut layout) = (Graph::default(), Layout::default());
    let ids: Vec<ValueId> =
        c.x.iter()
            .enumerate()
            .map(|(i, (s, _))| {
                let slot = layout.slot(Slab::Io, &format!("x{i}"), s, Dtype::F32);
                g.slot(&layout, slot)
            })
            .collect();
    let y = g.push(c.op.clone(), &ids, "y").unwrap()[0];
    let n = numel(g.shape(y));
    let slot = layout.slot(Slab::Io, "r", &[n, 1], Dtype::F32);
    let r = g.slot(&layout, slot);
    let row = g.push1(Reshape { shape: vec![1, n] }, &[y], "row").unwrap();
    let loss = g
        .push1(
            MatMul {
                ta: false,
                tb: false,
            },
            &[row, r],
            "loss",
        )
        .unwrap();
    let wanted: Vec<ValueId> = c.grad.iter().map(|i| ids[*i]).collect();
    let grads = differentiate(&mut g, loss, &wanted).unwrap();
    let weights: Vec<f64> = (0..n)
        .map(|i| ((i * 7 + 3) % 11) as f64 / 5.0 - 0.9)
        .collect();
    let mut start: Vec<Option<Vec<f64>>> = vec![None; g.values.len()];
    for (id, v) in ids.iter().zip(x) {
        start[id.0 as usize] = Some(v.iter().map(|v| f64::from(*v)).collect());
    }
    start[r.0 as usize] = Some(weights);
    let run = |start: &[Option<Vec<f64>>], nodes: usize| {
        let mut values = start.to_vec();
        for node in &g.nodes[..nodes] {
            let ins: Vec<Vec<f64>> = node
                .inputs
                .iter()
                .map(|v| values[v.0 as usize].clone().unwrap())
                .collect();
            let xs: Vec<&[usize]> = node.inputs.iter().map(|v| g.shape(*v)).collect();
            for (id, v) in node
                .outputs
                .iter()
                .zip(run_reference(&node.op, &ins, &xs, c.step))
            {
                values[id.0 as usize] = Some(v);
            }
        }
        values
    };
    let forward = 3;
    let all = run(&start, g.nodes.len());
    for (k, i) in c.grad.iter().enumerate() {
        let len = x[*i].len();
        let analytic = match grads[k] {
            Some(v) => all[v.0 as usize].clone().unwrap(),
            None => vec![0.0; len],
        };
        let scale = analytic.iter().fold(0.1, |m: f64, v| m.max(v.abs()));
        // Of large inputs a spread of elements is enough.
        for j in (0..len).step_by(1 + len / 40) {
            let h = 1e-5;
            let at = |d: f64| {
                let mut s = start.clone();
                s[ids[*i].0 as usize].as_mut().unwrap()[j] += d;
                run(&s, forward)[loss.0 as usize].as_ref().unwrap()[0]
            };
            let numeric = (at(h) - at(-h)) / (2.0 * h);
            assert!(
                (analytic[j] - numeric).abs() <= 1e-6 * scale,
                "{name}: d/dx{i}[{j}] is {} instead of {numeric}",
                analytic[j]
            );
        }
    }
}
