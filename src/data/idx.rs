//! IDX, the format of MNIST: two zero bytes, element type, number of axes, one big-endian u32
//! per axis, then the elements, big-endian. Source: <http://yann.lecun.com/exdb/mnist/>.
use super::{FileBytes, Raw, Target, Values, check_shape, gzip::gunzip};
use crate::spec::Problem;
use std::borrow::Cow;

/// The largest class count that labels may imply.
const MAX_CLASSES: usize = 100_000;
/// More axes than this mean that the file is something else.
const MAX_AXES: usize = 7;

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub struct Idx {
    /// All axes, samples first.
    pub shape: Vec<usize>,
    /// Bytes stay bytes; every other element type becomes f32.
    pub values: Values,
    /// Whether the elements are integers, so that labels are classes.
    pub integers: bool,
}

/// Reads one unpacked file; `file` is its name for messages.
///
/// Errors: `idx-magic` (also for more than 7 axes), `idx-type`, `idx-length`.
pub fn read(file: &str, bytes: Cow<'_, [u8]>) -> Result<Idx, Problem> {
    let magic = || {
        let start: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
        Problem::new("idx-magic")
            .arg("file", file)
            .arg("got", start.join(" "))
    };
    let [0, 0, kind, rank, ..] = *bytes else {
        return Err(magic());
    };
    let rank = usize::from(rank);
    let header = 4 + 4 * rank;
    if rank == 0 || rank > MAX_AXES {
        return Err(magic());
    }
    let length = |want: String| {
        Problem::new("idx-length")
            .arg("file", file)
            .arg("want", want)
            .arg("got", bytes.len().saturating_sub(header))
    };
    if bytes.len() < header {
        return Err(length(format!("{rank} axes and then some")));
    }
    let shape: Vec<usize> = bytes[4..header]
        .chunks_exact(4)
        .map(|c| u32::from_be_bytes([c[0], c[1], c[2], c[3]]) as usize)
        .collect();
    let width = match kind {
        0x08 | 0x09 => 1,
        0x0B => 2,
        0x0C | 0x0D => 4,
        0x0E => 8,
        _ => {
            return Err(Problem::new("idx-type")
                .arg("file", file)
                .arg("got", format!("0x{kind:02X}")));
        }
    };
    let want = shape
        .iter()
        .try_fold(width, |a: usize, d| a.checked_mul(*d))
        .ok_or_else(|| length("more than 2^32".to_string()))?;
    if bytes.len() - header != want {
        return Err(length(want.to_string()));
    }
    let body = &bytes[header..];
    let values = match kind {
        0x08 => {
            let mut owned = bytes.into_owned();
            owned.drain(..header);
            Values::U8(owned)
        }
        0x09 => Values::F32(body.iter().map(|b| f32::from(*b as i8)).collect()),
        0x0B => Values::F32(elements(body, |c| f32::from(i16::from_be_bytes(c)))),
        0x0C => Values::F32(elements(body, |c| i32::from_be_bytes(c) as f32)),
        0x0D => Values::F32(elements(body, f32::from_be_bytes)),
        _ => Values::F32(elements(body, |c| f64::from_be_bytes(c) as f32)),
    };
    Ok(Idx {
        shape,
        values,
        integers: kind < 0x0D,
    })
}

fn elements<const W: usize>(body: &[u8], f: impl Fn([u8; W]) -> f32) -> Vec<f32> {
    body.as_chunks::<W>().0.iter().map(|c| f(*c)).collect()
}

/// What a file's name says: `(test part, labels)`; labels are unknown when the name is silent.
fn role(name: &str) -> (bool, Option<bool>) {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name = name.to_lowercase();
    let test = name.contains("t10k") || name.contains("test");
    let labels = if name.contains("label") || name.contains("idx1") {
        Some(true)
    } else if name.contains("image") || name.contains("idx3") {
        Some(false)
    } else {
        None
    };
    (test, labels)
}

/// Images and labels of one part.
#[derive(Default)]
struct Pair {
    images: Option<(String, Idx)>,
    labels: Option<(String, Idx)>,
}

