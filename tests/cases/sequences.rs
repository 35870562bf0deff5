//! Cases of the ops that sequences need.
use super::*;

const X: Draw = U(-1.0, 1.0);

pub(super) fn add(t: &mut Vec<Case>) {
    arithmetic(t);
    axes(t);
    tables(t);
    recurrent(t);
    attention(t);
    variational(t);
}

fn arithmetic(t: &mut Vec<Case>) {
    for shape in [&[1][..], &[3, 7], &[2, 3, 5]] {
        for how in [Pair::Sub, Pair::Mul, Pair::Div] {
            let b = if how == Pair::Div { U(0.5, 2.0) } else { X };
            t.push(case(Pairwise { how }, &[(shape, X), (shape, b)], &[0, 1]));
        }
        t.push(case(Scale { by: -0.75 }, &[(shape, X)], &[0]));
    }
    for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 13, 19)] {
        for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
            for lead in [&[2][..], &[3, 2]] {
                let a = if ta { [k, m] } else { [m, k] };
                let b = if tb { [n, k] } else { [k, n] };
                let x = [lead, &a].concat();
                let y = [lead, &b].concat();
                t.push(case(MatMul { ta, tb }, &[(&x, X), (&y, X)], &[0, 1]));
            }
        }
    }
}

fn axes(t: &mut Vec<Case>) {
    let shapes: [&[usize]; 4] = [&[1], &[5, 7], &[2, 3, 4], &[3, 2, 5, 3]];
    for shape in shapes {
        let rank = shape.len();
        for shift in 0..rank {
            let axes: Vec<usize> = (0..rank).map(|i| (i + shift) % rank).collect();
            t.push(case(Permute { axes }, &[(shape, X)], &[0]));
        }
        let axes: Vec<usize> = (0..rank).rev().collect();
        t.push(case(Permute { axes }, &[(shape, X)], &[0]));
        for picked in 1..1usize << rank {
            let axes: Vec<usize> = (0..rank).filter(|i| picked >> i & 1 == 1).collect();
            let mut small = shape.to_vec();
            for a in &axes {
                small[*a] = 1;
            }
            for how in [Fold::Sum, Fold::Mean, Fold::Max] {
                let axes = axes.clone();
                t.push(case(Reduce { how, axes }, &[(shape, X)], &[0]));
            }
            let x = [(shape, Class(3)), (&small[..], Class(3)), (&small[..], X)];
            t.push(case(MaxGrad, &x, &[]));
            let shape = shape.to_vec();
            t.push(case(Broadcast { shape }, &[(&small, X)], &[0]));
        }
        for axis in 0..rank {
            for log in [false, true] {
                let x = [(shape, U(-4.0, 4.0))];
                t.push(case(AxisSoftmax { axis, log }, &x, &[0]));
                let y = if log { U(-4.0, 0.0) } else { Probs };
                let x = [(shape, y), (shape, X)];
                t.push(case(AxisSoftmaxGrad { axis, log }, &x, &[]));
            }
        }
        let before: Vec<usize> = (0..rank).map(|i| (i + 1) % 3).collect();
        let after: Vec<usize> = (0..rank).map(|i| i % 2).collect();
        let value = 0.5;
        t.push(case(
            Pad {
                before,
                after,
                value,
            },
            &[(shape, X)],
            &[0],
        ));
    }
}

fn tables(t: &mut Vec<Case>) {
    for (lead, k) in [(&[1][..], 1), (&[5], 3), (&[2, 3], 7)] {
        let x = [lead, &[k]].concat();
        // One index past the end: it takes the last number.
        let index = Class(k + 1);
        t.push(case(Pick, &[(&x, X), (lead, index)], &[0]));
        let op = PickGrad { classes: k };
        t.push(case(op, &[(lead, index), (lead, X)], &[]));
    }
    for (n, d) in [(7, 1), (40, 3), (65, 9)] {
        let mut c = case(Discriminant, &[(&[n, d], X), (&[n, 1], Class(2))], &[]);
        // Solving multiplies what the sums round.
        c.tolerance = 1e-4;
        t.push(c);
    }
    // One class alone has no line beside it.
    t.push(case(
        Discriminant,
        &[(&[6, 2], X), (&[6, 1], Class(1))],
        &[],
    ));
    for (ids, vocab, d) in [(&[1, 1][..], 1, 1), (&[3, 5], 7, 6), (&[4], 3, 17)] {
        // One id past the end: it takes the last row.
        let id = Class(vocab + 1);
        let table = [vocab, d];
        t.push(case(Embedding, &[(ids, id), (&table, X)], &[1]));
        let dy = [ids, &[d]].concat();
        t.push(case(EmbeddingGrad { vocab }, &[(ids, id), (&dy, X)], &[]));
    }
    for shape in [&[1, 1][..], &[5, 3, 7], &[2, 9]] {
        t.push(case(AddRow, &[(shape, X), (&shape[1..], X)], &[0, 1]));
    }
}

