//! Least squares, goodness of fit, histograms.

/// y = slope·x + intercept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub slope: f64,
    pub intercept: f64,
    /// Standard errors; None with fewer than three points.
    pub errors: Option<(f64, f64)>,
}

impl Line {
    pub fn at(&self, x: f64) -> f64 {
        self.slope * x + self.intercept
    }

    pub fn through(a: (f64, f64), b: (f64, f64)) -> Line {
        let slope = (b.1 - a.1) / (b.0 - a.0);
        Line {
            slope,
            intercept: a.1 - slope * a.0,
            errors: None,
        }
    }
}

/// The line of least squared error, from centred sums. None when x does not vary.
pub fn least_squares(x: &[f64], y: &[f64]) -> Option<Line> {
    let n = x.len().min(y.len());
    let (x, y) = (&x[..n], &y[..n]);
    let (mx, my) = (mean(x)?, mean(y)?);
    let sxx: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
    let sxy: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    if sxx <= 0.0 {
        return None;
    }
    let slope = sxy / sxx;
    let mut line = Line {
        slope,
        intercept: my - slope * mx,
        errors: None,
    };
    if n > 2 {
        let rss: f64 = x
            .iter()
            .zip(y)
            .map(|(x, y)| (y - line.at(*x)).powi(2))
            .sum();
        let s2 = rss / (n as f64 - 2.0);
        let intercept = (s2 * (1.0 / n as f64 + mx * mx / sxx)).sqrt();
        line.errors = Some(((s2 / sxx).sqrt(), intercept));
    }
    Some(line)
}

pub fn mean(v: &[f64]) -> Option<f64> {
    (!v.is_empty()).then(|| v.iter().sum::<f64>() / v.len() as f64)
}

/// Mean squared error.
pub fn mse(truth: &[f64], predicted: &[f64]) -> Option<f64> {
    let squares: Vec<f64> = truth
        .iter()
        .zip(predicted)
        .map(|(t, p)| (t - p).powi(2))
        .collect();
    mean(&squares)
}

/// 1 − residual sum of squares / total sum of squares; None when the truth does not vary.
pub fn r2(truth: &[f64], predicted: &[f64]) -> Option<f64> {
    let m = mean(truth)?;
    let total = truth.iter().map(|t| (t - m).powi(2)).sum::<f64>() / truth.len() as f64;
    (total > 0.0).then_some(1.0 - mse(truth, predicted)? / total)
}

/// Counts of equal-width bins over `lo…hi`.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    pub lo: f32,
    pub hi: f32,
    pub counts: Vec<u32>,
    pub mean: f64,
    pub deviation: f64,
    /// Values that are not finite, which no bin holds.
    pub odd: usize,
}

/// None when no value is finite.
pub fn histogram(values: &[f32], bins: usize) -> Option<Histogram> {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let n = finite().count();
    if n == 0 {
        return None;
    }
    let (lo, hi) = finite().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| {
        (a.min(v), b.max(v))
    });
    let mean = finite().map(f64::from).sum::<f64>() / n as f64;
    let variance = finite().map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n as f64;
    let (lo, hi) = if hi > lo {
        (lo, hi)
    } else {
        let d = if lo == 0.0 { 1.0 } else { lo.abs() * 0.5 };
        (lo - d, lo + d)
    };
    let mut counts = vec![0; bins.max(1)];
    let last = counts.len() - 1;
    for v in finite() {
        let at = (f64::from(v) - f64::from(lo)) / (f64::from(hi) - f64::from(lo));
        counts[((at * (last + 1) as f64) as usize).min(last)] += 1;
    }
    Some(Histogram {
        lo,
        hi,
        counts,
        mean,
        deviation: variance.sqrt(),
        odd: values.len() - n,
    })
}

/// What a set of points says of a linear model y = w·x + b: every w and b that fits them
/// exactly agrees at some x, and at others it does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Determined {
    /// Independent equations that the points give.
    pub rank: usize,
    /// Unknowns: one weight per feature, and the bias.
    pub unknowns: usize,
    /// The value at `x` that all exact fits share; None where they differ.
    pub value: Option<f64>,
}

/// None when no linear model fits the points exactly.
pub fn determined(points: &[(Vec<f64>, f64)], x: &[f64]) -> Option<Determined> {
    // Gram–Schmidt on the rows (x, 1), carrying the targets along.
    let mut basis: Vec<(Vec<f64>, f64)> = Vec::new();
    for (p, y) in points {
        let (row, value, size) = reduce(p, *y, &basis);
        let norm = dot(&row, &row).sqrt();
        if norm > 1e-9 * size {
            basis.push((row.iter().map(|v| v / norm).collect(), value / norm));
        } else if value.abs() > 1e-6 * (1.0 + y.abs()) {
            return None;
        }
    }
    let (rest, value, size) = reduce(x, 0.0, &basis);
    let inside = dot(&rest, &rest).sqrt() <= 1e-9 * size;
    Some(Determined {
        rank: basis.len(),
        unknowns: x.len() + 1,
        value: inside.then_some(-value),
    })
}

/// The part of (x, 1) → y beyond the basis, and the size of (x, 1).
fn reduce(x: &[f64], y: f64, basis: &[(Vec<f64>, f64)]) -> (Vec<f64>, f64, f64) {
    let mut row = x.to_vec();
    row.push(1.0);
    let size = dot(&row, &row).sqrt();
    let mut value = y;
    for (b, v) in basis {
        let c = dot(&row, b);
        row.iter_mut().zip(b).for_each(|(r, b)| *r -= c * b);
        value -= c * v;
    }
    (row, value, size)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
