//! What the worker tells, and what follows from it.
use super::super::store::{Action, Score, Word};
use super::{EVALUATE_MS, Runner};
use crate::train::protocol::*;
use gloo::render::request_animation_frame;
use gloo::timers::callback::Timeout;
use js_sys::Float32Array;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

impl Runner {
    pub(super) fn event(self: &Rc<Self>, event: Event, buffers: Vec<js_sys::ArrayBuffer>) {
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
                ..
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
                    let news = match shown.why.as_str() {
                        "new-device" => Some("backend-new-device"),
                        "gpu-fault" => Some("backend-gpu-fault"),
                        _ => None,
                    };
                    self.dispatch.dispatch(Action::Info(shown));
                    if let Some(key) = news {
                        let word = Word::Message(key, Vec::new());
                        self.dispatch.dispatch(Action::Say(word));
                    }
                }
            }
            _ => {}
        }
    }

    /// Shows the live figures with the next frame.
    pub(super) fn refresh(self: &Rc<Self>) {
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
    pub(super) fn evaluate(self: &Rc<Self>) {
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
