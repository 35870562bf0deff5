//! The page's state in one place. The spec is the one source of truth: panels show it and
//! dispatch edits of it; what the worker reports lies beside it.
use super::i18n::{failure_text, t_args};
use super::link::Link;
use super::reading::Share;
use crate::graph;
use crate::spec::{Problem, Spec, presets};
use crate::train::protocol::{BackendChoice, CheckReport, Evaluation, Failure, Part, RunInfo};
use std::rc::Rc;
use yew::prelude::*;

/// Where the page stands with its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The worker has not answered yet.
    Connecting,
    /// The worker prepares the run.
    Loading,
    Paused,
    Training,
    /// All epochs are done.
    Finished,
    /// There is no run; a notice says why.
    Failed,
}

/// What changes while it trains.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Live {
    pub step: u32,
    pub epoch: u32,
    pub samples_per_second: f64,
    /// Grows with each change of the history, of the weights or of both.
    pub version: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    pub part: Part,
    pub evaluation: Evaluation,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    Failure(Failure),
    /// A message of the catalogue and its arguments.
    Message(&'static str, Vec<(&'static str, String)>),
    /// The same, of something that went wrong.
    Trouble(&'static str, Vec<(&'static str, String)>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub id: u32,
    pub word: Word,
}

impl Notice {
    pub fn is_error(&self) -> bool {
        !matches!(self.word, Word::Message(..))
    }

    pub fn text(&self) -> String {
        match &self.word {
            Word::Failure(f) => failure_text(f),
            Word::Message(key, args) | Word::Trouble(key, args) => {
                let args: Vec<_> = args.iter().map(|(k, v)| (*k, v.clone().into())).collect();
                t_args(key, &args)
            }
        }
    }
}

/// The last run that trained for an epoch, before the present one.
#[derive(Clone, PartialEq)]
pub struct Before {
    pub spec: Rc<Spec>,
    pub params: usize,
}

/// Brings a run back that was left: whether by undo (else redo), and the spec that it trains
/// where there is no run.
pub type Bring = Callback<(bool, Rc<Spec>)>;

/// A step of the way back.
#[derive(Clone, PartialEq)]
enum Past {
    Spec(Rc<Spec>),
    /// With its run, for what was put in its place did not come from an edit.
    Run(Rc<Spec>, Bring),
}

impl Past {
    fn spec(&self) -> Rc<Spec> {
        match self {
            Past::Spec(spec) | Past::Run(spec, _) => spec.clone(),
        }
    }
}

#[derive(Clone, PartialEq)]
pub struct State {
    pub spec: Rc<Spec>,
    /// The engine's own check of `spec`.
    pub report: Rc<CheckReport>,
    /// Layer that the builder has open and the look inside shows.
    pub selected: Option<AttrValue>,
    pub link: Option<Link>,
    pub phase: Phase,
    pub info: Option<Rc<RunInfo>>,
    pub before: Option<Before>,
    pub live: Live,
    pub score: Option<Rc<Score>>,
    pub notices: Vec<Notice>,
    /// Steps per second; 0 is as fast as possible.
    pub speed: u32,
    /// The visitor's choice.
    pub backend: BackendChoice,
    /// Layer in which the run diverged.
    pub diverged: Option<AttrValue>,
    /// A file is being read.
    pub opening: bool,
    /// How far that is, where it lasts.
    pub reading: Option<Share>,
    past: Vec<Past>,
    future: Vec<Past>,
    /// What the last edit was about, and when; edits in quick succession undo as one.
    last_edit: Option<(&'static str, f64)>,
    next_notice: u32,
}

const UNDO: usize = 200;
/// Of these so many have their runs, whose weights take memory.
const RUNS: usize = 4;
const SAME_EDIT_MS: f64 = 1500.0;

type EditFn = Box<dyn FnOnce(&mut Spec)>;

pub enum Action {
    /// An edit under a name; quick successions of one name undo together, of "" never.
    Edit(&'static str, EditFn),
    /// Another spec altogether.
    Open(Box<Spec>),
    /// The same with a run of its own, in place of one that can be brought back.
    Replace(Box<Spec>, Bring),
    /// A run that was left is back, by undo or redo; the other can be brought back in turn.
    Returned(Rc<Spec>, Bring, bool),
    Undo,
    Redo,
    Select(Option<AttrValue>),
    Connected(Link),
    Phase(Phase),
    Loaded(Rc<RunInfo>),
    /// The backend or another fact of the run changed.
    Info(Rc<RunInfo>),
    Live(Live),
    Score(Score),
    Diverged(Option<AttrValue>),
    Opening(bool),
    Reading(Option<Share>),
    Say(Word),
    Dismiss(u32),
    /// Takes back the notices of earlier failures.
    Settled,
    Speed(u32),
    Backend(BackendChoice),
}

/// Steps per second at first: a small network would else be done before anybody has looked.
pub const WATCHABLE: u32 = 300;

pub type Dispatch = UseReducerDispatcher<State>;

impl State {
    pub fn new(spec: Spec) -> State {
        let report = Rc::new(check(&spec));
        State {
            selected: None,
            spec: Rc::new(spec),
            report,
            link: None,
            phase: Phase::Connecting,
            info: None,
            before: None,
            live: Live::default(),
            score: None,
            notices: Vec::new(),
            speed: WATCHABLE,
            backend: super::remember::backend(),
            diverged: None,
            opening: false,
            reading: None,
            past: Vec::new(),
            future: Vec::new(),
            last_edit: None,
            next_notice: 1,
        }
    }

    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Whether the spec differs from the preset that it came from.
    pub fn edited(&self) -> bool {
        presets::find(&self.spec.name).is_none_or(|p| p != *self.spec)
    }

