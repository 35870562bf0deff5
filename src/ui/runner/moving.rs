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
            if let Err(failure) = moved {
                this.say(failure);
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

    /// Takes the run to a worker that suits the backend, by a checkpoint. If that fails, it goes
    /// on where it was.
    async fn transfer(self: &Rc<Self>, run: RunId, from: Link) -> Result<(), Failure> {
        let spec = {
            let mut i = self.inner.borrow_mut();
            let Some(c) = i.current.as_ref().filter(|c| c.id == run) else {
                return Ok(());
            };
            let spec = c.spec.clone();
            i.loading = true;
            spec
        };
        self.stop();
        let moved = self.resumed(run, &from, &spec).await;
        let current = {
            let mut i = self.inner.borrow_mut();
            i.loading = false;
            i.current.as_ref().is_some_and(|c| c.id == run)
        };
        let failed = match moved {
            Ok((info, link)) if current => {
                self.arrived(run, &from, spec, info, link);
                None
            }
            Ok((info, link)) => {
                let gone = Request::Dispose { run: info.run };
                let _ = link.call::<serde_json::Value>(&gone, Vec::new(), &[]).await;
                None
            }
            Err(failure) => Some(failure),
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
