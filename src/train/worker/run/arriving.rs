//! The automatic choice: a run trains on the CPU while its network is prepared for the GPU; then
//! both are timed on it, and the faster one goes on.
use super::{AnySession, Pace, Run};
use crate::backend::Place;
use crate::data::Dataset;
use crate::spec::Spec;
use crate::train::session::Choice;
use crate::train::worker::scope::now;
use std::cell::RefCell;
use std::rc::Rc;

/// Why it is on the CPU until then.
pub const MEANWHILE: &str = "cpu-meanwhile";

/// The same network on the GPU, or why there is none; absent while it is prepared.
pub struct Arriving(Rc<RefCell<Option<Result<AnySession, &'static str>>>>);

impl Arriving {
    pub fn begin(spec: Spec, data: Rc<Dataset>) -> Arriving {
        let made = Rc::new(RefCell::new(None));
        let to = made.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let got = AnySession::on_gpu(spec, data).await;
            *to.borrow_mut() = Some(got);
        });
        Arriving(made)
    }
}

impl Run {
    /// Decides, when the GPU is ready and the CPU was timed.
    pub(super) async fn arrive(&mut self) {
        let Some(cpu_ms) = self.step_ms else { return };
        if self.closing.is_some() || !self.asked.is_empty() {
            return;
        }
        let Some(made) = self.arriving.as_ref().and_then(|a| a.0.borrow_mut().take()) else {
            return;
        };
        self.arriving = None;
        self.settle().await;
        let why = match made {
            Ok(gpu) => self.timed(gpu, cpu_ms).await,
            Err(why) => why,
        };
        let place = self.session.place();
        self.moved(Choice { place, why });
    }

    /// Moves if that pays; why, or why not.
    async fn timed(&mut self, mut gpu: AnySession, cpu_ms: f64) -> &'static str {
        match gpu.trial(&now).await {
            Err(_) => "gpu-failed",
            Ok(gpu_ms) if gpu_ms >= cpu_ms => "cpu-faster",
            Ok(_) => match self.session.hand_over(gpu).await {
                Err(_) => "gpu-failed",
                Ok(()) => {
                    self.changed = true;
                    self.steps = Pace(1);
                    debug_assert!(self.session.place() == Place::Gpu);
                    "gpu-faster"
                }
            },
        }
    }
}
