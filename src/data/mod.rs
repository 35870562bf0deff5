//! Data sets: formats, generators, splits, scaling, batching, the seeded generator.
//! Knows no browser: bytes come in, a [`Dataset`] comes out.
//!
//! [`needs`] says which file of the page must be fetched; [`load`] goes from a source through a
//! [`Raw`] to the [`Dataset`]; [`from_arrays`] does the same for arrays that a program gives.
pub mod archive;
pub mod arrays;
pub mod batch;
pub mod bundled;
pub mod cifar;
pub mod csv;
pub mod digits;
pub mod drawn;
mod gaps;
pub mod generate;
pub mod gzip;
pub mod idx;
pub mod images;
pub mod labelled;
mod pauses;
mod prepare;
pub mod rng;
pub mod text;

pub use arrays::{Array, Part, from_arrays};
pub use batch::{Batches, order};
pub use gaps::{Gap, Gaps};
pub use pauses::{Pause, Pauses, at_once};

pub use text::Vocabulary;

use crate::lazy;
use crate::spec::{Bundled, DataSource, DataSpec, FileFormat, Problem, TextSpec};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

/// Raw values as they came, one after the other, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    F32(Vec<f32>),
    U8(Vec<u8>),
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Values::F32(v) => v.len(),
            Values::U8(v) => v.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values as f32; copies only bytes.
    pub fn into_f32(self) -> Vec<f32> {
        match self {
            Values::F32(v) => v,
            Values::U8(v) => v.into_iter().map(f32::from).collect(),
        }
    }

    /// Puts `other` behind; bytes stay bytes only when both are.
    pub fn append(&mut self, other: Values) {
        match (&mut *self, other) {
            (Values::U8(a), Values::U8(b)) => a.extend(b),
            (Values::F32(a), b) => a.extend(b.into_f32()),
            (Values::U8(a), b) => {
                let mut all = Values::U8(std::mem::take(a)).into_f32();
                all.extend(b.into_f32());
                *self = Values::F32(all);
            }
        }
    }
}

/// What is to be predicted.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One class index per sample; `names[k]` is class k.
    Classes { names: Vec<String> },
    /// Numbers per sample, one per name.
    Values { names: Vec<String> },
    /// A class index for each of a sample's `steps`; `names[k]` is class k.
    Steps { names: Vec<String>, steps: usize },
    /// The `width` numbers of the sample itself; names of the classes that came with the data, if any did.
    Input { width: usize, names: Vec<String> },
}

/// Everything a run needs to know of its data. Rows are addressed by index into `x` and `y`;
/// `train`, `validation` and `test` hold disjoint row indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What the data is, as a person would call it ("MNIST", "iris.csv").
    pub name: String,
    /// Shape of one sample as the network gets it: `[28, 28]`, `[30]`.
    pub shape: Vec<usize>,
    /// `[height, width]` when a sample is a picture, flattened or not.
    pub image: Option<[usize; 2]>,
    /// `[rows, shape…]`, not yet scaled.
    pub x: Values,
    /// What the network sees is `x·mul + add`, per feature (length = product of shape), or both
    /// empty when the values are used as they are. From the training part only.
    pub mul: Vec<f32>,
    pub add: Vec<f32>,
    /// What came with the data, also where the target is the input: `[rows]` or `[rows, steps]` class indices, or `[rows, names.len()]` numbers (already scaled).
    pub y: Vec<f32>,
    /// A scaled regression target is `(original − mean) / std`; `(mean, std)` per target
    /// column, empty when not scaled.
    pub y_scale: Vec<(f32, f32)>,
    pub target: Target,
    /// One name per feature, or empty (images).
    pub features: Vec<String>,
    pub train: Vec<u32>,
    pub validation: Vec<u32>,
    pub test: Vec<u32>,
    /// The words behind the numbers of texts, and how they were made.
    pub text: Option<(TextSpec, Vocabulary)>,
    /// Cells that were missing.
    pub gaps: Gaps,
}

impl Dataset {
    pub fn rows(&self) -> usize {
        self.x.len() / self.features_len().max(1)
    }

    /// Numbers per sample: the product of `shape`.
    pub fn features_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Numbers per row of `y`: 1 for classes, one per step for classes of steps.
    pub fn target_width(&self) -> usize {
        target_width(&self.target)
    }

    /// Number of classes, or `None` for a regression.
    pub fn classes(&self) -> Option<usize> {
        match &self.target {
            Target::Classes { names } | Target::Steps { names, .. } => Some(names.len()),
            Target::Values { .. } | Target::Input { .. } => None,
        }
    }

    /// How many of the rows are of each class; empty unless each sample has one.
    pub fn class_counts(&self, rows: &[u32]) -> Vec<u32> {
        let Target::Classes { names } = &self.target else {
            return Vec::new();
        };
        let mut counts = vec![0; names.len()];
        for row in rows {
            if let Some(n) = counts.get_mut(self.y[*row as usize] as usize) {
                *n += 1;
            }
        }
        counts
    }

