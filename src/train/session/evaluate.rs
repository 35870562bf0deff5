//! Evaluation and prediction: forward passes with dropout off.
use super::*;
use crate::graph::PREDICT_BATCH;
use crate::train::metrics::Outcome;

/// An evaluation under way.
pub struct Evaluator {
    rows: Vec<u32>,
    at: usize,
    outcome: Outcome,
}

impl<B: Backend> Session<B> {
    /// Begins an evaluation of a part that is not empty.
    pub fn evaluation(&self, part: Part) -> Result<Evaluator, Failure> {
        let rows = self.part(part).to_vec();
        if rows.is_empty() {
            let name = format!("{part:?}").to_lowercase();
            return Err(bad_data(Problem::new("empty-part").arg("part", name)));
        }
        let width = numel(&self.plan.slot(self.slots.eval_out).shape[1..]);
        Ok(Evaluator {
            rows,
            at: 0,
            outcome: Outcome {
                width: width / self.steps_per_sample(),
                classes: self.data.classes(),
                threshold: graph::threshold(&self.spec.train.loss),
                itself: self.spec.data.target == crate::spec::TargetOf::Input,
                ..Outcome::default()
            },
        })
    }

    /// Evaluates up to `batches` more batches; true when all rows are done.
    pub async fn evaluate_some(
        &mut self,
        e: &mut Evaluator,
        batches: usize,
    ) -> Result<bool, Failure> {
        let size = self.plan.program(ProgramKind::Eval).map_or(1, |p| p.batch);
        let width = e.outcome.width * self.steps_per_sample();
        for _ in 0..batches {
            let n = size.min(e.rows.len() - e.at);
            if n == 0 {
                break;
            }
            // The table's end repeats the last row; its outputs are not counted.
            let rows: Vec<f32> = (0..size)
                .map(|j| e.rows[e.at + j.min(n - 1)] as f32)
                .collect();
            self.backend
                .write(self.slots.eval_order, 0, Data::F32(&rows));
            self.backend.run(ProgramKind::Eval, self.step, 1);
            let mut got = self
                .backend
                .read(&[self.slots.eval_loss, self.slots.eval_out])
                .await?;
            self.unscale(&mut got[1]);
            e.outcome.losses.extend(&got[0][..n]);
            e.outcome.outputs.extend(&got[1][..n * width]);
            for row in &e.rows[e.at..][..n] {
                let mut y = self.data.target_row(*row as usize);
                self.unscale(&mut y);
                e.outcome.targets.extend(y);
            }
            e.at += n;
        }
        Ok(e.at == e.rows.len())
    }

    /// Rows of outputs for each sample: more than one where each step has a class.
    fn steps_per_sample(&self) -> usize {
        match self.data.classes() {
            Some(_) => self.data.target_width(),
            None => 1,
        }
    }

    /// Targets or outputs back into the data's own units.
    pub(super) fn unscale(&self, v: &mut [f32]) {
        if self.data.y_scale.is_empty() {
            return;
        }
        for row in v.chunks_mut(self.data.y_scale.len()) {
            for (v, (mean, std)) in row.iter_mut().zip(&self.data.y_scale) {
                *v = *v * std + mean;
            }
        }
    }

    /// A whole evaluation at once.
    pub async fn evaluate(&mut self, part: Part) -> Result<Evaluation, Failure> {
        let mut e = self.evaluation(part)?;
        while !self.evaluate_some(&mut e, usize::MAX).await? {}
        Ok(e.finish())
    }

    pub(super) fn first_sample(&self) -> Vec<f32> {
        let parts = [&self.data.test, &self.data.validation, &self.data.train];
        let row = parts.iter().find_map(|p| p.first()).copied().unwrap_or(0);
        let mut x = vec![0.0; self.data.features_len()];
        self.data.write_x(row as usize, &mut x);
        x
    }

    /// Outputs for `x`, whose shape is `[rows, sample…]` or one sample: `[rows, …]`, class
    /// probabilities where the loss is on logits, in the target's own units.
    pub async fn predict(
        &mut self,
        x: &[f32],
        shape: &[usize],
        scaled: bool,
    ) -> Result<(Vec<usize>, Vec<f32>), Failure> {
        let n = self.data.features_len();
        let count = shape.iter().try_fold(1usize, |p, d| p.checked_mul(*d));
        if count != Some(x.len()) {
            return Err(bad_data(
                Problem::new("shape-data")
                    .arg("shape", show(shape))
                    .arg("want", count.unwrap_or(usize::MAX))
                    .arg("got", x.len()),
            ));
        }
        let rows = x.len() / n.max(1);
        let whole = rows * n == x.len() && (shape.first() == Some(&rows) || rows == 1);
        if !whole || rows == 0 {
            return Err(bad_data(
                Problem::new("data-shape")
                    .arg("got", show(shape.get(1..).unwrap_or(&[])))
                    .arg("want", show(&self.data.shape)),
            ));
        }
        let mut x = x.to_vec();
        if !scaled && !self.data.mul.is_empty() {
            for row in x.chunks_exact_mut(n) {
                for ((v, m), a) in row.iter_mut().zip(&self.data.mul).zip(&self.data.add) {
                    *v = *v * m + a;
                }
            }
        }
        let (kind, name, size) = if rows == 1 {
            self.sample.copy_from_slice(&x);
            (ProgramKind::Inspect, "inspect", 1)
        } else {
            (ProgramKind::Predict, "predict", PREDICT_BATCH)
        };
        let io = |name: String| self.plan.find(Slab::Io, &name).expect("every plan has it");
        let (to, from) = (io(format!("{name}.x")), io(format!("{name}.out")));
        let one = self.plan.slot(from).shape[1..].to_vec();
        let width = numel(&one);
        let mut out = Vec::with_capacity(rows * width);
        for part in x.chunks(size * n) {
            self.backend.write(to, 0, Data::F32(part));
            self.backend.run(kind, self.step, 1);
            let got = self.backend.read(&[from]).await?.remove(0);
            out.extend_from_slice(&got[..part.len() / n * width]);
        }
        self.unscale(&mut out);
        let mut shape = vec![rows];
        shape.extend(one);
        Ok((shape, out))
    }
}

impl Evaluator {
    pub fn finish(self) -> Evaluation {
        self.outcome.evaluate()
    }

    /// Outputs `[rows, outputs]`, targets and losses as they were seen.
    pub fn outputs(self) -> (ArrayInfo, [Vec<f32>; 3]) {
        let o = self.outcome;
        let shape = vec![o.outputs.len() / o.width.max(1), o.width];
        (ArrayInfo { shape }, [o.outputs, o.targets, o.losses])
    }
}
