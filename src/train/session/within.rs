//! What a layer holds of a sample, or of a whole plane of samples.
use super::probe::{Probe, words};
use super::*;
use crate::graph::PROBE_BATCH;
use crate::spec::{LayerKind, TargetOf};

/// Points along a side of a plane, and units, that can be asked for at most.
const SIDE: usize = 128;
const UNITS: usize = 256;

impl<B: Backend> Session<B> {
    /// The hidden states of a recurrent layer `[T, units]`, both directions side by side, or the
    /// probabilities of attention `[heads, T, S]`, for sample `number` of a part.
    pub async fn within(
        &mut self,
        part: Part,
        number: usize,
        layer: &str,
    ) -> Result<(Within, Vec<f32>), Failure> {
        let x = self.scaled(part, number)?;
        let tokens = words(&self.data, &x);
        let n = x.len();
        let causal = self.spec.layers.iter().any(|l| {
            l.id == layer && matches!(l.kind, LayerKind::MultiHeadAttention { causal: true, .. })
        });
        let Probe { plan, backend } = self.probe().await?;
        let find = |name: String| plan.find(Slab::Io, &name);
        let mut batch = vec![0.0; PROBE_BATCH * n];
        batch[..n].copy_from_slice(&x);
        let to = find("probe.x".into()).expect("every probe has it");
        backend.write(to, 0, Data::F32(&batch));
        backend.run(ProgramKind::Inspect, 0, 1);
        let directions: Vec<SlotId> = (0..2)
            .filter_map(|k| find(format!("states:{layer}.{k}")))
            .collect();
        if let Some(first) = directions.first() {
            let shape = &plan.slot(*first).shape;
            let (steps, units) = (shape[1], shape[2]);
            let read = backend.read(&directions).await?;
            let mut states = Vec::with_capacity(steps * units * read.len());
            for t in 0..steps {
                for h in &read {
                    states.extend_from_slice(&h[t * units..(t + 1) * units]);
                }
            }
            let info = Within {
                kind: WithinKind::States,
                shape: vec![steps, units * read.len()],
                words: tokens,
            };
            return Ok((info, states));
        }
        let (Some(first), Some(sums)) = (
            find(format!("attention:{layer}.0")),
            find(format!("attention:{layer}.l")),
        ) else {
            return Err(bad_data(Problem::new("within-none").arg("name", layer)));
        };
        let second = find(format!("attention:{layer}.1")).unwrap_or(first);
        let heads = plan.slot(sums).shape[1];
        let (steps, wide) = {
            let shape = &plan.slot(first).shape;
            (shape[1], shape[2])
        };
        let keys = plan.slot(second).shape[1];
        // One tensor holds queries, keys and values side by side, or each has its own.
        let packed = first == second;
        let width = if packed { wide / 3 } else { wide };
        let read = backend.read(&[first, second, sums]).await?;
        let size = width / heads.max(1);
        let scale = 1.0 / (size as f64).sqrt();
        let mut maps = Vec::with_capacity(heads * steps * keys);
        for h in 0..heads {
            for i in 0..steps {
                let q = &read[0][i * wide + h * size..][..size];
                let sum = f64::from(read[2][h * steps + i]);
                for j in 0..keys {
                    let at = if packed { j * wide + width } else { j * wide };
                    let k = &read[1][at + h * size..][..size];
                    let score: f64 = q
                        .iter()
                        .zip(k)
                        .map(|(q, k)| f64::from(*q) * f64::from(*k))
                        .sum();
                    let seen = !causal || j <= i;
                    maps.push(if seen {
                        libm::exp(score * scale - sum) as f32
                    } else {
                        0.0
                    });
                }
            }
        }
        let info = Within {
            kind: WithinKind::Attention,
            shape: vec![heads, steps, keys],
            words: tokens,
        };
        Ok((info, maps))
    }

