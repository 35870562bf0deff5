//! Principal components, and directions that are alike.
//!
//! In f64 and with a sign rule, so that the same numbers always give the same picture.

/// The directions along which points differ most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pca {
    /// `[dims]`
    pub mean: Vec<f64>,
    /// One unit vector `[dims]` per component, the one of largest variance first. Its entry of largest
    /// magnitude is positive (the first of equals).
    pub components: Vec<Vec<f64>>,
    /// Variance along each component, by n − 1.
    pub variance: Vec<f64>,
    /// Sum of the variances of all dimensions.
    pub total: f64,
}

/// The side of the matrix up to which all eigenvectors are found at once.
const SMALL: usize = 128;
/// Rounds of the iteration on larger matrices, and vectors carried along beside the wanted ones.
const ROUNDS: usize = 60;
const BESIDE: usize = 6;

impl Pca {
    /// The first `count` components of `points[n, dims]`; fewer where there are fewer. None for fewer than
    /// two points, or where a number is not finite.
    pub fn of(points: &[f32], dims: usize, count: usize) -> Option<Pca> {
        let n = points.len().checked_div(dims)?;
        if n < 2 || points.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let mut mean = vec![0.0; dims];
        for row in points.chunks_exact(dims) {
            for (m, v) in mean.iter_mut().zip(row) {
                *m += f64::from(*v);
            }
        }
        mean.iter_mut().for_each(|m| *m /= n as f64);
        let centred = |row: &[f32]| -> Vec<f64> {
            let all = row.iter().zip(&mean);
            all.map(|(v, m)| f64::from(*v) - m).collect()
        };
        let rows: Vec<Vec<f64>> = points.chunks_exact(dims).map(centred).collect();
        let by = 1.0 / (n - 1) as f64;
        let total = rows.iter().flatten().map(|v| v * v).sum::<f64>() * by;
        // The smaller of the two products of the matrix with itself has the same eigenvalues.
        let tall = n >= dims;
        let side = n.min(dims);
        let mut product = vec![0.0; side * side];
        if tall {
            for row in &rows {
                for (i, a) in row.iter().enumerate() {
                    let out = &mut product[i * side..(i + 1) * side];
                    out.iter_mut().zip(row).for_each(|(p, b)| *p += a * b * by);
                }
            }
        } else {
            for (i, a) in rows.iter().enumerate() {
                for (j, b) in rows.iter().enumerate() {
                    product[i * side + j] = dot(a, b) * by;
                }
            }
        }
        let mut components = Vec::new();
        let mut variance = Vec::new();
        for (value, vector) in leading(&product, side, count.min(side)) {
            let mut direction = match tall {
                true => vector,
                false => {
                    let mut sum = vec![0.0; dims];
                    for (share, row) in vector.iter().zip(&rows) {
                        sum.iter_mut().zip(row).for_each(|(s, v)| *s += share * v);
                    }
                    sum
                }
            };
            unit(&mut direction);
            components.push(direction);
            variance.push(value.max(0.0));
        }
        Some(Pca {
            mean,
            components,
            variance,
            total,
        })
    }

