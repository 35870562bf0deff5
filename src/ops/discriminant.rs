//! Gaussian discriminant analysis of two classes, in closed form.
use super::*;
use crate::graph::numel;

/// `(x[B,D], y[B,1]) → (w[1,D], b[1])`, y = 0 or 1: the line between two normal distributions of
/// one covariance. With class means μ, share φ of class 1 and the covariance within the classes
/// Σ (divided by B): w = Σ⁻¹(μ₁ − μ₀), b = ½(μ₀ᵀΣ⁻¹μ₀ − μ₁ᵀΣ⁻¹μ₁) + ln(φ/(1−φ)).
///
/// A millionth of Σ's mean diagonal is added to it, so that a constant feature does no harm. Where
/// a class is absent, both outputs are 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Discriminant;

impl Discriminant {
    /// More features than this take too long to solve for.
    pub const FEATURES: usize = 512;
    const RIDGE: f64 = 1e-6;
}

impl OpDef for Discriminant {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        Ok(vec![vec![1, x[0][1]], vec![1]])
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let (n, d) = (c.xs[0][0], c.xs[0][1]);
        let x = |i: usize, j: usize| c.x[0][i * d + j].f64();
        let class = |i: usize| usize::from(c.x[1][i].f64() > 0.5);
        let count = |k: usize| (0..n).filter(|i| class(*i) == k).count() as f64;
        let counts = [count(0), count(1)];
        if counts.contains(&0.0) {
            return;
        }
        let mean = |k: usize, j: usize| {
            let own = (0..n).filter(|i| class(*i) == k);
            own.map(|i| x(i, j)).sum::<f64>() / counts[k]
        };
        let means: Vec<[f64; 2]> = (0..d).map(|j| [mean(0, j), mean(1, j)]).collect();
        let mut a = vec![vec![0.0; d + 1]; d];
        for (j, row) in a.iter_mut().enumerate() {
            for (k, v) in row[..d].iter_mut().enumerate() {
                let each =
                    (0..n).map(|i| (x(i, j) - means[j][class(i)]) * (x(i, k) - means[k][class(i)]));
                *v = each.sum::<f64>() / n as f64;
            }
            row[d] = means[j][1] - means[j][0];
        }
        let trace: f64 = (0..d).map(|j| a[j][j]).sum();
        let ridge = Self::RIDGE * (trace / d as f64).max(1e-12);
        (0..d).for_each(|j| a[j][j] += ridge);
        // Gauss and Jordan, pivots on the diagonal of a positive definite matrix.
        for p in 0..d {
            let row = a[p].clone();
            for (j, other) in a.iter_mut().enumerate() {
                if j != p {
                    let f = other[p] / row[p];
                    other.iter_mut().zip(&row).for_each(|(v, r)| *v -= f * r);
                }
            }
        }
        // wᵀμ₀ and wᵀμ₁ halved: Σ⁻¹ is symmetric.
        let mut b = libm::log(counts[1] / counts[0]);
        for j in 0..d {
            let w = a[j][d] / a[j][j];
            c.y[0][j] = T::of(w);
            b -= 0.5 * w * (means[j][0] + means[j][1]);
        }
        c.y[1][0] = T::of(b);
    }
    /// Both means, Σ, and the right side.
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        let d = x[0][1];
        d * d + 3 * d
    }
    fn cpu(&self, c: &mut Call) {
        let (n, d) = (c.xs(0)[0], c.xs(0)[1]);
        let (x, y) = (c.x(0), c.x(1));
        let (w, bias) = c.y2();
        let (_, scratch) = c.y_scratch(0);
        w.fill(0.0);
        bias[0] = 0.0;
        let (means, rest) = scratch.split_at_mut(2 * d);
        let (a, right) = rest.split_at_mut(d * d);
        let ones = y.iter().filter(|v| **v > 0.5).count();
        let counts = [(n - ones) as f64, ones as f64];
        if counts.contains(&0.0) {
            return;
        }
        let class = |i: usize| usize::from(y[i] > 0.5);
        for j in 0..d {
            let mut sums = [0.0; 2];
            for i in 0..n {
                sums[class(i)] += f64::from(x[i * d + j]);
            }
            for k in 0..2 {
                means[k * d + j] = (sums[k] / counts[k]) as f32;
            }
        }
        let off = |i: usize, j: usize| f64::from(x[i * d + j]) - f64::from(means[class(i) * d + j]);
        for j in 0..d {
            for k in 0..=j {
                let v = (0..n).map(|i| off(i, j) * off(i, k)).sum::<f64>() / n as f64;
                a[j * d + k] = v as f32;
            }
            right[j] = means[d + j] - means[j];
        }
        let trace: f64 = (0..d).map(|j| f64::from(a[j * d + j])).sum();
        let ridge = Self::RIDGE * (trace / d as f64).max(1e-12);
        cholesky(a, d, ridge);
        solve(a, d, &right[..d], w);
        let mut b = libm::log(counts[1] / counts[0]);
        for j in 0..d {
            b -= 0.5 * f64::from(w[j]) * (f64::from(means[j]) + f64::from(means[d + j]));
        }
        bias[0] = b as f32;
    }
    fn gpu(&self, k: &mut Kernels) {
        let (n, d) = (k.xs(0)[0], k.xs(0)[1]);
        let (counts, means, a) = (k.scratch(2), k.scratch(2 * d), k.scratch(d * d));
        let (x, y) = (At::X(0), At::X(1));
        let value = "return select(0.0, 1.0, (x0[r] > 0.5) == (o == 1u));";
        k.columns(n, 2, &[y], value, "v", counts);
        let value =
            format!("return select(0.0, x0[r * {d}u + o % {d}u], (x1[r] > 0.5) == (o >= {d}u));");
        let share = format!("v / max(x2[o / {d}u], 1.0)");
        k.columns(n, 2 * d, &[x, y, counts], &value, &share, means);
        let value = format!(
            "let m = select(0u, {d}u, x1[r] > 0.5); let j = o / {d}u; let l = o % {d}u; \
             return (x0[r * {d}u + j] - x2[m + j]) * (x0[r * {d}u + l] - x2[m + l]);"
        );
        let share = format!("v / {}", float(n as f32));
        k.columns(n, d * d, &[x, y, means], &value, &share, a);
        k.kernel(shader!("discriminant"))
            .sizes(&[("D", d), ("WG", 64)])
            .bind(&[counts, means, a, At::Y(0), At::Y(1)])
            .groups([1, 1, 1]);
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        let d = x[0][1];
        (numel(x[0]) * d + d * d * d / 3) as u64
    }
    fn describe(&self) -> String {
        "discriminant".into()
    }
}

/// The lower triangle of `a[d,d]` becomes L with L·Lᵀ = a + ridge.
fn cholesky(a: &mut [f32], d: usize, ridge: f64) {
    for j in 0..d {
        for i in j..d {
            let mut s = f64::from(a[i * d + j]);
            if i == j {
                s += ridge;
            }
            for k in 0..j {
                s -= f64::from(a[i * d + k]) * f64::from(a[j * d + k]);
            }
            a[i * d + j] = if i == j {
                s.max(ridge).sqrt() as f32
            } else {
                (s / f64::from(a[j * d + j])) as f32
            };
        }
    }
}

/// w from L·Lᵀ·w = right.
fn solve(l: &[f32], d: usize, right: &[f32], w: &mut [f32]) {
    for j in 0..d {
        let mut s = f64::from(right[j]);
        for k in 0..j {
            s -= f64::from(l[j * d + k]) * f64::from(w[k]);
        }
        w[j] = (s / f64::from(l[j * d + j])) as f32;
    }
    for j in (0..d).rev() {
        let mut s = f64::from(w[j]);
        for k in j + 1..d {
            s -= f64::from(l[k * d + j]) * f64::from(w[k]);
        }
        w[j] = (s / f64::from(l[j * d + j])) as f32;
    }
}
