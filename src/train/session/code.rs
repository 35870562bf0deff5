//! An autoencoder's two halves, each by itself: codes of samples, and what the decoder makes of any code.
use super::*;
use crate::data::Target;
use crate::data::rng::{CODE, Rng};
use crate::graph::{SEGMENT_BATCH, Segment, cut};
use crate::plotting::pca::Pca;
use crate::spec::LayerKind;

/// Codes drawn at most, and training samples from whose codes a distribution is estimated.
const DREAMS: usize = 256;
const FITTED: usize = 1000;

/// Codes of samples.
pub struct Coded {
    pub info: Codes,
    /// Where each lies on the plane `[count, 2]`.
    pub places: Vec<f32>,
    /// A point of the plane is row 0 + u·row 1 + v·row 2 of `[3, width]`.
    pub basis: Vec<f32>,
    /// `[count, width]`
    pub values: Vec<f32>,
    /// Class of each; empty where the data has none.
    pub labels: Vec<f32>,
}

/// Codes on a plane: their own two numbers, or the two directions in which they differ most.
struct Map {
    places: Vec<f32>,
    basis: Vec<f32>,
    /// Of their variance that the plane shows.
    share: Option<f64>,
}

impl Map {
    fn of(values: &[f32], width: usize) -> Map {
        let mut basis = vec![0.0; 3 * width];
        if width <= 2 {
            for k in 0..width {
                basis[(k + 1) * width + k] = 1.0;
            }
            let place = |code: &[f32]| [code[0], code.get(1).copied().unwrap_or(0.0)];
            return Map {
                places: values.chunks_exact(width.max(1)).flat_map(place).collect(),
                basis,
                share: None,
            };
        }
        let Some(pca) = Pca::of(values, width, 2) else {
            return Map {
                places: Vec::new(),
                basis,
                share: None,
            };
        };
        let rows = [&pca.mean].into_iter().chain(&pca.components);
        for (to, row) in basis.chunks_exact_mut(width).zip(rows) {
            to.iter_mut().zip(row).for_each(|(t, v)| *t = *v as f32);
        }
        let place = |code: &[f32]| {
            let at = pca.place(code);
            [0, 1].map(|k| at.get(k).copied().unwrap_or(0.0) as f32)
        };
        let shown: f64 = pca.variance.iter().sum();
        Map {
            places: values.chunks_exact(width).flat_map(place).collect(),
            basis,
            share: Some(if pca.total > 0.0 {
                shown / pca.total
            } else {
                1.0
            }),
        }
    }
}

/// The plans of the halves with backends of their own, made when they are first asked for.
pub(super) struct Halves<B> {
    /// Index of the layer whose output is the code.
    layer: usize,
    to: Half<B>,
    after: Half<B>,
}

struct Half<B> {
    plan: Plan,
    backend: B,
}

impl<B: Backend> Half<B> {
    async fn new(
        spec: &Spec,
        facts: &graph::Facts,
        segment: Segment,
        input: &[usize],
        options: &B::Options,
    ) -> Result<Half<B>, Failure> {
        let plan = Plan::segment(spec, facts, segment, input).map_err(bad_spec)?;
        let backend = B::prepare(&plan, options).await?;
        Ok(Half { plan, backend })
    }

    /// Slots of what the run has, here and there.
    fn shared(&self, plan: &Plan) -> Vec<(SlotId, SlotId)> {
        let own = self.plan.slots.iter().enumerate();
        own.filter(|(_, s)| matches!(s.slab, Slab::Param | Slab::State))
            .filter_map(|(i, s)| Some((plan.find(s.slab, &s.name)?, SlotId(i as u32))))
            .collect()
    }

    fn io(&self, name: &str) -> (SlotId, usize) {
        let id = self
            .plan
            .find(Slab::Io, name)
            .expect("every segment has it");
        (id, numel(&self.plan.slot(id).shape[1..]))
    }

    /// `x[rows, …] → y[rows, …]`
    async fn run(&mut self, x: &[f32]) -> Result<Vec<f32>, Failure> {
        let ((to, wide), (from, width)) = (self.io("segment.x"), self.io("segment.y"));
        let mut y = Vec::with_capacity(x.len() / wide.max(1) * width);
        for rows in x.chunks(SEGMENT_BATCH * wide) {
            self.backend.write(to, 0, Data::F32(rows));
            self.backend.run(ProgramKind::Predict, 0, 1);
            let got = self.backend.read(&[from]).await?.remove(0);
            y.extend_from_slice(&got[..rows.len() / wide * width]);
        }
        Ok(y)
    }
}

impl<B: Backend> Session<B> {
    /// The layer whose output is the code: this one, where what follows it reads nothing before it, else
    /// the last of the narrowest such layers. With its shape.
    fn code_layer(&self, wanted: Option<&str>) -> Result<(usize, Vec<usize>), Failure> {
        let facts = facts(&self.spec, &self.data);
        let report = graph::check(&self.spec, Some(&facts.data));
        let able: Vec<(usize, Vec<usize>)> = report
            .layers
            .into_iter()
            .enumerate()
            .filter(|(i, _)| cut(&self.spec, Segment::After(*i)).is_some())
            .map(|(i, l)| (i, l.shape))
            .collect();
        let named = |(i, _): &&(usize, Vec<usize>)| Some(&*self.spec.layers[*i].id) == wanted;
        let narrowest = able.iter().rev().min_by_key(|(_, shape)| numel(shape));
        let found = able.iter().find(named).or(narrowest);
        let none = || bad_data(Problem::new("segment"));
        found.cloned().ok_or_else(none)
    }