/// The files of one data set, gzipped or not. Names tell the role, as MNIST's do: `t10k` or
/// `test` marks the test part, `label` or `idx1` the labels; when a name tells nothing, a file
/// of one axis holds labels. Either part may be missing; a lone test part is all the data.
///
/// Integer labels are classes `0…`, of which there are `classes` or as many as occur; float
/// labels are regression targets.
///
/// Errors: those of [`read`] and of [`gunzip`]; `idx-missing`, `idx-twice`, `idx-pair`,
/// `idx-labels`, `data-shape` when the parts differ, `data-classes`.
pub fn load(name: &str, files: &[FileBytes], classes: Option<usize>) -> Result<Raw, Problem> {
    let mut parts = [Pair::default(), Pair::default()];
    for f in files {
        let (test, labels) = role(&f.name);
        let idx = read(&f.name, gunzip(&f.name, &f.bytes)?)?;
        let labels = labels.unwrap_or(idx.shape.len() == 1);
        let part = &mut parts[usize::from(test)];
        let slot = if labels {
            &mut part.labels
        } else {
            &mut part.images
        };
        if let Some((other, _)) = slot {
            let what = if labels { "labels" } else { "images" };
            let part = if test { "test" } else { "training" };
            return Err(Problem::new("idx-twice")
                .arg("a", other)
                .arg("b", &f.name)
                .arg("part", format!("{part} {what}")));
        }
        *slot = Some((f.name.clone(), idx));
    }
    let [train, test] = parts;
    let (mut raw, mut integers) = match (part(train)?, part(test)?) {
        (None, None) => return Err(Problem::new("data-missing").arg("name", name)),
        (Some(one), None) | (None, Some(one)) => one,
        (Some((mut a, ai)), Some((b, bi))) => {
            check_shape(&a.shape, &b.shape)?;
            let width = a.target_width();
            if width != b.target_width() {
                return Err(Problem::new("data-shape")
                    .arg("got", format!("[{}]", b.target_width()))
                    .arg("want", format!("[{width}]"))
                    .field("y"));
            }
            let rows = a.y.len() / width;
            let all = rows + b.y.len() / width;
            a.x.append(b.x);
            a.y.extend(b.y);
            a.test = Some(rows..all);
            (a, ai && bi)
        }
    };
    raw.name = name.to_string();
    if raw.target_width() != 1 {
        integers = false;
    }
    if integers {
        let k = class_count(&raw.y, classes)?;
        raw.target = Target::Classes {
            names: (0..k).map(|i| i.to_string()).collect(),
        };
    }
    Ok(raw)
}

/// The number of classes of indices `y`: `classes`, or as many as occur, at least 2.
///
/// Error `data-classes`: an index that is negative, fractional or too large.
pub(super) fn class_count(y: &[f32], classes: Option<usize>) -> Result<usize, Problem> {
    let max = classes.unwrap_or(MAX_CLASSES).max(1) - 1;
    let mut top = 1;
    for (i, v) in y.iter().enumerate() {
        if !(*v >= 0.0 && v.fract() == 0.0 && *v <= max as f32) {
            return Err(Problem::new("data-classes")
                .arg("got", v)
                .arg("index", i)
                .arg("max", max));
        }
        top = top.max(*v as usize);
    }
    Ok(classes.unwrap_or(top + 1))
}

/// One part with its labels still as numbers, and whether they are integers.
fn part(pair: Pair) -> Result<Option<(Raw, bool)>, Problem> {
    let ((_, images), (label_file, labels)) = match (pair.images, pair.labels) {
        (None, None) => return Ok(None),
        (Some(i), Some(l)) => (i, l),
        _ => return Err(Problem::new("idx-missing")),
    };
    let (rows, count) = (images.shape[0], labels.shape[0]);
    if rows != count {
        return Err(Problem::new("idx-pair")
            .arg("images", rows)
            .arg("labels", count));
    }
    if rows == 0 {
        return Err(Problem::new("no-samples"));
    }
    let width = super::count(&labels.shape[1..]);
    if labels.shape.len() > 2 || width == 0 {
        return Err(Problem::new("idx-labels")
            .arg("file", label_file)
            .arg("got", format!("{:?}", labels.shape)));
    }
    let mut shape = images.shape[1..].to_vec();
    if shape.is_empty() {
        shape.push(1);
    }
    let names = super::numbered("y", width);
    let integers = labels.integers;
    Ok(Some((
        Raw {
            shape,
            target: Target::Values { names },
            ..Raw::of("", images.values, labels.values.into_f32())
        },
        integers,
    )))
}
