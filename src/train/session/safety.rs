//! Where a run computes: choosing, moving, and going on when a device fails.
use super::*;
use crate::backend::{AnyBackend, Place};

/// What a choice is made of, and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub place: Place,
    /// A code of the catalogue (`backend-<why>`).
    pub why: &'static str,
}

/// Milliseconds for which either backend is timed.
const TRIAL: f64 = 60.0;
/// The same on the CPU, where snapshots only tell afterwards where a run diverged.
const LOOK_BACK: f64 = 500.0;
/// Numbers of such a snapshot, at most.
const LOOK_BACK_NUMBERS: usize = 4 << 20;
/// Milliseconds between two snapshots of a run on the GPU.
const SNAPSHOT: f64 = 3000.0;
/// Failures without a snapshot between them after which the CPU takes over.
const PATIENCE: u32 = 3;

/// Keeps what a run needs to go on after a fault, which only a run on the GPU can have, and to find
/// out where it diverged.
#[derive(Default)]
pub struct Safety {
    snapshot: Option<Checkpoint>,
    /// When it was taken, in milliseconds.
    taken: f64,
    /// Since then.
    failures: u32,
}

impl Safety {
    /// Takes a snapshot when one is due, or when something beside training has changed the run.
    pub async fn keep(
        &mut self,
        s: &mut Session<AnyBackend>,
        now: f64,
        changed: bool,
    ) -> Result<(), Failure> {
        let most = match s.backend.place() {
            Place::Cpu => LOOK_BACK_NUMBERS,
            Place::Gpu => usize::MAX,
        };
        if changed || self.due(s, now) {
            self.snapshot = s.snapshot(most).await?;
            self.taken = now;
            self.failures = 0;
        }
        Ok(())
    }

    /// Where step `bad` of a run went wrong.
    pub async fn diagnose(
        &self,
        s: &mut Session<AnyBackend>,
        bad: u32,
    ) -> Result<Divergence, Failure> {
        s.diagnose(bad, self.snapshot.as_ref()).await
    }

    /// Whether the time for a snapshot has come.
    pub fn due(&self, s: &Session<AnyBackend>, now: f64) -> bool {
        let every = match s.backend.place() {
            Place::Cpu => LOOK_BACK,
            Place::Gpu => SNAPSHOT,
        };
        // One that would cost too much is asked for again only when another is due.
        self.taken == 0.0 || now - self.taken >= every
    }

    /// Whether [`Safety::recover`] can do anything about a failure.
    pub fn covers(&self, s: &Session<AnyBackend>, failure: &Failure) -> bool {
        s.backend.place() == Place::Gpu && self.snapshot.is_some() && failure.of_device()
    }

    /// Goes back to the snapshot: on a new device, or on the CPU where that fails, too.
    pub async fn recover(&mut self, s: &mut Session<AnyBackend>) -> Result<Choice, Failure> {
        let Some(snapshot) = self.snapshot.clone() else {
            return Err(internal("there is no snapshot"));
        };
        self.failures += 1;
        if self.failures <= PATIENCE && s.restore(snapshot.clone(), Place::Gpu).await.is_ok() {
            return Ok(Choice {
                place: Place::Gpu,
                why: "new-device",
            });
        }
        s.restore(snapshot, Place::Cpu).await?;
        Ok(Choice {
            place: Place::Cpu,
            why: "gpu-fault",
        })
    }
}

impl Session<AnyBackend> {
    /// Goes on from a snapshot of this very run.
    async fn restore(&mut self, mut state: Checkpoint, place: Place) -> Result<(), Failure> {
        // What was changed since then stays changed.
        state.spec = self.spec.clone();
        let mut next = Self::resume_on(place, state, Rc::clone(&self.data)).await?;
        next.seconds = self.seconds;
        next.sample = std::mem::take(&mut self.sample);
        *self = next;
        Ok(())
    }