    /// The halves around a layer, with the run's present parameters.
    async fn halves(
        &mut self,
        layer: Option<&str>,
    ) -> Result<(&mut Halves<B>, Vec<usize>), Failure> {
        let (layer, shape) = self.code_layer(layer)?;
        if self.halves.as_ref().is_none_or(|h| h.layer != layer) {
            ops::load().await.map_err(not_loaded)?;
            let facts = facts(&self.spec, &self.data);
            let (spec, o) = (&self.spec, &self.options);
            self.halves = Some(Box::new(Halves {
                layer,
                to: Half::new(spec, &facts, Segment::To(layer), &shape, o).await?,
                after: Half::new(spec, &facts, Segment::After(layer), &shape, o).await?,
            }));
        }
        let halves = self.halves.as_mut().expect("just made");
        for half in [&mut halves.to, &mut halves.after] {
            let shared = half.shared(&self.plan);
            let from: Vec<SlotId> = shared.iter().map(|(from, _)| *from).collect();
            let values = self.backend.read(&from).await?;
            for ((_, to), values) in shared.iter().zip(&values) {
                half.backend.write(*to, 0, Data::F32(values));
            }
        }
        Ok((halves, shape))
    }

    /// What a layer makes of the first `count` samples of a part.
    pub async fn codes(
        &mut self,
        part: Part,
        layer: Option<&str>,
        count: usize,
    ) -> Result<Coded, Failure> {
        let data = Rc::clone(&self.data);
        let part = self.part(part);
        let rows = part[..count.min(part.len())].to_vec();
        let n = data.features_len();
        let mut x = vec![0.0; rows.len() * n];
        for (row, x) in rows.iter().zip(x.chunks_exact_mut(n)) {
            data.write_x(*row as usize, x);
        }
        let (halves, shape) = self.halves(layer).await?;
        let values = halves.to.run(&x).await?;
        let layer = halves.layer;
        let (classes, labels) = match &data.target {
            Target::Input { names, .. } | Target::Classes { names } if !names.is_empty() => {
                let of = |row: &u32| data.y.get(*row as usize).copied().unwrap_or(0.0);
                (names.clone(), rows.iter().map(of).collect())
            }
            _ => (Vec::new(), Vec::new()),
        };
        let map = Map::of(&values, numel(&shape));
        Ok(Coded {
            info: Codes {
                layer: self.spec.layers[layer].id.clone(),
                shape,
                classes,
                share: map.share,
                drawn: self.is_drawn(layer),
            },
            places: map.places,
            basis: map.basis,
            values,
            labels,
        })
    }

    /// Whether codes follow N(0, 1), as far as the divergence in the loss has its way.
    fn is_drawn(&self, layer: usize) -> bool {
        matches!(self.spec.layers[layer].kind, LayerKind::Sampling { .. })
    }

    /// What the decoder makes of codes that no sample has: drawn from N(0, 1) where the code is a
    /// variational autoencoder's, else from a normal distribution with the mean and the covariance
    /// of training samples' codes. `[count, outputs]`.
    pub async fn dreams(
        &mut self,
        layer: &str,
        count: usize,
        seed: u32,
    ) -> Result<(Vec<usize>, Vec<f32>), Failure> {
        let (index, shape) = self.code_layer(Some(layer))?;
        let width = numel(&shape);
        let mut rng = Rng::new(seed, CODE);
        let mut codes: Vec<f32> = (0..count.min(DREAMS) * width)
            .map(|_| rng.normal())
            .collect();
        if !self.is_drawn(index) {
            let known = self.codes(Part::Train, Some(layer), FITTED).await?.values;
            let Some(pca) = Pca::of(&known, width, width) else {
                return Err(bad_data(Problem::new("codes-not-finite")));
            };
            for code in codes.chunks_exact_mut(width) {
                let mut at = pca.mean.clone();
                for ((share, direction), variance) in
                    code.iter().zip(&pca.components).zip(&pca.variance)
                {
                    let by = f64::from(*share) * variance.sqrt();
                    at.iter_mut().zip(direction).for_each(|(a, d)| *a += by * d);
                }
                code.iter_mut().zip(at).for_each(|(c, a)| *c = a as f32);
            }
        }
        self.decode(layer, &codes).await
    }

    /// What the layers after a layer make of values of its output `[count, width]`: the network's
    /// outputs, `[count, outputs]`, as [`Session::predict`] gives them.
    pub async fn decode(
        &mut self,
        layer: &str,
        codes: &[f32],
    ) -> Result<(Vec<usize>, Vec<f32>), Failure> {
        let (halves, shape) = self.halves(Some(layer)).await?;
        let width = numel(&shape);
        let rows = codes.len().checked_div(width).unwrap_or(0);
        if rows == 0 || rows * width != codes.len() {
            let problem = Problem::new("data-shape")
                .arg("got", codes.len())
                .arg("want", show(&shape));
            return Err(bad_data(problem));
        }
        let mut y = halves.after.run(codes).await?;
        self.unscale(&mut y);
        let outputs = y.len() / rows;
        Ok((vec![rows, outputs], y))
    }

    /// The same for points of a plane, row 0 + u·row 1 + v·row 2 of `basis[3, width]` each.
    pub async fn decode_places(
        &mut self,
        layer: &str,
        basis: &[f32],
        places: &[f32],
    ) -> Result<(Vec<usize>, Vec<f32>), Failure> {
        let width = basis.len() / 3;
        let (origin, axes) = basis.split_at(width);
        let (u, v) = axes.split_at(width);
        let point = |at: &[f32]| {
            let (x, y) = (at[0], at[1]);
            let all = origin.iter().zip(u).zip(v);
            all.map(|((o, u), v)| o + x * u + y * v)
                .collect::<Vec<f32>>()
        };
        let codes: Vec<f32> = places.chunks_exact(2).flat_map(point).collect();
        self.decode(layer, &codes).await
    }
}
