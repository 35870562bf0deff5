//! Digits drawn with a pen: strokes, moved about as hands do, then set into 28×28 as MNIST was.
use crate::data::digits::place;
use crate::data::rng::{DATA, NOISE, Rng};
use crate::data::{Raw, Target, Values};
use std::f32::consts::TAU;

type Point = [f32; 2];

/// A part of an ellipse as a stroke: centre, radii, from angle to angle (turns, 0 at the right,
/// growing clockwise since y points down).
fn arc(c: Point, r: Point, from: f32, to: f32) -> Vec<Point> {
    let n = 14;
    (0..=n)
        .map(|i| {
            let a = TAU * (from + (to - from) * i as f32 / n as f32);
            [c[0] + r[0] * libm::cosf(a), c[1] + r[1] * libm::sinf(a)]
        })
        .collect()
}

fn line(points: &[Point]) -> Vec<Point> {
    // Long lines bend too, so they need points between.
    let mut all = Vec::new();
    for pair in points.windows(2) {
        for i in 0..6 {
            let t = i as f32 / 6.0;
            all.push([0, 1].map(|k| pair[0][k] + (pair[1][k] - pair[0][k]) * t));
        }
    }
    all.extend(points.last());
    all
}

/// The strokes of a digit in a field 1 wide and 1 high; `style` chooses among ways to write it.
fn strokes(digit: usize, style: u32) -> Vec<Vec<Point>> {
    let join = |parts: &[Vec<Point>]| parts.concat();
    match digit {
        0 => vec![arc([0.5, 0.5], [0.3, 0.45], -0.25, 0.75)],
        1 => match style % 3 {
            0 => vec![line(&[[0.5, 0.05], [0.5, 0.95]])],
            1 => vec![line(&[[0.32, 0.25], [0.52, 0.05], [0.52, 0.95]])],
            _ => vec![
                line(&[[0.32, 0.25], [0.52, 0.05], [0.52, 0.95]]),
                line(&[[0.3, 0.95], [0.74, 0.95]]),
            ],
        },
        2 => vec![join(&[
            arc([0.5, 0.3], [0.27, 0.25], -0.5, 0.08),
            line(&[[0.68, 0.46], [0.22, 0.95], [0.8, 0.95]]),
        ])],
        3 => vec![join(&[
            arc([0.46, 0.27], [0.25, 0.22], -0.42, 0.25),
            arc([0.46, 0.72], [0.3, 0.23], -0.25, 0.42),
        ])],
        4 => match style % 2 {
            0 => vec![line(&[
                [0.62, 0.95],
                [0.62, 0.05],
                [0.18, 0.65],
                [0.85, 0.65],
            ])],
            _ => vec![
                line(&[[0.25, 0.08], [0.22, 0.55], [0.78, 0.55]]),
                line(&[[0.72, 0.08], [0.7, 0.95]]),
            ],
        },
        5 => vec![join(&[
            line(&[[0.76, 0.06], [0.32, 0.06], [0.27, 0.46]]),
            arc([0.47, 0.68], [0.3, 0.27], -0.36, 0.4),
        ])],
        6 => vec![join(&[
            line(&[[0.66, 0.05], [0.4, 0.32], [0.24, 0.62]]),
            arc([0.5, 0.7], [0.26, 0.25], 0.5, 1.5),
        ])],
        7 => match style % 3 {
            0 | 1 => vec![line(&[[0.2, 0.08], [0.8, 0.08], [0.42, 0.95]])],
            _ => vec![
                line(&[[0.2, 0.08], [0.8, 0.08], [0.42, 0.95]]),
                line(&[[0.34, 0.5], [0.76, 0.5]]),
            ],
        },
        8 => vec![
            arc([0.5, 0.27], [0.23, 0.21], 0.25, 1.25),
            arc([0.5, 0.72], [0.28, 0.24], -0.25, 0.75),
        ],
        _ => vec![join(&[
            arc([0.48, 0.3], [0.25, 0.25], 0.0, 1.0),
            line(&[[0.73, 0.3], [0.7, 0.6], [0.58, 0.95]]),
        ])],
    }
}

/// How a hand changes a digit: an affine map, then waves that bend.
struct Hand {
    map: [f32; 4],
    waves: [[f32; 4]; 4],
    width: f32,
}

