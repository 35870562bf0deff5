//! What the columns of a table hold, and what is made of them.
use super::Options;
use super::table::{Table, missing};
use crate::data::{Gaps, Pauses};
use crate::spec::{Missing, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// A feature column of texts may hold this many different ones.
const MAX_TEXTS: usize = 50;
/// Integer targets with at most this many different values are classes.
const MAX_INTEGER_CLASSES: usize = 20;
/// A target of texts may hold this many different ones.
const MAX_CLASSES: usize = 1000;

/// What one column was found to hold.
pub struct Column {
    pub rows: usize,
    /// Rows in which it holds nothing.
    pub missing: usize,
    numbers: usize,
    pub integers: bool,
    /// At most [`MAX_INTEGER_CLASSES`] different numbers; judged for integers only.
    pub few: bool,
    seen: Vec<f32>,
    /// Counts 0, 1, 2, … or 1, 2, 3, …
    counts: bool,
    /// Line and text of the first cell that is no number.
    odd: Option<(u64, String)>,
}

impl Column {
    /// A stray text in a column of numbers is a mistake, not a category.
    pub fn is_numeric(&self) -> bool {
        self.numbers * 2 > self.rows - self.missing
    }

    fn add(&mut self, line: u64, cell: &str, value: Option<f32>) {
        match value {
            None if missing(cell) => {
                self.counts = false;
                self.missing += 1;
            }
            Some(v) => {
                self.numbers += 1;
                self.integers &= v.fract() == 0.0;
                let first = self.seen.first().copied().unwrap_or(v);
                self.counts &= (first == 0.0 || first == 1.0) && v == first + self.rows as f32;
                if self.integers && self.few && !self.seen.contains(&v) {
                    self.few = self.seen.len() < MAX_INTEGER_CLASSES;
                    self.seen.push(v);
                }
            }
            None => {
                self.counts = false;
                if self.odd.is_none() {
                    self.odd = Some((line, cell.to_string()));
                }
            }
        }
        self.rows += 1;
    }
}

/// What is made of a column.
pub enum Kind {
    Number,
    /// One 0/1 column per text; the index among them.
    Texts(BTreeMap<String, usize>),
    /// Classes by text, or numbers.
    Target(Option<BTreeMap<String, usize>>),
    Left,
}

/// What is made of all columns.
pub struct Plan<'a> {
    pub kinds: &'a [Kind],
    pub fills: &'a [Missing],
    /// Of each column, its place among those that are filled in.
    pub slots: &'a [Option<usize>],
}

