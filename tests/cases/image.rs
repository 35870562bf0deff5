//! Cases of convolution, pooling and normalisation.
use super::{Case, Draw, Draw::*, case};
use nabla::backend::cpu::kernels::Act;
use nabla::ops::*;

const UNIT: Draw = U(-1.0, 1.0);

fn window(kernel: [usize; 2], stride: [usize; 2], pad: [[usize; 2]; 2], d: [usize; 2]) -> Window {
    Window {
        kernel,
        stride,
        dilation: d,
        pad,
    }
}

/// (image `[N,H,W,C]`, filters K, groups, window)
fn convolutions() -> Vec<([usize; 4], usize, usize, Window)> {
    let pad = |p: usize| [[p, p]; 2];
    let one = [1, 1];
    vec![
        ([1, 1, 1, 1], 1, 1, window(one, one, pad(0), one)),
        ([2, 5, 7, 1], 3, 1, window([3, 3], one, pad(1), one)),
        ([2, 7, 5, 3], 5, 1, window([3, 3], one, pad(0), one)),
        ([3, 6, 6, 8], 12, 1, window([3, 3], one, pad(1), one)),
        ([1, 5, 6, 33], 17, 1, window([3, 2], one, pad(1), one)),
        ([2, 4, 5, 6], 7, 1, window(one, one, pad(0), one)),
        ([2, 4, 5, 6], 7, 1, window(one, [2, 2], pad(0), one)),
        ([2, 9, 8, 4], 6, 1, window([3, 3], [2, 2], pad(1), one)),
        (
            [1, 9, 8, 5],
            4,
            1,
            window([3, 3], [2, 3], [[0, 1], [1, 2]], one),
        ),
        ([2, 9, 9, 4], 8, 1, window([3, 3], one, pad(2), [2, 2])),
        ([1, 11, 9, 3], 5, 1, window([3, 2], [2, 1], pad(1), [2, 3])),
        ([2, 6, 5, 4], 6, 2, window([3, 3], one, pad(1), one)),
        ([2, 6, 5, 6], 12, 6, window([3, 3], [2, 2], pad(1), one)),
        (
            [3, 1, 13, 5],
            4,
            1,
            window([1, 7], one, [[0, 0], [3, 3]], one),
        ),
        // 3×3 at a stride of 1 with many channels, and the first layer's few.
        ([2, 6, 6, 16], 18, 1, window([3, 3], one, pad(1), one)),
        ([1, 7, 5, 21], 16, 1, window([3, 3], one, pad(0), one)),
        ([3, 5, 6, 33], 17, 1, window([3, 3], one, pad(2), one)),
        ([1, 3, 3, 16], 32, 1, window([3, 3], one, pad(0), one)),
        ([1, 4, 5, 16], 16, 1, window([3, 3], one, pad(3), one)),
        (
            [1, 24, 22, 16],
            16,
            1,
            window([3, 3], one, [[0, 1], [1, 0]], one),
        ),
        ([3, 7, 7, 1], 16, 1, window([3, 3], one, pad(1), one)),
        ([2, 9, 8, 3], 21, 1, window([3, 3], [2, 2], pad(1), one)),
        ([2, 8, 11, 4], 19, 1, window([5, 3], [1, 3], pad(1), [1, 2])),
        // Along one axis, long enough to be read in place.
        (
            [2, 1, 40, 5],
            6,
            1,
            window([1, 7], one, [[0, 0], [3, 3]], one),
        ),
        ([2, 1, 33, 8], 9, 1, window([1, 2], one, pad(0), one)),
        (
            [2, 1, 81, 6],
            5,
            1,
            window([1, 4], [1, 2], [[0, 0], [1, 2]], one),
        ),
        (
            [1, 1, 36, 5],
            7,
            1,
            window([1, 3], one, [[0, 0], [4, 4]], one),
        ),
        // Padding wider than the kernel: dy is read from behind its edge.
        ([1, 3, 4, 2], 3, 1, window([2, 2], one, pad(3), one)),
        ([5, 3, 3, 260], 3, 1, window([2, 2], one, pad(0), one)),
    ]
}

fn pools() -> Vec<([usize; 4], Window)> {
    let pad = |p: usize| [[p, p]; 2];
    let one = [1, 1];
    vec![
        ([1, 1, 1, 1], window(one, one, pad(0), one)),
        ([2, 6, 4, 3], window([2, 2], [2, 2], pad(0), one)),
        ([2, 7, 5, 6], window([2, 2], [2, 2], pad(0), one)),
        ([1, 7, 8, 5], window([3, 3], [2, 2], pad(1), one)),
        ([2, 5, 5, 4], window([3, 2], one, pad(1), one)),
        (
            [1, 9, 7, 9],
            window([2, 3], [1, 2], [[0, 1], [1, 1]], [2, 2]),
        ),
        ([3, 1, 11, 4], window([1, 4], [1, 4], pad(0), one)),
    ]
}

