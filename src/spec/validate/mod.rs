//! Reading and bounding a spec. Anything may come in here: a link, a file, a paste.
mod data;
mod layer;
mod train;

use super::edit::path;
use super::*;
use data::data;
use layer::layer;
use serde_json::Value;
use train::train;

/// Bounds on what is accepted at all.
pub mod limits {
    /// Characters of JSON.
    pub const JSON: usize = 4 << 20;
    pub const LAYERS: usize = 256;
    pub const UNITS: usize = 65_536;
    /// Kernels, strides, dilations and paddings.
    pub const KERNEL: usize = 4096;
    /// Rows of an embedding.
    pub const VOCAB: usize = 1 << 20;
    pub const SAMPLES: usize = 200_000;
    pub const FEATURES: usize = 10_000;
    /// Classes that can have weights.
    pub const WEIGHTED: usize = 1000;
    pub const EPOCHS: usize = 1_000_000;
    pub const BATCH: usize = 1 << 20;
    /// Parameters of the whole network.
    pub const PARAMS: usize = 64 << 20;
    /// Floats that a plan may keep between its steps.
    pub const WORK: usize = 384 << 20;
}

pub(in crate::spec) fn parse(text: &str) -> Result<Spec, Problems> {
    if text.len() > limits::JSON {
        return Err(range("spec", text.len(), 1, limits::JSON).into());
    }
    let json = |e: serde_json::Error| Problem::new("json").arg("detail", e);
    let value: Value = serde_json::from_str(text).map_err(json)?;
    if let Some(v) = value.get("version").and_then(Value::as_u64)
        && v > u64::from(VERSION)
    {
        return Err(Problem::new("version")
            .arg("got", v)
            .arg("max", VERSION)
            .into());
    }
    let spec: Spec = serde_json::from_value(value.clone()).map_err(json)?;
    // Every field is written back, so a key that does not come back was not understood.
    let mut problems = Vec::new();
    let back = crate::json::value(&spec);
    unknown(&value, &back, String::new(), &mut problems);
    problems.extend(spec.validate());
    if problems.is_empty() {
        Ok(spec)
    } else {
        Err(Problems(problems))
    }
}

fn unknown(given: &Value, known: &Value, path: String, out: &mut Vec<Problem>) {
    match (given, known) {
        (Value::Object(g), Value::Object(k)) => {
            for (name, v) in g {
                let here = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                match k.get(name) {
                    Some(kv) => unknown(v, kv, here, out),
                    None => out.push(Problem::new("unknown-field").arg("name", name).field(here)),
                }
            }
        }
        (Value::Array(g), Value::Array(k)) => {
            for (i, (a, b)) in g.iter().zip(k).enumerate() {
                unknown(a, b, format!("{path}[{i}]"), out);
            }
        }
        _ => {}
    }
}

fn range(
    name: &str,
    got: impl std::fmt::Display,
    min: impl std::fmt::Display,
    max: impl std::fmt::Display,
) -> Problem {
    Problem::new("range")
        .arg("name", name)
        .arg("got", got)
        .arg("min", min)
        .arg("max", max)
        .field(name)
}

struct Check(Vec<Problem>);
impl Check {
    fn int(&mut self, name: &str, got: usize, min: usize, max: usize) {
        if got < min || got > max {
            self.0.push(range(name, got, min, max));
        }
    }
    /// Also refuses NaN and infinity.
    fn num(&mut self, name: &str, got: f32, min: f32, max: f32) {
        if !(got >= min && got <= max) {
            self.0.push(range(name, got, min, max));
        }
    }
}

impl Check {
    fn size(&mut self, name: &str, got: Size, min: usize, max: usize) {
        for n in got.pair() {
            if n < min || n > max {
                return self.int(name, n, min, max);
            }
        }
    }
    /// What moves along a line has one size.
    fn line(&mut self, name: &str, got: Size, line: bool) {
        if line && matches!(got, Size::Two(_)) {
            let kind = name.to_string();
            self.0
                .push(Problem::new("one-number").arg("kind", kind).field(name));
        }
    }
}

pub(in crate::spec) fn validate(spec: &Spec) -> Vec<Problem> {
    let mut c = Check(Vec::new());
    data(&spec.data, &mut c);
    train(&spec.train, &mut c);
    if spec.name.chars().count() > 80 {
        c.0.push(range("name", spec.name.chars().count(), 0, 80));
    }
    let mut problems = c.0;
    if spec.layers.is_empty() {
        problems.push(Problem::new("no-layers").field("layers"));
    }
    if spec.layers.len() > limits::LAYERS {
        problems.push(
            Problem::new("too-many-layers")
                .arg("got", spec.layers.len())
                .arg("max", limits::LAYERS)
                .field("layers"),
        );
        return problems;
    }
    let mut seen: Vec<&str> = vec!["input"];
    let mut groups = Groups::default();
    for l in &spec.layers {
        if !is_id(&l.id) {
            problems.push(
                Problem::new("layer-id")
                    .arg("id", &l.id)
                    .layer(&l.id)
                    .field("id"),
            );
        } else if seen.contains(&l.id.as_str()) {
            problems.push(
                Problem::new("duplicate-id")
                    .arg("id", &l.id)
                    .layer(&l.id)
                    .field("id"),
            );
        }
        problems.extend(groups.see(l));
        for i in &l.inputs {
            if !seen.contains(&i.as_str()) {
                problems.push(
                    Problem::new("unknown-input")
                        .arg("id", i)
                        .layer(&l.id)
                        .field("inputs"),
                );
            }
        }
        let mut c = Check(Vec::new());
        layer(l, &mut c);
        problems.extend(c.0.into_iter().map(|p| p.layer(&l.id)));
        seen.push(&l.id);
    }
    problems
}

/// What layers and groups may be called.
fn is_id(id: &str) -> bool {
    id.len() <= 40
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The groups of the layers so far.
#[derive(Default)]
struct Groups<'a> {
    seen: Vec<&'a str>,
    last: Option<&'a str>,
}

impl<'a> Groups<'a> {
    /// Every group on a layer's path has a name, and its layers stand together.
    fn see(&mut self, l: &'a LayerSpec) -> Option<Problem> {
        let before = std::mem::replace(&mut self.last, l.group.as_deref());
        let path = self.last.filter(|path| before != Some(path))?;
        let wrong = |code, id| Some(Problem::new(code).arg("id", id).layer(&l.id).field("group"));
        if path::depth(Some(path)) > path::MAX_DEPTH {
            return wrong("group-depth", path).map(|p| p.arg("max", path::MAX_DEPTH));
        }
        let ends = path.match_indices('/').map(|(i, _)| i);
        for end in ends.chain([path.len()]) {
            let group = &path[..end];
            if !is_id(path::leaf(group)) {
                return wrong("layer-id", path::leaf(group));
            }
            if path::is_within(before, Some(group)) {
                continue;
            }
            if self.seen.contains(&group) {
                return wrong("group-split", group);
            }
            self.seen.push(group);
        }
        None
    }
}
