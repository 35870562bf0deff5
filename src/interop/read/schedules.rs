//! Learning rates by epoch, as the schedule that they follow.
use serde_json::{Value as Json, json};

/// The schedule of `rates`, one for each epoch (more where the run has fewer than four).
pub(super) fn known(rates: &[f64], epochs: usize) -> Option<Json> {
    let first = *rates.first()?;
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * first.abs().max(1e-12);
    if first <= 0.0 {
        return None;
    }
    if rates.iter().all(|r| near(*r, first)) {
        return Some(json!({"kind": "constant"}));
    }
    let changed = rates.iter().position(|r| !near(*r, first))?;
    let gamma = rates[changed] / first;
    let steps = |every: usize| {
        rates
            .iter()
            .enumerate()
            .all(|(i, r)| near(*r, first * libm::pow(gamma, (i / every) as f64)))
    };
    if steps(changed) {
        return Some(match changed {
            1 => json!({"kind": "exponential", "gamma": gamma as f32}),
            n => json!({"kind": "step", "every": n, "gamma": gamma as f32}),
        });
    }
    // Half a cosine: its second value tells where it ends.
    let wave = |i: usize| (1.0 + libm::cos(std::f64::consts::PI * i as f64 / epochs as f64)) / 2.0;
    let end = (rates[changed] / first - wave(changed)) / (1.0 - wave(changed));
    let cosine = |(i, r): (usize, &f64)| near(*r, first * (end + (1.0 - end) * wave(i)));
    if (0.0..=1.0).contains(&(end + 1e-9)) && rates.iter().take(epochs).enumerate().all(cosine) {
        let end = if end.abs() < 1e-6 {
            0.0
        } else {
            (end * 1e6).round() / 1e6
        };
        return Some(json!({"kind": "cosine", "final_factor": end as f32}));
    }
    None
}
