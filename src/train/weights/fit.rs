//! What of a file goes where in a network.
use super::{foreign_name, joins, turned};
use crate::spec::{Framework, Problem};
use crate::train::tensors::{entry, head, is_float};
use safetensors::tensor::{Metadata, TensorInfo};
use std::cmp::Ordering;

/// Problems of one file that are told; the rest follows from them more often than not.
const TOLD: usize = 8;

/// Whose names and layouts a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `fc1.weight[out, in]`
    Pytorch,
    /// `fc1/kernel[in, out]`
    Keras,
    /// The engine's own, as in a checkpoint: PyTorch's layout, the names of the spec's framework.
    Engine,
}

impl Layout {
    pub fn of(framework: Framework) -> Layout {
        match framework {
            Framework::Pytorch => Layout::Pytorch,
            Framework::Keras => Layout::Keras,
        }
    }

    /// As files name it.
    pub fn format(self) -> &'static str {
        match self {
            Layout::Pytorch => "pt",
            Layout::Keras => "keras",
            Layout::Engine => "nabla",
        }
    }

    /// What a header says: by its metadata, else by its names. A file that gives no hint has
    /// the layout of `framework`.
    pub fn recognise(metadata: &Metadata, framework: Framework) -> Layout {
        if entry(metadata, crate::train::checkpoint::KEY).is_some() {
            return Layout::Engine;
        }
        match entry(metadata, "format") {
            Some("pt") => return Layout::Pytorch,
            Some("keras") => return Layout::Keras,
            _ => {}
        }
        let names = metadata.offset_keys();
        let slashes = names.iter().filter(|n| n.contains('/')).count();
        let dots = names.iter().filter(|n| n.contains('.')).count();
        match slashes.cmp(&dots) {
            Ordering::Greater => Layout::Keras,
            Ordering::Less => Layout::Pytorch,
            Ordering::Equal => Layout::of(framework),
        }
    }

    fn separator(self) -> char {
        match self {
            Layout::Keras => '/',
            Layout::Pytorch | Layout::Engine => '.',
        }
    }
}

/// A parameter of the network and the tensor that is meant for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The engine's name.
    pub param: String,
    /// The file's name; of a missing tensor, what it would be called.
    pub tensor: String,
    /// The shape that the tensor must have, in the file's layout.
    pub want: Vec<usize>,
    /// None: the file has no such tensor.
    pub got: Option<Vec<usize>>,
    /// What its numbers are, where they are no floats.
    pub other_type: Option<String>,
    /// Whether the file has `[…, in, out]` where the engine has `[out, in, …]`.
    pub turned: bool,
}

impl Row {
    /// Neighbouring axes may be joined.
    pub fn fits(&self) -> bool {
        self.other_type.is_none() && self.got.as_ref().is_some_and(|got| joins(got, &self.want))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    pub layout: Layout,
    /// Names differ; layers were matched by their order and shapes.
    pub by_order: bool,
    /// In the order of the parameters.
    pub rows: Vec<Row>,
    /// Tensors that the network has no use for.
    pub unused: Vec<String>,
}

impl Fit {
    /// What keeps the file from being loaded: a tensor each, at most a few.
    pub fn problems(&self) -> Vec<Problem> {
        let wrong = self.rows.iter().filter(|r| !r.fits());
        wrong.take(TOLD).map(Fit::problem).collect()
    }

    fn problem(row: &Row) -> Problem {
        match (&row.got, &row.other_type) {
            (None, _) => Problem::new("weights-missing").arg("name", &row.tensor),
            (_, Some(dtype)) => {
                let detail = format!("tensor “{}” is of type {dtype}", row.tensor);
                Problem::new("weights-file").arg("detail", detail)
            }
            (Some(got), None) => Problem::new("weights-shape")
                .arg("name", &row.tensor)
                .arg("got", format!("{got:?}"))
                .arg("want", format!("{:?}", row.want)),
        }
    }
}

/// A parameter as the file's layout has it.
fn row(layout: Layout, name: &str, shape: &[usize], ranks: &[(&str, usize)]) -> Row {
    let turned = turned(layout, name, shape);
    Row {
        param: name.to_string(),
        tensor: foreign_name(layout, name, ranks),
        want: match turned {
            true => [&shape[2..], &[shape[1], shape[0]]].concat(),
            false => shape.to_vec(),
        },
        got: None,
        other_type: None,
        turned,
    }
}

fn rows(layout: Layout, params: &[(&str, &[usize])]) -> Vec<Row> {
    let ranks: Vec<(&str, usize)> = params.iter().map(|(n, s)| (*n, s.len())).collect();
    let all = params.iter();
    all.map(|(name, shape)| row(layout, name, shape, &ranks))
        .collect()
}

fn take(row: &mut Row, name: &str, info: &TensorInfo) {
    row.tensor = name.to_string();
    row.got = Some(info.shape.clone());
    row.other_type = (!is_float(info.dtype)).then(|| format!("{:?}", info.dtype));
}

/// Counters that no computation needs.
fn is_counter(name: &str) -> bool {
    name.ends_with("num_batches_tracked") || name.contains("seed_generator")
}

/// What of a file with this header goes where in a network of `framework`, whose parameters
/// `params` are (the engine's names and shapes): by name, as it is or under a prefix.
pub fn fit(metadata: &Metadata, framework: Framework, params: &[(&str, &[usize])]) -> Fit {
    let layout = Layout::recognise(metadata, framework);
    let names = metadata.offset_keys();
    let mut rows = rows(layout, params);
    for row in &mut rows {
        let suffix = format!("{}{}", layout.separator(), row.tensor);
        let mut under_prefix = names.iter().filter(|n| n.ends_with(&suffix));
        let found = match metadata.info(&row.tensor) {
            Some(info) => Some((row.tensor.clone(), info)),
            None => match (under_prefix.next(), under_prefix.next()) {
                (Some(only), None) => metadata.info(only).map(|i| (only.clone(), i)),
                _ => None,
            },
        };
        if let Some((name, info)) = found {
            take(row, &name, info);
        }
    }
    let used = |n: &String| rows.iter().any(|r| r.got.is_some() && r.tensor == *n);
    let unused = names.iter().filter(|n| !used(n) && !is_counter(n));
    Fit {
        layout,
        by_order: false,
        unused: unused.cloned().collect(),
        rows,
    }
}

/// Tensors of one layer: where they stand in a list, by what they are.
struct Group<'a> {
    name: &'a str,
    /// `kernel`, its shape, its place.
    parts: Vec<(&'a str, Vec<usize>, usize)>,
}

fn grouped<'a>(
    separator: char,
    tensors: impl Iterator<Item = (&'a str, Vec<usize>)>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    for (i, (full, shape)) in tensors.enumerate() {
        let (name, part) = full.rsplit_once(separator).unwrap_or(("", full));
        match groups.iter_mut().find(|g| g.name == name) {
            Some(group) => group.parts.push((part, shape, i)),
            None => groups.push(Group {
                name,
                parts: vec![(part, shape, i)],
            }),
        }
    }
    groups
}

