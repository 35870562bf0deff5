//! The learning rate over a run.
use crate::spec::Schedule;
use std::f64::consts::PI;

/// Factor on the optimiser's learning rate at step `step` (from 0) of a run of `epochs` epochs of
/// `per_epoch` steps. Step, exponential and cosine change once per epoch, as PyTorch's schedulers
/// do when stepped after each; warm-up and one-cycle change at every step.
pub fn factor(schedule: &Schedule, step: u32, per_epoch: usize, epochs: usize) -> f64 {
    let epoch = f64::from(step) / per_epoch.max(1) as f64;
    let whole = epoch.floor();
    match *schedule {
        // What has been lost on plateaus is the callbacks' to know.
        Schedule::Constant | Schedule::Plateau { .. } => 1.0,
        Schedule::Step { every, gamma } => {
            libm::pow(f64::from(gamma), (whole / every.max(1) as f64).floor())
        }
        Schedule::Exponential { gamma } => libm::pow(f64::from(gamma), whole),
        Schedule::Cosine { final_factor } => {
            let f = f64::from(final_factor);
            let at = (whole / epochs.max(1) as f64).min(1.0);
            f + (1.0 - f) * (1.0 + libm::cos(PI * at)) / 2.0
        }
        Schedule::Warmup { epochs: warm } => {
            let steps = f64::from(warm) * per_epoch as f64;
            if steps <= 0.0 {
                1.0
            } else {
                ((f64::from(step) + 1.0) / steps).min(1.0)
            }
        }
        Schedule::OneCycle { warmup } => one_cycle(
            f64::from(step),
            (epochs * per_epoch) as f64,
            f64::from(warmup),
        ),
    }
}

/// PyTorch's OneCycleLR with its defaults: from 1/25 up to 1 at warmup·total − 1, then down to
/// 1/250,000 at total − 1, both along half a cosine.
fn one_cycle(step: f64, total: f64, warmup: f64) -> f64 {
    let (first, last) = (1.0 / 25.0, 1.0 / 25.0 / 1e4);
    let anneal = |from: f64, to: f64, at: f64| {
        to + (from - to) / 2.0 * (1.0 + libm::cos(PI * at.clamp(0.0, 1.0)))
    };
    let (peak, end) = (warmup * total - 1.0, total - 1.0);
    if step <= peak && peak > 0.0 {
        anneal(first, 1.0, step / peak)
    } else if end > peak {
        anneal(1.0, last, (step - peak) / (end - peak))
    } else {
        1.0
    }
}