    fn keep_past(&mut self, name: Option<&'static str>) {
        let now = js_sys::Date::now();
        let same = match (self.last_edit, name) {
            (Some((n, at)), Some(name)) => n == name && !name.is_empty() && now - at < SAME_EDIT_MS,
            _ => false,
        };
        if !same {
            self.push(Past::Spec(self.spec.clone()));
        }
        self.future.clear();
        self.last_edit = name.map(|n| (n, now));
    }

    fn push(&mut self, past: Past) {
        self.past.push(past);
        if self.past.len() > UNDO {
            self.past.remove(0);
        }
        let runs = |p: &&mut Past| matches!(p, Past::Run(..));
        for old in self.past.iter_mut().rev().filter(runs).skip(RUNS) {
            *old = Past::Spec(old.spec());
        }
    }

    fn put(&mut self, spec: Rc<Spec>) {
        self.report = Rc::new(check(&spec));
        let gone = |id: &AttrValue| !spec.layers.iter().any(|l| l.id == **id);
        if self.selected.as_ref().is_some_and(gone) {
            self.selected = None;
        }
        self.spec = spec;
    }

    fn say(&mut self, word: Word) {
        // The same word again only moves to the end.
        self.notices.retain(|n| n.word != word);
        self.notices.push(Notice {
            id: self.next_notice,
            word,
        });
        self.next_notice += 1;
    }
}

/// The engine's own check, with the shapes that the data are known to have.
pub fn check(spec: &Spec) -> CheckReport {
    graph::check(spec, spec.data.shape().as_ref())
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut s = Rc::unwrap_or_clone(self);
        match action {
            Action::Edit(name, edit) => {
                let mut spec = (*s.spec).clone();
                edit(&mut spec);
                if spec != *s.spec {
                    s.keep_past(Some(name));
                    s.put(Rc::new(spec));
                }
            }
            Action::Open(spec) => {
                if *spec != *s.spec {
                    s.keep_past(None);
                    s.selected = None;
                    s.put(Rc::new(*spec));
                }
            }
            Action::Replace(spec, bring) => {
                let old = s.spec.clone();
                s.push(Past::Run(old, bring));
                s.future.clear();
                s.last_edit = None;
                s.selected = None;
                s.put(Rc::new(*spec));
            }
            Action::Returned(spec, bring, undone) => {
                let left = Past::Run(s.spec.clone(), bring);
                match undone {
                    true => s.future.push(left),
                    false => s.push(left),
                }
                s.last_edit = None;
                s.put(spec);
            }
            Action::Undo => match s.past.pop() {
                Some(Past::Spec(spec)) => {
                    s.future.push(Past::Spec(s.spec.clone()));
                    s.last_edit = None;
                    s.put(spec);
                }
                Some(Past::Run(spec, bring)) => later(bring, true, spec),
                None => {}
            },
            Action::Redo => match s.future.pop() {
                Some(Past::Spec(spec)) => {
                    let old = s.spec.clone();
                    s.push(Past::Spec(old));
                    s.last_edit = None;
                    s.put(spec);
                }
                Some(Past::Run(spec, bring)) => later(bring, false, spec),
                None => {}
            },
            Action::Select(id) => s.selected = id,
            Action::Connected(link) => s.link = Some(link),
            Action::Phase(phase) => s.phase = phase,
            Action::Loaded(info) => {
                let old = s.info.take().filter(|old| old.spec != info.spec);
                if let Some(old) = old.filter(|_| s.live.epoch > 0) {
                    s.before = Some(Before {
                        spec: Rc::new(old.spec.clone()),
                        params: old.params,
                    });
                }
                s.info = Some(info);
                s.score = None;
                s.diverged = None;
            }
            Action::Info(info) => s.info = Some(info),
            Action::Live(live) => s.live = live,
            Action::Score(score) => s.score = Some(Rc::new(score)),
            Action::Diverged(layer) => s.diverged = layer,
            Action::Opening(on) => s.opening = on,
            Action::Reading(share) => s.reading = share,
            Action::Say(word) => s.say(word),
            Action::Dismiss(id) => s.notices.retain(|n| n.id != id),
            Action::Settled => s.notices.retain(|n| !n.is_error()),
            Action::Speed(speed) => s.speed = speed,
            Action::Backend(backend) => s.backend = backend,
        }
        Rc::new(s)
    }
}

/// Outside the reducer, which answers at once.
fn later(bring: Bring, undo: bool, spec: Rc<Spec>) {
    wasm_bindgen_futures::spawn_local(async move { bring.emit((undo, spec)) });
}

/// The right to edit the spec, handed to panels.
#[derive(Clone, PartialEq)]
pub struct Edit(pub Dispatch);

impl Edit {
    pub fn apply(&self, name: &'static str, f: impl FnOnce(&mut Spec) + 'static) {
        self.0.dispatch(Action::Edit(name, Box::new(f)));
    }

    /// A callback that writes its value into the spec.
    pub fn with<T: 'static>(
        &self,
        name: &'static str,
        f: impl Fn(&mut Spec, T) + Clone + 'static,
    ) -> Callback<T> {
        let edit = self.clone();
        Callback::from(move |value: T| {
            let f = f.clone();
            edit.apply(name, move |spec| f(spec, value));
        })
    }
}

/// The first problem of a field; `layer` is None for fields of the data and the training.
pub fn problem_at<'a>(
    report: &'a CheckReport,
    layer: Option<&str>,
    field: &str,
) -> Option<&'a Problem> {
    report
        .errors
        .iter()
        .find(|p| p.layer.as_deref() == layer && p.field.as_deref() == Some(field))
}
