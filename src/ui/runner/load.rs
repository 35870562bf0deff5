//! Bringing runs into the worker and letting go of them.
use super::super::data_panel::source_name;
use super::super::link::Link;
use super::super::numbers::count;
use super::super::reading::Share;
use super::super::store::{Action, Live, Phase, Word};
use super::{Current, Inner, Runner};
use crate::spec::{DataSource, Missing, Spec};
use crate::train::protocol::*;
use js_sys::ArrayBuffer;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

impl Runner {
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
                Err(f) if f.code == "cancelled" => {
                    let word = Word::Message("reading-cancelled", Vec::new());
                    this.dispatch.dispatch(Action::Say(word));
                }
                Err(f) => this.say(f),
                Ok((info, link)) => {
                    if let DataSource::Files {
                        name,
                        shape,
                        classes,
                        ..
                    } = &mut spec.data.source
                    {
                        // What it is before it is made one row.
                        *shape = match (info.data.image, info.data.shape.len()) {
                            (Some([h, w]), 1) if info.data.shape[0] == h * w => vec![h, w],
                            (Some([h, w]), 1) => vec![3, h, w],
                            _ => info.data.shape.clone(),
                        };
                        *classes = Some(info.data.classes.len()).filter(|n| *n > 0);
                        this.inner.borrow_mut().files.insert(name.clone(), files);
                    }
                    let missing = note_missing(&mut spec, &info);
                    let name = source_name(&spec.data.source);
                    let (train, test) = (info.data.train as u64, info.data.test as u64);
                    this.adopt(Rc::new(spec.clone()), info, link);
                    this.dispatch.dispatch(Action::Settled);
                    this.dispatch.dispatch(Action::Open(Box::new(spec)));
                    let key = if changed {
                        "files-opened-fitted"
                    } else {
                        "files-opened"
                    };
                    let args = vec![
                        ("name", name),
                        ("train", count(train)),
                        ("test", count(test)),
                    ];
                    this.dispatch
                        .dispatch(Action::Say(Word::Message(key, args)));
                    if let Some(word) = missing {
                        this.dispatch.dispatch(Action::Say(word));
                    }
                }
            }
        });
    }

    /// Gives up the reading of files that is under way.
    pub fn cancel_reading(&self) {
        let Some((link, run)) = self.inner.borrow().bringing.clone() else {
            return;
        };
        spawn_local(async move {
            // The load itself says how it ended.
            let request = Request::CancelLoad { run };
            let _ = link
                .call::<serde_json::Value>(&request, Vec::new(), &[])
                .await;
        });
    }

    /// What the run trains, its step and its epoch; None without a run.
    pub fn standing(&self) -> Option<(Rc<Spec>, u32, u32)> {
        let i = self.inner.borrow();
        let c = i.current.as_ref()?;
        Some((c.spec.clone(), i.live.step, i.live.epoch))
    }

    /// A checkpoint of the run.
    pub async fn state(self: &Rc<Self>) -> Option<ArrayBuffer> {
        let (link, run) = {
            let i = self.inner.borrow();
            (i.link.clone()?, i.current.as_ref()?.id)
        };
        let request = Request::Checkpoint { run };
        let answer = link.call::<serde_json::Value>(&request, Vec::new(), &[]);
        answer.await.ok()?.1.into_iter().next()
    }

    /// Takes the run of a checkpoint, which trains `spec`, as the page's, and trains on.
    pub async fn go_on(self: &Rc<Self>, spec: &Spec, state: ArrayBuffer) {
        let run = {
            let mut i = self.inner.borrow_mut();
            i.settle = None;
            i.wanted = None;
            self.next_id(&mut i)
        };
        let request = |options| Request::Resume { run, options };
        match self.bring(spec, run, request, vec![state], &[]).await {
            Ok((info, link)) => {
                let spec = info.spec.clone();
                self.stop();
                self.adopt(Rc::new(spec.clone()), info, link);
                self.dispatch.dispatch(Action::Settled);
                self.dispatch.dispatch(Action::Open(Box::new(spec)));
                self.play();
            }
            Err(f) => self.say(f),
        }
    }

    pub(super) async fn load(
        self: &Rc<Self>,
        spec: &Spec,
        files: &[web_sys::File],
    ) -> Result<(RunInfo, Link), Failure> {
        let run = self.next_id(&mut self.inner.borrow_mut());
        let request = |options| Request::Load {
            run,
            spec: crate::json::value(spec),
            options,
        };
        match self.bring(spec, run, request, Vec::new(), files).await {
            Err(failure) if self.gpu_refused(&failure) => {
                self.not_chosen("backend-choice-refused");
                self.bring(spec, run, request, Vec::new(), files).await
            }
            other => other,
        }
    }

    pub(super) fn next_id(&self, inner: &mut Inner) -> RunId {
        inner.last_id += 1;
        inner.last_id
    }

    /// A worker for the visitor's choice, or for none where that needs a GPU which is not there.
    async fn connect(&self, spec: &Spec) -> Result<(BackendChoice, Link), Failure> {
        let backend = self.inner.borrow().backend;
        match Link::connect(spec, backend).await {
            Err(failure) if failure.code == "no-webgpu" && backend == BackendChoice::Webgpu => {
                self.not_chosen("backend-choice-gone");
                let link = Link::connect(spec, BackendChoice::Auto).await?;
                Ok((BackendChoice::Auto, link))
            }
            other => Ok((backend, other?)),
        }
    }

    /// The choice of WebGPU gives way to the automatic one, with a word on why.
    pub(super) fn not_chosen(&self, why: &'static str) {
        let word = Word::Message(why, Vec::new());
        self.dispatch.dispatch(Action::Say(word));
        self.inner.borrow_mut().backend = BackendChoice::Auto;
        self.dispatch.dispatch(Action::Backend(BackendChoice::Auto));
    }

    /// Whether a failure is that of the graphics device that the visitor chose.
    pub(super) fn gpu_refused(&self, failure: &Failure) -> bool {
        failure.of_device() && self.inner.borrow().backend == BackendChoice::Webgpu
    }

    /// Asks for a run of a worker that suits the spec, which is let go again if none comes of it.
    pub(super) async fn bring(
        &self,
        spec: &Spec,
        run: RunId,
        request: impl FnOnce(LoadOptions) -> Request,
        buffers: Vec<ArrayBuffer>,
        files: &[web_sys::File],
    ) -> Result<(RunInfo, Link), Failure> {
        let (backend, link) = self.connect(spec).await?;
        let request = request(link.options(backend, files));
        let follow = {
            let dispatch = self.dispatch.clone();
            link.on_event(move |event, _| match event {
                Event::Reading {
                    run: r,
                    read,
                    total,
                    prepared,
                } if r == run => {
                    let share = Share {
                        read,
                        total,
                        prepared,
                    };
                    dispatch.dispatch(Action::Reading(Some(share)));
                }
                _ => {}
            })
        };
        self.inner.borrow_mut().bringing = Some((link.clone(), run));
        let outcome = link.call(&request, buffers, files).await;
        drop(follow);
        self.inner.borrow_mut().bringing = None;
        self.dispatch.dispatch(Action::Reading(None));
        match outcome {
            Ok((info, _)) => Ok((info, link)),
            Err(failure) => {
                if self.inner.borrow().link.as_ref() != Some(&link) {
                    link.leave();
                }
                Err(failure)
            }
        }
    }

    /// Listens to this worker from now on; one of another build is given back.
    pub(super) fn follow(self: &Rc<Self>, link: Link) {
        if self.inner.borrow().link.as_ref() == Some(&link) {
            return;
        }
        let this = Rc::downgrade(self);
        let subscription = link.on_event(move |event, buffers| {
            if let Some(this) = this.upgrade() {
                this.event(event, buffers);
            }
        });
        let mut i = self.inner.borrow_mut();
        i.subscription = Some(subscription);
        let old = i.link.replace(link.clone());
        drop(i);
        if let Some(old) = old {
            old.leave();
        }
        self.dispatch.dispatch(Action::Connected(link));
    }

    pub(super) fn load_wanted(self: &Rc<Self>) {
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
                let files = this.files_of(&spec);
                let outcome = this.load(&spec, &files).await;
                this.inner.borrow_mut().loading = false;
                match outcome {
                    Ok((info, link)) => {
                        this.dispatch.dispatch(Action::Settled);
                        this.adopt(spec, info, link);
                    }
                    // What is there stays, and the builder shows it again.
                    Err(f) if f.code == "cancelled" && this.standing().is_some() => {
                        if let Some((spec, ..)) = this.standing() {
                            let open = Action::Open(Box::new((*spec).clone()));
                            this.dispatch.dispatch(open);
                        }
                        this.resume();
                    }
                    Err(failure) => {
                        this.stop();
                        this.let_go();
                        this.say(failure);
                    }
                }
            }
            this.show_phase();
            this.choose_again();
        });
    }

    /// Takes a loaded run as the page's.
    pub(super) fn adopt(self: &Rc<Self>, spec: Rc<Spec>, info: RunInfo, link: Link) {
        let info = Rc::new(info);
        self.let_go();
        self.follow(link);
        self.clear_history(&info);
        let mut i = self.inner.borrow_mut();
        i.target = spec.train.epochs as u32;
        i.step = info.step;
        i.training = false;
        i.reset_next = false;
        i.diverged = false;
        i.live = Live {
            step: info.step,
            epoch: info.step / info.steps_per_epoch.max(1) as u32,
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
    pub(super) fn let_go(self: &Rc<Self>) {
        let gone = self.inner.borrow_mut().current.take();
        if let Some(c) = gone {
            if let Some(link) = &self.inner.borrow().link {
                link.show(None);
            }
            self.tell(Request::Dispose { run: c.id });
        }
    }
}

/// Writes into the spec what was done about missing cells, so that it stays so; what is to be said of it.
fn note_missing(spec: &mut Spec, info: &RunInfo) -> Option<Word> {
    let cells = info.data.missing.as_ref()?;
    let filled = || cells.columns.iter().filter(|c| c.with != Missing::Drop);
    for c in filled() {
        let known = spec.data.missing.entry(c.column.clone());
        known.or_insert(c.with);
    }
    let n = filled().map(|c| c.cells).sum::<usize>();
    let args = vec![
        ("filled", count(n as u64)),
        ("dropped", count(cells.dropped as u64)),
        ("empty", count(cells.empty.len() as u64)),
    ];
    Some(Word::Message("files-missing", args))
}
