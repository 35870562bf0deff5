//! Min–max decimation, one value at a time.

/// The extremes of a run of rows, and where they are. Empty (`min > max`) when no value of it
/// was finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    pub min: f32,
    pub max: f32,
    pub min_row: u32,
    pub max_row: u32,
}

impl Bucket {
    /// Of no rows.
    pub const EMPTY: Bucket = Bucket {
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
        min_row: 0,
        max_row: 0,
    };

    pub fn is_empty(&self) -> bool {
        self.min > self.max
    }

    pub fn push(&mut self, row: u32, value: f32) {
        if !value.is_finite() {
            return;
        }
        if value < self.min {
            (self.min, self.min_row) = (value, row);
        }
        if value > self.max {
            (self.max, self.max_row) = (value, row);
        }
    }

    /// `(row, value)` of both extremes in their order; None where nothing was finite.
    pub fn points(&self) -> [Option<(u32, f32)>; 2] {
        if self.is_empty() {
            return [None, None];
        }
        let (low, high) = ((self.min_row, self.min), (self.max_row, self.max));
        if self.min_row <= self.max_row {
            [Some(low), Some(high)]
        } else {
            [Some(high), Some(low)]
        }
    }

    /// Takes in what comes after it.
    pub fn join(&mut self, later: &Bucket) {
        if later.min < self.min {
            (self.min, self.min_row) = (later.min, later.min_row);
        }
        if later.max > self.max {
            (self.max, self.max_row) = (later.max, later.max_row);
        }
    }
}

/// At most `limit` buckets of equal size; when they run out, neighbours join and the size
/// doubles. Adding a value costs O(1) on average, drawing costs O(limit) however many there are.
#[derive(Clone, Debug, PartialEq)]
pub struct MinMax {
    buckets: Vec<Bucket>,
    size: usize,
    rows: usize,
    limit: usize,
}

impl MinMax {
    /// `limit` is even and at least 2.
    pub fn new(limit: usize) -> MinMax {
        MinMax {
            buckets: Vec::new(),
            size: 1,
            rows: 0,
            limit: (limit / 2).max(1) * 2,
        }
    }

    pub fn push(&mut self, value: f32) {
        if self.rows == self.buckets.len() * self.size {
            if self.buckets.len() == self.limit {
                self.halve();
            }
            self.buckets.push(Bucket::EMPTY);
        }
        if let Some(b) = self.buckets.last_mut() {
            b.push(self.rows as u32, value);
        }
        self.rows += 1;
    }

    fn halve(&mut self) {
        for i in 0..self.buckets.len() / 2 {
            let mut b = self.buckets[2 * i];
            b.join(&self.buckets[2 * i + 1]);
            self.buckets[i] = b;
        }
        self.buckets.truncate(self.buckets.len() / 2);
        self.size *= 2;
    }

    /// Values taken so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// `(row, value)` of both extremes of each bucket in their order; None where nothing in a
    /// bucket was finite.
    pub fn points(&self) -> impl Iterator<Item = Option<(u32, f32)>> + '_ {
        self.buckets.iter().flat_map(Bucket::points)
    }
}
