//! What can be looked at: tensors, samples, facts of the run.
use super::*;
use crate::data::Target;
use crate::spec::Missing;

impl<B: Backend> Session<B> {
    pub fn tensors(&self) -> Vec<TensorInfo> {
        self.readable()
            .into_iter()
            .map(|(name, role, id)| {
                let slot = self.plan.slot(id);
                let layer = match role {
                    Role::Activation => slot.name.trim_start_matches("activation:"),
                    _ => slot.name.split('.').next().unwrap_or_default(),
                };
                TensorInfo {
                    name,
                    shape: slot.shape.clone(),
                    role,
                    layer: layer.to_string(),
                }
            })
            .collect()
    }

    /// Name in the API, role and slot of all that can be read.
    pub(super) fn readable(&self) -> Vec<(String, Role, SlotId)> {
        let state = graph::rule(&self.spec.train.optimizer).state();
        let mut list = Vec::new();
        for (i, s) in self.plan.slots.iter().enumerate() {
            let (name, role) = match s.slab {
                Slab::Param => (s.name.clone(), Role::Param),
                Slab::Grad => (format!("grad:{}", s.name), Role::Grad),
                Slab::Moment(k) => (format!("{}:{}", state[k as usize], s.name), Role::Moment),
                Slab::State => (s.name.clone(), Role::State),
                Slab::Io if s.name.starts_with("activation:") => (s.name.clone(), Role::Activation),
                _ => continue,
            };
            list.push((name, role, SlotId(i as u32)));
        }
        list
    }

    /// Values of a tensor by the name that [`Session::tensors`] gives it. Activations are those
    /// of the sample that was last predicted by itself, or else of the first test sample.
    pub async fn tensor(&mut self, name: &str) -> Result<(Vec<usize>, Vec<f32>), Failure> {
        let found = self.readable().into_iter().find(|(n, _, _)| n == name);
        let Some((_, role, id)) = found else {
            return Err(bad_data(Problem::new("unknown-tensor").arg("name", name)));
        };
        if role == Role::Activation {
            let x = self.plan.find(Slab::Io, "inspect.x");
            self.backend
                .write(x.expect("every plan has it"), 0, Data::F32(&self.sample));
            self.backend.run(ProgramKind::Inspect, self.step, 1);
        }
        let values = self.backend.read(&[id]).await?.remove(0);
        Ok((self.plan.slot(id).shape.clone(), values))
    }

    /// Samples of a part: x as it came `[count, shape…]`, y in its own units, row numbers.
    pub fn samples(
        &self,
        part: Part,
        start: usize,
        count: usize,
    ) -> (Samples, Vec<f32>, Vec<f32>, Vec<u32>) {
        self.samples_of(self.part(part), start, count)
    }

    /// [`Session::samples`] among these rows.
    pub(super) fn samples_of(
        &self,
        rows: &[u32],
        start: usize,
        count: usize,
    ) -> (Samples, Vec<f32>, Vec<f32>, Vec<u32>) {
        let start = start.min(rows.len());
        let picked = &rows[start..(start + count.min(rows.len())).min(rows.len())];
        let n = self.data.features_len();
        let (mut x, mut y) = (Vec::with_capacity(picked.len() * n), Vec::new());
        for row in picked {
            let at = *row as usize * n;
            match &self.data.x {
                Values::F32(v) => x.extend_from_slice(&v[at..][..n]),
                Values::U8(v) => x.extend(v[at..][..n].iter().map(|b| f32::from(*b))),
            }
            let mut t = self.data.target_row(*row as usize);
            self.unscale(&mut t);
            y.extend(t);
        }
        let info = Samples {
            start,
            count: picked.len(),
            shape: self.data.shape.clone(),
            total: rows.len(),
        };
        (info, x, y, picked.to_vec())
    }

    /// How samples are scaled, factors and summands by feature, and targets, means and deviations.
    pub fn scaling(&self) -> [Vec<f32>; 4] {
        let (mean, std) = self.data.y_scale.iter().copied().unzip();
        [self.data.mul.clone(), self.data.add.clone(), mean, std]
    }

    pub fn info(&self, run: RunId) -> RunInfo {
        let facts = facts(&self.spec, &self.data);
        let report = graph::check(&self.spec, Some(&facts.data));
        let train = self.plan.program(ProgramKind::Train);
        let mut columns: Vec<String> = graph::columns(facts.data.classes)
            .into_iter()
            .map(String::from)
            .collect();
        columns.push("learningRate".into());
        RunInfo {
            run,
            spec: self.spec.clone(),
            backend: match self.backend.place() {
                crate::backend::Place::Cpu => BackendChoice::Cpu,
                crate::backend::Place::Gpu => BackendChoice::Webgpu,
            },
            why: "cpu-only".into(),
            build: Build::OURS,
            threads: 1,
            layers: report.layers,
            params: self.plan.param_count(),
            flops: train.map_or(0, |p| p.steps.iter().map(|s| s.flops()).sum()),
            plan: self.plan.pretty(),
            memory: self.plan.len() * 4,
            batch_size: self.batch(),
            steps_per_epoch: self.steps_per_epoch(),
            columns,
            data: self.data_info(),
            step: self.step,
            hyper: hyper::values(&self.spec),
        }
    }

    /// What the data lacked; None where nothing was missing.
    fn missing(&self) -> Option<MissingCells> {
        let gaps = &self.data.gaps;
        let filled = gaps.filled.iter().map(|g| MissingColumn {
            column: g.column.clone(),
            cells: g.rows.len(),
            with: g.with,
            value: Some(g.value.clone()),
            texts: !g.texts.is_empty(),
        });
        let dropping = gaps.dropping.iter().map(|(column, cells)| MissingColumn {
            column: column.clone(),
            cells: *cells as usize,
            with: Missing::Drop,
            value: None,
            texts: false,
        });
        let cells = MissingCells {
            columns: filled.chain(dropping).collect(),
            dropped: gaps.dropped,
            empty: gaps.empty.clone(),
        };
        (!cells.columns.is_empty() || !cells.empty.is_empty()).then_some(cells)
    }

    fn data_info(&self) -> DataInfo {
        let d = &self.data;
        let (classes, targets) = match &d.target {
            Target::Classes { names } | Target::Steps { names, .. } => (names.clone(), Vec::new()),
            Target::Values { names } => (Vec::new(), names.clone()),
            Target::Input { .. } => (Vec::new(), d.features.clone()),
        };
        let n = d.features_len();
        let mut ranges = Vec::new();
        if n <= 64 {
            ranges = vec![(f32::INFINITY, f32::NEG_INFINITY); n];
            for row in &d.train {
                for (j, range) in ranges.iter_mut().enumerate() {
                    let v = match &d.x {
                        Values::F32(v) => v[*row as usize * n + j],
                        Values::U8(v) => f32::from(v[*row as usize * n + j]),
                    };
                    *range = (range.0.min(v), range.1.max(v));
                }
            }
        }
        DataInfo {
            class_counts: d.class_counts(&d.train),
            name: d.name.clone(),
            shape: d.shape.clone(),
            image: d.image,
            features: d.features.clone(),
            classes,
            targets,
            target_scale: d.y_scale.clone(),
            ranges,
            train: d.train.len(),
            validation: d.validation.len(),
            test: d.test.len(),
            missing: self.missing(),
        }
    }
}
