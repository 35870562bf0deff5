//! Ten kinds of shapes in colour, 32×32: what stands in for CIFAR-10 until its files come.
use crate::data::rng::{DATA, NOISE, Rng};
use crate::data::{Raw, Target, Values};
use std::f32::consts::TAU;

pub const CLASSES: [&str; 10] = [
    "disc", "ring", "square", "triangle", "star", "plus", "stripes", "checks", "crescent", "heart",
];
const SIDE: usize = 32;

/// Whether a point belongs to the shape, which lies within ±1 around the origin, y downwards.
fn inside(class: usize, x: f32, y: f32) -> bool {
    let r2 = x * x + y * y;
    match class {
        0 => r2 < 0.8,
        1 => (0.3..0.9).contains(&r2),
        2 => x.abs().max(y.abs()) < 0.75,
        3 => y < 0.7 && y > -0.85 && x.abs() < (y + 0.85) * 0.55,
        4 => {
            let turns = libm::atan2f(x, -y) / TAU * 5.0;
            let off = (turns - libm::roundf(turns)).abs();
            r2.sqrt() < 0.95 - 1.1 * off
        }
        5 => x.abs().min(y.abs()) < 0.26 && x.abs().max(y.abs()) < 0.9,
        6 => x.abs().max(y.abs()) < 0.85 && libm::floorf((y + 0.85) / 0.34) % 2.0 == 0.0,
        7 => {
            let cell = |v: f32| libm::floorf((v + 0.9) / 0.45) as i32;
            x.abs().max(y.abs()) < 0.9 && (cell(x) + cell(y)) % 2 == 0
        }
        8 => r2 < 0.85 && (x - 0.42) * (x - 0.42) + y * y > 0.5,
        _ => {
            let (x, y) = (x * 1.25, -y * 1.2 + 0.15);
            let f = x * x + y * y - 0.75;
            f * f * f < x * x * y * y * y
        }
    }
}

/// A colour of the given lightness, 0…255.
fn colour(rng: &mut Rng, light: f32) -> [f32; 3] {
    let hue = rng.uniform();
    let strength = rng.range(0.2, 0.6);
    std::array::from_fn(|k| {
        let wave = libm::cosf(TAU * (hue + k as f32 / 3.0));
        (255.0 * (light + 0.5 * strength * wave)).clamp(0.0, 255.0)
    })
}

/// One picture: three planes of 32×32.
pub fn picture(class: usize, rng: &mut Rng) -> Vec<u8> {
    // Now the shape, now the ground is the lighter one.
    let light = rng.range(0.62, 0.85);
    let dark = rng.range(0.12, 0.38);
    let (ground, ink) = match rng.below(2) {
        0 => (light, dark),
        _ => (dark, light),
    };
    let (ground, ink) = (colour(rng, ground), colour(rng, ink));
    let slope = [rng.range(-0.8, 0.8), rng.range(-0.8, 0.8)];
    let size = rng.range(7.0, 14.0);
    let room = (16.0 - size).max(0.0);
    let centre = [0, 1].map(|_| 15.5 + rng.range(-room, room));
    let turn = rng.range(-0.3, 0.3);
    let (s, c) = (libm::sinf(turn), libm::cosf(turn));
    let mut planes = vec![0; 3 * SIDE * SIDE];
    for py in 0..SIDE {
        for px in 0..SIDE {
            let mut share = 0.0;
            for sub in 0..4 {
                let half = |bit: usize| 0.5 * bit as f32 - 0.25;
                let x = (px as f32 + half(sub & 1) - centre[0]) / size;
                let y = (py as f32 + half(sub >> 1) - centre[1]) / size;
                if inside(class, c * x + s * y, c * y - s * x) {
                    share += 0.25;
                }
            }
            let shade = slope[0] * (px as f32 - 15.5) + slope[1] * (py as f32 - 15.5);
            for k in 0..3 {
                let noise = 16.0 * (rng.uniform() - 0.5);
                let v = ground[k] + (ink[k] - ground[k]) * share + shade + noise;
                planes[(k * SIDE + py) * SIDE + px] = v.clamp(0.0, 255.0) as u8;
            }
        }
    }
    planes
}

/// `samples` pictures, `[3, 32, 32]`, values 0…255.
pub fn shapes(samples: usize, seed: u32) -> Raw {
    let mut which: Vec<u8> = (0..samples).map(|i| (i % 10) as u8).collect();
    Rng::new(seed, DATA).shuffle(&mut which);
    let mut x = Vec::with_capacity(samples * 3 * SIDE * SIDE);
    for (i, class) in which.iter().enumerate() {
        x.extend(picture(
            usize::from(*class),
            &mut Rng::at(seed, NOISE, i as u32),
        ));
    }
    Raw {
        shape: vec![3, SIDE, SIDE],
        target: Target::Classes {
            names: CLASSES.map(String::from).to_vec(),
        },
        ..Raw::of(
            "Shapes",
            Values::U8(x),
            which.iter().map(|c| f32::from(*c)).collect(),
        )
    }
}
