//! Debiased exponential smoothing.

/// sₜ = βsₜ₋₁ + (1−β)xₜ from s₀ = 0, divided by 1 − βᵗ (Kingma & Ba 2015, section 3): the first
/// values are not drawn towards zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ema {
    beta: f64,
    sum: f64,
    weight: f64,
}

impl Ema {
    /// `beta` in 0…1; 0 leaves values as they are.
    pub fn new(beta: f32) -> Ema {
        Ema {
            beta: f64::from(beta.clamp(0.0, 0.999_999)),
            sum: 0.0,
            weight: 0.0,
        }
    }

    /// The smoothed value at `x`. What is not finite comes back as it is and leaves no trace.
    pub fn push(&mut self, x: f32) -> f32 {
        if !x.is_finite() {
            return x;
        }
        self.sum = self.beta * self.sum + (1.0 - self.beta) * f64::from(x);
        self.weight = self.beta * self.weight + (1.0 - self.beta);
        (self.sum / self.weight) as f32
    }
}
