//! Generated data. Positions come from the stream `DATA` and noise from `NOISE`, so that
//! another noise level moves the same points. Shapes follow scikit-learn's `make_*`, the random
//! numbers do not.
mod reviews;
mod shapes;
mod strokes;

use super::rng::{DATA, NOISE, Rng};
use super::{Raw, Target, Values, idx::class_count, numbered};
use crate::spec::{DataSource, Problem};
use std::f64::consts::{PI, TAU};

/// More values than this are refused (256 MiB).
const MAX_VALUES: usize = 64 << 20;
/// scikit-learn's `n_informative`: the other features do not matter.
const INFORMATIVE: usize = 10;

/// The samples of a generated source, or `None` when the source is of another kind.
///
/// Errors: `data-too-big`; `points-shape`, `data-classes` and `data-size` for points that a
/// validated spec would not hold.
pub fn generate(source: &DataSource, seed: u32) -> Option<Result<Raw, Problem>> {
    let mut at = Rng::new(seed, DATA);
    let mut noise = Rng::new(seed, NOISE);
    let (samples, width) = match source {
        DataSource::MakeRegression {
            samples, features, ..
        } => (*samples, *features),
        DataSource::Line { samples, .. }
        | DataSource::Xor { samples, .. }
        | DataSource::Blobs { samples, .. }
        | DataSource::Circles { samples, .. }
        | DataSource::Moons { samples, .. }
        | DataSource::Separable { samples, .. }
        | DataSource::Spirals { samples, .. } => (*samples, 2),
        DataSource::Sine {
            samples, window, ..
        } => (*samples, *window),
        DataSource::DrawnDigits { samples } => (*samples, 784),
        DataSource::Shapes { samples } => (*samples, 3 * 1024),
        DataSource::Reviews { samples } => (*samples, 500),
        DataSource::Points { x, .. } => (x.len(), 1),
        DataSource::Bundled { .. } | DataSource::Files { .. } => return None,
    };
    let total = samples.saturating_mul(width);
    if total > MAX_VALUES {
        return Some(Err(Problem::new("data-too-big")
            .arg("got", format!("{total} values"))
            .arg("max", MAX_VALUES)));
    }
    Some(Ok(match source {
        DataSource::MakeRegression {
            samples,
            features,
            noise: s,
            bias,
        } => make_regression(*samples, *features, *s, *bias, &mut at, &mut noise),
        DataSource::Line {
            samples,
            slope,
            intercept,
            noise: s,
        } => {
            let x: Vec<f32> = (0..*samples).map(|_| at.uniform()).collect();
            let y = x
                .iter()
                .map(|x| slope * x + intercept + s * noise.normal())
                .collect();
            numbers("Line", 1, x, y)
        }
        DataSource::Points { x, y, classes } => return Some(points(x, y, *classes)),
        DataSource::Separable { samples, margin } => separable(*samples, *margin, &mut at),
        DataSource::Sine {
            samples,
            window,
            period,
            noise: s,
        } => sine(*samples, *window, *period, *s, &mut noise),
        DataSource::DrawnDigits { samples } => strokes::drawn(*samples, seed),
        DataSource::Shapes { samples } => shapes::shapes(*samples, seed),
        DataSource::Reviews { samples } => reviews::reviews(*samples, seed),
        DataSource::Xor { samples, noise: s } => {
            let mut p = Cloud::default();
            for _ in 0..*samples {
                let (x, y) = (at.range(-1.0, 1.0), at.range(-1.0, 1.0));
                p.push(f64::from(x), f64::from(y), u32::from(x * y < 0.0));
            }
            p.finish("XOR", 2, *s, None, &mut noise)
        }
        DataSource::Blobs {
            samples,
            centers,
            std,
        } => {
            let mut p = Cloud::default();
            for (class, n) in shares(*samples, *centers) {
                let (x, y) = (at.range(-10.0, 10.0), at.range(-10.0, 10.0));
                for _ in 0..n {
                    p.push(f64::from(x), f64::from(y), class);
                }
            }
            p.finish("Blobs", *centers, *std, Some(&mut at), &mut noise)
        }
        DataSource::Circles {
            samples,
            noise: s,
            factor,
        } => {
            let mut p = Cloud::default();
            let outer = samples / 2;
            for (class, n, r) in [(0, outer, 1.0), (1, samples - outer, f64::from(*factor))] {
                for i in 0..n {
                    let a = TAU * i as f64 / n as f64;
                    p.push(r * libm::cos(a), r * libm::sin(a), class);
                }
            }
            p.finish("Circles", 2, *s, Some(&mut at), &mut noise)
        }
        DataSource::Moons { samples, noise: s } => {
            let mut p = Cloud::default();
            let outer = samples / 2;
            for (class, n) in [(0, outer), (1, samples - outer)] {
                for i in 0..n {
                    let a = PI * i as f64 / (n.max(2) - 1) as f64;
                    let (x, y) = (libm::cos(a), libm::sin(a));
                    match class {
                        0 => p.push(x, y, 0),
                        _ => p.push(1.0 - x, 0.5 - y, 1),
                    }
                }
            }
            p.finish("Moons", 2, *s, Some(&mut at), &mut noise)
        }
        DataSource::Spirals {
            samples,
            arms,
            turns,
            noise: s,
        } => {
            let mut p = Cloud::default();
            for (class, n) in shares(*samples, *arms) {
                let start = TAU * f64::from(class) / *arms as f64;
                for i in 0..n {
                    // The radius runs from almost 0 at the centre to 1.
                    let r = (i + 1) as f64 / n as f64;
                    let a = start + TAU * f64::from(*turns) * r;
                    p.push(r * libm::cos(a), r * libm::sin(a), class);
                }
            }
            p.finish("Spirals", *arms, *s, Some(&mut at), &mut noise)
        }
        DataSource::Bundled { .. } | DataSource::Files { .. } => return None,
    }))
}

