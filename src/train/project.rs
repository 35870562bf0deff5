//! A project on disk: the network, the course of its run and of runs kept beside it, and the
//! run's state. One safetensors file (`.nabla`): the metadata has everything but the numbers,
//! each course is a tensor of f32 `[columns, rows]`, and the run's checkpoint is one of bytes, the
//! last, so that the page need not hold it to read the rest. Nothing in it is packed, so nothing
//! unpacks to more than the file has.
use super::protocol::Evaluation;
use super::tensors::{LENGTH, entry, floats, head, header_length, read_header};
use crate::plotting::history::Record;
use crate::plotting::{History, Validation};
use crate::spec::{Problem, Spec};
use safetensors::tensor::{Dtype, Metadata};
use serde_json::{Value, json};
use std::ops::Range;

/// The metadata's key.
pub const KEY: &str = "nabla.project";
const VERSION: u32 = 1;
/// Names of tensors.
const COURSE: &str = "course";
const CHECKPOINT: &str = "checkpoint";
/// Bounds on what is read: runs beside the current one, characters of a name, bytes of all courses.
pub const RUNS: usize = 16;
const NAME: usize = 200;
const COURSES: usize = 256 << 20;

#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    pub spec: Spec,
    /// Where its run stands.
    pub step: u32,
    pub epoch: u32,
    /// How it came there.
    pub course: History,
    pub runs: Vec<KeptRun>,
}

/// A run that was kept for comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptRun {
    pub name: String,
    pub spec: Option<Spec>,
    pub course: History,
}

fn course_json(record: &Record) -> Value {
    let marks = record.validation.iter().map(|v| {
        let plain = Evaluation {
            confusion: None,
            ..v.evaluation.clone()
        };
        json!([v.epoch, v.step, crate::json::value(&plain)])
    });
    json!({
        "columns": record.columns,
        "start": record.start,
        "stride": record.stride,
        "steps_per_epoch": record.steps_per_epoch,
        "validation": marks.collect::<Vec<_>>(),
    })
}

impl Project {
    /// The file without its last tensor, with as many of the newest kept runs as can be read again. That
    /// tensor is the `checkpoint` bytes of the run's state
    /// that follow (none where it is 0).
    pub fn to_bytes(&self, checkpoint: usize) -> Vec<u8> {
        let course = self.course.record();
        // What would not be read is not written.
        let mut room = COURSES.saturating_sub(4 * course.values.len());
        let mut kept: Vec<(&KeptRun, Record)> = Vec::new();
        for run in self.runs.iter().rev() {
            let record = run.course.record();
            if let Some(less) = room.checked_sub(4 * record.values.len())
                && kept.len() < RUNS
            {
                room = less;
                kept.push((run, record));
            }
        }
        kept.reverse();
        let about = kept.iter().map(|(run, record)| {
            json!({
                "name": run.name,
                "spec": run.spec.as_ref().map(|s| s.to_short().to_string()),
                "course": course_json(record),
            })
        });
        let project = json!({
            "version": VERSION,
            "spec": self.spec.to_short().to_string(),
            "step": self.step,
            "epoch": self.epoch,
            "course": course_json(&course),
            "runs": about.collect::<Vec<_>>(),
        });
        let names: Vec<String> = (0..kept.len()).map(|i| format!("run.{i:02}")).collect();
        let runs = || names.iter().zip(&kept).map(|(n, (_, r))| (&n[..], r));
        let all = || std::iter::once((COURSE, &course)).chain(runs());
        let shapes: Vec<[usize; 2]> = all()
            .map(|(_, r)| {
                let n = r.columns.len();
                [n, r.values.len().checked_div(n).unwrap_or(0)]
            })
            .collect();
        let mut tensors: Vec<(&str, Dtype, &[usize])> = all()
            .zip(&shapes)
            .map(|((name, _), shape)| (name, Dtype::F32, &shape[..]))
            .collect();
        let length = [checkpoint];
        if checkpoint > 0 {
            tensors.push((CHECKPOINT, Dtype::U8, &length));
        }
        let mut out = head(&[(KEY, project.to_string())], &tensors);
        for (_, record) in all() {
            out.extend(record.values.iter().flat_map(|v| v.to_le_bytes()));
        }
        out
    }
}

/// A project that was read, and where in the file its run's checkpoint lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    pub project: Project,
    pub checkpoint: Option<Range<u64>>,
}

/// How many of a file's bytes [`open`] asks for, from its header.
pub fn extent(header: &[u8], metadata: &Metadata) -> Result<usize, Problem> {
    let start = checkpoint_at(metadata).map_or(metadata.data_len(), |r| r.start);
    match start {
        n if n <= COURSES => Ok(LENGTH + header.len() + n),
        n => Err(damaged(format!("the courses of its runs take {n} bytes"))),
    }
}

