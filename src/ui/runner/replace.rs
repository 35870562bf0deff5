//! Runs that begin in a file, and the way back to the run that stood in their place.
use super::super::store::{Action, Bring};
use super::Runner;
use crate::plotting::History;
use crate::spec::{DataSource, Spec};
use crate::train::project::{KeptRun, Project};
use crate::train::protocol::*;
use crate::ui::plot::runs as plot_runs;
use js_sys::ArrayBuffer;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// What a run begins with.
pub enum Start {
    /// A checkpoint, and how it came there.
    State(ArrayBuffer, Box<History>),
    /// A file of weights, at step 0.
    Weights(ArrayBuffer),
    /// Nothing but its own seed.
    Fresh,
}

/// Where the page stood with a run.
struct Point {
    spec: Rc<Spec>,
    state: Option<ArrayBuffer>,
    course: History,
}

impl Runner {
    /// Where the page stands, at rest. The state is absent where there is no run.
    async fn point(self: &Rc<Self>) -> Option<Point> {
        let state = self.state().await;
        let (spec, ..) = self.standing()?;
        Some(Point {
            spec,
            state,
            course: self.history.borrow().clone(),
        })
    }

    /// Takes a run of `spec` as the page's, at rest; undo brings back the run of now with its
    /// network. If that fails, all is as it was. `files`: its data, where they are the visitor's.
    pub async fn replace(
        self: &Rc<Self>,
        spec: Spec,
        start: Start,
        files: Vec<web_sys::File>,
    ) -> Result<(), Failure> {
        let playing = self.inner.borrow().playing;
        self.pause();
        let point = self.point().await;
        let outcome = self.bring_in(&spec, start, &files).await;
        let spec = match outcome {
            Ok(spec) => spec,
            Err(failure) => {
                if playing {
                    self.play();
                }
                return Err(failure);
            }
        };
        if let (DataSource::Files { name, .. }, false) = (&spec.data.source, files.is_empty()) {
            let mut i = self.inner.borrow_mut();
            i.files.insert(name.clone(), files);
        }
        let back = self.way_to(point);
        self.dispatch.dispatch(Action::Settled);
        self.dispatch
            .dispatch(Action::Replace(Box::new(spec), back));
        Ok(())
    }

    /// Loads a run and takes it as the page's, without play. What it trains.
    async fn bring_in(
        self: &Rc<Self>,
        spec: &Spec,
        start: Start,
        files: &[web_sys::File],
    ) -> Result<Spec, Failure> {
        let run = self.next_id(&mut self.inner.borrow_mut());
        let own = self.files_of(spec);
        let files = if files.is_empty() { &own } else { files };
        let json = crate::json::value(spec);
        let ((info, link), course) = match start {
            Start::State(state, course) => {
                let request = |options| Request::Resume { run, options };
                let brought = self.bring(spec, run, request, vec![state], files).await?;
                (brought, Some(course))
            }
            Start::Weights(file) => {
                let request = |options| Request::Load {
                    run,
                    spec: json,
                    options: LoadOptions {
                        weights: Some(0),
                        ..options
                    },
                };
                (
                    self.bring(spec, run, request, vec![file], files).await?,
                    None,
                )
            }
            Start::Fresh => {
                let request = |options| Request::Load {
                    run,
                    spec: json,
                    options,
                };
                (
                    self.bring(spec, run, request, Vec::new(), files).await?,
                    None,
                )
            }
        };
        {
            let mut i = self.inner.borrow_mut();
            i.settle = None;
            i.wanted = None;
            i.playing = false;
            i.blocked = false;
        }
        let spec = info.spec.clone();
        let steps_per_epoch = info.steps_per_epoch;
        self.adopt(Rc::new(spec.clone()), info, link);
        if let Some(course) = course {
            let mut history = self.history.borrow_mut();
            history.replace(*course);
            history.set_steps_per_epoch(steps_per_epoch);
            drop(history);
            self.refresh();
        }
        Ok(spec)
    }

    /// What brings a point back.
    fn way_to(self: &Rc<Self>, point: Option<Point>) -> Bring {
        let (this, point) = (self.clone(), Rc::new(point));
        Bring::from(move |(undo, spec): (bool, Rc<Spec>)| {
            let (this, point) = (this.clone(), point.clone());
            spawn_local(async move { this.go_back(&point, undo, spec).await });
        })
    }

    async fn go_back(self: &Rc<Self>, point: &Option<Point>, undo: bool, shown: Rc<Spec>) {
        self.pause();
        let left = self.point().await;
        let (spec, start) = match point {
            Some(p) => {
                // The one that is kept may be wanted again.
                let start = match &p.state {
                    Some(state) => Start::State(state.slice(0), Box::new(p.course.clone())),
                    None => Start::Fresh,
                };
                (p.spec.clone(), start)
            }
            None => (shown, Start::Fresh),
        };
        // A network that cannot train has no run to bring.
        if crate::ui::store::check(&spec).ok
            && let Err(failure) = self.bring_in(&spec, start, &[]).await
        {
            return self.say(failure);
        }
        self.dispatch.dispatch(Action::Settled);
        let back = self.way_to(left);
        self.dispatch.dispatch(Action::Returned(spec, back, undo));
    }

    /// What a project file of this page holds, and the state of its run where it trains the network
    /// that the builder shows.
    pub async fn project(self: &Rc<Self>, shown: &Rc<Spec>) -> (Project, Option<ArrayBuffer>) {
        let playing = self.inner.borrow().playing;
        self.pause();
        let point = self.point().await;
        let (_, step, epoch) = self.standing().unwrap_or((shown.clone(), 0, 0));
        if playing {
            self.play();
        }
        let point = point.filter(|p| p.spec == *shown);
        let (course, state) = match point {
            Some(p) => (p.course, p.state),
            None => (History::default(), None),
        };
        let here = state.is_some();
        let project = Project {
            spec: (**shown).clone(),
            step: if here { step } else { 0 },
            epoch: if here { epoch } else { 0 },
            course,
            runs: (self.kept.borrow().iter())
                .map(|k| KeptRun {
                    name: k.name.clone().unwrap_or_default(),
                    spec: Some((*k.spec).clone()),
                    course: (*k.history).clone(),
                })
                .collect(),
        };
        (project, state)
    }

    /// Keeps the runs of a project beside those that are there, but for those that are there already.
    pub fn keep(self: &Rc<Self>, runs: &[KeptRun]) {
        for run in runs {
            let Some(spec) = &run.spec else { continue };
            let name = Some(run.name.clone()).filter(|n| !n.is_empty());
            let there = self.kept.borrow().iter().any(|k| {
                let same = (&*k.spec, &k.name) == (spec, &name);
                same && k.history.step_range() == run.course.step_range()
            });
            if !there {
                let course = Rc::new(run.course.clone());
                plot_runs::keep(&self.kept, name, Rc::new(spec.clone()), course);
            }
        }
        self.refresh();
    }
}
