//! Drives the worker for the page: loads what the builder shows, trains, pauses, follows
//! along. It holds the truth about the run; the store shows it.
mod events;
mod load;
mod moving;
mod replace;

pub use replace::Start;

use super::change::{self, Change};
use super::link::{Link, Subscription};
use super::plot::History;
use super::plot::runs::KeptRuns;
use super::store::{Action, Dispatch, Live, Phase, Word};
use crate::spec::{DataSource, Spec};
use crate::train::protocol::*;
use gloo::render::AnimationFrame;
use gloo::timers::callback::Timeout;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::AttrValue;

/// An edit is loaded when no other has followed it for so long.
const SETTLE_MS: u32 = 250;
/// At least this much lies between two evaluations.
const EVALUATE_MS: u32 = 150;

struct Current {
    id: RunId,
    /// What the run trains, live changes included.
    spec: Rc<Spec>,
    info: Rc<RunInfo>,
}

#[derive(Default)]
struct Inner {
    link: Option<Link>,
    subscription: Option<Subscription>,
    last_id: RunId,
    current: Option<Current>,
    /// To be loaded next.
    wanted: Option<Rc<Spec>>,
    settle: Option<Timeout>,
    loading: bool,
    /// The network is in a state that cannot train.
    blocked: bool,
    /// The visitor wants it to train.
    playing: bool,
    /// The worker that is loading a run, and the run.
    bringing: Option<(Link, RunId)>,
    /// A `Train` request is under way.
    training: bool,
    reset_next: bool,
    /// The losses are no numbers any more; only new weights help.
    diverged: bool,
    /// Epochs after which it is done.
    target: u32,
    step: u32,
    speed: u32,
    /// The visitor's choice.
    backend: BackendChoice,
    /// It was changed while something was being loaded.
    choose_again: bool,
    evaluating: bool,
    evaluate_again: bool,
    pause: Option<Timeout>,
    live: Live,
    frame: Option<AnimationFrame>,
    /// Files that the visitor brought, by the name of their source.
    files: BTreeMap<String, Vec<web_sys::File>>,
}

pub struct Runner {
    inner: RefCell<Inner>,
    dispatch: Dispatch,
    pub history: Rc<RefCell<History>>,
    /// Runs that stand beside it on the plot.
    pub kept: KeptRuns,
}

impl Runner {
    pub fn new(dispatch: Dispatch) -> Rc<Runner> {
        Rc::new(Runner {
            inner: RefCell::new(Inner {
                playing: super::embed::embed().is_none_or(|e| e.train),
                speed: crate::ui::store::WATCHABLE,
                backend: super::remember::backend(),
                ..Inner::default()
            }),
            dispatch,
            history: Rc::default(),
            kept: Rc::default(),
        })
    }

    fn clear_history(&self, info: &RunInfo) {
        let mut history = self.history.borrow_mut();
        history.clear();
        history.set_epoch(info.data.train, info.batch_size);
        history.set_steps_per_epoch(info.steps_per_epoch);
    }

    fn phase(&self, phase: Phase) {
        self.dispatch.dispatch(Action::Phase(phase));
    }

    fn say(&self, failure: Failure) {
        self.dispatch.dispatch(Action::Say(Word::Failure(failure)));
    }

    /// The phase that follows from what is under way.
    fn show_phase(&self) {
        let i = self.inner.borrow();
        let phase = match &i.current {
            _ if i.loading => Phase::Loading,
            None => Phase::Failed,
            Some(c) if i.step >= i.target_steps(c) => Phase::Finished,
            Some(_) if i.can_go() => Phase::Training,
            Some(_) => Phase::Paused,
        };
        drop(i);
        self.phase(phase);
    }

    /// The spec that the builder shows, which can be trained.
    pub fn want(self: &Rc<Self>, spec: Rc<Spec>) {
        let mut i = self.inner.borrow_mut();
        i.blocked = false;
        i.settle = None;
        let change = match &i.current {
            Some(c) if !i.loading => change::between(&c.spec, &spec, &c.info.hyper),
            _ => Change::Reload,
        };
        match change {
            Change::Reload => {
                i.wanted = Some(spec);
                let first = i.current.is_none();
                let this = self.clone();
                let settle = if first { 0 } else { SETTLE_MS };
                i.settle = Some(Timeout::new(settle, move || this.load_wanted()));
            }
            Change::None | Change::Live(_) => {
                i.wanted = None;
                let epochs = spec.train.epochs;
                if let Some(c) = &mut i.current {
                    let before = c.spec.train.epochs;
                    c.spec = spec;
                    if before != epochs {
                        i.retarget(epochs as u32);
                    }
                }
                drop(i);
                if let Change::Live(values) = change {
                    self.set(values);
                }
                self.resume();
            }
        }
    }

