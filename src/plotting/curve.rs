//! A column of the history, made ready for drawing a little at a time.
use super::decimate::MinMax;
use super::history::History;
use super::smooth::Ema;

/// Buckets per curve: about two per pixel of a wide chart.
const BUCKETS: usize = 1024;
/// Rows between two kept states of the smoothing.
const MARK: usize = 1024;

/// Follows one column: raw and smoothed, both decimated. A new smoothing is worked out behind
/// the old one, which stays in view until the new one has caught up.
#[derive(Clone, Debug)]
pub struct Curve {
    column: String,
    front: Track,
    back: Option<Track>,
    generation: u64,
}

#[derive(Clone, Debug)]
struct Track {
    beta: f32,
    ema: Ema,
    /// The smoothing before rows 0, `MARK`, 2·`MARK`, …
    marks: Vec<Ema>,
    raw: MinMax,
    smooth: MinMax,
}

impl Track {
    fn new(beta: f32) -> Track {
        Track {
            beta,
            ema: Ema::new(beta),
            marks: Vec::new(),
            raw: MinMax::new(BUCKETS),
            smooth: MinMax::new(BUCKETS),
        }
    }

    fn rows(&self) -> usize {
        self.raw.rows()
    }

    /// Takes in at most `budget` rows; returns how many.
    fn advance(&mut self, values: &[f32], budget: usize) -> usize {
        let from = self.rows();
        let to = values.len().min(from + budget);
        for row in from..to {
            if row % MARK == 0 {
                self.marks.push(self.ema);
            }
            let v = values[row];
            self.raw.push(v);
            self.smooth.push(self.ema.push(v));
        }
        to - from
    }
}

impl Curve {
    /// `smoothing` is the β of [`Ema`].
    pub fn new(column: &str, smoothing: f32) -> Curve {
        Curve {
            column: column.to_string(),
            front: Track::new(smoothing),
            back: None,
            generation: 0,
        }
    }

    pub fn column(&self) -> &str {
        &self.column
    }

    pub fn set_smoothing(&mut self, beta: f32) {
        let current = self.back.as_ref().map_or(self.front.beta, |t| t.beta);
        if current != beta {
            self.back = Some(Track::new(beta));
        }
    }

    /// Takes in at most `budget` rows that are new since the last call, or since the history
    /// was changed. True when nothing is left to do.
    pub fn advance(&mut self, history: &History, budget: usize) -> bool {
        let values = history.column(&self.column).unwrap_or(&[]);
        if self.generation != history.generation() || values.len() < self.front.rows() {
            let beta = self.back.take().map_or(self.front.beta, |t| t.beta);
            self.front = Track::new(beta);
            self.generation = history.generation();
        }
        let done = self.front.advance(values, budget);
        if let Some(back) = &mut self.back {
            back.advance(values, budget.saturating_sub(done));
            if back.rows() == values.len() {
                self.front = self.back.take().expect("it is there");
            }
        }
        self.back.is_none() && self.front.rows() == values.len()
    }

    pub fn raw(&self) -> &MinMax {
        &self.front.raw
    }

    pub fn smooth(&self) -> &MinMax {
        &self.front.smooth
    }

    /// The smoothed value at a row; None beyond what was taken in.
    pub fn smoothed(&self, history: &History, row: usize) -> Option<f32> {
        let values = history.column(&self.column)?;
        if row >= self.front.rows() || row >= values.len() {
            return None;
        }
        let mut ema = *self.front.marks.get(row / MARK)?;
        let mut value = f32::NAN;
        for v in &values[row / MARK * MARK..=row] {
            value = ema.push(*v);
        }
        Some(value)
    }

    /// Range of what is drawn: all of the smoothed curve, and the raw one without its rarest
    /// two per cent on either side.
    pub fn range(&self) -> Option<(f32, f32)> {
        let smooth = extremes(self.front.smooth.buckets().iter().map(|b| (b.min, b.max)))?;
        let buckets = self.front.raw.buckets().iter().filter(|b| !b.is_empty());
        let (mut lows, mut highs): (Vec<f32>, Vec<f32>) = buckets.map(|b| (b.min, b.max)).unzip();
        lows.sort_unstable_by(f32::total_cmp);
        highs.sort_unstable_by(f32::total_cmp);
        let cut = lows.len() / 50;
        Some((
            smooth.0.min(lows[cut]),
            smooth.1.max(highs[highs.len() - 1 - cut]),
        ))
    }
}

fn extremes(pairs: impl Iterator<Item = (f32, f32)>) -> Option<(f32, f32)> {
    let (lo, hi) = pairs.fold((f32::INFINITY, f32::NEG_INFINITY), |a, b| {
        (a.0.min(b.0), a.1.max(b.1))
    });
    (lo <= hi).then_some((lo, hi))
}