    /// What each unit of a layer gives over a plane of two features, raw: `[units, side, side]` at the
    /// centres of cells, from the top left.
    pub async fn field(&mut self, ask: &FieldAsk) -> Result<(Vec<usize>, Vec<f32>), Failure> {
        let data = Rc::clone(&self.data);
        if data.features_len() != 2 {
            let problem = Problem::new("field-features").arg("got", data.features_len());
            return Err(bad_data(problem));
        }
        let side = ask.side.clamp(2, SIDE);
        let probe = self.probe().await?;
        let x = probe.io("probe.x")?;
        let id = probe.io(&format!("activation:{}", ask.layer))?;
        let numel: usize = probe.plan.slot(id).shape[1..].iter().product();
        let units = numel.min(UNITS);
        let mut out = vec![0.0; units * side * side];
        let share = |k: usize| (k as f32 + 0.5) / side as f32;
        let mut batch = vec![0.0; PROBE_BATCH * 2];
        for first in (0..side * side).step_by(PROBE_BATCH) {
            let count = PROBE_BATCH.min(side * side - first);
            for (k, point) in batch.chunks_exact_mut(2).take(count).enumerate() {
                let (i, j) = ((first + k) % side, (first + k) / side);
                point[0] = ask.x.0 + share(i) * (ask.x.1 - ask.x.0);
                point[1] = ask.y.1 - share(j) * (ask.y.1 - ask.y.0);
                if !data.mul.is_empty() {
                    for ((p, m), a) in point.iter_mut().zip(&data.mul).zip(&data.add) {
                        *p = *p * m + a;
                    }
                }
            }
            probe.backend.write(x, 0, Data::F32(&batch));
            probe.backend.run(ProgramKind::Inspect, 0, 1);
            let values = probe.backend.read(&[id]).await?.remove(0);
            for (k, row) in values.chunks_exact(numel).take(count).enumerate() {
                for (u, v) in row[..units].iter().enumerate() {
                    out[u * side * side + first + k] = *v;
                }
            }
        }
        Ok((vec![units, side, side], out))
    }

    /// How well a network gives sample `number` back: what it gives, the squared error of each value, and
    /// the slope of their mean by each value of the sample, which is both input and target.
    pub async fn reconstruction(
        &mut self,
        part: Part,
        number: usize,
    ) -> Result<(Reconstruction, [Vec<f32>; 3]), Failure> {
        if self.spec.data.target != TargetOf::Input {
            return Err(bad_data(Problem::new("reconstruction-none")));
        }
        let x = self.scaled(part, number)?;
        let (n, shape) = (x.len(), self.data.shape.clone());
        let probe = self.probe().await?;
        let out = probe.io("probe.score")?;
        let width = probe.plan.slot(out).shape[1];
        if width != n {
            return Err(bad_data(Problem::new("reconstruction-none")));
        }
        let mut batch = vec![0.0; PROBE_BATCH * n];
        batch[..n].copy_from_slice(&x);
        let to = probe.io("probe.x")?;
        probe.backend.write(to, 0, Data::F32(&batch));
        probe.backend.run(ProgramKind::Inspect, 0, 1);
        let given = probe.backend.read(&[out]).await?.remove(0)[..n].to_vec();
        // The mean of (y − x)² by y; the program takes the mean over the whole batch.
        let by_output = |(y, x): (&f32, &f32)| 2.0 * (y - x) / n as f32;
        let mut pick = vec![0.0; PROBE_BATCH * n];
        for (p, d) in pick.iter_mut().zip(given.iter().zip(&x).map(by_output)) {
            *p = d * (PROBE_BATCH * n) as f32;
        }
        let to = probe.io("probe.pick")?;
        probe.backend.write(to, 0, Data::F32(&pick));
        probe.backend.run(ProgramKind::Inspect, 0, 1);
        let dx = probe.io("probe.dx")?;
        let through = probe.backend.read(&[dx]).await?.remove(0);
        let slope = through
            .iter()
            .zip(given.iter().zip(&x).map(by_output))
            .map(|(t, d)| t - d)
            .collect();
        let errors: Vec<f32> = given
            .iter()
            .zip(&x)
            .map(|(y, x)| (y - x) * (y - x))
            .collect();
        let mean = errors.iter().map(|e| f64::from(*e)).sum::<f64>() / n as f64;
        Ok((Reconstruction { shape, mean }, [given, errors, slope]))
    }

    /// A sample as the network sees it.
    pub(super) fn scaled(&self, part: Part, number: usize) -> Result<Vec<f32>, Failure> {
        let Some(row) = self.part(part).get(number).copied() else {
            let name = format!("{part:?}").to_lowercase();
            return Err(bad_data(Problem::new("empty-part").arg("part", name)));
        };
        let mut x = vec![0.0; self.data.features_len()];
        self.data.write_x(row as usize, &mut x);
        Ok(x)
    }
}
