//! A run: a spec, its data, its plan on a backend, and where it stands.
mod code;
mod describe;
mod divergence;
mod epoch;
mod evaluate;
mod flight;
mod landscape;
mod look;
mod probe;
mod safety;
mod table;
mod within;

use super::callbacks::Callbacks;
use super::checkpoint::Checkpoint;
use super::files::files;
use super::protocol::*;
use super::{hyper, init, schedule};
use crate::backend::{Backend, Data, EngineError};
use crate::data::{Dataset, Values, order};
use crate::graph::{self, Dtype, Facts, ProgramKind, Slab, SlotId, numel};
use crate::ops::{self, Op, show};
use crate::plan::{Plan, Slot};
use crate::spec::{DataShape, Init, Problem, Problems, Spec};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

pub use epoch::{EpochEnd, Saved};
pub use evaluate::Evaluator;
pub use safety::{Choice, Safety};

pub struct Session<B: Backend> {
    spec: Spec,
    data: Rc<Dataset>,
    plan: Plan,
    backend: B,
    options: B::Options,
    slots: Slots,
    /// Training rows in this epoch's order.
    order: Vec<u32>,
    /// Place in `order` where the next batch begins.
    cursor: usize,
    epoch: u32,
    step: u32,
    /// What the inspect program last saw, scaled.
    sample: Vec<f32>,
    callbacks: Callbacks,
    /// Parameters and running statistics of the best epoch, where they are to be restored.
    best: Option<Vec<Vec<f32>>>,
    /// Sum of the losses of this epoch's samples, and how many they are.
    epoch_loss: (f64, usize),
    /// Of the first step since the run was opened.
    first_loss: Option<f32>,
    /// Steps that are queued, the oldest first.
    flights: VecDeque<flight::Flight<B::Pending>>,
    /// For a closer look.
    probe: Option<Box<probe::Probe<B>>>,
    /// For an autoencoder's codes.
    halves: Option<Box<code::Halves<B>>>,
    /// The loss around the run, where the run has been, and surfaces begun so far.
    landscape: Option<Box<landscape::Landscape>>,
    trail: landscape::Trail,
    surfaces: u32,
    /// Seconds spent in training; the session knows no clock, its owner adds to it.
    pub seconds: f64,
}

/// The slots that the host writes and reads.
struct Slots {
    order: SlotId,
    rate: SlotId,
    hyper: SlotId,
    history: SlotId,
    eval_order: SlotId,
    eval_loss: SlotId,
    eval_out: SlotId,
}

/// What a few steps brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Number of the first step, from 0.
    pub first: u32,
    pub steps: u32,
    /// `[steps, columns]`, see [`RunInfo::columns`].
    pub rows: Vec<f32>,
    /// Epoch that the first step belongs to, from 0.
    pub epoch: u32,
    /// Whether an epoch ended with them.
    pub epoch_done: bool,
    /// The first step whose loss was NaN, infinite or out of all bounds, counted as `first` is.
    pub diverged: Option<u32>,
    /// Samples that the steps took.
    pub samples: usize,
}

fn bad_spec(problems: impl Into<Problems>) -> Failure {
    Failure::new("bad-spec", problems.into().0)
}
fn bad_data(problem: Problem) -> Failure {
    Failure::new("bad-data", vec![problem])
}
fn internal(detail: impl std::fmt::Display) -> Failure {
    Failure::new(
        "internal",
        vec![Problem::new("internal").arg("detail", detail)],
    )
}

impl From<EngineError> for Failure {
    fn from(e: EngineError) -> Failure {
        let mebibytes = |bytes: u64| format!("{} MiB", bytes.div_ceil(1 << 20));
        let (code, problem) = match e {
            EngineError::OutOfMemory { bytes } => (
                "out-of-memory",
                Problem::new("out-of-memory").arg("got", mebibytes(bytes as u64)),
            ),
            EngineError::DeviceLost { detail } => (
                "device-lost",
                Problem::new("gpu-lost").arg("detail", detail),
            ),
            EngineError::TimedOut { seconds } => (
                "device-lost",
                Problem::new("gpu-timeout").arg("seconds", seconds),
            ),
            EngineError::NoGpu { detail } => {
                ("no-webgpu", Problem::new("gpu-none").arg("detail", detail))
            }
            EngineError::Gpu { detail } => (
                "no-webgpu",
                Problem::new("gpu-failed").arg("detail", detail),
            ),
            EngineError::TooBig { bytes, most } => (
                "out-of-memory",
                Problem::new("gpu-too-big")
                    .arg("got", mebibytes(bytes))
                    .arg("max", mebibytes(most)),
            ),
        };
        Failure::new(code, vec![problem])
    }
}

