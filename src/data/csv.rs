//! CSV: finds the separator, the header and what each column holds.
//!
//! The text is read three times and never kept: once for the kinds of the columns, once for the
//! texts that occur in them, once for the values.
use super::{Raw, Target, Values, gzip::gunzip};
use crate::spec::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// A feature column of texts may hold this many different ones.
const MAX_TEXTS: usize = 50;
/// Integer targets with at most this many different values are classes.
const MAX_INTEGER_CLASSES: usize = 20;
/// A target of texts may hold this many different ones.
const MAX_CLASSES: usize = 1000;
/// Values in the table, targets excluded (256 MiB).
const MAX_VALUES: usize = 64 << 20;

/// What a caller knows before it sees the file.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Name of the target column; the last column when `None`.
    pub target: Option<&'a str>,
    /// Number of classes: the target is then no regression, whatever it holds.
    pub classes: Option<usize>,
    /// Numbers in the target are a regression, however few they are.
    pub regression: bool,
}

/// Reads a table, gzipped or not; `file` is its name for messages.
///
/// - Separator: comma, semicolon or tab; with the latter two a decimal comma is understood.
/// - Header: looked for; without one the columns are `x1`, `x2`, …
/// - An unnamed first column that only counts the rows is left out.
/// - Features: numbers; a column of texts becomes one 0/1 column `name=text` per text.
/// - Target: texts, or at most 20 different integers, are classes in sorted order (integers by
///   value); other numbers are a regression.
///
/// Errors: `csv-empty`, `csv-read`, `csv-columns`, `csv-number`, `csv-missing`, `csv-text`,
/// `csv-classes`, `csv-target`, `data-too-big`, and those of [`gunzip`].
pub fn read(file: &str, bytes: &[u8], options: &Options) -> Result<Raw, Problem> {
    let bytes = gunzip(file, bytes)?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let mut table = Table {
        file,
        bytes,
        separator: separator(bytes),
        skip: 0,
        names: Vec::new(),
    };
    table.find_header()?;
    let target_column = match options.target {
        None => table.names.len() - 1,
        Some(name) => table
            .names
            .iter()
            .position(|n| n == name.trim())
            .ok_or_else(|| {
                Problem::new("csv-target")
                    .arg("file", file)
                    .arg("column", name)
                    .arg("columns", table.names.join(", "))
            })?,
    };
    let columns = table.survey()?;
    let rows = columns[0].rows;
    if rows == 0 {
        return Err(Problem::new("csv-empty").arg("file", file));
    }
    let as_classes = |c: &Column| {
        !c.is_numeric() || options.classes.is_some() || (c.integers && !options.regression && c.few)
    };
    let kinds = table.kinds(
        &columns,
        target_column,
        as_classes(&columns[target_column]),
        options,
    )?;
    let mut features = Vec::new();
    for (i, kind) in kinds.iter().enumerate() {
        let name = table.label(i);
        match kind {
            Kind::Number => features.push(name),
            Kind::Texts(texts) => features.extend(texts.keys().map(|t| format!("{name}={t}"))),
            Kind::Target(_) | Kind::Left => {}
        }
    }
    if features.is_empty() {
        return Err(Problem::new("csv-columns")
            .arg("file", file)
            .arg("line", 1)
            .arg("got", table.names.len())
            .arg("want", "a target and at least one other"));
    }
    let total = rows.saturating_mul(features.len());
    if total > MAX_VALUES {
        return Err(Problem::new("data-too-big")
            .arg("got", format!("{total} values"))
            .arg("max", MAX_VALUES));
    }
    let (x, y) = table.values(&kinds, total, rows)?;
    let target = match &kinds[target_column] {
        Kind::Target(Some(classes)) => {
            let mut names = vec![String::new(); classes.len()];
            for (name, k) in classes {
                names[*k].clone_from(name);
            }
            Target::Classes { names }
        }
        _ => Target::Values {
            names: vec![table.label(target_column)],
        },
    };
    Ok(Raw {
        name: file.to_string(),
        shape: vec![features.len()],
        x: Values::F32(x),
        y,
        target,
        features,
        validation: None,
        test: None,
        texts: Vec::new(),
    })
}

