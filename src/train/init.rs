//! Initial values of parameters. Each tensor draws from a stream of its own, so that adding a
//! layer does not change the others' values.
use crate::data::rng::{INIT, Rng};
use crate::plan::Plan;
use crate::spec::{Framework, Init};

/// Values of every parameter of the plan, in the order of `plan.params()`.
pub fn initial(framework: Framework, plan: &Plan, seed: u32) -> Vec<Vec<f32>> {
    plan.params()
        .enumerate()
        .map(|(t, (_, slot))| {
            let start = slot.start.expect("every parameter says how it begins");
            let mut rng = Rng::at(seed, INIT, t as u32);
            let fans = (start.fan_in, start.fan_out);
            values(start.init, &slot.shape, fans, framework, &mut rng)
        })
        .collect()
}

/// Draws a tensor; `fans` are (fan_in, fan_out). Keras' normal initialisers are truncated at two
/// deviations and widened so that the deviation is what it would be without.
pub fn values(
    init: Init,
    shape: &[usize],
    (fan_in, fan_out): (usize, usize),
    framework: Framework,
    rng: &mut Rng,
) -> Vec<f32> {
    let n: usize = shape.iter().product();
    let (fan_in, fan_out) = (fan_in.max(1) as f64, fan_out.max(1) as f64);
    let mut uniform = |limit: f64| {
        let l = limit as f32;
        (0..n).map(|_| rng.range(-l, l)).collect()
    };
    match init {
        Init::Zeros => vec![0.0; n],
        Init::Ones => vec![1.0; n],
        Init::UnitForgetBias => {
            let forget = n / 4..n / 2;
            (0..n).map(|i| f32::from(forget.contains(&i))).collect()
        }
        Init::Constant { value } => vec![value; n],
        Init::Uniform { low, high } => (0..n).map(|_| rng.range(low, high)).collect(),
        Init::TorchDefault => uniform((1.0 / fan_in).sqrt()),
        Init::GlorotUniform => uniform((6.0 / (fan_in + fan_out)).sqrt()),
        Init::HeUniform => uniform((6.0 / fan_in).sqrt()),
        Init::LecunUniform => uniform((3.0 / fan_in).sqrt()),
        Init::Normal { mean, std } => (0..n).map(|_| mean + std * rng.normal()).collect(),
        Init::TruncatedNormal { mean, std } => (0..n)
            .map(|_| mean + std * rng.truncated_normal())
            .collect(),
        Init::GlorotNormal => normal(2.0 / (fan_in + fan_out), n, framework, rng),
        Init::HeNormal => normal(2.0 / fan_in, n, framework, rng),
        Init::LecunNormal => normal(1.0 / fan_in, n, framework, rng),
        Init::Orthogonal { gain } => orthogonal(shape, gain, rng),
    }
}

/// Deviation of a standard normal cut at ±2.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

fn normal(variance: f64, n: usize, framework: Framework, rng: &mut Rng) -> Vec<f32> {
    let std = variance.sqrt();
    match framework {
        Framework::Pytorch => (0..n).map(|_| rng.normal() * std as f32).collect(),
        Framework::Keras => {
            let std = (std / TRUNCATED_STD) as f32;
            (0..n).map(|_| rng.truncated_normal() * std).collect()
        }
    }
}

/// Orthonormal rows, or columns where there are more rows: Gram–Schmidt (twice, for accuracy)
/// on normal vectors.
fn orthogonal(shape: &[usize], gain: f32, rng: &mut Rng) -> Vec<f32> {
    let (rows, cols) = (shape[0], shape[1..].iter().product::<usize>());
    let (count, len) = (rows.min(cols), rows.max(cols));
    let mut q: Vec<Vec<f64>> = Vec::with_capacity(count);
    while q.len() < count {
        let mut v: Vec<f64> = (0..len).map(|_| f64::from(rng.normal())).collect();
        for _ in 0..2 {
            for u in &q {
                let dot: f64 = u.iter().zip(&v).map(|(a, b)| a * b).sum();
                v.iter_mut().zip(u).for_each(|(v, u)| *v -= dot * u);
            }
        }
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-6 {
            q.push(v.iter().map(|x| x / norm).collect());
        }
    }
    let mut out = vec![0.0; rows * cols];
    for (k, v) in q.iter().enumerate() {
        for (i, x) in v.iter().enumerate() {
            let at = if rows <= cols {
                k * cols + i
            } else {
                i * cols + k
            };
            out[at] = (f64::from(gain) * x) as f32;
        }
    }
    out
}
