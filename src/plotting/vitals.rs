//! What gradients and updates say of a training, where it is safe to say anything.
use crate::train::protocol::{TensorVitals, Vitals};

/// The update over the weight's norm around which training usually goes well.
pub const GUIDE: f64 = 1e-3;
/// Beyond these it is rarely well.
const FAST: f64 = 0.1;
const SLOW: f64 = 1e-6;
/// How much smaller or larger gradients must become on the way back.
const FADING: f64 = 100.0;

#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A gradient is infinite or no number.
    NotFinite { name: String },
    /// No parameter has a gradient.
    Still,
    /// So many times smaller near the input than near the output.
    Vanish {
        first: String,
        last: String,
        times: f64,
    },
    /// So many times larger.
    Explode {
        first: String,
        last: String,
        times: f64,
    },
    /// Half of a layer's units or more are 0 on all samples.
    Dead {
        layer: String,
        dead: usize,
        units: usize,
    },
    /// Every weight changes by this share of itself or more.
    Fast { ratio: f64 },
    /// Every weight changes by this share of itself or less.
    Slow { ratio: f64 },
}

/// The update's norm over the weight's; None where the weight is 0.
pub fn ratio(t: &TensorVitals) -> Option<f64> {
    (t.weight > 0.0 && t.update.is_finite()).then(|| t.update / t.weight)
}

fn values(t: &TensorVitals) -> f64 {
    t.shape.iter().product::<usize>().max(1) as f64
}

/// The root of the mean square of a gradient, which does not depend on how many values there are.
pub fn per_value(t: &TensorVitals) -> f64 {
    t.gradient / values(t).sqrt()
}

/// The gravest first.
pub fn findings(v: &Vitals) -> Vec<Finding> {
    let mut out = Vec::new();
    if let Some(t) = v.tensors.iter().find(|t| !t.gradient.is_finite()) {
        let name = t.name.clone();
        return vec![Finding::NotFinite { name }];
    }
    if !v.tensors.is_empty() && v.tensors.iter().all(|t| t.gradient == 0.0) {
        out.push(Finding::Still);
    }
    let weights: Vec<&TensorVitals> = v.tensors.iter().filter(|t| t.shape.len() > 1).collect();
    // A gradient that is mostly zeros, such as an embedding's, has no typical size.
    let mut dense = weights
        .iter()
        .filter(|t| f64::from(t.gradients.outside) < 0.5 * values(t));
    if let (Some(first), Some(last)) = (dense.next(), dense.next_back()) {
        let (a, b) = (per_value(first), per_value(last));
        let (first, last) = (first.layer.clone(), last.layer.clone());
        if a > 0.0 && b >= FADING * a {
            let times = b / a;
            out.push(Finding::Vanish { first, last, times });
        } else if b > 0.0 && a >= FADING * b {
            let times = a / b;
            out.push(Finding::Explode { first, last, times });
        }
    }
    for l in &v.layers {
        if l.dead > 1 && 2 * l.dead >= l.units {
            out.push(Finding::Dead {
                layer: l.layer.clone(),
                dead: l.dead,
                units: l.units,
            });
        }
    }
    let ratios: Vec<f64> = weights.iter().filter_map(|t| ratio(t)).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    if !ratios.is_empty() && least >= FAST {
        out.push(Finding::Fast { ratio: least });
    } else if !ratios.is_empty() && most <= SLOW && most > 0.0 {
        out.push(Finding::Slow { ratio: most });
    }
    out
}
