//! A column of the history, made ready for drawing a little at a time.
use super::decimate::{Bucket, MinMax};
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
    /// [`History::pace`] of the rows.
    pace: (u32, u32),
    ema: Ema,
    /// The smoothing before rows 0, `MARK`, 2·`MARK`, …
    marks: Vec<Ema>,
    raw: MinMax,
    smooth: MinMax,
}

impl Track {
    fn new(beta: f32, pace: (u32, u32)) -> Track {
        Track {
            beta,
            pace,
            ema: Ema::new(beta),
            marks: Vec::new(),
            raw: MinMax::new(BUCKETS),
            smooth: MinMax::new(BUCKETS),
        }
    }

    fn rows(&self) -> usize {
        self.raw.rows()
    }

    fn points<'a>(&self, m: &'a MinMax) -> impl Iterator<Item = Option<(f64, f64)>> + use<'a> {
        let (start, stride) = (f64::from(self.pace.0), f64::from(self.pace.1));
        m.points()
            .map(move |p| p.map(|(row, v)| (start + f64::from(row) * stride, f64::from(v))))
    }

    /// Takes in at most `budget` rows; returns how many. None of another pace.
    fn advance(&mut self, values: &[f32], pace: (u32, u32), budget: usize) -> usize {
        if self.rows() == 0 {
            self.pace = pace;
        }
        if self.pace != pace {
            return 0;
        }
        let from = self.rows();
        let to = values.len().min(from + budget);
        for (row, v) in values.iter().enumerate().take(to).skip(from) {
            if row % MARK == 0 {
                self.marks.push(self.ema);
            }
            self.raw.push(*v);
            self.smooth.push(self.ema.push(*v));
        }
        to - from
    }
}

impl Curve {
    /// `smoothing` is the β of [`Ema`].
    pub fn new(column: &str, smoothing: f32) -> Curve {
        Curve {
            column: column.to_string(),
            front: Track::new(smoothing, (0, 1)),
            back: None,
            generation: 0,
        }
    }

    pub fn column(&self) -> &str {
        &self.column
    }

    /// The β of what is to be seen now.
    pub fn smoothing(&self) -> f32 {
        self.front.beta
    }

    pub fn set_smoothing(&mut self, beta: f32) {
        let current = self.back.as_ref().map_or(self.front.beta, |t| t.beta);
        if current != beta {
            self.back = Some(Track::new(beta, self.front.pace));
        }
    }

    /// Takes in at most `budget` rows that are new since the last call, or since the history
    /// was changed. True when nothing is left to do.
    pub fn advance(&mut self, history: &History, budget: usize) -> bool {
        let values = history.column(&self.column).unwrap_or(&[]);
        let pace = history.pace();
        if self.generation != history.generation() {
            let beta = self.back.take().map_or(self.front.beta, |t| t.beta);
            let fresh = Track::new(beta, pace);
            if pace.0 == self.front.pace.0 && pace.1 > self.front.pace.1 {
                // The same run with fewer rows: what is in view stays until it has been redone.
                self.back = Some(fresh);
            } else {
                self.front = fresh;
            }
            self.generation = history.generation();
        }
        let done = self.front.advance(values, pace, budget);
        if let Some(back) = &mut self.back {
            back.advance(values, pace, budget.saturating_sub(done));
            if back.rows() == values.len() {
                self.front = self.back.take().expect("it is there");
            }
        }
        self.back.is_none() && self.front.rows() == values.len()
    }

    /// Steps and values of the raw column, decimated; None where nothing was finite.
    pub fn raw_points(&self) -> impl Iterator<Item = Option<(f64, f64)>> + '_ {
        self.front.points(&self.front.raw)
    }

    /// The same of the smoothed one.
    pub fn points(&self) -> impl Iterator<Item = Option<(f64, f64)>> + '_ {
        self.front.points(&self.front.smooth)
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
        if row >= self.front.rows() || row >= values.len() || self.front.pace != history.pace() {
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
    /// two per cent on either side. `positive` leaves out what a log axis cannot show.
    pub fn range(&self, positive: bool) -> Option<(f32, f32)> {
        let ends = |m: &MinMax| -> (Vec<f32>, Vec<f32>) {
            let shown = |b: &&Bucket| !b.is_empty() && (!positive || b.max > 0.0);
            let low = |b: &Bucket| {
                if positive && b.min <= 0.0 {
                    b.max
                } else {
                    b.min
                }
            };
            m.buckets()
                .iter()
                .filter(shown)
                .map(|b| (low(b), b.max))
                .unzip()
        };
        let (lows, highs) = ends(&self.front.smooth);
        let (mut raw_lows, mut raw_highs) = ends(&self.front.raw);
        raw_lows.sort_unstable_by(f32::total_cmp);
        raw_highs.sort_unstable_by(f32::total_cmp);
        let cut = raw_lows.len() / 50;
        let lo = lows.into_iter().fold(*raw_lows.get(cut)?, f32::min);
        let hi = highs
            .into_iter()
            .fold(*raw_highs.get(raw_highs.len() - 1 - cut)?, f32::max);
        Some((lo, hi))
    }
}
