//! The trainer worker: requests in, answers and events out. One loop does everything: it
//! answers what has come, lets each run work for a few milliseconds, and gives the browser a
//! turn to bring the next messages.
mod look;
#[cfg(feature = "split-engine")]
mod memory;
mod pictures;
mod reading;
mod run;
mod scope;
mod source;
#[cfg(target_feature = "atomics")]
pub mod threads;
mod trying;

use super::files::files;
use super::protocol::*;
use super::session::Evaluator;
use crate::backend::Place;
use crate::backend::cpu::pool;
use crate::data::Dataset;
use crate::graph;
use crate::spec::{Problem, Problems, Spec, presets};
use reading::Desk;
use run::{AnySession, Arriving, MEANWHILE, Next, Run};
use scope::{Answer, Inbox, Incoming, answer, internal, now};
use source::{Sources, shape_of};
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Threads that a run gets unless it asks for more: beyond this many the networks of a tutorial
/// have too little work for each.
#[cfg(target_feature = "atomics")]
const MOST: usize = 8;
/// Milliseconds between two looks at the messages.
const SLICE: f64 = 8.0;

/// Makes this worker a trainer. To be called once, from the worker's `main`.
pub fn start() {
    #[cfg(target_feature = "atomics")]
    if !threads::is_first() {
        return;
    }
    scope::report_crashes();
    let inbox = match Inbox::open() {
        Ok(inbox) => inbox,
        Err(e) => return scope::fatal("internal", &format!("{e:?}")),
    };
    let worker = Worker {
        inbox,
        runs: BTreeMap::new(),
        sources: Sources::default(),
    };
    wasm_bindgen_futures::spawn_local(worker.work());
    scope::ready();
}

struct Worker {
    inbox: Inbox,
    runs: BTreeMap<RunId, Run>,
    sources: Sources,
}

impl Worker {
    async fn work(mut self) {
        loop {
            while let Some(message) = self.inbox.pop() {
                self.hear(message).await;
            }
            match self.advance().await {
                Next::Now => self.inbox.turn().await,
                Next::In(ms) => self.inbox.wait(Some(ms)).await,
                Next::Asked => self.inbox.wait(None).await,
            }
        }
    }

    /// A slice of work for every run.
    async fn advance(&mut self) -> Next {
        let share = SLICE / self.runs.len().max(1) as f64;
        let mut soonest = Next::Asked;
        for run in self.runs.values_mut() {
            soonest = match (soonest, run.advance(share).await) {
                (Next::Now, _) | (_, Next::Now) => Next::Now,
                (Next::In(a), Next::In(b)) => Next::In(a.min(b)),
                (Next::In(a), Next::Asked) | (Next::Asked, Next::In(a)) => Next::In(a),
                (Next::Asked, Next::Asked) => Next::Asked,
            };
        }
        soonest
    }

    async fn hear(&mut self, message: Incoming) {
        let mut result = self.read(&message).await;
        if let Err(failure) = &result
            && self.mend(failure).await
        {
            result = self.read(&message).await;
        }
        if let Some(result) = result.transpose() {
            answer(message.id, result);
        }
    }

    async fn read(&mut self, message: &Incoming) -> Result<Option<Answer>, Failure> {
        match crate::json::read(&message.body) {
            Ok(request) => self.act(request, message).await,
            Err(e) => {
                let problem = Problem::new("json").arg("detail", e);
                Err(Failure::new("bad-spec", vec![problem]))
            }
        }
    }

    /// Whether a fault of the device hit a run which then went on from its snapshot.
    async fn mend(&mut self, failure: &Failure) -> bool {
        let mut mended = false;
        for run in self.runs.values_mut() {
            mended |= run.mend(failure).await;
        }
        mended
    }

