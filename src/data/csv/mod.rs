//! CSV: finds the separator, the header and what each column holds.
//!
//! The text is read three times and never kept: once for the kinds of the columns, once for the
//! texts that occur in them, once for the values.
mod columns;
mod table;

use super::{Gap, Gaps, Pauses, Raw, Target, Values, at_once, gzip::gunzip};
use crate::spec::{Missing, Problem};
use columns::{Column, Kind, Plan};
use std::collections::BTreeMap;
use table::Table;

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
    /// What is done about missing cells, by column; see [`crate::spec::DataSpec::missing`].
    pub missing: Option<&'a BTreeMap<String, Missing>>,
}

/// Reads a table, gzipped or not; `file` is its name for messages.
///
/// - Separator: comma, semicolon or tab; with the latter two a decimal comma is understood.
/// - Header: looked for; without one the columns are `x1`, `x2`, …
/// - An unnamed first column that only counts the rows is left out.
/// - Features: numbers; a column of texts becomes one 0/1 column `name=text` per text.
/// - Target: texts, or at most 20 different integers, are classes in sorted order (integers by
///   value); other numbers are a regression.
/// - Missing cells (empty, `?`, `NA`, `N/A`, `NaN`, `null`) are 0 and noted down in [`Raw::gaps`]; a row that lacks its target,
///   or a cell whose column says so, is left out, and a column that holds nothing as well.
///
/// Errors: `csv-empty`, `csv-read`, `csv-columns`, `csv-number`, `csv-missing`, `csv-fill`, `csv-dropped`, `csv-text`,
/// `csv-classes`, `csv-target`, `data-too-big`, and those of [`gunzip`].
pub fn read(file: &str, bytes: &[u8], options: &Options) -> Result<Raw, Problem> {
    at_once(read_slowly(file, bytes, options, &mut Pauses::none()))
}

/// As [`read`], with pauses, which may end it.
pub async fn read_slowly(
    file: &str,
    bytes: &[u8],
    options: &Options<'_>,
    pauses: &mut Pauses<'_>,
) -> Result<Raw, Problem> {
    let bytes = gunzip(file, bytes)?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let table = Table::open(file, bytes)?;
    // It is gone through three times.
    pauses.stage(0.0..1.0, 3 * bytes.len());
    let target_column = match options.target {
        None => table.names.len() - 1,
        Some(name) => table.find(name)?,
    };
    let columns = table.survey(pauses).await?;
    let rows = columns[0].rows;
    if rows == 0 {
        return Err(Problem::new("csv-empty").arg("file", file));
    }
    let as_classes = |c: &Column| {
        !c.is_numeric() || options.classes.is_some() || (c.integers && !options.regression && c.few)
    };
    let kinds = table
        .kinds(
            &columns,
            target_column,
            as_classes(&columns[target_column]),
            options,
            pauses,
        )
        .await?;
    pauses.reached(2 * bytes.len());
    let fills = table.fills(&columns, &kinds, options)?;
    let mut features = Vec::new();
    let mut gaps = Gaps::default();
    // Of each column, its place among those that are filled in.
    let mut slots = vec![None; kinds.len()];
    for (i, kind) in kinds.iter().enumerate() {
        let name = table.label(i);
        let (start, missing) = (features.len(), columns[i].missing);
        match kind {
            Kind::Number => features.push(name),
            Kind::Texts(texts) => features.extend(texts.keys().map(|t| format!("{name}={t}"))),
            Kind::Target(_) | Kind::Left => {}
        }
        match fills[i] {
            _ if missing == 0 => {}
            Missing::Drop => gaps.dropping.push((table.label(i), missing as u32)),
            _ if matches!(kind, Kind::Left) => gaps.empty.push(table.label(i)),
            with => {
                slots[i] = Some(gaps.filled.len());
                gaps.filled.push(Gap {
                    column: table.label(i),
                    features: start..features.len(),
                    texts: match kind {
                        Kind::Texts(texts) => texts.keys().cloned().collect(),
                        _ => Vec::new(),
                    },
                    rows: Vec::new(),
                    with,
                    value: String::new(),
                });
            }
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
    let plan = Plan {
        kinds: &kinds,
        fills: &fills,
        slots: &slots,
    };
    let (x, y) = table
        .values(&plan, &mut gaps, (total, rows), pauses)
        .await?;
    if y.is_empty() {
        return Err(Problem::new("csv-dropped").arg("file", file));
    }
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
        text: None,
        gaps,
    })
}