pub fn table() -> Vec<Case> {
    let mut t = Vec::new();
    for (x, k, groups, window) in convolutions() {
        let [p, q] = window.out([x[1], x[2]]).unwrap();
        let [r, s] = window.kernel;
        let (w, y) = ([k, x[3] / groups, r, s], [x[0], p, q, k]);
        for (bias, act) in [(true, Act::None), (false, Act::None), (true, Act::Relu)] {
            let (kb, cb) = ([k], [x[3]]);
            // A large one is for the blocks of the kernels.
            let fused = act != Act::None || x[1] > 20;
            let grad: &[usize] = match (fused, bias) {
                (true, _) => &[],
                (_, true) => &[0, 1, 2],
                _ => &[0, 1],
            };
            let op = Conv2d {
                window,
                groups,
                bias,
                act,
            };
            let list: [(&[usize], Draw); 3] = [(&x, UNIT), (&w, UNIT), (&kb, UNIT)];
            t.push(case(op, &list[..2 + usize::from(bias)], grad));
            let op = ConvTranspose2d {
                window,
                groups,
                size: [x[1], x[2]],
                bias,
                act,
            };
            let list: [(&[usize], Draw); 3] = [(&y, UNIT), (&w, UNIT), (&cb, UNIT)];
            t.push(case(op, &list[..2 + usize::from(bias)], grad));
        }
        let op = ConvWeightGrad { window, groups };
        t.push(case(op, &[(&x, UNIT), (&y, UNIT)], &[]));
    }
    for (x, window) in pools() {
        let size = [x[1], x[2]];
        let [p, q] = window.out(size).unwrap();
        let y = [x[0], p, q, x[3]];
        t.push(case(MaxPool { window }, &[(&x, UNIT)], &[0]));
        // Whole numbers, so that there are ties, and values that are no window's maximum.
        for relu in [false, true] {
            let list: [(&[usize], Draw); 3] = [(&x, Class(3)), (&y, Class(3)), (&y, UNIT)];
            t.push(case(MaxPoolGrad { window, relu }, &list, &[]));
        }
        for count_pad in [false, true] {
            t.push(case(AvgPool { window, count_pad }, &[(&x, UNIT)], &[0]));
            let op = AvgPoolGrad {
                window,
                count_pad,
                size,
            };
            t.push(case(op, &[(&y, UNIT)], &[]));
        }
    }
    for (x, factor) in [
        ([1, 1, 1, 1], [3, 2]),
        ([2, 3, 4, 5], [2, 3]),
        ([1, 2, 3, 8], [2, 2]),
    ] {
        let y = [x[0], x[1] * factor[0], x[2] * factor[1], x[3]];
        t.push(case(Upsample { factor }, &[(&x, UNIT)], &[0]));
        t.push(case(UpsampleGrad { factor }, &[(&y, UNIT)], &[]));
    }
    for shape in [&[1, 1, 1][..], &[2, 3, 5], &[3, 8, 4, 6], &[2, 9, 7]] {
        for last in [false, true] {
            t.push(case(Channels { last }, &[(shape, UNIT)], &[0]));
        }
    }
    let eps = 1e-3;
    for shape in [&[4, 1][..], &[7, 5], &[2, 3, 4, 8], &[300, 6]] {
        let c = [*shape.last().unwrap()];
        for affine in [false, true] {
            let more = |list: &[(&[usize], Draw)], n: usize| {
                let mut list: Vec<(Vec<usize>, Draw)> =
                    list.iter().map(|(s, d)| (s.to_vec(), *d)).collect();
                if affine {
                    list.extend((0..n).map(|_| (c.to_vec(), UNIT)));
                }
                list
            };
            let grad: &[usize] = if affine { &[0, 1, 2] } else { &[0] };
            let mut add = |op: Op, x: Vec<(Vec<usize>, Draw)>, grad: &[usize]| {
                let x: Vec<(&[usize], Draw)> = x.iter().map(|(s, d)| (&s[..], *d)).collect();
                t.push(case(op, &x, grad));
            };
            add(
                BatchNorm { eps, affine }.into(),
                more(&[(shape, UNIT)], 2),
                grad,
            );
            let stats: [(&[usize], Draw); 2] = [(&c, UNIT), (&c, U(0.1, 1.0))];
            let x = [(shape, UNIT), stats[0], stats[1], (shape, UNIT)];
            add(BatchNormGrad { eps, affine }.into(), more(&x, 1), &[]);
            add(Normalize { eps, affine }.into(), more(&x[..3], 2), &[0]);
        }
        for unbiased in [false, true] {
            let op = RunningStats {
                keep: 0.9,
                rows: 5,
                unbiased,
            };
            let each: (&[usize], Draw) = (&c, U(0.1, 1.0));
            t.push(case(op, &[each, each, each, each], &[]));
        }
    }
    for shape in [&[1, 2][..], &[5, 7], &[2, 3, 16], &[9, 33]] {
        let (d, rows) = (
            [*shape.last().unwrap()],
            [shape[..shape.len() - 1].iter().product()],
        );
        for (center, bias) in [(true, true), (true, false), (false, false)] {
            let x: [(&[usize], Draw); 3] = [(shape, UNIT), (&d, UNIT), (&d, UNIT)];
            let n = 2 + usize::from(bias);
            let op = LayerNorm { eps, center, bias };
            t.push(case(op, &x[..n], &[0, 1, 2][..n]));
        }
        for center in [false, true] {
            let x: [(&[usize], Draw); 5] = [
                (shape, UNIT),
                (&d, UNIT),
                (&rows, UNIT),
                (&rows, U(0.5, 2.0)),
                (shape, UNIT),
            ];
            t.push(case(LayerNormGrad { center }, &x, &[]));
        }
    }
    t
}