/// `samples` in `classes` shares as even as can be, the first ones larger.
fn shares(samples: usize, classes: usize) -> impl Iterator<Item = (u32, usize)> {
    let k = classes.max(1);
    (0..k).map(move |c| (c as u32, samples / k + usize::from(c < samples % k)))
}

/// Points of a plane with their classes.
#[derive(Default)]
struct Cloud(Vec<([f64; 2], u32)>);

impl Cloud {
    fn push(&mut self, x: f64, y: f64, class: u32) {
        self.0.push(([x, y], class));
    }

    /// Shuffles where `order` is given, then moves each coordinate by `noise`·N(0,1).
    fn finish(
        mut self,
        name: &str,
        classes: usize,
        noise: f32,
        order: Option<&mut Rng>,
        rng: &mut Rng,
    ) -> Raw {
        if let Some(order) = order {
            order.shuffle(&mut self.0);
        }
        let mut x = Vec::with_capacity(self.0.len() * 2);
        for (point, _) in &self.0 {
            x.extend(point.map(|c| (c + f64::from(noise) * f64::from(rng.normal())) as f32));
        }
        Raw {
            shape: vec![2],
            target: Target::Classes {
                names: (0..classes).map(|k| k.to_string()).collect(),
            },
            features: vec!["x".to_string(), "y".to_string()],
            ..Raw::of(
                name,
                Values::F32(x),
                self.0.iter().map(|(_, class)| *class as f32).collect(),
            )
        }
    }
}

fn numbers(name: &str, width: usize, x: Vec<f32>, y: Vec<f32>) -> Raw {
    Raw {
        shape: vec![width],
        features: numbered("x", width),
        ..Raw::of(name, Values::F32(x), y)
    }
}