/// Every Embedding reads the data itself, so its numbers must be rows of the table.
fn check_tokens(spec: &Spec, data: &Dataset) -> Result<(), Problem> {
    use crate::spec::LayerKind;
    let mut sample = vec![0.0; data.features_len()];
    for layer in &spec.layers {
        let LayerKind::Embedding { vocab, .. } = layer.kind else {
            continue;
        };
        for row in 0..data.rows() {
            data.write_x(row, &mut sample);
            let wrong = |v: &&f32| **v < 0.0 || **v >= vocab as f32 || v.fract() != 0.0;
            if let Some(got) = sample.iter().find(wrong) {
                return Err(Problem::new("token-range")
                    .arg("index", row)
                    .arg("got", got)
                    .arg("max", vocab - 1)
                    .layer(&layer.id)
                    .field("vocab"));
            }
        }
    }
    Ok(())
}

fn facts(spec: &Spec, data: &Dataset) -> Facts {
    Facts {
        data: DataShape {
            sample: data.shape.clone(),
            classes: data.classes(),
            targets: data.target_width(),
        },
        rows: data.rows(),
        dtype: match data.x {
            Values::F32(_) => Dtype::F32,
            Values::U8(_) => Dtype::U8,
        },
        scaled: !data.mul.is_empty(),
        train: data.train.len(),
        seed: spec.seed,
    }
}

/// Compiles. Where ops are wanted that are not here yet, they are loaded first.
async fn plan(spec: &Spec, data: &Dataset) -> Result<Plan, Failure> {
    let facts = facts(spec, data);
    let compile = || Plan::compile(spec, &facts);
    if ops::loaded() {
        return compile().map_err(bad_spec);
    }
    match compile() {
        Ok(plan) if !plan.ops().any(Op::is_later) => Ok(plan),
        _ => {
            ops::load().await.map_err(not_loaded)?;
            compile().map_err(bad_spec)
        }
    }
}

/// `internal`: the program itself is not whole.
fn not_loaded(p: Problem) -> Failure {
    Failure::new("internal", vec![p])
}

impl<B: Backend> Session<B> {
    /// Compiles, allocates, uploads the data and draws the initial weights, or reads them from a
    /// safetensors file in the framework's names and layouts.
    pub async fn new(spec: Spec, data: Rc<Dataset>, file: Option<&[u8]>) -> Result<Self, Failure> {
        Self::on(B::Options::default(), spec, data, file).await
    }

    /// [`Session::new`] on a backend with options.
    pub async fn on(
        options: B::Options,
        spec: Spec,
        data: Rc<Dataset>,
        file: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        if data.train.is_empty() {
            return Err(bad_data(Problem::new("split-empty").arg("part", "train")));
        }
        check_tokens(&spec, &data).map_err(bad_data)?;
        epoch::check_monitors(&spec, &data).map_err(bad_spec)?;
        let mut s = Self::compiled(spec, data, options).await?;
        s.begin();
        if let Some(bytes) = file {
            s.load_weights(bytes).await?;
        }
        Ok(s)
    }

    /// Goes on where a checkpoint stands.
    pub async fn resume(checkpoint: Checkpoint, data: Rc<Dataset>) -> Result<Self, Failure> {
        Self::resume_on(B::Options::default(), checkpoint, data).await
    }

    /// [`Session::resume`] on a backend with options.
    pub async fn resume_on(
        options: B::Options,
        checkpoint: Checkpoint,
        data: Rc<Dataset>,
    ) -> Result<Self, Failure> {
        let mut s = Self::compiled(checkpoint.spec.clone(), data, options).await?;
        s.take(checkpoint)?;
        Ok(s)
    }