impl Table<'_> {
    /// What is done about missing cells, by column.
    pub fn fills(
        &self,
        columns: &[Column],
        kinds: &[Kind],
        options: &Options,
    ) -> Result<Vec<Missing>, Problem> {
        let mut asked = vec![None; kinds.len()];
        for (name, with) in options.missing.into_iter().flatten() {
            asked[self.find(name)?] = Some(*with);
        }
        let fill = |i: usize| match (&kinds[i], asked[i]) {
            (Kind::Target(_), _) if columns[i].missing == columns[i].rows => {
                Err(Problem::new("csv-missing")
                    .arg("file", self.file)
                    .arg("column", self.label(i)))
            }
            (Kind::Target(_), _) => Ok(Missing::Drop),
            (Kind::Texts(_), Some(Missing::Mean | Missing::Median)) => {
                Err(Problem::new("csv-fill")
                    .arg("file", self.file)
                    .arg("column", self.label(i)))
            }
            (Kind::Texts(_), None) => Ok(Missing::MostFrequent),
            (Kind::Left, _) => Ok(Missing::Mean),
            (_, with) => Ok(with.unwrap_or(Missing::Mean)),
        };
        (0..kinds.len()).map(fill).collect()
    }

    /// Refuses ragged rows.
    pub async fn survey(&self, pauses: &mut Pauses<'_>) -> Result<Vec<Column>, Problem> {
        let mut columns: Vec<Column> = self
            .names
            .iter()
            .map(|_| Column {
                rows: 0,
                missing: 0,
                numbers: 0,
                integers: true,
                few: true,
                seen: Vec::new(),
                counts: true,
                odd: None,
            })
            .collect();
        self.rows(pauses, |line, cells| {
            if cells.len() != columns.len() {
                return Err(Problem::new("csv-columns")
                    .arg("file", self.file)
                    .arg("line", line)
                    .arg("got", cells.len())
                    .arg("want", columns.len()));
            }
            for (i, cell) in cells.iter().enumerate() {
                let value = self.number(cell);
                columns[i].add(line, cell, value);
            }
            Ok(true)
        })
        .await?;
        Ok(columns)
    }

    /// Decides for each column, and gathers the texts that occur.
    pub async fn kinds(
        &self,
        columns: &[Column],
        target: usize,
        classes: bool,
        options: &Options<'_>,
        pauses: &mut Pauses<'_>,
    ) -> Result<Vec<Kind>, Problem> {
        let mut texts: Vec<Option<BTreeSet<String>>> = Vec::new();
        let mut limits = Vec::new();
        for (i, c) in columns.iter().enumerate() {
            let wanted = if i == target {
                classes
            } else {
                !c.is_numeric() && c.missing < c.rows
            };
            if c.is_numeric()
                && let Some((line, text)) = &c.odd
            {
                return Err(self.at("csv-number", *line, i).arg("got", text));
            }
            texts.push(wanted.then(BTreeSet::new));
            limits.push(if i == target {
                options.classes.unwrap_or(MAX_CLASSES).max(MAX_CLASSES)
            } else {
                MAX_TEXTS
            });
        }
        if texts.iter().any(Option::is_some) {
            self.rows(pauses, |_, cells| {
                for (i, set) in texts.iter_mut().enumerate() {
                    let Some(set) = set else { continue };
                    let numeric = columns[i].is_numeric();
                    if missing(&cells[i]) {
                        continue;
                    }
                    let cell = self.class_name(&cells[i], numeric);
                    if !set.contains(cell.as_ref()) {
                        if set.len() == limits[i] {
                            return Err(Problem::new("csv-text")
                                .arg("file", self.file)
                                .arg("column", self.label(i))
                                .arg("max", limits[i]));
                        }
                        set.insert(cell.into_owned());
                    }
                }
                Ok(true)
            })
            .await?;
        }
        let mut kinds = Vec::new();
        for (i, set) in texts.into_iter().enumerate() {
            kinds.push(match set {
                set if i == target => {
                    let numeric = columns[i].is_numeric();
                    Kind::Target(match set {
                        Some(set) => Some(self.classes(set, numeric, i, options)?),
                        None => None,
                    })
                }
                Some(set) => Kind::Texts(set.into_iter().zip(0..).collect()),
                // Only the first column of a header can still be unnamed.
                None if self.names[i].is_empty() && columns[i].counts => Kind::Left,
                None if columns[i].missing == columns[i].rows => Kind::Left,
                None => Kind::Number,
            });
        }
        Ok(kinds)
    }

    /// Numbers that are equal name the same class: `1`, `1.0`, `01`.
    fn class_name<'c>(&self, cell: &'c str, numeric: bool) -> std::borrow::Cow<'c, str> {
        match self.number(cell) {
            // `+ 0.0` turns −0 into 0.
            Some(v) if numeric => (v + 0.0).to_string().into(),
            _ => cell.into(),
        }
    }

    fn classes(
        &self,
        set: BTreeSet<String>,
        numeric: bool,
        column: usize,
        options: &Options,
    ) -> Result<BTreeMap<String, usize>, Problem> {
        let mut names: Vec<String> = set.into_iter().collect();
        let value = |s: &String| self.number(s).unwrap_or(0.0);
        if numeric {
            names.sort_by(|a, b| value(a).total_cmp(&value(b)));
        }
        if let Some(k) = options.classes {
            let inside =
                |s: &String| value(s) >= 0.0 && value(s).fract() == 0.0 && value(s) < k as f32;
            if numeric && names.iter().all(inside) {
                names = (0..k).map(|i| i.to_string()).collect();
            } else if names.len() != k {
                return Err(Problem::new("csv-classes")
                    .arg("file", self.file)
                    .arg("column", self.label(column))
                    .arg("got", names.len())
                    .arg("want", k));
            }
        }
        Ok(names.into_iter().zip(0..).collect())
    }

    /// `(x [rows, features], y [rows])`; notes down where something is missing. `total`, `most`: of x and y, at most.
    pub async fn values(
        &self,
        plan: &Plan<'_>,
        gaps: &mut Gaps,
        (total, most): (usize, usize),
        pauses: &mut Pauses<'_>,
    ) -> Result<(Vec<f32>, Vec<f32>), Problem> {
        let mut x = Vec::with_capacity(total);
        let mut y = Vec::with_capacity(most);
        let mut row = 0;
        let Plan {
            kinds,
            fills,
            slots,
        } = *plan;
        self.rows(pauses, |line, cells| {
            let lacks = |i: usize| fills[i] == Missing::Drop && missing(&cells[i]);
            if (0..cells.len()).any(lacks) {
                gaps.dropped += 1;
                return Ok(true);
            }
            for (i, kind) in kinds.iter().enumerate() {
                let bad = || self.at("csv-number", line, i).arg("got", &cells[i]);
                if let Some(slot) = slots[i]
                    && missing(&cells[i])
                {
                    gaps.filled[slot].rows.push(row);
                    if let Kind::Number = kind {
                        x.push(0.0);
                        continue;
                    }
                }
                match kind {
                    Kind::Number => x.push(self.number(&cells[i]).ok_or_else(bad)?),
                    Kind::Texts(texts) => {
                        let at = texts.get(&cells[i]).copied();
                        x.extend((0..texts.len()).map(|k| f32::from(u8::from(at == Some(k)))));
                    }
                    Kind::Target(None) => y.push(self.number(&cells[i]).ok_or_else(bad)?),
                    Kind::Target(Some(classes)) => {
                        let text = classes.get(&cells[i]).copied();
                        let class = text
                            .or_else(|| classes.get(&*self.class_name(&cells[i], true)).copied());
                        y.push(class.ok_or_else(bad)? as f32);
                    }
                    Kind::Left => {}
                }
            }
            row += 1;
            Ok(true)
        })
        .await?;
        Ok((x, y))
    }
}