    /// The spec that the builder shows cannot be trained.
    pub fn block(self: &Rc<Self>) {
        let mut i = self.inner.borrow_mut();
        i.blocked = true;
        i.wanted = None;
        i.settle = None;
        drop(i);
        self.stop();
        self.show_phase();
    }

    pub fn play(self: &Rc<Self>) {
        let mut i = self.inner.borrow_mut();
        i.playing = true;
        if i.diverged {
            drop(i);
            self.reset();
            return;
        }
        if let Some(c) = &i.current {
            let done = i.step >= i.target_steps(c);
            let more = c.spec.train.epochs as u32;
            if done {
                i.target = i.target.saturating_add(more);
            }
        } else if !i.loading && !i.blocked {
            drop(i);
            self.load_wanted();
            return;
        }
        drop(i);
        self.resume();
    }

    pub fn pause(self: &Rc<Self>) {
        self.inner.borrow_mut().playing = false;
        self.stop();
        self.show_phase();
    }

    /// One step, then at rest.
    pub fn step(self: &Rc<Self>) {
        let mut i = self.inner.borrow_mut();
        if i.playing && (i.training || i.reset_next) {
            drop(i);
            self.pause();
            return;
        }
        let Some(c) = &i.current else { return };
        if i.training || i.loading || i.blocked {
            return;
        }
        let done = i.step >= i.target_steps(c);
        i.playing = false;
        if done {
            i.target += 1;
        }
        drop(i);
        self.train(Some(1));
    }

    /// Initial weights again.
    pub fn reset(self: &Rc<Self>) {
        let training = {
            let mut i = self.inner.borrow_mut();
            i.reset_next = true;
            i.training
        };
        if training {
            self.stop();
        } else {
            self.reset_now();
        }
    }

    pub fn set_speed(self: &Rc<Self>, steps_per_second: u32) {
        self.inner.borrow_mut().speed = steps_per_second;
        self.dispatch.dispatch(Action::Speed(steps_per_second));
        self.set(BTreeMap::from([(
            "stepsPerSecond".to_string(),
            f64::from(steps_per_second),
        )]));
    }