    /// None: the answer comes later.
    async fn act(
        &mut self,
        request: Request,
        message: &Incoming,
    ) -> Result<Option<Answer>, Failure> {
        let now = match request {
            Request::Hello => Answer::of(&hello()),
            Request::Presets => Answer::of(&preset_list()),
            Request::Preset { id } => Answer::of(&preset(&id)?),
            Request::Check { spec } => Answer::of(&self.check(&spec)),
            Request::Short { spec } => {
                let spec = Spec::from_json(&spec.to_string()).map_err(bad_spec)?;
                Answer::of(&(files().await?.short)(&spec))
            }
            Request::Whole { spec } => {
                Answer::of(&Spec::from_json(&spec.to_string()).map_err(bad_spec)?)
            }
            Request::Load { run, spec, options } => {
                let mut spec = Spec::from_json(&spec.to_string()).map_err(bad_spec)?;
                if let Some(seed) = options.seed {
                    spec.seed = seed;
                }
                self.load(run, spec, &options, message).await
            }
            // It comes to light where the files are read; here it is too late.
            Request::CancelLoad { .. } => Ok(Answer::null()),
            Request::Resume { run, options } => self.resume(run, &options, message).await,
            Request::Train { run, steps, epochs } => {
                self.run(run).await?.train(message.id, steps, epochs);
                return Ok(None);
            }
            Request::Stop { run } => {
                self.run(run).await?.stop();
                Ok(Answer::null())
            }
            Request::Step { run } => self.run(run).await?.step().await,
            Request::Reset { run, seed } => self.run(run).await?.reset(seed).await,
            Request::Set { run, values } => self.run(run).await?.set(values).await,
            Request::Evaluate { run, part } => {
                let metrics = |e: Evaluator| Answer::of(&e.finish());
                self.run(run).await?.evaluate(message.id, part, metrics)?;
                return Ok(None);
            }
            Request::Outputs { run, part } => {
                self.run(run).await?.evaluate(message.id, part, |e| {
                    let (info, values) = e.outputs();
                    let answer = Answer::of(&info)?;
                    Ok(values.iter().fold(answer, |a, v| a.floats(v)))
                })?;
                return Ok(None);
            }
            Request::Look { run, ask } => {
                let look = look::look().await?;
                look(&mut self.run(run).await?.session, ask).await
            }
            Request::Attribute { run, output } => {
                let x = floats(message)?;
                let trying = trying::trying().await?;
                (trying.attribute)(&mut self.run(run).await?.session, x, output).await
            }
            Request::Describe { run, part } => {
                let trying = trying::trying().await?;
                (trying.describe)(&self.run(run).await?.session, part)
            }
            Request::Browse {
                run,
                part,
                class,
                start,
                count,
            } => {
                let trying = trying::trying().await?;
                (trying.browse)(&self.run(run).await?.session, part, class, (start, count))
            }
            Request::CarryOn { run, steps } => {
                let x = floats(message)?;
                let trying = trying::trying().await?;
                (trying.carry_on)(&mut self.run(run).await?.session, x, steps).await
            }
            Request::WordsOf { run } => {
                let ids = floats(message)?;
                Answer::of(&self.run(run).await?.session.words_of(&ids))
            }
            Request::Encode { run, text } => {
                let trying = trying::trying().await?;
                (trying.encode)(&self.run(run).await?.session, &text)
            }
            Request::Predict { run, shape, scaled } => {
                let x = floats(message)?;
                let session = &mut self.run(run).await?.session;
                array(session.predict(&x, &shape, scaled).await?)
            }
            Request::Tensors { run } => Answer::of(&self.run(run).await?.session.tensors()),
            Request::Tensor { run, name } => {
                array(self.run(run).await?.session.tensor(&name).await?)
            }
            Request::Samples {
                run,
                part,
                start,
                count,
            } => {
                let (info, x, y, rows) = self.run(run).await?.session.samples(part, start, count);
                Ok(Answer::of(&info)?.floats(&x).floats(&y).words(&rows))
            }
            Request::Weights { run } => {
                let bytes = self.run(run).await?.session.weights().await?;
                Ok(Answer::null().bytes(&bytes))
            }
            Request::Scaling { run } => {
                let all = self.run(run).await?.session.scaling();
                Ok(all
                    .iter()
                    .fold(Answer::null(), |answer, v| answer.floats(v)))
            }
            Request::Checkpoint { run } => {
                let bytes = self.run(run).await?.session.checkpoint().await?;
                Ok(Answer::null().bytes(&bytes))
            }
            Request::Saved { run } => Answer::of(&self.run(run).await?.saved()),
            Request::SavedFile { run, name } => match self.run(run).await?.saved_file(&name) {
                Some(bytes) => Ok(Answer::null().bytes(bytes)),
                None => {
                    let problem = Problem::new("unknown-tensor").arg("name", name);
                    Err(Failure::new("bad-file", vec![problem]))
                }
            },
            Request::SavedFiles { run } => {
                let run = self.run(run).await?;
                let files = run.saved_files();
                let answer = Answer::of(&run.saved())?;
                Ok(files.fold(answer, |a, file| a.bytes(file)))
            }
            Request::Keep { run, states } => {
                let files = (0..states.len()).map_while(|i| message.bytes(i));
                let states = states.into_iter().zip(files);
                self.run(run).await?.keep_states(states.collect());
                Ok(Answer::null())
            }
            Request::Restore { run } => {
                let bytes = message.bytes(0).unwrap_or_default();
                let read = files().await?.read_checkpoint;
                let checkpoint = read(&bytes).map_err(|p| Failure::new("bad-file", vec![p]))?;
                self.run(run).await?.restore(checkpoint).await
            }
            Request::Time { run, steps, warmup } => {
                let inbox = self.inbox.clone();
                let stopped = || inbox.any(|m| ends(run, m));
                let run = self.run(run).await?;
                Answer::of(&run.time(steps, warmup, &inbox, stopped).await?)
            }
            Request::Move { run, backend } => {
                let place = match backend {
                    BackendChoice::Webgpu => Place::Gpu,
                    BackendChoice::Cpu | BackendChoice::Auto => Place::Cpu,
                };
                self.run(run).await?.move_to(place).await
            }
            Request::Dispose { run } => {
                self.drop_run(run);
                let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
                let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
                Answer::of(&Disposed {
                    memory: buffer.byte_length() as usize,
                })
            }
        };
        now.map(Some)
    }

