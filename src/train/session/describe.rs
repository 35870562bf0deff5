//! What the data are like: counts, ranges, lengths; and samples of one class.
use super::*;
use crate::data::text::words as cut;
use crate::plotting::stats::{Histogram, histogram};
use crate::train::described::{Column, Description, Encoded, TextFacts};

/// Columns that are described one by one, at most.
const COLUMNS: usize = 256;
const BINS: usize = 24;
/// Forecasts of a series, at most.
const MOST_AHEAD: usize = 1000;
/// Frequent words that are named.
const FREQUENT: usize = 40;
/// Values of a column that its histogram is made from, at most.
const BINNED: usize = 1 << 20;

/// Takes in values one by one.
struct Tally {
    name: String,
    min: f32,
    max: f32,
    /// Mean and sum of squared distances from it, by Welford's method.
    mean: f64,
    squares: f64,
    count: u64,
    missing: u32,
    kept: Vec<f32>,
}

impl Tally {
    fn new(name: impl Into<String>) -> Tally {
        Tally {
            name: name.into(),
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
            mean: 0.0,
            squares: 0.0,
            count: 0,
            missing: 0,
            kept: Vec::new(),
        }
    }

    fn lack(&mut self) {
        self.missing += 1;
    }

    fn add(&mut self, v: f32) {
        if !v.is_finite() {
            return self.lack();
        }
        (self.min, self.max) = (self.min.min(v), self.max.max(v));
        self.count += 1;
        let from = f64::from(v) - self.mean;
        self.mean += from / self.count as f64;
        self.squares += from * (f64::from(v) - self.mean);
        if self.kept.len() < BINNED {
            self.kept.push(v);
        }
    }

    fn told(self) -> Column {
        Column {
            name: self.name,
            min: if self.count > 0 { self.min } else { f32::NAN },
            max: if self.count > 0 { self.max } else { f32::NAN },
            mean: self.mean,
            deviation: (self.squares / self.count.max(1) as f64).sqrt(),
            missing: self.missing,
            spread: spread(&self.kept, BINS),
        }
    }
}

fn spread(values: &[f32], bins: usize) -> Spread {
    histogram(values, bins).map_or_else(Spread::default, |h: Histogram| Spread {
        lo: h.lo,
        hi: h.hi,
        counts: h.counts,
        outside: h.odd as u32,
    })
}

impl<B: Backend> Session<B> {
    /// What the samples of a part are like, as they came.
    pub fn describe(&self, part: Part) -> Description {
        let (d, rows) = (&self.data, self.part(part));
        let n = d.features_len();
        let mut said = Description {
            rows: rows.len(),
            classes: d.class_counts(rows),
            ..Description::default()
        };
        let mut x = vec![0.0; n];
        if d.text.is_some() {
            said.text = self.text_facts(rows);
        } else if let Some([h, w]) = d.image {
            let channels = (n / (h * w).max(1)).max(1);
            let names = match channels {
                3 => vec!["R", "G", "B"],
                _ => vec![""; channels],
            };
            let mut all: Vec<Tally> = names.into_iter().map(Tally::new).collect();
            for row in rows {
                d.write_raw(*row as usize, &mut x);
                for (k, v) in x.iter().enumerate() {
                    all[(k / (h * w)).min(channels - 1)].add(*v);
                }
            }
            said.channels = all.into_iter().map(Tally::told).collect();
        } else {
            said.more = n.saturating_sub(COLUMNS);
            let name = |i: usize| d.features.get(i).cloned().unwrap_or_default();
            let mut all: Vec<Tally> = (0..n.min(COLUMNS)).map(|i| Tally::new(name(i))).collect();
            let gaps: Vec<&[u32]> = (0..all.len()).map(|i| d.gaps.rows_of(i)).collect();
            for row in rows {
                d.write_raw(*row as usize, &mut x);
                for ((t, v), gap) in all.iter_mut().zip(&x).zip(&gaps) {
                    match gap.binary_search(row) {
                        Ok(_) => t.lack(),
                        Err(_) => t.add(*v),
                    }
                }
            }
            said.columns = all.into_iter().map(Tally::told).collect();
        }
        if let crate::data::Target::Values { names } = &d.target {
            let mut all: Vec<Tally> = names.iter().map(Tally::new).collect();
            for row in rows {
                let mut y = d.target_row(*row as usize);
                self.unscale(&mut y);
                all.iter_mut().zip(&y).for_each(|(t, v)| t.add(*v));
            }
            said.targets = all.into_iter().map(Tally::told).collect();
        }
        said
    }