    /// Goes on where a checkpoint of this network stands.
    pub(super) fn take(&mut self, checkpoint: Checkpoint) -> Result<(), Failure> {
        self.begin();
        for (name, shape, values) in &checkpoint.tensors {
            let slot = self.stateful().into_iter().find(|(n, _)| n == name);
            let Some((_, id)) = slot else {
                let p = Problem::new("checkpoint").arg("detail", format!("unknown tensor {name}"));
                return Err(Failure::new("bad-file", vec![p]));
            };
            let want = &self.plan.slot(id).shape;
            if want != shape {
                let p = Problem::new("weights-shape")
                    .arg("name", name)
                    .arg("got", show(shape))
                    .arg("want", show(want));
                return Err(Failure::new("bad-file", vec![p]));
            }
            self.backend.write(id, 0, Data::F32(values));
        }
        self.step = checkpoint.step;
        self.seconds = checkpoint.seconds;
        self.epoch = checkpoint.epoch;
        self.order = self.epoch_order();
        self.cursor = (checkpoint.cursor as usize).min(self.order.len());
        self.callbacks = checkpoint.callbacks;
        self.epoch_loss = checkpoint.epoch_loss;
        let fits = |best: &Vec<Vec<f32>>| {
            let lens = self.in_files().map(|(_, slot)| numel(&slot.shape));
            lens.eq(best.iter().map(Vec::len))
        };
        self.best = checkpoint.best.filter(fits);
        Ok(())
    }

    /// Everything but the initial state.
    async fn compiled(spec: Spec, data: Rc<Dataset>, options: B::Options) -> Result<Self, Failure> {
        let plan = plan(&spec, &data).await?;
        let mut backend = B::prepare(&plan, &options).await?;
        let io = |name: &str| plan.find(Slab::Io, name).expect("every plan has it");
        let slots = Slots {
            order: io("order"),
            rate: io("learning_rate"),
            hyper: io("hyper"),
            history: io("history"),
            eval_order: io("eval.order"),
            eval_loss: io("eval.loss"),
            eval_out: io("eval.out"),
        };
        let of = |name: &str| plan.find(Slab::Data, name);
        if let Some(x) = of("data.x") {
            let values = match &data.x {
                Values::F32(v) => Data::F32(v),
                Values::U8(v) => Data::U8(v),
            };
            backend.write(x, 0, values);
        }
        let weights = spec.train.class_weight.clone().unwrap_or_default();
        for (name, values) in [
            (graph::CLASS_WEIGHT, &weights),
            ("data.y", &data.y),
            ("data.mul", &data.mul),
            ("data.add", &data.add),
        ] {
            if let Some(slot) = of(name) {
                backend.write(slot, 0, Data::F32(values));
            }
        }
        backend.write(slots.hyper, 0, Data::F32(&hyper::table(&spec)));
        let mut s = Session {
            spec,
            data,
            plan,
            backend,
            options,
            slots,
            order: Vec::new(),
            cursor: 0,
            epoch: 0,
            step: 0,
            sample: Vec::new(),
            callbacks: Callbacks::default(),
            best: None,
            epoch_loss: (0.0, 0),
            first_loss: None,
            flights: VecDeque::new(),
            probe: None,
            halves: None,
            landscape: None,
            trail: landscape::Trail::default(),
            surfaces: 0,
            seconds: 0.0,
        };
        s.sample = s.first_sample();
        Ok(s)
    }

    /// Step 0: initial weights, empty optimiser state.
    fn begin(&mut self) {
        let values = init::initial(self.spec.framework, &self.plan, self.spec.seed);
        let ids: Vec<SlotId> = self.plan.params().map(|(id, _)| id).collect();
        for (id, v) in ids.into_iter().zip(&values) {
            self.backend.write(id, 0, Data::F32(v));
        }
        let start = match self.spec.train.optimizer {
            crate::spec::Optimizer::Adagrad {
                initial_accumulator,
                ..
            } => initial_accumulator,
            _ => 0.0,
        };
        let zero: Vec<(SlotId, usize)> = [Slab::Moment(0), Slab::Moment(1), Slab::Grad]
            .into_iter()
            .flat_map(|slab| self.plan.of(slab))
            .map(|(id, s)| (id, numel(&s.shape)))
            .collect();
        for (id, n) in zero {
            let grad = self.plan.slot(id).slab == Slab::Grad;
            let v = vec![if grad { 0.0 } else { start }; n];
            self.backend.write(id, 0, Data::F32(&v));
        }
        let state: Vec<(SlotId, Vec<f32>)> = self
            .plan
            .of(Slab::State)
            .map(|(id, s)| {
                let ones = s.start.is_some_and(|s| s.init == Init::Ones);
                (id, vec![f32::from(u8::from(ones)); numel(&s.shape)])
            })
            .collect();
        for (id, v) in &state {
            self.backend.write(*id, 0, Data::F32(v));
        }
        (self.step, self.epoch, self.cursor, self.seconds) = (0, 0, 0, 0.0);
        (self.callbacks, self.best) = (Callbacks::default(), None);
        self.epoch_loss = (0.0, 0);
        self.first_loss = None;
        self.flights.clear();
        self.order = self.epoch_order();
    }