/// The separator that gives the same number of columns, above one, on the first lines; of
/// several the one that gives most.
fn separator(bytes: &[u8]) -> u8 {
    let mut best = (false, 1, b',');
    for s in [b',', b';', b'\t'] {
        let mut counts = Vec::new();
        let mut quoted = false;
        let mut fields = 1;
        let mut blank = true;
        for b in &bytes[..bytes.len().min(64 << 10)] {
            match b {
                b'"' => quoted = !quoted,
                b'\n' | b'\r' if !quoted => {
                    if !blank {
                        counts.push(fields);
                    }
                    (fields, blank) = (1, true);
                    if counts.len() == 10 {
                        break;
                    }
                    continue;
                }
                b if *b == s && !quoted => fields += 1,
                _ => {}
            }
            blank = false;
        }
        if counts.is_empty() {
            counts.push(fields);
        }
        let even = counts[0] > 1 && counts.iter().all(|c| *c == counts[0]);
        if (even, counts[0]) > (best.0, best.1) {
            best = (even, counts[0], s);
        }
    }
    best.2
}

/// What one column was found to hold.
struct Column {
    rows: usize,
    numbers: usize,
    integers: bool,
    /// At most [`MAX_INTEGER_CLASSES`] different numbers; judged for integers only.
    few: bool,
    seen: Vec<f32>,
    /// Counts 0, 1, 2, … or 1, 2, 3, …
    counts: bool,
    /// Line and text of the first cell that is no number.
    odd: Option<(u64, String)>,
}

impl Column {
    /// A stray text in a column of numbers is a mistake, not a category.
    fn is_numeric(&self) -> bool {
        self.numbers * 2 > self.rows
    }

    fn add(&mut self, line: u64, cell: &str, value: Option<f32>) {
        match value {
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
enum Kind {
    Number,
    /// One 0/1 column per text; the index among them.
    Texts(BTreeMap<String, usize>),
    /// Classes by text, or numbers.
    Target(Option<BTreeMap<String, usize>>),
    Left,
}

struct Table<'a> {
    file: &'a str,
    bytes: &'a [u8],
    separator: u8,
    /// Records before the first row of data.
    skip: usize,
    names: Vec<String>,
}

impl Table<'_> {
    /// Calls `f` with the line and the trimmed cells of each row of data.
    fn rows(
        &self,
        mut f: impl FnMut(u64, &[String]) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.separator)
            .from_reader(self.bytes);
        let mut record = csv::ByteRecord::new();
        let mut cells: Vec<String> = Vec::new();
        let mut index = 0;
        loop {
            let more = reader.read_byte_record(&mut record).map_err(|e| {
                let line = e.position().map_or(0, csv::Position::line);
                Problem::new("csv-read")
                    .arg("file", self.file)
                    .arg("line", line)
                    .arg("detail", e)
            })?;
            if !more {
                return Ok(());
            }
            // A line of blanks only is one empty cell.
            if record.len() == 1 && record[0].trim_ascii().is_empty() {
                continue;
            }
            index += 1;
            if index <= self.skip {
                continue;
            }
            let line = record.position().map_or(0, |p| self.line_at(p));
            cells.resize(record.len(), String::new());
            for (cell, bytes) in cells.iter_mut().zip(record.iter()) {
                cell.clear();
                cell.push_str(&String::from_utf8_lossy(bytes.trim_ascii()));
            }
            if !f(line, &cells)? {
                return Ok(());
            }
        }
    }

    /// The line of a record, blank lines before it left out: the reader's position is where
    /// it began to look.
    fn line_at(&self, p: &csv::Position) -> u64 {
        let start = usize::try_from(p.byte()).unwrap_or(usize::MAX);
        let rest = self.bytes.get(start..).unwrap_or(&[]);
        let blank = rest.iter().take_while(|b| matches!(b, b'\n' | b'\r'));
        p.line() + blank.filter(|b| **b == b'\n').count() as u64
    }

    fn number(&self, cell: &str) -> Option<f32> {
        let v = match cell.parse::<f32>() {
            Ok(v) => v,
            Err(_) if self.separator != b',' && cell.contains(',') => {
                cell.replacen(',', ".", 1).parse().ok()?
            }
            Err(_) => return None,
        };
        v.is_finite().then_some(v)
    }

