//! Metrics of a part of the data, from all its outputs.
use super::protocol::Evaluation;
use crate::ops::predicted;

/// Outputs `[rows, width]` beside targets `[rows, targets]`, in original units, with the loss of
/// each sample; a sample has a row for each step that has a class.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub width: usize,
    pub outputs: Vec<f32>,
    pub targets: Vec<f32>,
    pub losses: Vec<f32>,
    /// Number of classes, or None for a regression.
    pub classes: Option<usize>,
    /// Above which a single output means class 1.
    pub threshold: f32,
    /// Whether the targets are the sample itself, which all has one unit.
    pub itself: bool,
}

impl Outcome {
    pub fn evaluate(&self) -> Evaluation {
        let rows = self.losses.len();
        let loss = self.losses.iter().map(|v| f64::from(*v)).sum::<f64>() / rows.max(1) as f64;
        let mut e = Evaluation {
            samples: rows,
            loss,
            ..Evaluation::default()
        };
        if rows == 0 {
            return e;
        }
        match self.classes {
            Some(k) => self.classification(k, &mut e),
            None => self.regression(&mut e),
        }
        e
    }

    fn classification(&self, k: usize, e: &mut Evaluation) {
        let mut confusion = vec![vec![0u32; k]; k];
        let mut hits = 0;
        for (row, truth) in self.outputs.chunks_exact(self.width).zip(&self.targets) {
            let (guess, truth) = (predicted(row, self.threshold), *truth as usize);
            hits += usize::from(guess == truth);
            if truth < k && guess < k {
                confusion[truth][guess] += 1;
            }
        }
        e.accuracy = Some(hits as f64 / self.targets.len() as f64);
        let [precision, recall, f1] = precision_recall(&confusion);
        (e.precision, e.recall, e.f1) = (Some(precision), Some(recall), Some(f1));
        e.confusion = Some(confusion);
        if k > TOP && self.width == k {
            e.top5 = Some(self.top());
        }
        if self.targets.len() > self.losses.len() {
            e.perplexity = Some(libm::exp(e.loss));
        }
        if k == 2 {
            let score: Vec<f32> = self
                .outputs
                .chunks_exact(self.width)
                .map(|r| r[self.width - 1])
                .collect();
            e.auc = auc(&score, &self.targets);
        }
    }

    /// Share of rows whose class is among the [`TOP`] largest outputs; ties count for it.
    fn top(&self) -> f64 {
        let rows = self.outputs.chunks_exact(self.width).zip(&self.targets);
        let hits = rows.filter(|(row, truth)| {
            let own = row[**truth as usize];
            row.iter().filter(|v| **v > own).count() < TOP
        });
        hits.count() as f64 / self.targets.len() as f64
    }

    fn regression(&self, e: &mut Evaluation) {
        let n = self.outputs.len() as f64;
        let (mut se, mut ae) = (0.0, 0.0);
        for (p, y) in self.outputs.iter().zip(&self.targets) {
            let d = f64::from(*p) - f64::from(*y);
            se += d * d;
            ae += d.abs();
        }
        e.mse = Some(se / n);
        e.mae = Some(ae / n);
        // As scikit-learn's r2_score: per target, then the mean over the targets; where the sample itself is
        // the target with `multioutput="variance_weighted"`, for at a picture's rim hardly anything varies.
        let (mut scores, mut weights) = (0.0, 0.0);
        for j in 0..self.width {
            let column = |v: &[f32]| -> Vec<f64> {
                v.iter()
                    .skip(j)
                    .step_by(self.width)
                    .map(|v| f64::from(*v))
                    .collect()
            };
            let (p, y) = (column(&self.outputs), column(&self.targets));
            let mean = y.iter().sum::<f64>() / y.len() as f64;
            let total: f64 = y.iter().map(|v| (v - mean).powi(2)).sum();
            let rest: f64 = p.iter().zip(&y).map(|(p, y)| (p - y).powi(2)).sum();
            if total > 0.0 {
                let weight = if self.itself { total } else { 1.0 };
                scores += weight * (1.0 - rest / total);
                weights += weight;
            }
        }
        if weights > 0.0 {
            e.r2 = Some(scores / weights);
        }
    }
}

/// How many guesses `top5` allows.
const TOP: usize = 5;

/// Precision, recall and F1 of class 1 of two, else their means over all classes; 0 where a class is
/// never guessed or never there. As scikit-learn's with `average="binary"` and `"macro"`.
fn precision_recall(confusion: &[Vec<u32>]) -> [f64; 3] {
    let k = confusion.len();
    let classes = if k == 2 { 1..2 } else { 0..k };
    let share = |hits: u32, of: u32| match of {
        0 => 0.0,
        n => f64::from(hits) / f64::from(n),
    };
    let mut sums = [0.0; 3];
    let count = classes.len().max(1) as f64;
    for c in classes {
        let hits = confusion[c][c];
        let guessed: u32 = confusion.iter().map(|row| row[c]).sum();
        let there: u32 = confusion[c].iter().sum();
        sums[0] += share(hits, guessed);
        sums[1] += share(hits, there);
        sums[2] += share(2 * hits, guessed + there);
    }
    sums.map(|s| s / count)
}

/// Area under the ROC curve, exactly: the chance that a positive scores above a negative, ties
/// counting half. None when a class is absent or a score is NaN.
pub fn auc(scores: &[f32], truth: &[f32]) -> Option<f64> {
    if scores.iter().any(|s| s.is_nan()) {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let positives = truth.iter().filter(|t| **t > 0.5).count() as f64;
    let negatives = truth.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let (mut sum, mut i) = (0.0, 0);
    while i < order.len() {
        let mut j = i;
        while j < order.len() && scores[order[j]] == scores[order[i]] {
            j += 1;
        }
        let rank = (i + 1 + j) as f64 / 2.0;
        sum += rank * order[i..j].iter().filter(|k| truth[**k] > 0.5).count() as f64;
        i = j;
    }
    Some((sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}
