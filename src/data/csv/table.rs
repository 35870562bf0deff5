//! Rows and cells of a table's text.
use crate::data::{Pauses, at_once};
use crate::spec::Problem;

/// The text of a table, and what its first rows say.
pub struct Table<'a> {
    pub file: &'a str,
    bytes: &'a [u8],
    separator: u8,
    /// Records before the first row of data.
    skip: usize,
    pub names: Vec<String>,
}

impl<'a> Table<'a> {
    /// Finds the separator and the header. Errors: `csv-empty`, `csv-read`.
    pub fn open(file: &'a str, bytes: &'a [u8]) -> Result<Table<'a>, Problem> {
        let mut table = Table {
            file,
            bytes,
            separator: separator(bytes),
            skip: 0,
            names: Vec::new(),
        };
        table.find_header()?;
        Ok(table)
    }

    /// Calls `f` with the line and the trimmed cells of each row of data.
    pub async fn rows(
        &self,
        pauses: &mut Pauses<'_>,
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
            pauses.after(record.as_slice().len() + record.len()).await?;
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

    pub fn number(&self, cell: &str) -> Option<f32> {
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
        let mut pauses = Pauses::none();
        let look = self.rows(&mut pauses, |_, cells| {
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
        });
        at_once(look)?;
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

    pub fn at(&self, code: &'static str, line: u64, column: usize) -> Problem {
        Problem::new(code)
            .arg("file", self.file)
            .arg("line", line)
            .arg("column", self.label(column))
    }

    pub fn label(&self, column: usize) -> String {
        match &self.names[column] {
            name if name.is_empty() => format!("x{}", column + 1),
            name => name.clone(),
        }
    }

    /// The number of a column.
    pub fn find(&self, name: &str) -> Result<usize, Problem> {
        let at = self.names.iter().position(|n| n == name.trim());
        at.ok_or_else(|| {
            Problem::new("csv-target")
                .arg("file", self.file)
                .arg("column", name)
                .arg("columns", self.names.join(", "))
        })
    }
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

/// Whether a cell holds nothing, by one of the ways to write that.
pub fn missing(cell: &str) -> bool {
    let is = |s: &str| cell.eq_ignore_ascii_case(s);
    cell.is_empty() || cell == "?" || is("na") || is("n/a") || is("nan") || is("null")
}
