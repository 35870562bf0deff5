//! A run on disk: one safetensors file whose metadata says where the run stands and whose
//! tensors are its parameters and moments. Random numbers are drawn by seed, step and element,
//! so the step is all that there is to restore of them.
use super::callbacks::Callbacks;
use super::tensors::{File, entry, floats, serialize};
use crate::spec::{Problem, Spec};
use lean_json::Deserialize;
use safetensors::tensor::Dtype;
use serde::Serialize;
use std::collections::BTreeMap;

/// The metadata's key.
pub const KEY: &str = "nabla";
const VERSION: u32 = 1;
/// Bounds on what is read.
const TENSORS: usize = 8192;
const HYPER: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// With the seed that the run had.
    pub spec: Spec,
    /// Steps done.
    pub step: u32,
    /// Epochs completed.
    pub epoch: u32,
    /// Batches done of the epoch under way.
    pub cursor: u32,
    /// Spent in training.
    pub seconds: f64,
    /// Hyper-parameters as they were set last.
    pub hyper: BTreeMap<String, f64>,
    /// Name, shape and values.
    pub tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    pub callbacks: Callbacks,
    /// Parameters and running statistics of the best epoch.
    pub best: Option<Vec<Vec<f32>>>,
    /// Sum of the losses of the epoch under way, and its samples.
    pub epoch_loss: (f64, usize),
}

/// Names of the best epoch's tensors, in their order.
const BEST: &str = "best:";

#[derive(Serialize, Deserialize)]
struct State {
    version: u32,
    /// JSON within JSON, so that reading it is bounded and checked as for any other spec.
    spec: String,
    step: u32,
    epoch: u32,
    cursor: u32,
    seconds: f64,
    hyper: BTreeMap<String, f64>,
    #[serde(default)]
    callbacks: Callbacks,
    #[serde(default)]
    epoch_loss: (f64, usize),
}

impl Checkpoint {
    /// Fails when a tensor's shape and values disagree.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Problem> {
        let state = State {
            version: VERSION,
            spec: self.spec.to_json(),
            step: self.step,
            epoch: self.epoch,
            cursor: self.cursor,
            seconds: self.seconds,
            hyper: self.hyper.clone(),
            callbacks: self.callbacks,
            epoch_loss: self.epoch_loss,
        };
        let best: Vec<(String, [usize; 1], &[f32])> = self
            .best
            .iter()
            .flatten()
            .enumerate()
            .map(|(i, v)| (format!("{BEST}{i:05}"), [v.len()], &v[..]))
            .collect();
        let own = self.tensors.iter();
        let own = own.map(|(n, s, v)| (&n[..], &s[..], &v[..]));
        let best = best.iter().map(|(n, s, v)| (&n[..], &s[..], *v));
        let mut tensors: Vec<_> = own.chain(best).collect();
        tensors.sort_by_key(|(n, ..)| *n);
        serialize(&tensors, &[(KEY, crate::json::write(&state))])
            .map_err(|e| Problem::new("internal").arg("detail", e))
    }

    /// Reads what [`Self::to_bytes`] wrote, tensors in the order of their names; anything else
    /// is a problem `checkpoint`. Whether the tensors fit the spec is for the run to say.
    pub fn from_bytes(bytes: &[u8]) -> Result<Checkpoint, Problem> {
        read(bytes).map_err(|e| Problem::new("checkpoint").arg("detail", e))
    }
}

/// What a checkpoint's metadata say of its network and its step.
pub fn standing(json: &str) -> Result<(Spec, u32), Problem> {
    let read = || {
        let state = read_state(json)?;
        let spec = Spec::from_json(&state.spec).map_err(|p| p.to_string())?;
        Ok((spec, state.step))
    };
    read().map_err(|e: String| Problem::new("checkpoint").arg("detail", e))
}

fn read_state(json: &str) -> Result<State, String> {
    let state: State = crate::json::read(json).map_err(|e| e.to_string())?;
    match state.version {
        0..=VERSION => Ok(state),
        newer => Err(format!("it is of version {newer}; reload the page")),
    }
}

fn read(bytes: &[u8]) -> Result<Checkpoint, String> {
    let file = File::open(bytes)?;
    let json = entry(&file.metadata, KEY).ok_or("it holds weights, but no state of a run")?;
    let state = read_state(json)?;
    if !(state.seconds.is_finite() && state.seconds >= 0.0) {
        return Err("its time is no number of seconds".to_string());
    }
    if state.hyper.len() > HYPER || state.hyper.values().any(|v| !v.is_finite()) {
        return Err("its hyper-parameters are damaged".to_string());
    }
    let spec = Spec::from_json(&state.spec).map_err(|p| p.to_string())?;
    let mut names = file.metadata.offset_keys();
    if names.len() > TENSORS {
        return Err(format!("it has {} tensors", names.len()));
    }
    names.sort_unstable();
    let mut tensors = Vec::with_capacity(names.len());
    let mut best = Vec::new();
    for name in names {
        let Some(info) = file.metadata.info(&name) else {
            continue;
        };
        let values = Some(info.dtype)
            .filter(|d| *d == Dtype::F32)
            .and_then(|d| floats(d, file.bytes(info)))
            .ok_or_else(|| format!("tensor “{name}” is of type {:?}", info.dtype))?;
        match name.starts_with(BEST) {
            true => best.push(values),
            false => tensors.push((name, info.shape.clone(), values)),
        }
    }
    Ok(Checkpoint {
        spec,
        step: state.step,
        epoch: state.epoch,
        cursor: state.cursor,
        seconds: state.seconds,
        hyper: state.hyper,
        tensors,
        callbacks: state.callbacks,
        best: Some(best).filter(|b| !b.is_empty()),
        epoch_loss: state.epoch_loss,
    })
}
