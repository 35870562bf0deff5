//! Drives the worker for the page: loads what the builder shows, trains, pauses, follows
//! along. It holds the truth about the run; the store shows it.
use super::change::{self, Change};
use super::link::{Link, Subscription};
use super::plot::History;
use super::store::{Action, Dispatch, Live, Phase, Score, Word};
use crate::spec::{DataSource, Spec};
use crate::train::protocol::*;
use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::timers::callback::Timeout;
use js_sys::Float32Array;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

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
    /// A `Train` request is under way.
    training: bool,
    reset_next: bool,
    /// The losses are no numbers any more; only new weights help.
    diverged: bool,
    /// Epochs after which it is done.
    target: u32,
    step: u32,
    speed: u32,
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
}

impl Runner {
    pub fn new(dispatch: Dispatch) -> Rc<Runner> {
        Rc::new(Runner {
            inner: RefCell::new(Inner {
                playing: true,
                ..Inner::default()
            }),
            dispatch,
            history: Rc::default(),
        })
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
        if i.playing {
            drop(i);
            self.pause();
            return;
        }
        let Some(c) = &i.current else { return };
        if i.training || i.loading || i.blocked {
            return;
        }
        if i.step >= i.target_steps(c) {
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

    /// Loads a spec with files that the visitor brought, and leaves the run as it was if that
    /// fails. `adapt` may change the spec by what was wrong, and says whether it did.
    pub fn open(
        self: &Rc<Self>,
        mut spec: Spec,
        files: Vec<web_sys::File>,
        adapt: impl Fn(&mut Spec, &Failure) -> bool + 'static,
    ) {
        let this = self.clone();
        this.dispatch.dispatch(Action::Opening(true));
        spawn_local(async move {
            let mut changed = false;
            let outcome = loop {
                match this.load(&spec, &files).await {
                    Err(f) if adapt(&mut spec, &f) => changed = true,
                    outcome => break outcome,
                }
            };
            this.dispatch.dispatch(Action::Opening(false));
            match outcome {
                Err(f) => this.say(f),
                Ok(info) => {
                    if let DataSource::Files {
                        name,
                        shape,
                        classes,
                        ..
                    } = &mut spec.data.source
                    {
                        *shape = info.data.shape.clone();
                        *classes = Some(info.data.classes.len()).filter(|n| *n > 0);
                        this.inner.borrow_mut().files.insert(name.clone(), files);
                    }
                    let name = info.data.name.clone();
                    let (train, test) = (info.data.train as u64, info.data.test as u64);
                    this.adopt(Rc::new(spec.clone()), info);
                    this.dispatch.dispatch(Action::Settled);
                    this.dispatch.dispatch(Action::Open(Box::new(spec)));
                    let key = if changed {
                        "files-opened-fitted"
                    } else {
                        "files-opened"
                    };
                    let args = vec![
                        ("name", name),
                        ("train", super::numbers::count(train)),
                        ("test", super::numbers::count(test)),
                    ];
                    this.dispatch
                        .dispatch(Action::Say(Word::Message(key, args)));
                }
            }
        });
    }

    /// The connected worker; a new one if it has crashed.
    async fn link(self: &Rc<Self>) -> Result<Link, Failure> {
        let link = Link::connect().await?;
        if self.inner.borrow().link.as_ref() == Some(&link) {
            return Ok(link);
        }
        let this = Rc::downgrade(self);
        let subscription = link.on_event(move |event, buffers| {
            if let Some(this) = this.upgrade() {
                this.event(event, buffers);
            }
        });
        let mut i = self.inner.borrow_mut();
        i.link = Some(link.clone());
        i.subscription = Some(subscription);
        drop(i);
        self.dispatch.dispatch(Action::Connected(link.clone()));
        Ok(link)
    }

    async fn load(
        self: &Rc<Self>,
        spec: &Spec,
        files: &[web_sys::File],
    ) -> Result<RunInfo, Failure> {
        let link = self.link().await?;
        let run = {
            let mut i = self.inner.borrow_mut();
            i.last_id += 1;
            i.last_id
        };
        let request = Request::Load {
            run,
            spec: serde_json::to_value(spec).unwrap_or(Value::Null),
            options: LoadOptions {
                files: !files.is_empty(),
                ..LoadOptions::default()
            },
        };
        Ok(link.call(&request, Vec::new(), files).await?.0)
    }

    fn load_wanted(self: &Rc<Self>) {
        if self.inner.borrow().loading {
            return;
        }
        let this = self.clone();
        spawn_local(async move {
            loop {
                let next = this.inner.borrow_mut().wanted.take();
                let Some(spec) = next else { break };
                this.inner.borrow_mut().loading = true;
                this.phase(Phase::Loading);
                this.stop();
                let files = match &spec.data.source {
                    DataSource::Files { name, .. } => {
                        let i = this.inner.borrow();
                        i.files.get(name).cloned().unwrap_or_default()
                    }
                    _ => Vec::new(),
                };
                let outcome = this.load(&spec, &files).await;
                this.inner.borrow_mut().loading = false;
                match outcome {
                    Ok(info) => {
                        this.dispatch.dispatch(Action::Settled);
                        this.adopt(spec, info);
                    }
                    Err(failure) => {
                        this.stop();
                        this.let_go();
                        this.say(failure);
                    }
                }
            }
            this.show_phase();
        });
    }

    /// Takes a loaded run as the page's.
    fn adopt(self: &Rc<Self>, spec: Rc<Spec>, info: RunInfo) {
        let info = Rc::new(info);
        self.let_go();
        {
            let mut history = self.history.borrow_mut();
            history.clear();
            history.set_steps_per_epoch(info.steps_per_epoch);
        }
        let mut i = self.inner.borrow_mut();
        i.target = spec.train.epochs as u32;
        i.step = info.step;
        i.training = false;
        i.reset_next = false;
        i.diverged = false;
        i.live = Live {
            step: info.step,
            version: i.live.version + 1,
            ..Live::default()
        };
        i.current = Some(Current {
            id: info.run,
            spec,
            info: info.clone(),
        });
        let (live, speed) = (i.live, i.speed);
        if let Some(link) = &i.link {
            link.show(Some(&info));
        }
        drop(i);
        self.dispatch.dispatch(Action::Loaded(info));
        self.dispatch.dispatch(Action::Live(live));
        if speed > 0 {
            self.set_speed(speed);
        }
        self.resume();
        if !self.inner.borrow().training {
            self.evaluate();
        }
    }

    /// Disposes of the page's run.
    fn let_go(self: &Rc<Self>) {
        let gone = self.inner.borrow_mut().current.take();
        if let Some(c) = gone {
            if let Some(link) = &self.inner.borrow().link {
                link.show(None);
            }
            self.tell(Request::Dispose { run: c.id });
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
        let mut failed = None;
        match outcome {
            Ok(end) => {
                i.step = end.step;
                i.live.step = end.step;
                i.live.epoch = end.epoch;
                match end.stopped {
                    Some(Stopped::Diverged) => {
                        i.diverged = true;
                        failed = Some(Word::Trouble("diverged", Vec::new()));
                    }
                    Some(Stopped::EarlyStopping) => i.playing = false,
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
        if let Some(word) = failed {
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
            this.history.borrow_mut().clear();
            this.dispatch.dispatch(Action::Loaded(shown));
            this.refresh();
            this.resume();
            if !this.inner.borrow().training {
                this.evaluate();
            }
        });
    }

    fn event(self: &Rc<Self>, event: Event, buffers: Vec<js_sys::ArrayBuffer>) {
        let mut i = self.inner.borrow_mut();
        let current = i.current.as_ref().map(|c| (c.id, c.info.clone()));
        let mine = |run: RunId| current.as_ref().is_some_and(|(id, _)| *id == run);
        match event {
            Event::Tick {
                run,
                first,
                steps,
                epoch,
                samples_per_second,
                ..
            } if mine(run) && !i.reset_next => {
                let (Some((_, info)), Some(buffer)) = (&current, buffers.first()) else {
                    return;
                };
                let rows = Float32Array::new(buffer).to_vec();
                self.history.borrow_mut().push(&info.columns, &rows, first);
                i.live.step = first + steps;
                i.live.epoch = epoch;
                i.live.samples_per_second = samples_per_second;
                drop(i);
                self.refresh();
            }
            Event::Epoch {
                run,
                epoch,
                step,
                validation,
            } if mine(run) && !i.reset_next => {
                i.live.epoch = epoch;
                drop(i);
                if let Some(e) = validation {
                    self.history.borrow_mut().push_epoch(epoch, step, e);
                }
                self.refresh();
                self.evaluate();
            }
            // Run 0 stands for the worker itself.
            Event::Fault { run, failure } if mine(run) || run == 0 => {
                i.playing = false;
                i.training = false;
                if i.link.is_some() && failure.code != "diverged" {
                    i.wanted = i.current.as_ref().map(|c| c.spec.clone());
                    i.current = None;
                }
                drop(i);
                self.say(failure);
                self.show_phase();
            }
            Event::Backend { run, backend, why } if mine(run) => {
                if let Some(c) = &mut i.current {
                    let mut info = (*c.info).clone();
                    info.backend = backend;
                    info.why = why;
                    c.info = Rc::new(info);
                    let shown = c.info.clone();
                    drop(i);
                    self.dispatch.dispatch(Action::Info(shown));
                }
            }
            _ => {}
        }
    }

    /// Shows the live figures with the next frame.
    fn refresh(self: &Rc<Self>) {
        let mut i = self.inner.borrow_mut();
        if i.frame.is_some() {
            return;
        }
        let this = self.clone();
        i.frame = Some(request_animation_frame(move |_| {
            let live = {
                let mut i = this.inner.borrow_mut();
                i.frame = None;
                i.live.version += 1;
                i.live
            };
            this.dispatch.dispatch(Action::Live(live));
        }));
    }

    /// Brings the large figure up to date; what asks meanwhile is answered by one more.
    fn evaluate(self: &Rc<Self>) {
        let mut i = self.inner.borrow_mut();
        if i.evaluating {
            i.evaluate_again = true;
            return;
        }
        let (Some(c), Some(link)) = (&i.current, i.link.clone()) else {
            return;
        };
        let run = c.id;
        let data = &c.info.data;
        let part = match (data.test, data.validation) {
            (1.., _) => Part::Test,
            (_, 1..) => Part::Validation,
            _ => Part::Train,
        };
        i.evaluating = true;
        i.evaluate_again = false;
        drop(i);
        let this = self.clone();
        spawn_local(async move {
            let request = Request::Evaluate { run, part };
            let outcome = link.call::<Evaluation>(&request, Vec::new(), &[]).await;
            let mine = {
                let i = this.inner.borrow();
                i.current.as_ref().is_some_and(|c| c.id == run) && !i.reset_next
            };
            match outcome {
                Ok((evaluation, _)) if mine => {
                    this.dispatch
                        .dispatch(Action::Score(Score { part, evaluation }));
                }
                Err(f) if mine => this.say(f),
                _ => {}
            }
            let next = this.clone();
            this.inner.borrow_mut().pause = Some(Timeout::new(EVALUATE_MS, move || {
                let again = {
                    let mut i = next.inner.borrow_mut();
                    i.evaluating = false;
                    i.evaluate_again
                };
                if again {
                    next.evaluate();
                }
            }));
        });
    }
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