fn recurrent(t: &mut Vec<Case>) {
    let cells = [
        Cell::Lstm,
        Cell::Gru { keras: false },
        Cell::Gru { keras: true },
        Cell::Rnn { relu: false },
        Cell::Rnn { relu: true },
    ];
    // batch, steps, inputs, units
    let sizes = [
        (1, 1, 1, 1),
        (3, 4, 5, 6),
        (2, 5, 3, 9),
        (5, 3, 7, 16),
        (4, 3, 13, 200),
    ];
    for cell in cells {
        for (n, steps, i, h) in sizes {
            for reverse in [false, true] {
                let rows = cell.gates() * h;
                let start = t.len();
                // Of the large ones differences would take minutes.
                let differ = |list: &'static [usize]| if h < 100 { list } else { &[] };
                let small = if h < 100 { U(-0.6, 0.6) } else { U(-0.1, 0.1) };
                let (x, w, u, b) = ([n, steps, i], [rows, i], [rows, h], [rows]);
                let mut all: Vec<(&[usize], Draw)> =
                    vec![(&x, X), (&w, small), (&u, small), (&b, X), (&b, X)];
                t.push(case(
                    Recurrent { cell, reverse },
                    &all,
                    differ(&[0, 1, 2, 3, 4]),
                ));
                if !matches!(cell, Cell::Gru { .. }) {
                    all.pop();
                    t.push(case(
                        Recurrent { cell, reverse },
                        &all,
                        differ(&[0, 1, 2, 3]),
                    ));
                }
                let (y, gates) = ([n, steps, h], [n, steps, rows]);
                let mut all: Vec<(&[usize], Draw)> =
                    vec![(&x, X), (&w, small), (&u, small), (&y, X)];
                if cell.saves() {
                    all.extend([(&gates[..], U(0.05, 0.95)), (&y[..], X)]);
                }
                all.push((&y, X));
                for dx in [false, true] {
                    t.push(case(RecurrentGrad { cell, reverse, dx }, &all, &[]));
                }
                // A single output can be small beside what it is summed from.
                if h == 1 {
                    t[start..].iter_mut().for_each(|c| c.tolerance = 5e-5);
                }
            }
        }
    }
}

fn attention(t: &mut Vec<Case>) {
    // batch, steps, keys, heads, numbers per head
    let sizes = [
        (1, 1, 1, 1, 1),
        (2, 5, 5, 3, 3),
        (1, 70, 70, 2, 4),
        (2, 3, 7, 1, 8),
    ];
    for (n, steps, keys, heads, each) in sizes {
        let d = heads * each;
        for (causal, mask, packed) in (0..8).map(|i| (i & 1 > 0, i & 2 > 0, i & 4 > 0)) {
            if (packed || causal) && keys != steps {
                continue;
            }
            let forward = Attention {
                heads,
                causal,
                packed,
                mask,
            };
            let (all, q, k, keep) = ([n, steps, 3 * d], [n, steps, d], [n, keys, d], [n, keys]);
            let range = U(-2.0, 2.0);
            let mut x: Vec<(&[usize], Draw)> = match packed {
                true => vec![(&all, range)],
                false => vec![(&q, range), (&k, range), (&k, range)],
            };
            let grad: Vec<usize> = (0..x.len()).collect();
            if mask {
                x.push((&keep, Class(2)));
            }
            t.push(case(forward.clone(), &x, &grad));
            // Denominators of about as many keys as there are keep the probabilities below 1.
            let (l, lse) = ([n, heads, steps], U(4.0, 5.0));
            x.extend([(&q[..], X), (&l[..], lse), (&q[..], X)]);
            let mut c = case(AttentionGrad { forward }, &x, &[]);
            c.tolerance = 4e-6;
            t.push(c);
        }
    }
}

fn variational(t: &mut Vec<Case>) {
    for shape in [&[1, 1][..], &[3, 7], &[5, 2, 9]] {
        let x = [(shape, X), (shape, U(-2.0, 2.0)), (&shape[..1], X)];
        t.push(case(Sample { seed: 3, layer: 1 }, &x[..2], &[0, 1]));
        t.push(case(Divergence, &x[..2], &[0, 1]));
        t.push(case(DivergenceGrad, &x, &[]));
    }
}