/// `layer 2` before `layer 10`.
fn natural(a: &str, b: &str) -> Ordering {
    let number = |s: &str| {
        let end = s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        // Longer numbers are larger ones once their zeros are gone.
        (s[..end].trim_start_matches('0').to_string(), end)
    };
    let (mut a, mut b) = (a, b);
    loop {
        let (ca, cb) = (a.chars().next(), b.chars().next());
        match (ca, cb) {
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let ((m, i), (n, j)) = (number(a), number(b));
                let order = m.len().cmp(&n.len()).then_with(|| m.cmp(&n));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (&a[i..], &b[j..]);
            }
            (Some(x), Some(y)) if x == y => {
                (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
            }
            _ => return ca.cmp(&cb),
        }
    }
}

/// Layers at most that are matched by order; it takes time that grows with their square.
const LAYERS: usize = 512;

/// As [`fit`] where the layers' names differ: each layer of the network takes the first layer of
/// the file, in the natural order of their names, that has the same tensors of the same shapes.
/// None unless all of both find each other.
pub fn fit_by_order(
    metadata: &Metadata,
    framework: Framework,
    params: &[(&str, &[usize])],
) -> Option<Fit> {
    let layout = Layout::recognise(metadata, framework);
    let names = metadata.offset_keys();
    let mut given: Vec<&str> = names.iter().map(String::as_str).collect();
    given.retain(|n| !is_counter(n));
    given.sort_by(|a, b| natural(a, b));
    let mut rows = rows(layout, params);
    if given.len() != rows.len() {
        return None;
    }
    let theirs = given
        .iter()
        .map(|n| Some((*n, metadata.info(n)?.shape.clone())));
    let theirs: Vec<(&str, Vec<usize>)> = theirs.collect::<Option<_>>()?;
    let wished: Vec<(String, Vec<usize>)> = rows
        .iter()
        .map(|r| (r.tensor.clone(), r.want.clone()))
        .collect();
    let mut pairs = Vec::with_capacity(rows.len());
    {
        let ours = wished.iter().map(|(n, s)| (n.as_str(), s.clone()));
        let ours = grouped(layout.separator(), ours);
        let mut left = grouped(layout.separator(), theirs.into_iter());
        if ours.len() > LAYERS || left.len() != ours.len() {
            return None;
        }
        let same = |a: &Group, b: &Group| {
            a.parts.len() == b.parts.len()
                && a.parts.iter().all(|(part, want, _)| {
                    let mut there = b.parts.iter();
                    there.any(|(p, got, _)| p == part && joins(got, want))
                })
        };
        for group in ours {
            let at = left.iter().position(|g| same(&group, g))?;
            let found = left.remove(at);
            for (part, _, i) in &group.parts {
                let (_, _, j) = found.parts.iter().find(|(p, _, _)| p == part)?;
                pairs.push((*i, given[*j]));
            }
        }
    }
    for (i, name) in pairs {
        take(&mut rows[i], name, metadata.info(name)?);
    }
    Some(Fit {
        layout,
        by_order: true,
        rows,
        unused: Vec::new(),
    })
    .filter(|fit| fit.problems().is_empty())
}

/// A header for the same tensors under the names of the network that they were matched with, in
/// place of the header that says `metadata`.
pub fn renamed(metadata: &Metadata, fit: &Fit, params: &[(&str, &[usize])]) -> Vec<u8> {
    let wished = rows(fit.layout, params);
    let new = |old: &str| {
        let place = fit.rows.iter().position(|r| r.tensor == old);
        place.map_or_else(|| old.to_string(), |i| wished[i].tensor.clone())
    };
    let names = metadata.offset_keys();
    let tensors: Vec<_> = names
        .iter()
        .filter_map(|n| Some((new(n), metadata.info(n)?)))
        .collect();
    let list: Vec<_> = tensors
        .iter()
        .map(|(n, info)| (n.as_str(), info.dtype, &info.shape[..]))
        .collect();
    head(&[("format", fit.layout.format().to_string())], &list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = [
            "b", "a10", "a9", "a09x", "dense_1", "dense", "dense_10", "dense_2",
        ];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            [
                "a9", "a09x", "a10", "b", "dense", "dense_1", "dense_2", "dense_10"
            ]
        );
    }
}