    fn text_facts(&self, rows: &[u32]) -> Option<TextFacts> {
        let (spec, vocabulary) = self.data.text.as_ref()?;
        let first = 1 + usize::from(spec.unknown);
        let mut counts = vec![0u32; vocabulary.words().len()];
        let (mut words, mut full) = (0u64, 0u32);
        let mut lengths = Vec::with_capacity(rows.len());
        let mut x = vec![0.0; self.data.features_len()];
        for row in rows {
            self.data.write_raw(*row as usize, &mut x);
            let mut own = 0u32;
            for token in x.iter().filter(|t| **t != 0.0) {
                own += 1;
                if let Some(n) = counts.get_mut(*token as usize) {
                    *n += 1;
                }
            }
            words += u64::from(own);
            full += u32::from(own as usize == spec.length);
            lengths.push(own as f32);
        }
        let mut order: Vec<usize> = (first..counts.len()).filter(|i| counts[*i] > 0).collect();
        order.sort_by_key(|i| std::cmp::Reverse(counts[*i]));
        let word = |i: &usize| (vocabulary.words()[*i].clone(), counts[*i]);
        Some(TextFacts {
            vocabulary: vocabulary.words().len().saturating_sub(first),
            words,
            unknown: spec
                .unknown
                .then(|| u64::from(counts.get(1).copied().unwrap_or(0))),
            full,
            length: spec.length,
            mean: words as f64 / rows.len().max(1) as f64,
            lengths: spread(&lengths, BINS),
            frequent: order.iter().take(FREQUENT).map(word).collect(),
        })
    }

    /// As [`Session::samples`], of one class only where one is given.
    pub fn browse(
        &self,
        part: Part,
        class: Option<u32>,
        start: usize,
        count: usize,
    ) -> (Samples, Vec<f32>, Vec<f32>, Vec<u32>) {
        let Some(class) = class.filter(|_| self.data.target_width() == 1) else {
            return self.samples(part, start, count);
        };
        let of_class = |row: &&u32| self.data.y[**row as usize] == class as f32;
        let rows: Vec<u32> = self.part(part).iter().filter(of_class).copied().collect();
        self.samples_of(&rows, start, count)
    }

    /// Carries a series on: `window` is a raw sample, and each forecast becomes its last value in place
    /// of the first. Ends before `steps` forecasts when one is not finite.
    pub async fn carry_on(
        &mut self,
        mut window: Vec<f32>,
        steps: usize,
    ) -> Result<Vec<f32>, Failure> {
        let mut shape = vec![1];
        shape.extend(&self.data.shape);
        let mut course = Vec::with_capacity(steps.min(MOST_AHEAD));
        for _ in 0..steps.min(MOST_AHEAD) {
            let (_, out) = self.predict(&window, &shape, false).await?;
            let [next] = out[..] else {
                return Err(bad_data(Problem::new("no-series")));
            };
            if !next.is_finite() {
                break;
            }
            course.push(next);
            window.rotate_left(1);
            if let Some(last) = window.last_mut() {
                *last = next;
            }
        }
        Ok(course)
    }

    /// The words behind the numbers of texts; padding and what is no number of a word are empty.
    pub fn words_of(&self, ids: &[f32]) -> Vec<String> {
        let known = self.data.text.as_ref().map(|(_, v)| v.words());
        let word = |t: &f32| known?.get(*t as usize).cloned();
        ids.iter().map(|t| word(t).unwrap_or_default()).collect()
    }

    /// A text as a raw sample of the data, or `bad-data` where the data are no texts.
    pub fn encode(&self, text: &str) -> Result<(Encoded, Vec<f32>), Failure> {
        let Some((spec, vocabulary)) = &self.data.text else {
            return Err(bad_data(Problem::new("no-texts")));
        };
        let ids = vocabulary.encode(text, spec);
        let words = self.words_of(&ids);
        let count = cut(text).count();
        Ok((Encoded { words, count }, ids))
    }
}