    /// A run, of which no step is under way.
    async fn run(&mut self, id: RunId) -> Result<&mut Run, Failure> {
        let run = self.runs.get_mut(&id).ok_or_else(|| {
            let problem = Problem::new("unknown-run").arg("run", id);
            Failure::new("cancelled", vec![problem])
        })?;
        // For what compiles anew.
        pool::want(run.threads);
        run.settle().await;
        Ok(run)
    }

    fn drop_run(&mut self, id: RunId) {
        if let Some(mut run) = self.runs.remove(&id) {
            run.close();
        }
    }

    fn check(&self, spec: &serde_json::Value) -> CheckReport {
        match Spec::from_json(&spec.to_string()) {
            Ok(spec) => graph::check(&spec, self.sources.shape(&spec.data).as_ref()),
            Err(Problems(errors)) => CheckReport {
                errors,
                ..CheckReport::default()
            },
        }
    }

    async fn load(
        &mut self,
        id: RunId,
        spec: Spec,
        options: &LoadOptions,
        message: &Incoming,
    ) -> Result<Answer, Failure> {
        gpu_or_not(options)?;
        let weights = match options.weights {
            Some(i) => Some(
                message
                    .bytes(i)
                    .ok_or_else(|| internal("no weights came"))?,
            ),
            None => None,
        };
        pool::want(threads_for(options).await);
        let desk = Desk::new(&self.inbox, id);
        let data = self.sources.load(&spec, options, message, &desk).await?;
        let report = graph::check(&spec, Some(&shape_of(&data)));
        if !report.ok {
            return Err(Failure::new("bad-spec", report.errors));
        }
        strict_build(&spec)?;
        // Two runs at once may not fit; the old one stays when the new one is refused.
        self.drop_run(id);
        let start = now();
        let (place, why) = asked(options);
        let arriving = (why == MEANWHILE).then(|| (spec.clone(), data.clone()));
        let session = AnySession::on(place, spec, data, weights.as_deref()).await?;
        self.begin(id, session, why, start, arriving)
    }

    async fn resume(
        &mut self,
        id: RunId,
        options: &LoadOptions,
        message: &Incoming,
    ) -> Result<Answer, Failure> {
        gpu_or_not(options)?;
        let bytes = message.bytes(0).unwrap_or_default();
        let read = files().await?.read_checkpoint;
        let checkpoint = read(&bytes).map_err(|p| Failure::new("bad-file", vec![p]))?;
        pool::want(threads_for(options).await);
        let desk = Desk::new(&self.inbox, id);
        let data = self
            .sources
            .load(&checkpoint.spec, options, message, &desk)
            .await?;
        strict_build(&checkpoint.spec)?;
        self.drop_run(id);
        let start = now();
        let (place, why) = asked(options);
        let arriving = (why == MEANWHILE).then(|| (checkpoint.spec.clone(), data.clone()));
        let session = AnySession::resume_on(place, checkpoint, data).await?;
        self.begin(id, session, why, start, arriving)
    }

    fn begin(
        &mut self,
        id: RunId,
        session: AnySession,
        why: &'static str,
        start: f64,
        arriving: Option<(Spec, Rc<Dataset>)>,
    ) -> Result<Answer, Failure> {
        let mut run = Run::new(id, session, why, now() - start);
        run.arriving = arriving.map(|(spec, data)| Arriving::begin(spec, data));
        let answer = Answer::of(&run.info());
        self.runs.insert(id, run);
        answer
    }
}

