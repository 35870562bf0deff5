//! A closer look, on demand: what the next step would do, how units are doing, and what of a
//! sample an output listens to. Nothing of it changes the run.
use super::*;
use crate::graph::PROBE_BATCH;
use crate::plotting::stats::{Histogram, histogram};
use crate::spec::{Activation, Framework, LayerKind};

/// A plan and a backend beside the run's own, made when they are first asked for.
pub(super) struct Probe<B> {
    pub(super) plan: Plan,
    pub(super) backend: B,
}

/// Samples that activations are looked at on, at most.
const SAMPLES: usize = 128;
/// Bins of a spread.
const BINS: usize = 32;
/// Points on the way from the blank sample, at most [`PROBE_BATCH`] at a time.
const POINTS: usize = 2 * PROBE_BATCH;
/// Beyond which a tanh counts as saturated, and a sigmoid.
const TANH: f32 = 0.97;
const SIGMOID: (f32, f32) = (0.03, 0.97);

impl<B: Backend> Session<B> {
    /// What the next training step would do, and how the activations are: a step is made on the
    /// very batch that comes next, and everything is put back as it was.
    pub async fn vitals(&mut self) -> Result<Vitals, Failure> {
        let params: Vec<(SlotId, String, Vec<usize>)> = self
            .plan
            .params()
            .map(|(id, s)| (id, s.name.clone(), s.shape.clone()))
            .collect();
        let changing = [Slab::Param, Slab::Grad, Slab::State];
        let changes = |s: Slab| changing.contains(&s) || matches!(s, Slab::Moment(_));
        let ids: Vec<SlotId> = (0..self.plan.slots.len() as u32)
            .map(SlotId)
            .filter(|id| changes(self.plan.slot(*id).slab))
            .collect();
        let kept = self.backend.read(&ids).await?;
        let order = self.order.clone();
        let stood = (self.step, self.epoch, self.cursor, self.epoch_loss);
        let first_loss = self.first_loss;

        let stepped = self.steps(1).await;
        let after: Vec<SlotId> = params
            .iter()
            .map(|(id, _, _)| *id)
            .chain(
                params
                    .iter()
                    .filter_map(|(_, n, _)| self.plan.find(Slab::Grad, n)),
            )
            .collect();
        let seen = self.backend.read(&after).await;

        for (id, values) in ids.iter().zip(&kept) {
            self.backend.write(*id, 0, Data::F32(values));
        }
        self.order = order;
        (self.step, self.epoch, self.cursor, self.epoch_loss) = stood;
        self.first_loss = first_loss;
        stepped?;
        let seen = seen?;
        let (moved, gradients) = seen.split_at(params.len());

        let mut tensors = Vec::with_capacity(params.len());
        for (((id, name, shape), after), gradient) in params.iter().zip(moved).zip(gradients) {
            let before = &kept[ids
                .iter()
                .position(|i| i == id)
                .expect("parameters are kept")];
            let update = after
                .iter()
                .zip(before)
                .map(|(a, b)| f64::from(*a) - f64::from(*b));
            let logs: Vec<f32> = gradient
                .iter()
                .map(|g| libm::log10(f64::from(g.abs())) as f32)
                .collect();
            tensors.push(TensorVitals {
                layer: name.split('.').next().unwrap_or_default().to_string(),
                name: name.clone(),
                shape: shape.clone(),
                weight: norm(before.iter().map(|v| f64::from(*v))),
                gradient: norm(gradient.iter().map(|v| f64::from(*v))),
                update: norm(update),
                weights: spread(before),
                gradients: spread(&logs),
            });
        }
        let samples = self.data.train.len().min(SAMPLES);
        Ok(Vitals {
            step: self.step,
            samples,
            tensors,
            layers: self.units(samples).await?,
        })
    }