    /// Sets `names` and `skip`. The first row is a header when some column has a text there and
    /// numbers below, and few cells of that row are numbers; or, in a table of texts, when
    /// some cell of it does not occur again in its column.
    fn find_header(&mut self) -> Result<(), Problem> {
        let mut first: Vec<String> = Vec::new();
        let mut numeric: Vec<bool> = Vec::new();
        let mut again: Vec<bool> = Vec::new();
        let mut rows = 0;
        self.rows(|_, cells| {
            if first.is_empty() {
                first = cells.to_vec();
                numeric = vec![true; cells.len()];
                again = vec![false; cells.len()];
                return Ok(true);
            }
            for (i, cell) in cells.iter().enumerate().take(first.len()) {
                numeric[i] &= missing(cell) || self.number(cell).is_some();
                again[i] |= *cell == first[i];
            }
            rows += 1;
            Ok(rows < 1000)
        })?;
        if first.is_empty() {
            return Err(Problem::new("csv-empty").arg("file", self.file));
        }
        let text = |c: &String| !missing(c) && self.number(c).is_none();
        let texts = first.iter().filter(|c| text(c)).count();
        let numbers = first.iter().filter(|c| self.number(c).is_some()).count();
        let over_numbers = (0..first.len()).any(|i| text(&first[i]) && numeric[i]);
        let header = if rows == 0 {
            texts > 0
        } else if numeric.contains(&true) {
            over_numbers && numbers <= texts
        } else {
            numbers == 0 && again.contains(&false)
        };
        let count = first.len();
        self.skip = usize::from(header);
        self.names = if header { first } else { Vec::new() };
        self.names.resize(count, String::new());
        for (i, name) in self.names.iter_mut().enumerate().skip(usize::from(header)) {
            if name.is_empty() {
                *name = format!("x{}", i + 1);
            }
        }
        Ok(())
    }

    fn at(&self, code: &'static str, line: u64, column: usize) -> Problem {
        Problem::new(code)
            .arg("file", self.file)
            .arg("line", line)
            .arg("column", self.label(column))
    }

    fn label(&self, column: usize) -> String {
        match &self.names[column] {
            name if name.is_empty() => format!("x{}", column + 1),
            name => name.clone(),
        }
    }

    /// Refuses ragged rows and missing values.
    fn survey(&self) -> Result<Vec<Column>, Problem> {
        let mut columns: Vec<Column> = self
            .names
            .iter()
            .map(|_| Column {
                rows: 0,
                numbers: 0,
                integers: true,
                few: true,
                seen: Vec::new(),
                counts: true,
                odd: None,
            })
            .collect();
        self.rows(|line, cells| {
            if cells.len() != columns.len() {
                return Err(Problem::new("csv-columns")
                    .arg("file", self.file)
                    .arg("line", line)
                    .arg("got", cells.len())
                    .arg("want", columns.len()));
            }
            for (i, cell) in cells.iter().enumerate() {
                let value = self.number(cell);
                if value.is_none() && missing(cell) {
                    return Err(self.at("csv-missing", line, i));
                }
                columns[i].add(line, cell, value);
            }
            Ok(true)
        })?;
        Ok(columns)
    }

    /// Decides for each column, and gathers the texts that occur.
    fn kinds(
        &self,
        columns: &[Column],
        target: usize,
        classes: bool,
        options: &Options,
    ) -> Result<Vec<Kind>, Problem> {
        let mut texts: Vec<Option<BTreeSet<String>>> = Vec::new();
        let mut limits = Vec::new();
        for (i, c) in columns.iter().enumerate() {
            let wanted = if i == target {
                classes
            } else {
                !c.is_numeric()
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
            self.rows(|_, cells| {
                for (i, set) in texts.iter_mut().enumerate() {
                    let Some(set) = set else { continue };
                    let numeric = columns[i].is_numeric();
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
            })?;
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

    /// `(x [rows, features], y [rows])`.
    fn values(
        &self,
        kinds: &[Kind],
        total: usize,
        rows: usize,
    ) -> Result<(Vec<f32>, Vec<f32>), Problem> {
        let mut x = Vec::with_capacity(total);
        let mut y = Vec::with_capacity(rows);
        self.rows(|line, cells| {
            for (i, kind) in kinds.iter().enumerate() {
                let bad = || self.at("csv-number", line, i).arg("got", &cells[i]);
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
            Ok(true)
        })?;
        Ok((x, y))
    }
}

fn missing(cell: &str) -> bool {
    let is = |s: &str| cell.eq_ignore_ascii_case(s);
    cell.is_empty() || cell == "?" || is("na") || is("n/a") || is("nan") || is("null")
}
