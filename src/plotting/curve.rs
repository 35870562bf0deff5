//! A column of the history, made ready for drawing a little at a time.
use super::decimate::Bucket;
use super::history::History;
use super::pyramid::{BASE, Pyramid};
use super::smooth::Ema;
use std::ops::Range;

/// Rows between two kept states of the smoothing.
const MARK: usize = 1024;

/// A place of a line; None breaks it.
pub type Point = Option<(f64, f64)>;

/// Follows one column: raw and smoothed, both decimated. A new smoothing is worked out behind
/// the old one, which stays in view until the new one has caught up.
#[derive(Clone, Debug)]
pub struct Curve {
    column: String,
    front: Track,
    back: Option<Track>,
    generation: u64,
}

/// Which part of a curve is drawn, and how finely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Steps from and to; None: all there are.
    pub x: Option<(f64, f64)>,
    /// Buckets at most: about one per pixel.
    pub most: usize,
}

impl Window {
    /// All of it, in at most so many buckets.
    pub fn all(most: usize) -> Window {
        Window { x: None, most }
    }
}

#[derive(Clone, Debug)]
struct Track {
    beta: f32,
    /// [`History::pace`] of the rows.
    pace: (u32, u32),
    ema: Ema,
    /// The smoothing before rows 0, `MARK`, 2·`MARK`, …
    marks: Vec<Ema>,
    raw: Pyramid,
    smooth: Pyramid,
}

impl Track {
    fn new(beta: f32, pace: (u32, u32)) -> Track {
        Track {
            beta,
            pace,
            ema: Ema::new(beta),
            marks: Vec::new(),
            raw: Pyramid::new(),
            smooth: Pyramid::new(),
        }
    }

    fn rows(&self) -> usize {
        self.raw.rows()
    }

    /// The rows of a window and one more on either side, which lines come from and lead to.
    fn within(&self, window: Window) -> Range<usize> {
        let Some((from, to)) = window.x else {
            return 0..self.rows();
        };
        let row = |x: f64| (x - f64::from(self.pace.0)) / f64::from(self.pace.1);
        let first = (row(from).floor() - 1.0).max(0.0) as usize;
        let end = (row(to).ceil() + 2.0).max(0.0) as usize;
        first.min(self.rows())..end.min(self.rows())
    }

    /// Values of these rows, each as it is or by the extremes of buckets of equal size.
    fn reduce(
        &self,
        rows: Range<usize>,
        most: usize,
        mut value: impl FnMut(usize) -> f32,
    ) -> Vec<Point> {
        if rows.len() <= 2 * most {
            let each = rows.map(|row| {
                let v = value(row);
                v.is_finite().then(|| self.place(row as u32, v))
            });
            return each.collect();
        }
        let size = rows.len().div_ceil(most.max(1));
        let mut buckets: Vec<Bucket> = Vec::with_capacity(most + 1);
        let first = rows.start / size;
        for row in rows {
            if buckets.len() <= row / size - first {
                buckets.push(Bucket::EMPTY);
            }
            if let Some(b) = buckets.last_mut() {
                b.push(row as u32, value(row));
            }
        }
        self.places(&buckets)
    }

    fn places(&self, buckets: &[Bucket]) -> Vec<Point> {
        let points = buckets.iter().flat_map(Bucket::points);
        points
            .map(|p| p.map(|(row, v)| self.place(row, v)))
            .collect()
    }

    fn place(&self, row: u32, v: f32) -> (f64, f64) {
        let (start, stride) = (f64::from(self.pace.0), f64::from(self.pace.1));
        (start + f64::from(row) * stride, f64::from(v))
    }

    fn raw_points(&self, values: Option<&[f32]>, window: Window) -> Vec<Point> {
        let rows = self.within(window);
        match values.filter(|_| rows.len() <= BASE * window.most) {
            Some(values) => self.reduce(rows, window.most, |row| values[row]),
            None => self.places(&self.raw.buckets(rows, window.most)),
        }
    }

    fn points(&self, values: Option<&[f32]>, window: Window) -> Vec<Point> {
        let rows = self.within(window);
        let mark = self.marks.get(rows.start / MARK).copied();
        match (values, mark) {
            (Some(values), Some(mut ema)) if rows.len() <= BASE * window.most => {
                for v in &values[rows.start / MARK * MARK..rows.start] {
                    ema.push(*v);
                }
                self.reduce(rows, window.most, |row| ema.push(values[row]))
            }
            _ => self.places(&self.smooth.buckets(rows, window.most)),
        }
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
        let to = values.len().min(from.saturating_add(budget));
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

    /// Rows taken in.
    pub fn rows(&self) -> usize {
        self.front.rows()
    }

    /// The column's values, while the rows taken in are still the history's.
    fn values<'a>(&self, history: &'a History) -> Option<&'a [f32]> {
        let fits = self.front.pace == history.pace() && self.generation == history.generation();
        let values = history.column(&self.column)?;
        (fits && self.rows() <= values.len()).then_some(values)
    }

    /// Steps and values of the raw column, decimated; None where nothing was finite.
    pub fn raw_points(&self, history: &History, window: Window) -> Vec<Point> {
        self.front.raw_points(self.values(history), window)
    }

    /// The same of the smoothed one: smoothed first, then decimated.
    pub fn points(&self, history: &History, window: Window) -> Vec<Point> {
        self.front.points(self.values(history), window)
    }

    /// The smoothed value at a row; None beyond what was taken in.
    pub fn smoothed(&self, history: &History, row: usize) -> Option<f32> {
        let values = self.values(history)?;
        if row >= self.rows() {
            return None;
        }
        let mut ema = *self.front.marks.get(row / MARK)?;
        let mut value = f32::NAN;
        for v in &values[row / MARK * MARK..=row] {
            value = ema.push(*v);
        }
        Some(value)
    }
}

/// Range of what is drawn: all of the smoothed curve, and the raw one without its rarest two per
/// cent on either side. `positive` leaves out what a log axis cannot show.
pub fn range(smooth: &[Point], raw: &[Point], positive: bool) -> Option<(f64, f64)> {
    let shown = |points: &[Point]| -> Vec<f64> {
        let values = points.iter().flatten().map(|p| p.1);
        values
            .filter(|v| v.is_finite() && (!positive || *v > 0.0))
            .collect()
    };
    let (smooth, mut raw) = (shown(smooth), shown(raw));
    raw.sort_unstable_by(f64::total_cmp);
    // The lows and the highs are half of the points each.
    let cut = raw.len() / 100;
    let ends = raw.get(cut).zip(raw.get(raw.len().wrapping_sub(cut + 1)));
    let ends = ends.map_or((f64::INFINITY, f64::NEG_INFINITY), |(a, b)| (*a, *b));
    let (lo, hi) = smooth
        .into_iter()
        .fold(ends, |(a, b), v| (a.min(v), b.max(v)));
    (lo <= hi).then_some((lo, hi))
}