    /// The probe, with the run's present parameters.
    pub(super) async fn probe(&mut self) -> Result<&mut Probe<B>, Failure> {
        if self.probe.is_none() {
            ops::load().await.map_err(not_loaded)?;
            let plan = Plan::probe(&self.spec, &facts(&self.spec, &self.data)).map_err(bad_spec)?;
            let backend = B::prepare(&plan, &self.options).await?;
            self.probe = Some(Box::new(Probe { plan, backend }));
        }
        let probe = self.probe.as_mut().expect("just made");
        let known: Vec<(SlotId, SlotId)> = probe
            .plan
            .slots
            .iter()
            .enumerate()
            .filter(|(_, s)| matches!(s.slab, Slab::Param | Slab::State))
            .filter_map(|(i, s)| Some((self.plan.find(s.slab, &s.name)?, SlotId(i as u32))))
            .collect();
        let from: Vec<SlotId> = known.iter().map(|(from, _)| *from).collect();
        let values = self.backend.read(&from).await?;
        for ((_, to), values) in known.iter().zip(&values) {
            probe.backend.write(*to, 0, Data::F32(values));
        }
        Ok(probe)
    }

    /// Dead and saturated units on the first `samples` training samples.
    async fn units(&mut self, samples: usize) -> Result<Vec<LayerVitals>, Failure> {
        let spec = self.spec.clone();
        let data = Rc::clone(&self.data);
        let n = data.features_len();
        let probe = self.probe().await?;
        let x = probe.io("probe.x")?;
        let mut layers = Vec::new();
        for (i, layer) in spec.layers.iter().enumerate() {
            let Some(function) = function(&layer.kind) else {
                continue;
            };
            let id = probe.io(&format!("activation:{}", layer.id))?;
            let shape = probe.plan.slot(id).shape[1..].to_vec();
            let axis = unit_axis(&spec, i, &shape);
            layers.push((id, Units::new(&layer.id, function, &shape, axis)));
        }
        if layers.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<SlotId> = layers.iter().map(|(id, _)| *id).collect();
        let mut batch = vec![0.0; PROBE_BATCH * n];
        for rows in data.train[..samples].chunks(PROBE_BATCH) {
            for (row, x) in rows.iter().zip(batch.chunks_exact_mut(n)) {
                data.write_x(*row as usize, x);
            }
            probe.backend.write(x, 0, Data::F32(&batch));
            probe.backend.run(ProgramKind::Inspect, 0, 1);
            let values = probe.backend.read(&ids).await?;
            for ((_, units), values) in layers.iter_mut().zip(&values) {
                units.see(&values[..rows.len() * units.numel]);
            }
        }
        Ok(layers.into_iter().map(|(_, u)| u.told()).collect())
    }

    /// What of sample `number` of a part speaks for an output. Gradient × input, where the input
    /// counts from the blank sample (raw zeros), and integrated gradients from it (Sundararajan,
    /// Taly & Yan 2017), by the midpoint rule. Where the network begins with an embedding there is one number per
    /// token: gradient · embedding.
    pub async fn saliency(
        &mut self,
        part: Part,
        number: usize,
        output: usize,
    ) -> Result<(Saliency, Vec<f32>, Option<Vec<f32>>), Failure> {
        let x = self.scaled(part, number)?;
        self.saliency_of(x, output).await
    }

    /// [`Session::saliency`] of a sample of any origin, raw as the data are.
    pub async fn saliency_of_raw(
        &mut self,
        mut x: Vec<f32>,
        output: usize,
    ) -> Result<(Saliency, Vec<f32>, Option<Vec<f32>>), Failure> {
        let n = self.data.features_len();
        if x.len() != n {
            return Err(bad_data(
                Problem::new("data-shape")
                    .arg("got", x.len())
                    .arg("want", show(&self.data.shape)),
            ));
        }
        for ((v, m), a) in x.iter_mut().zip(&self.data.mul).zip(&self.data.add) {
            *v = *v * m + a;
        }
        self.saliency_of(x, output).await
    }