    fn epoch_order(&self) -> Vec<u32> {
        self.order_of(self.epoch)
    }

    /// Training rows in the order of an epoch.
    fn order_of(&self, epoch: u32) -> Vec<u32> {
        order(
            self.spec.seed,
            epoch,
            &self.data.train,
            self.spec.train.shuffle,
        )
    }

    async fn load_weights(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let read = files().await?.read_weights;
        let params: Vec<(&str, &[usize])> = self
            .in_files()
            .map(|(_, s)| (s.name.as_str(), &s.shape[..]))
            .collect();
        let values =
            read(self.spec.framework, bytes, &params).map_err(|p| Failure::new("bad-file", p.0))?;
        let ids: Vec<SlotId> = self.in_files().map(|(id, _)| id).collect();
        for (id, v) in ids.into_iter().zip(&values) {
            self.backend.write(id, 0, Data::F32(v));
        }
        Ok(())
    }

    pub fn spec(&self) -> &Spec {
        &self.spec
    }
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
    pub fn backend(&self) -> &B {
        &self.backend
    }
    pub fn place(&self) -> crate::backend::Place {
        self.backend.place()
    }
    /// Steps taken.
    pub fn step(&self) -> u32 {
        self.step
    }
    /// Epochs completed.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }
    /// Epochs that the spec asks for.
    pub fn epochs(&self) -> u32 {
        self.spec.train.epochs as u32
    }
    fn batch(&self) -> usize {
        self.plan.program(ProgramKind::Train).map_or(1, |p| p.batch)
    }
    pub fn steps_per_epoch(&self) -> usize {
        self.data.train.len().div_ceil(self.batch())
    }
    /// Steps from here to the end of so many epochs in all.
    pub fn steps_until(&self, epochs: u32) -> u32 {
        let left = epochs.saturating_sub(self.epoch) as usize * self.steps_per_epoch();
        left.saturating_sub(self.cursor / self.batch()) as u32
    }

    fn rate(&self, step: u32) -> f32 {
        let t = &self.spec.train;
        let f = schedule::factor(&t.schedule, step, self.steps_per_epoch(), t.epochs);
        (f64::from(t.optimizer.learning_rate()) * f * self.callbacks.factor()) as f32
    }

    /// One step, with the rows that made it up.
    pub async fn step_report(&mut self) -> Result<(StepReport, Chunk), Failure> {
        let n = self.batch().min(self.order.len() - self.cursor);
        let batch = self.order[self.cursor..][..n].to_vec();
        let chunk = self.steps(1).await?;
        let columns = graph::columns(self.data.classes()).len();
        let report = StepReport {
            step: chunk.first,
            loss: chunk.rows[0],
            grad_norm: chunk.rows[columns - 1],
            batch,
        };
        Ok((report, chunk))
    }

    fn part(&self, part: Part) -> &[u32] {
        match part {
            Part::Train => &self.data.train,
            Part::Validation => &self.data.validation,
            Part::Test => &self.data.test,
        }
    }

