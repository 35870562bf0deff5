//! How well scores tell one class from the rest: ROC, precision and recall, calibration.
//! Scores are higher for what is held to be positive; equal scores count as one step.

/// Counts of what a threshold makes of the samples: positive where the score is at or above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub true_positive: usize,
    pub false_positive: usize,
    pub false_negative: usize,
    pub true_negative: usize,
}

fn share(n: usize, of: usize) -> f64 {
    if of == 0 {
        f64::NAN
    } else {
        n as f64 / of as f64
    }
}

impl Counts {
    /// NaN where nothing is held to be positive.
    pub fn precision(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_positive)
    }
    /// Also the true-positive rate.
    pub fn recall(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_negative)
    }
    pub fn false_positive_rate(&self) -> f64 {
        share(
            self.false_positive,
            self.false_positive + self.true_negative,
        )
    }
    pub fn f1(&self) -> f64 {
        share(
            2 * self.true_positive,
            2 * self.true_positive + self.false_positive + self.false_negative,
        )
    }
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positive + self.true_negative;
        share(right, right + self.false_positive + self.false_negative)
    }
}

/// The counts at every threshold that makes a difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// Falling; the first is infinite: nothing is positive.
    pub thresholds: Vec<f64>,
    pub counts: Vec<Counts>,
}

impl Ranking {
    /// None where either kind of sample is missing, or a score is NaN.
    pub fn of(scores: &[f32], positive: &[bool]) -> Option<Ranking> {
        let positives = positive.iter().filter(|p| **p).count();
        let negatives = positive.len() - positives;
        let usable = scores.len() == positive.len() && !scores.iter().any(|s| s.is_nan());
        if positives == 0 || negatives == 0 || !usable {
            return None;
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let mut now = Counts {
            false_negative: positives,
            true_negative: negatives,
            ..Counts::default()
        };
        let mut thresholds = vec![f64::INFINITY];
        let mut counts = vec![now];
        for (i, at) in order.iter().enumerate() {
            if positive[*at] {
                now.true_positive += 1;
                now.false_negative -= 1;
            } else {
                now.false_positive += 1;
                now.true_negative -= 1;
            }
            let next = order.get(i + 1).map(|n| scores[*n]);
            if next != Some(scores[*at]) {
                thresholds.push(f64::from(scores[*at]));
                counts.push(now);
            }
        }
        Some(Ranking { thresholds, counts })
    }

    /// False-positive rate and true-positive rate at each threshold, from (0, 0) to (1, 1).
    pub fn roc(&self) -> Vec<(f64, f64)> {
        let point = |c: &Counts| (c.false_positive_rate(), c.recall());
        self.counts.iter().map(point).collect()
    }

    /// Area under the ROC curve, by trapezoids: exact.
    pub fn auc(&self) -> f64 {
        let roc = self.roc();
        let strips = roc.windows(2);
        strips
            .map(|w| (w[1].0 - w[0].0) * (w[1].1 + w[0].1) / 2.0)
            .sum()
    }

    /// Recall and precision at each finite threshold.
    pub fn precision_recall(&self) -> Vec<(f64, f64)> {
        let known = self.counts.iter().skip(1);
        known.map(|c| (c.recall(), c.precision())).collect()
    }

    /// The mean of the precision over the recall that each threshold adds, without interpolation.
    pub fn average_precision(&self) -> f64 {
        let mut before = 0.0;
        let mut sum = 0.0;
        for (recall, precision) in self.precision_recall() {
            sum += (recall - before) * precision;
            before = recall;
        }
        sum
    }

    /// What a threshold makes of the samples.
    pub fn at(&self, threshold: f64) -> Counts {
        let passed = self.thresholds.partition_point(|t| *t >= threshold);
        self.counts[passed.saturating_sub(1).min(self.counts.len() - 1)]
    }
}

/// Samples whose probability lies in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    pub count: usize,
    /// Mean of their probabilities.
    pub said: f64,
    /// Share of them that is positive.
    pub was: f64,
}

/// Probabilities in `bins` equal bins of 0…1, each with what came true; the upper edge belongs to
/// a bin, and NaN to none.
pub fn calibration(probabilities: &[f32], positive: &[bool], bins: usize) -> Vec<Bin> {
    let mut out = vec![Bin::default(); bins.max(1)];
    let last = out.len() - 1;
    for (p, was) in probabilities.iter().zip(positive) {
        if p.is_nan() {
            continue;
        }
        let p = f64::from(*p);
        let bin = &mut out[((p * bins as f64).ceil() as usize)
            .saturating_sub(1)
            .min(last)];
        bin.count += 1;
        bin.said += p;
        bin.was += f64::from(u8::from(*was));
    }
    for b in out.iter_mut().filter(|b| b.count > 0) {
        b.said /= b.count as f64;
        b.was /= b.count as f64;
    }
    out
}

/// Expected calibration error: the mean over all samples of how far their bin is off.
pub fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let all: usize = bins.iter().map(|b| b.count).sum();
    let off: f64 = bins
        .iter()
        .map(|b| b.count as f64 * (b.was - b.said).abs())
        .sum();
    (all > 0).then(|| off / all as f64)
}