    /// `x` as the network sees it.
    async fn saliency_of(
        &mut self,
        x: Vec<f32>,
        output: usize,
    ) -> Result<(Saliency, Vec<f32>, Option<Vec<f32>>), Failure> {
        let data = Rc::clone(&self.data);
        let n = data.features_len();
        let mut blank = vec![0.0; n];
        if !data.add.is_empty() {
            blank.copy_from_slice(&data.add);
        }
        let probe = self.probe().await?;
        let scores = probe.io("probe.score")?;
        let width = probe.plan.slot(scores).shape[1];
        // A single output speaks for class 1, and against class 0.
        let (output, sign) = match (width, data.classes(), output) {
            (1, Some(2), 0) => (0, -1.0),
            (1, Some(2), _) => (0, 1.0),
            _ => (output, 1.0),
        };
        if output >= width {
            return Err(bad_data(
                Problem::new("unknown-tensor").arg("name", format!("output {output}")),
            ));
        }
        let mut pick = vec![0.0; PROBE_BATCH * width];
        // The program takes the mean over all of them.
        for row in pick.chunks_exact_mut(width) {
            row[output] = sign * (PROBE_BATCH * width) as f32;
        }
        let to = probe.io("probe.pick")?;
        probe.backend.write(to, 0, Data::F32(&pick));

        let mut ends = vec![0.0; PROBE_BATCH * n];
        ends[..n].copy_from_slice(&x);
        if PROBE_BATCH > 1 {
            ends[n..2 * n].copy_from_slice(&blank);
        }
        let to = probe.io("probe.x")?;
        probe.backend.write(to, 0, Data::F32(&ends));
        probe.backend.run(ProgramKind::Inspect, 0, 1);
        let told = probe.backend.read(&[scores]).await?.remove(0);
        let score = f64::from(sign * told[output]);

        if let Some(i) = probe.plan.find(Slab::Io, "probe.embedding.0") {
            let d = probe.io("probe.dembedding.0")?;
            let shape = &probe.plan.slot(i).shape;
            let (tokens, wide) = (shape[1], shape[2]);
            let got = probe.backend.read(&[i, d]).await?;
            let by_token = got[0]
                .chunks(wide)
                .zip(got[1].chunks(wide))
                .take(tokens)
                .map(|(e, d)| e.iter().zip(d).map(|(e, d)| e * d).sum())
                .collect();
            let info = Saliency {
                shape: vec![tokens],
                words: words(&data, &x),
                score,
                blank: f64::NAN,
            };
            return Ok((info, by_token, None));
        }
        let dx = probe.io("probe.dx")?;
        let slope = probe.backend.read(&[dx]).await?.remove(0);
        let from_blank = || x.iter().zip(&blank).map(|(x, b)| x - b);
        let times = slope.iter().zip(from_blank()).map(|(d, x)| d * x).collect();

        let mut sums = vec![0.0f64; n];
        for first in (0..POINTS).step_by(PROBE_BATCH) {
            for (i, point) in ends.chunks_exact_mut(n).enumerate() {
                let at = ((first + i) as f32 + 0.5) / POINTS as f32;
                for ((p, x), b) in point.iter_mut().zip(&x).zip(&blank) {
                    *p = b + (x - b) * at;
                }
            }
            probe.backend.write(to, 0, Data::F32(&ends));
            probe.backend.run(ProgramKind::Inspect, 0, 1);
            let slopes = probe.backend.read(&[dx]).await?.remove(0);
            for slope in slopes.chunks_exact(n) {
                for (sum, d) in sums.iter_mut().zip(slope) {
                    *sum += f64::from(*d);
                }
            }
        }
        let along = sums.iter().zip(from_blank());
        let along = along.map(|(s, x)| (s / POINTS as f64) as f32 * x).collect();
        let info = Saliency {
            shape: data.shape.clone(),
            words: Vec::new(),
            score,
            blank: f64::from(sign * told[width + output]),
        };
        Ok((info, times, Some(along)))
    }
}

impl<B> Probe<B> {
    pub(super) fn io(&self, name: &str) -> Result<SlotId, Failure> {
        let found = self.plan.find(Slab::Io, name);
        found.ok_or_else(|| bad_data(Problem::new("unknown-tensor").arg("name", name)))
    }
}