    /// Changes hyper-parameters from the next step on. Where the plan lacks what a value asks for
    /// (a first momentum, a first penalty), it is compiled anew with the state kept.
    pub async fn set(
        &mut self,
        values: &BTreeMap<String, f64>,
    ) -> Result<BTreeMap<String, f64>, Failure> {
        let spec = hyper::changed(&self.spec, values).map_err(|p| Failure::new("bad-spec", p))?;
        let shape = |s: &Spec| {
            let t = &s.train;
            (graph::rule(&t.optimizer), t.l1 > 0.0 || t.l2 > 0.0)
        };
        if shape(&spec) == shape(&self.spec) {
            self.spec = spec;
        } else {
            let state = self.checkpoint_state().await?;
            let mut next =
                Self::compiled(spec, Rc::clone(&self.data), self.options.clone()).await?;
            next.begin();
            let known: Vec<(String, SlotId)> = next.stateful();
            for (name, _, values) in &state.tensors {
                if let Some((_, id)) = known.iter().find(|(n, _)| n == name) {
                    next.backend.write(*id, 0, Data::F32(values));
                }
            }
            (next.step, next.epoch, next.cursor) = (self.step, self.epoch, self.cursor);
            next.seconds = self.seconds;
            next.callbacks = self.callbacks;
            next.epoch_loss = self.epoch_loss;
            next.best = self.best.take();
            next.first_loss = self.first_loss;
            next.order = next.epoch_order();
            *self = next;
        }
        let table = hyper::table(&self.spec);
        self.backend.write(self.slots.hyper, 0, Data::F32(&table));
        Ok(hyper::values(&self.spec))
    }

    /// What a file of weights holds: parameters and running statistics.
    fn in_files(&self) -> impl Iterator<Item = (SlotId, &Slot)> {
        self.plan.params().chain(self.plan.of(Slab::State))
    }

    /// All parameters and running statistics as safetensors, under the framework's names and layouts.
    pub async fn weights(&mut self) -> Result<Vec<u8>, Failure> {
        let slots: Vec<(SlotId, String, Vec<usize>)> = self
            .in_files()
            .map(|(id, s)| (id, s.name.clone(), s.shape.clone()))
            .collect();
        let ids: Vec<SlotId> = slots.iter().map(|(id, _, _)| *id).collect();
        let values = self.backend.read(&ids).await?;
        let params: Vec<(&str, &[usize], &[f32])> = slots
            .iter()
            .zip(&values)
            .map(|((_, n, s), v)| (n.as_str(), &s[..], &v[..]))
            .collect();
        (files().await?.write_weights)(&self.spec, &params).map_err(internal)
    }

    /// Parameters, running statistics and optimiser state by their readable names.
    fn stateful(&self) -> Vec<(String, SlotId)> {
        let all = self.readable().into_iter();
        all.filter(|(_, role, _)| matches!(role, Role::Param | Role::Moment | Role::State))
            .map(|(n, _, id)| (n, id))
            .collect()
    }

    async fn checkpoint_state(&mut self) -> Result<Checkpoint, Failure> {
        debug_assert!(self.flights.is_empty(), "steps are under way");
        let list = self.stateful();
        let ids: Vec<SlotId> = list.iter().map(|(_, id)| *id).collect();
        let values = self.backend.read(&ids).await?;
        let tensors = list
            .into_iter()
            .zip(values)
            .map(|((n, id), v)| (n, self.plan.slot(id).shape.clone(), v))
            .collect();
        Ok(Checkpoint {
            spec: self.spec.clone(),
            step: self.step,
            epoch: self.epoch,
            cursor: self.cursor as u32,
            seconds: self.seconds,
            hyper: hyper::values(&self.spec),
            tensors,
            callbacks: self.callbacks,
            best: self.best.clone(),
            epoch_loss: self.epoch_loss,
        })
    }

    /// Everything that [`Session::resume`] needs, but the data.
    pub async fn checkpoint(&mut self) -> Result<Vec<u8>, Failure> {
        let write = files().await?.write_checkpoint;
        write(&self.checkpoint_state().await?).map_err(internal)
    }

    /// Initial weights and step 0 again; another seed compiles anew, since dropout draws from it.
    pub async fn reset(&mut self, seed: Option<u32>) -> Result<(), Failure> {
        if let Some(seed) = seed.filter(|s| *s != self.spec.seed) {
            let mut spec = self.spec.clone();
            spec.seed = seed;
            *self = Self::compiled(spec, Rc::clone(&self.data), self.options.clone()).await?;
        }
        self.begin();
        Ok(())
    }
}