    /// Writes what the network sees of row `row` into `out[features_len]`: `x·mul + add`.
    ///
    /// Panics when there is no such row or `out` has another length.
    pub fn write_x(&self, row: usize, out: &mut [f32]) {
        self.write_raw(row, out);
        if !self.mul.is_empty() {
            for ((o, m), a) in out.iter_mut().zip(&self.mul).zip(&self.add) {
                *o = *o * m + a;
            }
        }
    }

    /// Writes row `row` as it came into `out[features_len]`. Panics as [`Dataset::write_x`] does.
    pub fn write_raw(&self, row: usize, out: &mut [f32]) {
        let n = self.features_len();
        assert_eq!(out.len(), n, "one number per feature");
        let at = row * n..(row + 1) * n;
        match &self.x {
            Values::F32(v) => out.copy_from_slice(&v[at]),
            Values::U8(v) => {
                for (o, v) in out.iter_mut().zip(&v[at]) {
                    *o = f32::from(*v);
                }
            }
        }
    }

    /// What the network is to give for row `row`, `[target_width]`.
    ///
    /// Panics when there is no such row.
    pub fn target_row(&self, row: usize) -> Vec<f32> {
        let w = self.target_width();
        if let Target::Input { .. } = self.target {
            let mut x = vec![0.0; w];
            self.write_x(row, &mut x);
            return x;
        }
        self.y[row * w..(row + 1) * w].to_vec()
    }
}

fn target_width(target: &Target) -> usize {
    match target {
        Target::Classes { .. } => 1,
        Target::Values { names } => names.len().max(1),
        Target::Steps { steps, .. } => (*steps).max(1),
        Target::Input { width, .. } => (*width).max(1),
    }
}

/// Samples as a source gives them, before splitting and scaling.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    pub name: String,
    /// Shape of one sample.
    pub shape: Vec<usize>,
    /// `[rows, shape…]`
    pub x: Values,
    /// `[rows]` class indices, or `[rows, names.len()]` numbers.
    pub y: Vec<f32>,
    pub target: Target,
    /// One name per feature, or empty (images).
    pub features: Vec<String>,
    /// Rows that are a validation part of their own.
    pub validation: Option<Range<usize>>,
    /// Rows that are a test part of their own.
    pub test: Option<Range<usize>>,
    /// Samples that are texts; `x` is then empty until they are numbers.
    pub texts: Vec<String>,
    /// How the texts became numbers.
    pub text: Option<(TextSpec, Vocabulary)>,
    /// Cells that are missing: `x` holds 0 there until they are filled in.
    pub gaps: Gaps,
}

impl Raw {
    /// Samples without anything beside; the targets are numbers.
    pub(crate) fn of(name: &str, x: Values, y: Vec<f32>) -> Raw {
        Raw {
            name: name.to_string(),
            shape: Vec::new(),
            x,
            y,
            target: Target::Values {
                names: vec!["y".to_string()],
            },
            features: Vec::new(),
            validation: None,
            test: None,
            texts: Vec::new(),
            text: None,
            gaps: Gaps::default(),
        }
    }

    fn target_width(&self) -> usize {
        target_width(&self.target)
    }
}

/// A file that the visitor brought.
#[derive(Clone, Debug, PartialEq)]
pub struct FileBytes {
    /// Its name, without or with a path.
    pub name: String,
    /// As it came, gzipped or not.
    pub bytes: Vec<u8>,
}

/// The bundled set whose file ([`bundled::file_name`]) `load` needs.
pub fn needs(spec: &DataSpec) -> Option<Bundled> {
    match spec.source {
        DataSource::Bundled { name } => Some(name),
        _ => None,
    }
}

/// Makes the data set of a spec: source, then split, then scaling from the training part.
///
/// `bundled` holds the bytes of the file that [`needs`] asks for; `files` those that the visitor
/// brought, which only a source of kind `files` reads. Of several CSV files the one that bears
/// the source's name is read, or else the first. An integer CSV target with few different
/// values is a regression when the spec scales the target.
///
/// The result is a pure function of the arguments. Samples go to the test part first, then to
/// validation; each part gets its share rounded up. Without shuffling, or when nothing is held
/// out, rows keep their order.
///
/// Errors: `bundled-missing`, `data-missing`, `data-shape` when files disagree with the source's
/// `shape`, `no-samples`, `split-empty`, `data-not-finite`, and those of the source's reader.
pub fn load(
    spec: &DataSpec,
    seed: u32,
    bundled: Option<&[u8]>,
    files: &[FileBytes],
) -> Result<Dataset, Problem> {
    let mut pauses = Pauses::none();
    let raw = at_once(read(spec, seed, bundled, files, &mut pauses))?;
    prepare::prepare(raw, spec, seed)
}