    /// The files behind a spec, if it has any.
    pub fn files_of(&self, spec: &Spec) -> Vec<web_sys::File> {
        match &spec.data.source {
            DataSource::Files { name, .. } => {
                let i = self.inner.borrow();
                i.files.get(name).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Sends a request whose answer does not matter.
    fn tell(self: &Rc<Self>, request: Request) {
        let Some(link) = self.inner.borrow().link.clone() else {
            return;
        };
        spawn_local(async move {
            if let Err(f) = link.call::<Value>(&request, Vec::new(), &[]).await {
                web_sys::console::debug_1(&f.message.into());
            }
        });
    }

    fn stop(self: &Rc<Self>) {
        let i = self.inner.borrow();
        if let (Some(c), true) = (&i.current, i.training) {
            let run = c.id;
            drop(i);
            self.tell(Request::Stop { run });
        }
    }

    fn set(self: &Rc<Self>, values: BTreeMap<String, f64>) {
        let i = self.inner.borrow();
        let (Some(c), Some(link)) = (&i.current, i.link.clone()) else {
            return;
        };
        let request = Request::Set { run: c.id, values };
        drop(i);
        let this = self.clone();
        spawn_local(async move {
            if let Err(f) = link.call::<Value>(&request, Vec::new(), &[]).await {
                this.say(f);
            }
        });
    }

    /// Trains on, if that is wanted and nothing is in the way.
    fn resume(self: &Rc<Self>) {
        let i = self.inner.borrow();
        let left = i.current.as_ref().map(|c| i.target_steps(c) > i.step);
        let go = i.can_go() && !i.training && !i.loading && !i.reset_next && left == Some(true);
        drop(i);
        if go {
            self.train(None);
        }
        self.show_phase();
    }

    fn train(self: &Rc<Self>, steps: Option<u32>) {
        let mut i = self.inner.borrow_mut();
        let (Some(c), Some(link)) = (&i.current, i.link.clone()) else {
            return;
        };
        let run = c.id;
        let left = i.target_steps(c) - i.step;
        i.training = true;
        drop(i);
        let request = Request::Train {
            run,
            steps: Some(steps.unwrap_or(left)),
            epochs: None,
        };
        let this = self.clone();
        spawn_local(async move {
            let outcome = link.call::<RunEnd>(&request, Vec::new(), &[]).await;
            this.trained(run, outcome.map(|(end, _)| end));
        });
    }

    fn trained(self: &Rc<Self>, run: RunId, outcome: Result<RunEnd, Failure>) {
        let mut i = self.inner.borrow_mut();
        if i.current.as_ref().map(|c| c.id) != Some(run) {
            return;
        }
        i.training = false;
        let (mut failed, mut told, mut sick) = (None, None, None);
        match outcome {
            Ok(end) => {
                i.step = end.step;
                i.live.step = end.step;
                i.live.epoch = end.epoch;
                match end.stopped {
                    Some(Stopped::Diverged) => {
                        i.diverged = true;
                        let layer = end.diverged.as_ref().and_then(|d| d.layer.clone());
                        sick = layer.map(AttrValue::from);
                        failed = Some(diverged(end.diverged));
                    }
                    Some(Stopped::EarlyStopping) => {
                        i.playing = false;
                        let args = vec![
                            ("epoch", end.epoch.to_string()),
                            ("best", end.best.unwrap_or(end.epoch).to_string()),
                        ];
                        told = Some(Word::Message("stopped-early", args));
                    }
                    Some(Stopped::Cancelled) | None => {}
                }
            }
            Err(f) => {
                i.playing = false;
                failed = (f.code != "cancelled").then_some(Word::Failure(f));
            }
        }
        let reset = i.reset_next;
        drop(i);
        if sick.is_some() {
            self.dispatch.dispatch(Action::Diverged(sick));
        }
        if let Some(word) = failed.or(told.take()) {
            self.dispatch.dispatch(Action::Say(word));
        }
        if reset {
            self.reset_now();
            return;
        }
        self.refresh();
        self.resume();
        if !self.inner.borrow().training {
            self.evaluate();
        }
    }

    fn reset_now(self: &Rc<Self>) {
        let i = self.inner.borrow();
        let (Some(c), Some(link)) = (&i.current, i.link.clone()) else {
            return;
        };
        let run = c.id;
        drop(i);
        let this = self.clone();
        spawn_local(async move {
            let request = Request::Reset { run, seed: None };
            let outcome = link.call::<RunInfo>(&request, Vec::new(), &[]).await;
            let mut i = this.inner.borrow_mut();
            i.reset_next = false;
            i.diverged = false;
            let (info, _) = match outcome {
                Ok(answer) => answer,
                Err(f) => {
                    drop(i);
                    return this.say(f);
                }
            };
            let Some(c) = i.current.as_mut().filter(|c| c.id == run) else {
                return;
            };
            c.info = Rc::new(info);
            let shown = c.info.clone();
            let epochs = c.spec.train.epochs as u32;
            i.step = shown.step;
            i.target = epochs;
            i.live.step = shown.step;
            i.live.epoch = 0;
            link.show(Some(&shown));
            drop(i);
            this.clear_history(&shown);
            this.dispatch.dispatch(Action::Settled);
            this.dispatch.dispatch(Action::Loaded(shown));
            this.refresh();
            this.resume();
            if !this.inner.borrow().training {
                this.evaluate();
            }
        });
    }
}

/// Where and when a run diverged, in a sentence.
fn diverged(at: Option<Divergence>) -> Word {
    let Some(Divergence { step, layer, part }) = at else {
        return Word::Trouble("diverged", Vec::new());
    };
    let step = ("step", (u64::from(step) + 1).to_string());
    let Some(layer) = layer else {
        return Word::Trouble("diverged-step", vec![step]);
    };
    let key = match part {
        DivergedIn::Outputs | DivergedIn::Loss => "diverged-outputs",
        DivergedIn::Gradient => "diverged-gradient",
        DivergedIn::Weights => "diverged-weights",
    };
    Word::Trouble(key, vec![step, ("layer", layer)])
}

impl Inner {
    fn target_steps(&self, c: &Current) -> u32 {
        self.target
            .saturating_mul(c.info.steps_per_epoch.max(1) as u32)
    }

    fn can_go(&self) -> bool {
        self.playing && !self.blocked && !self.diverged
    }

    /// Another number of epochs; a `Train` under way ends and begins anew with it.
    fn retarget(&mut self, epochs: u32) {
        self.target = epochs;
        if let (Some(c), Some(link), true) = (&self.current, self.link.clone(), self.training) {
            let run = c.id;
            spawn_local(async move {
                // It fails only when the run is gone, and then there is nothing to stop.
                let _ = link
                    .call::<Value>(&Request::Stop { run }, Vec::new(), &[])
                    .await;
            });
        }
    }
}
