//! Where a run that diverged did so first. The losses say when; the layer is found by doing the
//! steps since a snapshot again, up to the one that went wrong, and looking at every layer there.
use super::*;
use crate::graph::PROBE_BATCH;

/// A loss this many times the first one (or 1, if that is more) has exploded: what grows so far does not come back.
pub(super) const EXPLODED: f32 = 1e6;
/// An output beyond this is not what a network at work gives.
const LARGE: f32 = 1e4;
/// Rows of the batch that are looked at, at most.
const ROWS: usize = 1024;

impl<B: Backend> Session<B> {
    /// The first of these losses that is none any more, as a place in the list.
    pub(super) fn first_bad(&mut self, mut losses: impl Iterator<Item = f32>) -> Option<usize> {
        let first = &mut self.first_loss;
        losses.position(|loss| {
            let start = *first.get_or_insert(loss);
            !loss.is_finite() || loss > EXPLODED * start.max(1.0)
        })
    }

    /// A snapshot to look back from, where it costs little: at most `most` numbers.
    pub async fn snapshot(&mut self, most: usize) -> Result<Option<Checkpoint>, Failure> {
        let numbers: usize = self
            .stateful()
            .iter()
            .map(|(_, id)| numel(&self.plan.slot(*id).shape))
            .sum();
        Ok(match numbers <= most {
            true => Some(self.checkpoint_state().await?),
            false => None,
        })
    }

    /// Says where step `bad` (from 0) went wrong, from a snapshot of this run before it. The run is
    /// afterwards as it was. Without a snapshot only the step is known.
    pub async fn diagnose(
        &mut self,
        bad: u32,
        from: Option<&Checkpoint>,
    ) -> Result<Divergence, Failure> {
        let unknown = Divergence {
            step: bad,
            layer: None,
            part: DivergedIn::Loss,
        };
        let Some(from) = from.filter(|c| c.step <= bad) else {
            return Ok(unknown);
        };
        let now = self.checkpoint_state().await?;
        let first_loss = self.first_loss;
        let found = self.look_back(bad, from).await;
        self.take(now)?;
        self.first_loss = first_loss;
        Ok(found?.unwrap_or(unknown))
    }

    async fn look_back(
        &mut self,
        bad: u32,
        from: &Checkpoint,
    ) -> Result<Option<Divergence>, Failure> {
        self.take(from.clone())?;
        while self.step + 1 < bad {
            self.steps(bad - 1 - self.step).await?;
        }
        if self.step < bad {
            self.steps(1).await?;
            if let Some(found) = self.after_update(bad - 1).await? {
                return Ok(Some(found));
            }
        }
        let layer = self.in_outputs().await?;
        Ok(layer.map(|layer| Divergence {
            step: bad,
            layer: Some(layer),
            part: DivergedIn::Outputs,
        }))
    }

    /// What the step just done has left: gradients run from the loss back to the input, so the last
    /// layer with one that is not finite had it first.
    async fn after_update(&mut self, step: u32) -> Result<Option<Divergence>, Failure> {
        for (slab, part, back) in [
            (Slab::Grad, DivergedIn::Gradient, true),
            (Slab::Param, DivergedIn::Weights, false),
        ] {
            let slots: Vec<(SlotId, String)> = self
                .plan
                .of(slab)
                .map(|(id, s)| (id, s.name.clone()))
                .collect();
            let ids: Vec<SlotId> = slots.iter().map(|(id, _)| *id).collect();
            let values = self.backend.read(&ids).await?;
            let is_bad = |layer: &str| {
                slots.iter().zip(&values).any(|((_, name), v)| {
                    name.split('.').next() == Some(layer) && v.iter().any(|v| !v.is_finite())
                })
            };
            let mut layers = self.spec.layers.iter().map(|l| l.id.as_str());
            let found = match back {
                true => layers.rfind(|l| is_bad(l)),
                false => layers.find(|l| is_bad(l)),
            };
            if let Some(layer) = found {
                return Ok(Some(Divergence {
                    step,
                    layer: Some(layer.to_string()),
                    part,
                }));
            }
        }
        Ok(None)
    }

    /// The first layer whose outputs on the next batch are not finite, or else too large, or else the
    /// one whose outputs are the largest.
    async fn in_outputs(&mut self) -> Result<Option<String>, Failure> {
        let batch = self.batch().min(self.order.len() - self.cursor).min(ROWS);
        let rows = self.order[self.cursor..][..batch].to_vec();
        let data = Rc::clone(&self.data);
        let names: Vec<String> = self.spec.layers.iter().map(|l| l.id.clone()).collect();
        let n = data.features_len();
        let probe = self.probe().await?;
        let x = probe.io("probe.x")?;
        let mut slots = Vec::with_capacity(names.len());
        for name in &names {
            slots.push(probe.io(&format!("activation:{name}"))?);
        }
        let mut largest = vec![0.0f32; names.len()];
        let mut input = vec![0.0; PROBE_BATCH * n];
        for rows in rows.chunks(PROBE_BATCH) {
            for (row, x) in rows.iter().zip(input.chunks_exact_mut(n)) {
                data.write_x(*row as usize, x);
            }
            probe.backend.write(x, 0, Data::F32(&input));
            probe.backend.run(ProgramKind::Inspect, 0, 1);
            let outputs = probe.backend.read(&slots).await?;
            for (largest, outputs) in largest.iter_mut().zip(&outputs) {
                let seen = &outputs[..outputs.len() / PROBE_BATCH * rows.len()];
                *largest = seen.iter().fold(*largest, |m, v| match v.is_finite() {
                    true => m.max(v.abs()),
                    false => f32::INFINITY,
                });
            }
        }
        let first = |least: f32| largest.iter().position(|v| *v >= least);
        let most = largest.iter().fold(0.0, |m: f32, v| m.max(*v));
        let at = first(f32::INFINITY)
            .or_else(|| first(LARGE))
            .or_else(|| first(most));
        Ok(at.map(|i| names[i].clone()))
    }
}