/// Points of [−1,1]² on either side of a line that passes near the centre.
fn separable(samples: usize, margin: f32, at: &mut Rng) -> Raw {
    let angle = TAU * f64::from(at.uniform());
    let (a, b) = (libm::cos(angle) as f32, libm::sin(angle) as f32);
    let c = at.range(-0.2, 0.2);
    let mut p = Cloud::default();
    for i in 0..samples {
        let wanted = (i % 2) as u32;
        loop {
            let (x, y) = (at.range(-1.0, 1.0), at.range(-1.0, 1.0));
            let off = a * x + b * y + c;
            if off.abs() >= margin && u32::from(off > 0.0) == wanted {
                p.push(f64::from(x), f64::from(y), wanted);
                break;
            }
        }
    }
    let mut none = Rng::new(0, NOISE);
    p.finish("Separable points", 2, 0.0, Some(at), &mut none)
}

/// Windows one after the other, in the order of time.
fn sine(samples: usize, window: usize, period: f32, noise: f32, rng: &mut Rng) -> Raw {
    let series: Vec<f32> = (0..samples + window)
        .map(|t| {
            let clean = libm::sin(TAU * t as f64 / f64::from(period));
            (clean + f64::from(noise) * f64::from(rng.normal())) as f32
        })
        .collect();
    let mut x = Vec::with_capacity(samples * window);
    for start in 0..samples {
        x.extend_from_slice(&series[start..start + window]);
    }
    Raw {
        shape: vec![window, 1],
        target: Target::Values {
            names: vec!["next".to_string()],
        },
        ..Raw::of("Sine", Values::F32(x), series[window..].to_vec())
    }
}

/// Coefficients are 100·U(0,1) for at most ten features, 0 for the others, in random order.
fn make_regression(
    samples: usize,
    features: usize,
    noise: f32,
    bias: f32,
    at: &mut Rng,
    rng: &mut Rng,
) -> Raw {
    let mut coef = vec![0f32; features];
    for c in coef.iter_mut().take(INFORMATIVE) {
        *c = 100.0 * at.uniform();
    }
    at.shuffle(&mut coef);
    let x: Vec<f32> = (0..samples * features).map(|_| at.normal()).collect();
    let mut y = Vec::with_capacity(samples);
    for row in x.chunks_exact(features.max(1)) {
        let sum: f64 = row
            .iter()
            .zip(&coef)
            .map(|(x, c)| f64::from(*x) * f64::from(*c))
            .sum();
        let moved = f64::from(noise) * f64::from(rng.normal());
        y.push((sum + f64::from(bias) + moved) as f32);
    }
    numbers("Regression", features, x, y)
}

fn points(x: &[Vec<f32>], y: &[Vec<f32>], classes: Option<usize>) -> Result<Raw, Problem> {
    if x.len() != y.len() {
        return Err(Problem::new("data-size")
            .arg("got", y.len())
            .arg("shape", format!("[{}]", x.len()))
            .arg("want", x.len())
            .field("data.source.y"));
    }
    for (field, rows) in [("data.source.x", x), ("data.source.y", y)] {
        let want = rows.first().map_or(0, Vec::len);
        if let Some(i) = rows.iter().position(|r| r.len() != want || want == 0) {
            return Err(Problem::new("points-shape")
                .arg("index", i)
                .arg("got", rows[i].len())
                .arg("want", want.max(1))
                .field(field));
        }
    }
    let width = x.first().map_or(1, Vec::len);
    let columns = y.first().map_or(1, Vec::len);
    let mut raw = numbers("Points", width, x.concat(), y.concat());
    raw.target = match classes {
        Some(_) if columns != 1 => {
            return Err(Problem::new("points-shape")
                .arg("index", 0)
                .arg("got", columns)
                .arg("want", 1)
                .field("data.source.y"));
        }
        Some(k) => Target::Classes {
            names: (0..class_count(&raw.y, Some(k))?)
                .map(|i| i.to_string())
                .collect(),
        },
        None => Target::Values {
            names: numbered("y", columns),
        },
    };
    Ok(raw)
}