/// Whether a message that waits ends what `run` is doing.
fn ends(run: RunId, message: &Incoming) -> bool {
    match crate::json::read(&message.body) {
        Ok(
            Request::Stop { run: r }
            | Request::Dispose { run: r }
            | Request::Reset { run: r, .. }
            | Request::Load { run: r, .. }
            | Request::Resume { run: r, .. },
        ) => r == run,
        _ => false,
    }
}

fn bad_spec(problems: Problems) -> Failure {
    Failure::new("bad-spec", problems.0)
}

/// Whether this build can use a GPU.
const HAS_GPU: bool = cfg!(feature = "gpu");

fn gpu_or_not(options: &LoadOptions) -> Result<(), Failure> {
    if options.backend == BackendChoice::Webgpu && !HAS_GPU {
        let problem = Problem::new("no-webgpu");
        return Err(Failure::new("no-webgpu", vec![problem]));
    }
    Ok(())
}

/// Where a run computes and why, at first.
fn asked(options: &LoadOptions) -> (Place, &'static str) {
    match options.backend {
        BackendChoice::Webgpu => (Place::Gpu, "gpu-asked"),
        BackendChoice::Cpu => (Place::Cpu, "cpu-asked"),
        BackendChoice::Auto if HAS_GPU => (Place::Cpu, MEANWHILE),
        BackendChoice::Auto => {
            let why = match options.gpu {
                None => "cpu-only",
                Some(NoGpu::None) => "no-gpu",
                Some(NoGpu::Software) => "software-gpu",
            };
            (Place::Cpu, why)
        }
    }
}

/// Refuses a spec that asks for arithmetic which this build does not have.
fn strict_build(spec: &Spec) -> Result<(), Failure> {
    match spec.train.strict && !Build::OURS.strict() {
        true => Err(bad_spec(
            Problem::new("strict-build").field("train.strict").into(),
        )),
        false => Ok(()),
    }
}

/// Logical cores, as far as the browser says.
fn cores() -> usize {
    let cores = scope::scope().navigator().hardware_concurrency();
    if cores >= 1.0 { cores as usize } else { 1 }
}

/// Threads for a run: as many as it asks for and the machine has. Those that are missing are
/// started.
async fn threads_for(options: &LoadOptions) -> usize {
    #[cfg(target_feature = "atomics")]
    {
        let wanted = options.threads.unwrap_or(MOST).clamp(1, cores());
        if wanted > threads::threads() && scope::isolated() {
            match source::beside(HELPER) {
                Ok(script) => threads::start(wanted, &script, threads::ask_page).await,
                Err(e) => web_sys::console::warn_1(&e),
            }
        }
        wanted.min(threads::threads())
    }
    #[cfg(not(target_feature = "atomics"))]
    {
        let _ = options;
        1
    }
}

/// What a helper of this build runs.
#[cfg(target_feature = "atomics")]
const HELPER: &str = if HAS_GPU {
    "trainer-gpu_helper.js"
} else {
    "trainer-threads_helper.js"
};

fn hello() -> Hello {
    Hello {
        version: env!("CARGO_PKG_VERSION").to_string(),
        cpu: CpuInfo {
            simd: cfg!(target_feature = "simd128"),
            relaxed_simd: cfg!(target_feature = "relaxed-simd"),
            threads: match cfg!(target_feature = "atomics") {
                true => cores(),
                false => 1,
            },
        },
        webgpu: None,
    }
}

fn preset_list() -> Vec<PresetInfo> {
    presets::PRESETS
        .iter()
        .map(|p| {
            let spec = p.spec();
            let task = match spec.train.loss.is_classification() {
                true => "classification",
                false => "regression",
            };
            PresetInfo {
                id: p.id.to_string(),
                title: p.title.to_string(),
                framework: spec.framework,
                task: task.to_string(),
            }
        })
        .collect()
}

fn preset(id: &str) -> Result<Spec, Failure> {
    presets::find(id).ok_or_else(|| {
        let known: Vec<&str> = presets::PRESETS.iter().map(|p| p.id).collect();
        let problem = Problem::new("unknown-preset")
            .arg("id", id)
            .arg("known", known.join(", "));
        Failure::new("bad-spec", vec![problem])
    })
}

/// The first buffer as f32.
fn floats(message: &Incoming) -> Result<Vec<f32>, Failure> {
    let bytes = message.bytes(0).unwrap_or_default();
    let (chunks, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(internal("the values are no f32"));
    }
    Ok(chunks.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

fn array((shape, values): (Vec<usize>, Vec<f32>)) -> Result<Answer, Failure> {
    Ok(Answer::of(&ArrayInfo { shape })?.floats(&values))
}
