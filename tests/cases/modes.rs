//! The modes in which a case runs.
use super::*;

pub(super) fn draw(fill: Draw, shape: &[usize], rng: &mut Rng) -> Vec<f32> {
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

pub(super) fn reference<T: Real>(c: &Case, x: &[Vec<f32>]) -> Vec<Vec<f64>> {
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

pub(super) fn run_reference<T: Real>(
    op: &Op,
    x: &[Vec<T>],
    xs: &[&[usize]],
    step: StepCtx,
) -> Vec<Vec<T>> {
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

pub(super) fn inputs(c: &Case, index: usize) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(index as u32, DATA);
    c.x.iter().map(|(s, f)| draw(*f, s, &mut rng)).collect()
}

/// What a kernel may differ from the reference by: sums in f32 lose with their length.
pub(super) fn bound(c: &Case, x: &[Vec<f32>], want: &[f64]) -> f64 {
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

pub(super) const SENTINEL: f32 = -12345.678;
/// Sentinels before and after every output.
pub(super) const GUARD: usize = 19;

/// The outputs of a case's kernel, between sentinels.
pub(super) fn kernel(
    c: &Case,
    x: &[Vec<f32>],
    shapes: &[Vec<usize>],
    threads: usize,
) -> Vec<Vec<f32>> {
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

pub(super) fn forward(c: &Case, x: &[Vec<f32>], name: &str) {
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
pub(super) fn gradient(c: &Case, x: &[Vec<f32>], name: &str) {
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