pub(super) fn words(data: &Dataset, tokens: &[f32]) -> Vec<String> {
    let Some((_, vocabulary)) = &data.text else {
        return Vec::new();
    };
    let word = |t: &f32| vocabulary.words().get(*t as usize).cloned();
    tokens.iter().map(|t| word(t).unwrap_or_default()).collect()
}

fn norm(v: impl Iterator<Item = f64>) -> f64 {
    v.map(|v| v * v).sum::<f64>().sqrt()
}

fn spread(values: &[f32]) -> Spread {
    match histogram(values, BINS) {
        Some(Histogram {
            lo,
            hi,
            counts,
            odd,
            ..
        }) => Spread {
            lo,
            hi,
            counts,
            outside: odd as u32,
        },
        None => Spread {
            outside: values.len() as u32,
            ..Spread::default()
        },
    }
}

/// The activation of a layer, where it can die or saturate.
fn function(kind: &LayerKind) -> Option<Activation> {
    let f = match kind {
        LayerKind::Linear { activation, .. } => *activation,
        LayerKind::Conv1d(conv)
        | LayerKind::Conv2d(conv)
        | LayerKind::ConvTranspose2d { conv, .. } => conv.activation,
        LayerKind::Activation { function, .. } => Some(*function),
        LayerKind::Rnn { activation, .. } => Some(*activation),
        _ => None,
    };
    f.filter(|f| matches!(f, Activation::Relu | Activation::Tanh | Activation::Sigmoid))
}

/// Which axis of a sample counts the units: the channels where there are any, else the last.
fn unit_axis(spec: &Spec, layer: usize, shape: &[usize]) -> usize {
    let of = &spec.layers[layer];
    let on_line = |kind: &LayerKind| {
        matches!(
            kind,
            LayerKind::Conv1d(_)
                | LayerKind::MaxPool1d(_)
                | LayerKind::AvgPool1d(_)
                | LayerKind::BatchNorm { .. }
        )
    };
    let before = match of.inputs.first() {
        Some(id) => spec.layers.iter().find(|l| l.id == *id),
        None => layer.checked_sub(1).map(|i| &spec.layers[i]),
    };
    let activation = matches!(of.kind, LayerKind::Activation { .. });
    let line = on_line(&of.kind) || activation && before.is_some_and(|l| on_line(&l.kind));
    match shape.len() {
        3 => 0,
        2 if line && spec.framework == Framework::Pytorch => 0,
        n => n.saturating_sub(1),
    }
}

/// What was seen of a layer's units so far.
struct Units {
    layer: String,
    function: Activation,
    /// Values of one sample.
    numel: usize,
    /// Values that follow one another within a unit.
    run: usize,
    alive: Vec<bool>,
    saturated: usize,
    seen: usize,
}

impl Units {
    fn new(layer: &str, function: Activation, shape: &[usize], axis: usize) -> Units {
        Units {
            layer: layer.to_string(),
            function,
            numel: numel(shape),
            run: numel(shape.get(axis + 1..).unwrap_or_default()).max(1),
            alive: vec![false; shape.get(axis).copied().unwrap_or(1)],
            saturated: 0,
            seen: 0,
        }
    }

    fn see(&mut self, values: &[f32]) {
        let units = self.alive.len();
        for (i, v) in values.iter().enumerate() {
            self.alive[i / self.run % units] |= *v != 0.0;
            self.saturated += usize::from(match self.function {
                Activation::Tanh => v.abs() > TANH,
                Activation::Sigmoid => !(SIGMOID.0..=SIGMOID.1).contains(v),
                _ => false,
            });
        }
        self.seen += values.len();
    }

    fn told(self) -> LayerVitals {
        let dead = match self.function {
            Activation::Relu => self.alive.iter().filter(|a| !**a).count(),
            _ => 0,
        };
        LayerVitals {
            layer: self.layer,
            function: self.function,
            units: self.alive.len(),
            dead,
            saturated: self.saturated as f64 / self.seen.max(1) as f64,
        }
    }
}