fn damaged(detail: impl std::fmt::Display) -> Problem {
    Problem::new("project").arg("detail", detail)
}

fn checkpoint_at(metadata: &Metadata) -> Option<Range<usize>> {
    let info = metadata.info(CHECKPOINT)?;
    Some(info.data_offsets.0..info.data_offsets.1)
}

/// Reads what [`Project::to_bytes`] wrote: `bytes` are those of [`extent`], or more, of a file of
/// `total` bytes. Anything else is a problem `project`. The checkpoint is for the run to read.
pub fn open(bytes: &[u8], total: u64) -> Result<Opened, Problem> {
    read(bytes, total).map_err(damaged)
}

fn read(bytes: &[u8], total: u64) -> Result<Opened, String> {
    let length = header_length(bytes)?;
    let (header, data) = bytes[LENGTH..]
        .split_at_checked(length)
        .ok_or("it is cut short")?;
    let begin = (LENGTH + length) as u64;
    let rest = total
        .checked_sub(begin)
        .and_then(|n| usize::try_from(n).ok());
    let metadata = read_header(header, rest.ok_or("it is cut short")?)?;
    let text = entry(&metadata, KEY).ok_or("it is no project")?;
    let value: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let version = whole(&value, "version")?;
    if version > VERSION {
        return Err(format!("it is of version {version}; reload the page"));
    }
    let checkpoint = checkpoint_at(&metadata);
    if checkpoint
        .as_ref()
        .is_some_and(|r| r.end != metadata.data_len())
    {
        return Err("its checkpoint is not at its end".to_string());
    }
    let list = value["runs"].as_array().ok_or("it has no list of runs")?;
    if list.len() > RUNS {
        return Err(format!("it has {} runs", list.len()));
    }
    let course = |name: &str, about: &Value| course(&metadata, data, name, about);
    let runs = list.iter().enumerate().map(|(i, run)| {
        let name = run["name"].as_str().ok_or("a run has no name")?;
        Ok(KeptRun {
            name: name.chars().take(NAME).collect(),
            spec: match &run["spec"] {
                Value::Null => None,
                text => Some(spec(text)?),
            },
            course: course(&format!("run.{i:02}"), &run["course"])?,
        })
    });
    Ok(Opened {
        project: Project {
            spec: spec(&value["spec"])?,
            step: whole(&value, "step")?,
            epoch: whole(&value, "epoch")?,
            course: course(COURSE, &value["course"])?,
            runs: runs.collect::<Result<_, String>>()?,
        },
        checkpoint: checkpoint.map(|r| begin + r.start as u64..begin + r.end as u64),
    })
}

fn spec(value: &Value) -> Result<Spec, String> {
    let text = value.as_str().ok_or("a run has no network")?;
    Spec::from_json(text).map_err(|p| p.to_string())
}

fn whole(value: &Value, key: &str) -> Result<u32, String> {
    let n = value[key].as_u64().and_then(|n| n.try_into().ok());
    n.ok_or_else(|| format!("its “{key}” is no whole number"))
}

fn course(metadata: &Metadata, data: &[u8], name: &str, about: &Value) -> Result<History, String> {
    let info = metadata
        .info(name)
        .ok_or_else(|| format!("tensor “{name}” is missing"))?;
    let bytes = data
        .get(info.data_offsets.0..info.data_offsets.1)
        .filter(|_| info.dtype == Dtype::F32)
        .ok_or_else(|| format!("tensor “{name}” is damaged"))?;
    let columns = about["columns"]
        .as_array()
        .ok_or("a course has no columns")?;
    if info.shape.len() != 2 || info.shape[0] != columns.len() {
        return Err(format!("tensor “{name}” has shape {:?}", info.shape));
    }
    let columns = columns.iter().map(|c| c.as_str().map(str::to_string));
    let marks = about["validation"]
        .as_array()
        .ok_or("a course has no list of epochs")?;
    let marks = marks.iter().map(|m| {
        let number = |i: usize| m[i].as_u64().and_then(|n| n.try_into().ok());
        let (Some(epoch), Some(step)) = (number(0), number(1)) else {
            return Err("an epoch of a course has no number".to_string());
        };
        let evaluation = serde_json::from_value(m[2].clone()).map_err(|e| e.to_string())?;
        Ok(Validation {
            epoch,
            step,
            evaluation,
        })
    });
    let record = Record {
        columns: columns
            .collect::<Option<_>>()
            .ok_or("a column has no name")?,
        start: whole(about, "start")?,
        stride: whole(about, "stride")?,
        steps_per_epoch: whole(about, "steps_per_epoch")?,
        validation: marks.collect::<Result<_, String>>()?,
        values: floats(Dtype::F32, bytes).unwrap_or_default(),
    };
    History::from_record(record).map_err(str::to_string)
}
