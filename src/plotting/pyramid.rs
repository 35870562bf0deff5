//! Min–max decimation at every zoom: buckets of buckets, which grow with their column.
use super::decimate::Bucket;
use std::ops::Range;

/// Rows of a bucket of the lowest level; each level above has buckets of twice as many.
pub const BASE: usize = 64;

#[derive(Clone, Debug, PartialEq)]
struct Level {
    full: Vec<Bucket>,
    /// The bucket that is still being filled.
    part: Bucket,
}

/// Adding a value costs O(1) on average, and any range is had in O(buckets), however many rows it
/// spans. Takes about half a byte per row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pyramid {
    levels: Vec<Level>,
    rows: usize,
}

impl Pyramid {
    pub fn new() -> Pyramid {
        Pyramid::default()
    }

    /// Values taken so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn level(&mut self, at: usize) -> &mut Level {
        if self.levels.len() == at {
            self.levels.push(Level {
                full: Vec::new(),
                part: Bucket::EMPTY,
            });
        }
        &mut self.levels[at]
    }

    pub fn push(&mut self, value: f32) {
        let row = self.rows as u32;
        self.level(0).part.push(row, value);
        self.rows += 1;
        let (mut at, mut size) = (0, BASE);
        while self.rows.is_multiple_of(size) {
            let level = self.level(at);
            let done = std::mem::replace(&mut level.part, Bucket::EMPTY);
            level.full.push(done);
            self.level(at + 1).part.join(&done);
            (at, size) = (at + 1, size * 2);
        }
    }

    /// The buckets that touch these rows, of the lowest level that needs no more than `most`.
    /// Buckets begin at multiples of their size, so that a picture does not flicker while it grows.
    pub fn buckets(&self, rows: Range<usize>, most: usize) -> Vec<Bucket> {
        let rows = rows.start..rows.end.min(self.rows);
        if rows.is_empty() {
            return Vec::new();
        }
        let span = |at: usize| (rows.end - 1) / (BASE << at) - rows.start / (BASE << at) + 1;
        let mut at = 0;
        while at + 1 < self.levels.len() && span(at) > most.max(1) {
            at += 1;
        }
        let (first, last) = (rows.start / (BASE << at), (rows.end - 1) / (BASE << at));
        let level = &self.levels[at];
        let mut out: Vec<Bucket> = (level.full.iter().skip(first))
            .take(last + 1 - first)
            .copied()
            .collect();
        if last >= level.full.len() {
            // What the levels below have not handed up yet comes after it.
            let rest = self.levels[..=at].iter().rev();
            let mut tail = Bucket::EMPTY;
            rest.for_each(|l| tail.join(&l.part));
            out.push(tail);
        }
        out
    }
}
