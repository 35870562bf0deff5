//! Cells of a table that hold nothing: where they are, and what stands in for them.
use super::Values;
use crate::spec::Missing;
use std::collections::BTreeMap;
use std::ops::Range;

/// A column with missing cells that are filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Its name in the file.
    pub column: String,
    /// The numbers of a sample that it became: one, or one per text.
    pub features: Range<usize>,
    /// The texts, where it holds some.
    pub texts: Vec<String>,
    /// Rows in which it is missing, ascending.
    pub rows: Vec<u32>,
    pub with: Missing,
    /// What stands there, once that is known.
    pub value: String,
}

/// What a table lacks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gaps {
    pub filled: Vec<Gap>,
    /// Columns whose missing cells cost their rows, with how many of those cells there are.
    pub dropping: Vec<(String, u32)>,
    /// Rows that were left out.
    pub dropped: usize,
    /// Columns without any value, which were left out.
    pub empty: Vec<String>,
}

impl Gaps {
    /// The rows in which a number of a sample is filled in.
    pub fn rows_of(&self, feature: usize) -> &[u32] {
        let of = self.filled.iter().find(|g| g.features.contains(&feature));
        of.map_or(&[], |g| &g.rows)
    }

    /// Fills `x[rows, width]` in: with the mean, median or most frequent value of the training rows, or of all rows where
    /// those hold none.
    pub fn fill(&mut self, x: &mut Values, width: usize, train: &[u32]) {
        let Values::F32(x) = x else { return };
        for gap in &mut self.filled {
            let all: Vec<u32> = (0..(x.len() / width.max(1)) as u32).collect();
            let known = |rows: &[u32]| -> Vec<usize> {
                let there = rows.iter().filter(|r| gap.rows.binary_search(r).is_err());
                there.map(|r| *r as usize * width).collect()
            };
            let mut rows = known(train);
            if rows.is_empty() {
                rows = known(&all);
            }
            let at = gap.features.start;
            if gap.texts.is_empty() {
                let value = number(rows.iter().map(|r| x[r + at]).collect(), gap.with);
                gap.value = value.to_string();
                for row in &gap.rows {
                    x[*row as usize * width + at] = value;
                }
            } else {
                let count = |k: usize| rows.iter().filter(|r| x[*r + at + k] == 1.0).count();
                // Of equals the first.
                let best = (0..gap.texts.len()).rev().max_by_key(|k| count(*k));
                let best = best.unwrap_or(0);
                gap.value.clone_from(&gap.texts[best]);
                for row in &gap.rows {
                    x[*row as usize * width + at + best] = 1.0;
                }
            }
        }
    }
}

/// What stands for numbers that are missing among these; 0 where there are none.
fn number(mut values: Vec<f32>, with: Missing) -> f32 {
    let n = values.len();
    if n == 0 {
        return 0.0;
    }
    match with {
        Missing::Median => {
            values.sort_unstable_by(f32::total_cmp);
            let (a, b) = (values[(n - 1) / 2], values[n / 2]);
            ((f64::from(a) + f64::from(b)) / 2.0) as f32
        }
        Missing::MostFrequent => {
            let mut counts: BTreeMap<i32, (usize, f32)> = BTreeMap::new();
            for v in values {
                // In the order of the numbers, as `f32::total_cmp` has it; `+ 0.0` turns −0 into 0.
                let bits = (v + 0.0).to_bits() as i32;
                let key = bits ^ (((bits >> 31) as u32) >> 1) as i32;
                counts.entry(key).or_insert((0, v)).0 += 1;
            }
            let best = counts.values().rev().max_by_key(|(n, _)| *n);
            best.map_or(0.0, |(_, v)| *v)
        }
        Missing::Mean | Missing::Drop => {
            (values.iter().map(|v| f64::from(*v)).sum::<f64>() / n as f64) as f32
        }
    }
}
