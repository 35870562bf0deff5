//! The visitor's choice of a backend, and taking the run there without losing a step.
use super::super::link::Link;
use super::super::store::Action;
use super::{Current, Runner};
use crate::spec::Spec;
use crate::train::protocol::*;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

impl Runner {
    /// Trains there from now on, the run at hand included.
    pub fn set_backend(self: &Rc<Self>, backend: BackendChoice) {
        let mut i = self.inner.borrow_mut();
        i.backend = backend;
        // What is being loaded comes as it was asked for, and is moved then.
        i.choose_again = i.loading;
        let at_hand = match (&i.current, &i.link) {
            (Some(c), Some(link)) if !i.loading => Some((c.id, c.info.build, link.clone())),
            _ => None,
        };
        drop(i);
        self.dispatch.dispatch(Action::Backend(backend));
        let Some((run, build, link)) = at_hand else {
            return;
        };
        let this = self.clone();
        spawn_local(async move {
            // Every build has the CPU; only one has the GPU.
            let here = backend == BackendChoice::Cpu
                || (backend == BackendChoice::Webgpu && build == Build::Gpu);
            let moved = match here {
                true => {
                    let request = Request::Move { run, backend };
                    let told = link.call::<RunInfo>(&request, Vec::new(), &[]).await;
                    told.map(|(info, _)| this.know(info))
                }
                false => this.transfer(run, link).await,
            };
            match moved {
                Err(failure) if this.gpu_refused(&failure) => {
                    this.not_chosen("backend-choice-refused");
                }
                Err(failure) => this.say(failure),
                Ok(()) => {}
            }
        });
    }

    /// Facts of the run have changed.
    fn know(&self, info: RunInfo) {
        let mut i = self.inner.borrow_mut();
        let Some(c) = i.current.as_mut().filter(|c| c.id == info.run) else {
            return;
        };
        c.info = Rc::new(info);
        let shown = c.info.clone();
        drop(i);
        self.dispatch.dispatch(Action::Info(shown));
    }

    /// Takes the run to a worker that suits the backend. It trains on while it is prepared there;
    /// then its newest state follows, and the states that it kept. If that fails, it goes on where
    /// it was.
    async fn transfer(self: &Rc<Self>, run: RunId, from: Link) -> Result<(), Failure> {
        let (spec, chosen) = {
            let i = self.inner.borrow();
            let Some(c) = i.current.as_ref().filter(|c| c.id == run) else {
                return Ok(());
            };
            (c.spec.clone(), i.backend)
        };
        let (info, link) = self.resumed(run, &from, &spec).await?;
        let (there, to) = (info.run, link.clone());
        let wanted = {
            let mut i = self.inner.borrow_mut();
            let same = i.current.as_ref().is_some_and(|c| c.id == run) && !i.loading;
            // Another choice may have been made meanwhile.
            let wanted = same && i.backend == chosen;
            i.loading |= wanted;
            wanted
        };
        if !wanted {
            let gone = Request::Dispose { run: there };
            let _ = to.call::<serde_json::Value>(&gone, Vec::new(), &[]).await;
            if self.inner.borrow().link.as_ref() != Some(&to) {
                to.leave();
            }
            return Ok(());
        }
        self.stop();
        let moved = follow_up(run, &from, there, &to).await;
        let (current, spec) = {
            let mut i = self.inner.borrow_mut();
            i.loading = false;
            let now = i.current.as_ref().filter(|c| c.id == run);
            (now.is_some(), now.map_or(spec, |c| c.spec.clone()))
        };
        let failed = match moved {
            Ok(info) if current => {
                self.arrived(run, &from, spec, info, link);
                None
            }
            other => {
                let gone = Request::Dispose { run: there };
                let _ = to.call::<serde_json::Value>(&gone, Vec::new(), &[]).await;
                other.err()
            }
        };
        // An edit may have come meanwhile.
        if self.inner.borrow().wanted.is_some() {
            self.load_wanted();
        } else {
            self.resume();
            self.choose_again();
        }
        failed.map_or(Ok(()), Err)
    }

    /// Follows a choice that was made while something was being loaded.
    pub(super) fn choose_again(self: &Rc<Self>) {
        let mut i = self.inner.borrow_mut();
        let (again, backend) = (std::mem::take(&mut i.choose_again), i.backend);
        drop(i);
        if again {
            self.set_backend(backend);
        }
    }

    async fn resumed(
        self: &Rc<Self>,
        run: RunId,
        from: &Link,
        spec: &Spec,
    ) -> Result<(RunInfo, Link), Failure> {
        let request = Request::Checkpoint { run };
        let (_, buffers) = from
            .call::<serde_json::Value>(&request, Vec::new(), &[])
            .await?;
        let files = self.files_of(spec);
        let run = self.next_id(&mut self.inner.borrow_mut());
        let request = |options| Request::Resume { run, options };
        self.bring(spec, run, request, buffers, &files).await
    }

    /// The run is another worker's, or another of the same one; its history stays.
    fn arrived(
        self: &Rc<Self>,
        run: RunId,
        from: &Link,
        spec: Rc<Spec>,
        info: RunInfo,
        link: Link,
    ) {
        let info = Rc::new(info);
        link.show_moved(&info);
        // Before the worker is given back, where it is another one.
        let (old, gone) = (from.clone(), Request::Dispose { run });
        spawn_local(async move {
            let _ = old.call::<serde_json::Value>(&gone, Vec::new(), &[]).await;
        });
        self.follow(link);
        let mut i = self.inner.borrow_mut();
        i.step = info.step;
        i.live.step = info.step;
        i.training = false;
        i.current = Some(Current {
            id: info.run,
            spec,
            info: info.clone(),
        });
        let speed = i.speed;
        drop(i);
        self.dispatch.dispatch(Action::Info(info));
        if speed > 0 {
            self.set_speed(speed);
        }
    }
}

/// Brings what has changed in a run since it was prepared elsewhere: its state there.
async fn follow_up(run: RunId, from: &Link, there: RunId, to: &Link) -> Result<RunInfo, Failure> {
    let request = Request::Checkpoint { run };
    let (_, state) = from
        .call::<serde_json::Value>(&request, Vec::new(), &[])
        .await?;
    let request = Request::Restore { run: there };
    let (info, _) = to.call::<RunInfo>(&request, state, &[]).await?;
    let request = Request::SavedFiles { run };
    let (states, files) = from
        .call::<Vec<SavedInfo>>(&request, Vec::new(), &[])
        .await?;
    if !states.is_empty() {
        let request = Request::Keep { run: there, states };
        to.call::<serde_json::Value>(&request, files, &[]).await?;
    }
    Ok(info)
}
