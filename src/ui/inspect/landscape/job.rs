//! A surface that the worker computes piece by piece, for as long as somebody wants it.
use crate::train::protocol::{Ask, Failure, SurfaceAsk, SurfaceChunk, SurfaceInfo};
use crate::ui::inspect::source::Source;
use crate::ui::plot::browser::{now, sleep};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// What is known of a surface.
#[derive(Clone, Debug, PartialEq)]
pub struct Surface {
    pub ask: SurfaceAsk,
    pub info: SurfaceInfo,
    /// From the lowest x and y, row by row.
    pub losses: Vec<f32>,
}

impl Surface {
    /// The loss of the parameters themselves, where that is one of the points.
    pub fn middle(&self) -> Option<f32> {
        let n = self.info.side;
        let centred =
            n % 2 == 1 && self.info.x.0 == -self.info.x.1 && self.info.y.0 == -self.info.y.1;
        self.losses.get(n * n / 2).copied().filter(|_| centred)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Idle,
    Busy,
    Failed(Failure),
}

/// After a piece that took t the worker is left alone for t: half of its time goes into training.
const REST: f64 = 1.0;

#[derive(Clone)]
pub struct Job {
    pub surface: Option<Rc<Surface>>,
    pub stage: Stage,
    source: Source,
    /// Which of the jobs begun is wanted.
    wanted: Rc<Cell<u32>>,
    show: UseStateSetter<(Option<Rc<Surface>>, Stage)>,
}

/// The job of a view. When the view goes, the worker forgets it.
#[hook]
pub fn use_job(source: &Source) -> Job {
    let state = use_state(|| (None::<Rc<Surface>>, Stage::Idle));
    let wanted = use_memo((), |()| Rc::new(Cell::new(0u32)));
    {
        let (wanted, source) = ((*wanted).clone(), source.clone());
        use_effect_with((), move |()| {
            move || {
                wanted.set(wanted.get() + 1);
                spawn_local(async move {
                    // A run that is gone has forgotten it, too.
                    let _ = source.look::<()>(Ask::SurfaceEnd).await;
                });
            }
        });
    }
    Job {
        surface: state.0.clone(),
        stage: state.1.clone(),
        source: source.clone(),
        wanted: (*wanted).clone(),
        show: state.setter(),
    }
}

impl Job {
    /// Begins a surface in the place of the one before.
    pub fn begin(&self, ask: SurfaceAsk) {
        let mine = self.wanted.get() + 1;
        self.wanted.set(mine);
        let job = self.clone();
        job.show.set((job.surface.clone(), Stage::Busy));
        spawn_local(async move {
            if let Err(f) = job.work(ask, mine).await
                && job.wanted.get() == mine
            {
                job.show.set((None, Stage::Failed(f)));
            }
        });
    }

    /// Asks for no more points; those that are known stay.
    pub fn cancel(&self) {
        self.wanted.set(self.wanted.get() + 1);
        self.show.set((self.surface.clone(), Stage::Idle));
    }

    async fn work(&self, ask: SurfaceAsk, mine: u32) -> Result<(), Failure> {
        let (info, _) = self
            .source
            .look::<SurfaceInfo>(Ask::Surface(ask.clone()))
            .await?;
        let mut losses = Vec::new();
        while self.wanted.get() == mine {
            let began = now();
            let points = Ask::SurfacePoints { id: info.id };
            let (chunk, numbers) = self.source.look::<SurfaceChunk>(points).await?;
            let took = now() - began;
            losses.extend(numbers.into_iter().flatten());
            if self.wanted.get() != mine {
                break;
            }
            let surface = Rc::new(Surface {
                ask: ask.clone(),
                info: info.clone(),
                losses: losses.clone(),
            });
            if chunk.done {
                self.show.set((Some(surface), Stage::Idle));
                break;
            }
            self.show.set((Some(surface), Stage::Busy));
            sleep((took * REST).min(500.0) as i32).await;
        }
        Ok(())
    }
}