    /// Goes on from a state of this run that came from elsewhere. Nothing is compiled unless the
    /// network's spec has changed since.
    pub async fn go_on_from(&mut self, state: Checkpoint) -> Result<(), Failure> {
        if state.spec != self.spec {
            let place = self.backend.place();
            self.spec = state.spec.clone();
            return self.restore(state, place).await;
        }
        let (seconds, hyper) = (state.seconds, hyper::table(&state.spec));
        self.take(state)?;
        self.backend.write(self.slots.hyper, 0, Data::F32(&hyper));
        self.seconds = seconds;
        Ok(())
    }

    /// Takes the run to another backend as it stands; no step is lost.
    pub async fn move_to(&mut self, place: Place) -> Result<(), Failure> {
        if place == self.backend.place() {
            return Ok(());
        }
        let state = self.checkpoint_state().await?;
        self.restore(state, place).await
    }

    /// A run of its own on the GPU; else why there is none, as a code of the catalogue.
    pub async fn on_gpu(spec: Spec, data: Rc<Dataset>) -> Result<Self, &'static str> {
        match gpu_here().await {
            Gpu::None => Err("no-gpu"),
            Gpu::Software => Err("software-gpu"),
            Gpu::Real => {
                let made = Self::on(Place::Gpu, spec, data, None).await;
                made.map_err(|_| "gpu-failed")
            }
        }
    }

    /// Goes on as another run of the same spec, which takes over the state of this one.
    pub async fn hand_over(&mut self, mut to: Self) -> Result<(), Failure> {
        let state = self.checkpoint_state().await?;
        to.go_on_from(state).await?;
        to.sample = std::mem::take(&mut self.sample);
        *self = to;
        Ok(())
    }

    /// Milliseconds per step, and step 0 again.
    pub async fn trial(&mut self, now: &impl Fn() -> f64) -> Result<f64, Failure> {
        // The first step compiles kernels and fills caches.
        self.steps(1).await?;
        let (start, mut done, mut count) = (now(), 0, 1);
        let each = loop {
            done += self.steps(count).await?.steps;
            let ms = now() - start;
            if ms >= TRIAL || done >= 1024 {
                break ms / f64::from(done);
            }
            // One wait per call: as few as the time allows.
            count *= 2;
        };
        self.begin();
        Ok(each)
    }

    /// Times both backends on this very plan and takes the faster. A GPU that is none, or that
    /// does not work, loses unasked.
    pub async fn choose(
        spec: Spec,
        data: Rc<Dataset>,
        file: Option<&[u8]>,
        now: impl Fn() -> f64,
    ) -> Result<(Self, Choice), Failure> {
        let on_cpu = |why| Choice {
            place: Place::Cpu,
            why,
        };
        let mut cpu = Self::on(Place::Cpu, spec.clone(), Rc::clone(&data), file).await?;
        let mut gpu = match Self::on_gpu(spec, data).await {
            Ok(gpu) => gpu,
            Err(why) => return Ok((cpu, on_cpu(why))),
        };
        let Ok(gpu_ms) = gpu.trial(&now).await else {
            return Ok((cpu, on_cpu("gpu-failed")));
        };
        let cpu_ms = cpu.trial(&now).await?;
        let faster = gpu_ms < cpu_ms;
        let chosen = if faster { &mut gpu } else { &mut cpu };
        if let Some(bytes) = file {
            chosen.load_weights(bytes).await?;
        }
        Ok(match faster {
            true => (
                gpu,
                Choice {
                    place: Place::Gpu,
                    why: "gpu-faster",
                },
            ),
            false => (cpu, on_cpu("cpu-faster")),
        })
    }
}

enum Gpu {
    #[cfg_attr(feature = "gpu", allow(dead_code, reason = "of builds without it"))]
    None,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "of builds with it"))]
    Software,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "of builds with it"))]
    Real,
}

#[cfg(feature = "gpu")]
async fn gpu_here() -> Gpu {
    match crate::backend::gpu::Gpu::get().await {
        Err(_) => Gpu::None,
        Ok(gpu) if gpu.adapter.software => Gpu::Software,
        Ok(_) => Gpu::Real,
    }
}

#[cfg(not(feature = "gpu"))]
async fn gpu_here() -> Gpu {
    Gpu::None
}
