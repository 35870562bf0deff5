//! Axes: from values to places and back, and the values worth a tick.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Linear,
    /// Base 10. Values that are not positive lie below its low end.
    Log,
}

/// Maps `lo…hi` onto 0…1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub kind: Kind,
    pub lo: f64,
    pub hi: f64,
}

impl Default for Scale {
    fn default() -> Scale {
        Scale::linear(0.0, 1.0)
    }
}

impl Scale {
    /// Exactly this range, widened when it is empty.
    pub fn linear(lo: f64, hi: f64) -> Scale {
        let (lo, hi) = ordered(lo, hi);
        let (lo, hi) = if hi > lo {
            (lo, hi)
        } else {
            let d = if lo == 0.0 { 1.0 } else { lo.abs() * 0.5 };
            (lo - d, lo + d)
        };
        Scale {
            kind: Kind::Linear,
            lo,
            hi,
        }
    }

    /// Positive ends; `lo` is raised to 10⁻¹² of `hi` at least.
    pub fn log(lo: f64, hi: f64) -> Scale {
        let (lo, hi) = ordered(lo, hi);
        let hi = if hi > 0.0 { hi } else { 1.0 };
        let lo = lo.max(hi * 1e-12);
        let (lo, hi) = if hi > lo * 1.000_001 {
            (lo, hi)
        } else {
            (lo / 2.0, hi * 2.0)
        };
        Scale {
            kind: Kind::Log,
            lo,
            hi,
        }
    }

    /// Widened to the ticks that enclose the range, so that it stays put while data moves.
    pub fn nice(kind: Kind, lo: f64, hi: f64, ticks: usize) -> Scale {
        match kind {
            Kind::Linear => {
                let s = Scale::linear(lo, hi);
                let step = nice_step((s.hi - s.lo) / ticks.max(1) as f64);
                Scale::linear((s.lo / step).floor() * step, (s.hi / step).ceil() * step)
            }
            Kind::Log => {
                let s = Scale::log(lo, hi);
                Scale::log(one_figure(s.lo, f64::floor), one_figure(s.hi, f64::ceil))
            }
        }
    }

    /// 0 at `lo`, 1 at `hi`; beyond them, beyond 0…1.
    pub fn at(&self, value: f64) -> f64 {
        match self.kind {
            Kind::Linear => (value - self.lo) / (self.hi - self.lo),
            Kind::Log if value > 0.0 => (value / self.lo).log10() / (self.hi / self.lo).log10(),
            Kind::Log if value.is_nan() => f64::NAN,
            Kind::Log => -1.0,
        }
    }

    /// The value at a place.
    pub fn value(&self, at: f64) -> f64 {
        match self.kind {
            Kind::Linear => self.lo + at * (self.hi - self.lo),
            Kind::Log => self.lo * (self.hi / self.lo).powf(at),
        }
    }

    /// About `count` round values within the range.
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        match self.kind {
            Kind::Linear => linear_ticks(self.lo, self.hi, count),
            Kind::Log => self.log_ticks(count),
        }
    }

    fn log_ticks(&self, count: usize) -> Vec<f64> {
        let decades = (self.hi / self.lo).log10();
        if decades < 0.7 {
            return linear_ticks(self.lo, self.hi, count);
        }
        let every = (decades / count.max(1) as f64).ceil().max(1.0) as i32;
        let figures: &[f64] = if decades * 3.0 <= count as f64 {
            &[1.0, 2.0, 5.0]
        } else if decades * 2.0 <= count as f64 {
            &[1.0, 3.0]
        } else {
            &[1.0]
        };
        let (from, to) = (self.lo.log10().floor(), self.hi.log10().ceil());
        let slack = 1e-9;
        (from as i32..=to as i32)
            .filter(|e| e.rem_euclid(every) == 0)
            .flat_map(|e| figures.iter().map(move |f| f * 10f64.powi(e)))
            .filter(|v| *v >= self.lo * (1.0 - slack) && *v <= self.hi * (1.0 + slack))
            .collect()
    }
}

fn ordered(lo: f64, hi: f64) -> (f64, f64) {
    match (lo.is_finite(), hi.is_finite()) {
        (true, true) => (lo.min(hi), lo.max(hi)),
        (true, false) => (lo, lo),
        (false, true) => (hi, hi),
        (false, false) => (0.0, 1.0),
    }
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
pub fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let figure = rough / power;
    // Divisions leave 2.0000000000000004.
    let figure = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|f| figure <= f * (1.0 + 1e-9));
    figure.unwrap_or(10.0) * power
}

fn linear_ticks(lo: f64, hi: f64, count: usize) -> Vec<f64> {
    let step = nice_step((hi - lo) / count.max(1) as f64);
    if !step.is_finite() || step <= 0.0 {
        return Vec::new();
    }
    let first = (lo / step - 1e-6).ceil();
    let last = (hi / step + 1e-6).floor();
    // A step of 0.2 times 3 is 0.6000000000000001.
    let digits = 10f64.powf((-step.log10()).ceil().max(0.0) + 1.0);
    (0..=(last - first).max(0.0) as usize)
        .map(|i| (first + i as f64) * step)
        .map(|v| {
            if digits < 1e15 {
                (v * digits).round() / digits
            } else {
                v
            }
        })
        .collect()
}

fn one_figure(v: f64, round: fn(f64) -> f64) -> f64 {
    let power = 10f64.powf(v.log10().floor());
    let figure = v / power;
    let near = figure.round();
    if (figure - near).abs() < 1e-9 {
        near * power
    } else {
        round(figure) * power
    }
}