impl Hand {
    fn new(rng: &mut Rng) -> Hand {
        let turn = 0.22 * rng.normal().clamp(-2.0, 2.0) * 0.7;
        let slant = 0.2 * rng.normal().clamp(-2.0, 2.0);
        let (sx, sy) = (rng.range(0.75, 1.2), rng.range(0.85, 1.1));
        let (s, c) = (libm::sinf(turn), libm::cosf(turn));
        // Slant first, then turn, then scale.
        let map = [c * sx, (c * slant - s) * sx, s * sy, (s * slant + c) * sy];
        let waves = std::array::from_fn(|_| {
            [
                rng.range(-5.0, 5.0),
                rng.range(-5.0, 5.0),
                rng.range(0.0, TAU),
                rng.range(-0.05, 0.05),
            ]
        });
        Hand {
            map,
            waves,
            width: rng.range(1.5, 3.2),
        }
    }

    fn place(&self, p: Point) -> Point {
        let (x, y) = (p[0] - 0.5, p[1] - 0.5);
        let mut q = [
            self.map[0] * x + self.map[1] * y,
            self.map[2] * x + self.map[3] * y,
        ];
        for (i, [a, b, phase, size]) in self.waves.iter().enumerate() {
            q[i % 2] += size * libm::sinf(a * x + b * y + phase);
        }
        q
    }
}

/// Grey of a pixel whose centre lies at `p`, for strokes of `width` pixels.
fn ink(p: Point, strokes: &[Vec<Point>], width: f32) -> u8 {
    let mut nearest = f32::INFINITY;
    for pair in strokes.iter().flat_map(|s| s.windows(2)) {
        let [a, b] = [pair[0], pair[1]];
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = dx * dx + dy * dy;
        let along = (p[0] - a[0]) * dx + (p[1] - a[1]) * dy;
        let t = if length > 0.0 {
            (along / length).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let (ex, ey) = (p[0] - a[0] - t * dx, p[1] - a[1] - t * dy);
        nearest = nearest.min(ex * ex + ey * ey);
    }
    // Half a pixel of soft edge on either side.
    ((width / 2.0 + 0.6 - nearest.sqrt()) * 255.0 / 1.2).clamp(0.0, 255.0) as u8
}

/// One digit, `[28, 28]`.
pub fn digit(which: usize, rng: &mut Rng) -> [u8; 784] {
    let style = rng.next_u32();
    let hand = Hand::new(rng);
    let mut all = strokes(which, style);
    let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for p in all.iter_mut().flatten() {
        *p = hand.place(*p);
        for k in 0..2 {
            low[k] = low[k].min(p[k]);
            high[k] = high[k].max(p[k]);
        }
    }
    // MNIST's box: the longer side is 20 pixels, the pen's width included.
    let room = 20.0 - hand.width;
    let scale = room / (high[0] - low[0]).max(high[1] - low[1]).max(1e-3);
    for p in all.iter_mut().flatten() {
        for k in 0..2 {
            p[k] = (p[k] - (low[k] + high[k]) / 2.0) * scale + 10.0;
        }
    }
    let mut pixels = [0; 400];
    for (i, v) in pixels.iter_mut().enumerate() {
        let at = [(i % 20) as f32 + 0.5, (i / 20) as f32 + 0.5];
        *v = ink(at, &all, hand.width);
    }
    place(&pixels)
}

/// `samples` digits, `[28, 28]`, values 0…255, in random order of their classes.
pub fn drawn(samples: usize, seed: u32) -> Raw {
    let mut which: Vec<u8> = (0..samples).map(|i| (i % 10) as u8).collect();
    Rng::new(seed, DATA).shuffle(&mut which);
    let mut x = Vec::with_capacity(samples * 784);
    for (i, d) in which.iter().enumerate() {
        x.extend(digit(usize::from(*d), &mut Rng::at(seed, NOISE, i as u32)));
    }
    Raw {
        shape: vec![28, 28],
        target: Target::Classes {
            names: (0..10).map(|k| k.to_string()).collect(),
        },
        ..Raw::of(
            "Drawn digits",
            Values::U8(x),
            which.iter().map(|d| f32::from(*d)).collect(),
        )
    }
}