type Reading<'a> = Pin<Box<dyn Future<Output = Result<Raw, Problem>> + 'a>>;
type Reader = for<'a, 'p> fn(
    &'a DataSpec,
    u32,
    Option<&'a [u8]>,
    &'a [FileBytes],
    &'a mut Pauses<'p>,
) -> Reading<'a>;

fn begin<'a>(
    spec: &'a DataSpec,
    seed: u32,
    bundled: Option<&'a [u8]>,
    files: &'a [FileBytes],
    pauses: &'a mut Pauses<'_>,
) -> Reading<'a> {
    Box::pin(read(spec, seed, bundled, files, pauses))
}

lazy! { static READERS: Reader, in engine data = begin; }

/// As [`load`], with pauses, which may end it. The readers of other data than the page's first come when they are needed;
/// error `part-not-loaded` where they do not.
pub async fn fetch_and_load(
    spec: &DataSpec,
    seed: u32,
    bundled: Option<&[u8]>,
    files: &[FileBytes],
    pauses: &mut Pauses<'_>,
) -> Result<Dataset, Problem> {
    let raw = match (&spec.source, bundled) {
        (DataSource::Bundled { name }, Some(bytes)) if name.is_digits() => {
            bundled::digits(*name, bytes)?
        }
        _ => {
            let read = READERS.load().await;
            let read = read.map_err(|_| Problem::new("part-not-loaded"))?;
            read(spec, seed, bundled, files, pauses).await?
        }
    };
    prepare::prepare(raw, spec, seed)
}

/// The samples of a source, as numbers, with nothing missing.
async fn read(
    spec: &DataSpec,
    seed: u32,
    bundled: Option<&[u8]>,
    files: &[FileBytes],
    pauses: &mut Pauses<'_>,
) -> Result<Raw, Problem> {
    let packed = files.iter().map(|f| f.bytes.len()).sum();
    pauses.stage(0.0..0.5, packed);
    let raw = samples(spec, seed, bundled, files, pauses).await?;
    prepare::numbers(raw, spec, seed, pauses).await
}

async fn samples(
    spec: &DataSpec,
    seed: u32,
    bundled: Option<&[u8]>,
    files: &[FileBytes],
    pauses: &mut Pauses<'_>,
) -> Result<Raw, Problem> {
    match &spec.source {
        DataSource::Bundled { name } => {
            let missing = || Problem::new("bundled-missing").arg("file", bundled::file_name(*name));
            bundled::decode(*name, bundled.ok_or_else(missing)?)
        }
        DataSource::Files {
            name,
            format,
            shape,
            classes,
            target,
        } => {
            let missing = || Problem::new("data-missing").arg("name", name);
            let first = files.first().ok_or_else(missing)?;
            let mut raw = match format {
                FileFormat::Idx => idx::load(name, files, *classes)?,
                FileFormat::Csv => {
                    let named = files.iter().find(|f| f.name == *name);
                    let file = named.unwrap_or(first);
                    let options = csv::Options {
                        target: target.as_deref(),
                        classes: *classes,
                        regression: spec.scale_target,
                        missing: Some(&spec.missing),
                    };
                    csv::read_slowly(&file.name, &file.bytes, &options, pauses).await?
                }
                FileFormat::Cifar10 => cifar::load(name, files, pauses).await?,
                FileFormat::Jsonl => labelled::jsonl(name, files, pauses).await?,
                FileFormat::TextCsv => {
                    labelled::csv(name, files, target.as_deref(), pauses).await?
                }
                FileFormat::AclImdb => labelled::folders(name, files, pauses).await?,
                FileFormat::Images => images::decoded(name, files)?,
            };
            // Texts have the length that the spec asks for.
            if raw.texts.is_empty() {
                adopt_shape(&mut raw.shape, shape)?;
            }
            Ok(raw)
        }
        generated => {
            generate::generate(generated, seed).unwrap_or_else(|| Err(Problem::new("no-samples")))
        }
    }
}

fn check_shape(want: &[usize], got: &[usize]) -> Result<(), Problem> {
    if want == got {
        return Ok(());
    }
    Err(Problem::new("data-shape")
        .arg("got", format!("{got:?}"))
        .arg("want", format!("{want:?}")))
}

/// Takes the shape that the spec states, if any: the same numbers in another shape are the same
/// data (`[28, 28, 1]`).
fn adopt_shape(shape: &mut Vec<usize>, stated: &[usize]) -> Result<(), Problem> {
    if stated.is_empty() {
        return Ok(());
    }
    if count(stated) != count(shape) {
        check_shape(stated, shape)?;
    }
    *shape = stated.to_vec();
    Ok(())
}

/// Product of the axes; `usize::MAX` when that is too small for it.
fn count(shape: &[usize]) -> usize {
    shape.iter().fold(1, |n, d| n.saturating_mul(*d))
}

/// `x` for one column, else `x1`, `x2`, …
fn numbered(letter: &str, count: usize) -> Vec<String> {
    match count {
        1 => vec![letter.to_string()],
        n => (1..=n).map(|i| format!("{letter}{i}")).collect(),
    }
}