    /// Where a point lies along each component.
    pub fn place(&self, point: &[f32]) -> Vec<f64> {
        let along = |c: &Vec<f64>| {
            let all = point.iter().zip(&self.mean).zip(c);
            all.map(|((v, m), c)| (f64::from(*v) - m) * c).sum()
        };
        self.components.iter().map(along).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Length 1, and the entry of largest magnitude positive.
fn unit(v: &mut [f64]) {
    let length = dot(v, v).sqrt();
    let largest = v
        .iter()
        .fold(0.0f64, |m, x| if x.abs() > m.abs() { *x } else { m });
    if length > 0.0 {
        let by = largest.signum() / length;
        v.iter_mut().for_each(|x| *x *= by);
    }
}

/// The largest eigenvalues of a symmetric matrix with their vectors, the largest first.
fn leading(matrix: &[f64], side: usize, count: usize) -> Vec<(f64, Vec<f64>)> {
    if side <= SMALL {
        let mut all = jacobi(matrix.to_vec(), side);
        all.truncate(count);
        return all;
    }
    // Orthogonal iteration on a block, with the exact eigenvectors of what the matrix does to it
    // (Rayleigh and Ritz).
    let wide = (count + BESIDE).min(side);
    let mut block: Vec<Vec<f64>> = (0..wide)
        .map(|k| {
            let at =
                |i: usize| (((i * 2_654_435_761 + k * 40_503) % 65_521) as f64) / 65_521.0 - 0.5;
            (0..side).map(at).collect()
        })
        .collect();
    orthonormal(&mut block);
    let times =
        |v: &Vec<f64>| -> Vec<f64> { matrix.chunks_exact(side).map(|r| dot(r, v)).collect() };
    for _ in 0..ROUNDS {
        let mut next: Vec<Vec<f64>> = block.iter().map(times).collect();
        orthonormal(&mut next);
        block = next;
    }
    let turned: Vec<Vec<f64>> = block.iter().map(times).collect();
    let mut small = vec![0.0; wide * wide];
    for i in 0..wide {
        for j in 0..wide {
            small[i * wide + j] = 0.5 * (dot(&block[i], &turned[j]) + dot(&block[j], &turned[i]));
        }
    }
    let mut found = jacobi(small, wide);
    found.truncate(count);
    let back = |shares: Vec<f64>| {
        let mut v = vec![0.0; side];
        for (share, b) in shares.iter().zip(&block) {
            v.iter_mut().zip(b).for_each(|(v, b)| *v += share * b);
        }
        v
    };
    found.into_iter().map(|(l, s)| (l, back(s))).collect()
}

/// Gram and Schmidt, twice over for accuracy; what vanishes becomes zero.
fn orthonormal(block: &mut [Vec<f64>]) {
    for k in 0..block.len() {
        let (before, rest) = block.split_at_mut(k);
        let v = &mut rest[0];
        for b in before.iter().chain(before.iter()) {
            let share = dot(b, v);
            v.iter_mut().zip(b).for_each(|(v, b)| *v -= share * b);
        }
        let length = dot(v, v).sqrt();
        let by = if length > 1e-300 { 1.0 / length } else { 0.0 };
        v.iter_mut().for_each(|v| *v *= by);
    }
}

/// All eigenvalues and vectors of a symmetric matrix by Jacobi's rotations, the largest first.
fn jacobi(mut a: Vec<f64>, n: usize) -> Vec<(f64, Vec<f64>)> {
    let mut vectors: Vec<f64> = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    let size: f64 = a.iter().map(|v| v * v).sum();
    for _ in 0..60 {
        let rest: f64 = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| a[i * n + j] * a[i * n + j])
            .sum();
        if rest <= 1e-30 * size {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                // signum of 0 is 1, as it must be here.
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                    let (x, y) = (vectors[p * n + k], vectors[q * n + k]);
                    (vectors[p * n + k], vectors[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> = (0..n)
        .map(|i| (a[i * n + i], vectors[i * n..(i + 1) * n].to_vec()))
        .collect();
    found.sort_by(|x, y| y.0.total_cmp(&x.0));
    found
}

/// Cosines of the angles between row `of` of `points[n, dims]` and the others: the `count` largest,
/// the largest first. A row of zeros is like none.
pub fn nearest(points: &[f32], dims: usize, of: usize, count: usize) -> Vec<(usize, f64)> {
    let row = |i: usize| points.get(i * dims..(i + 1) * dims);
    let Some(this) = row(of) else {
        return Vec::new();
    };
    let product = |a: &[f32], b: &[f32]| -> f64 {
        let all = a.iter().zip(b);
        all.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let own = product(this, this).sqrt();
    let mut all: Vec<(usize, f64)> = points
        .chunks_exact(dims.max(1))
        .enumerate()
        .filter(|(i, _)| *i != of)
        .map(|(i, other)| {
            (
                i,
                product(this, other) / (own * product(other, other).sqrt()),
            )
        })
        .filter(|(_, c)| c.is_finite())
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(count);
    all
}
