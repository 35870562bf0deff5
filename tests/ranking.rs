//! ROC, precision and recall, calibration: against scikit-learn's figures
//! (`tests/reference/ranking.py`).
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::hash;
use nabla::plotting::ranking::{Ranking, calibration, calibration_error};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    seed: u32,
    n: u32,
    steps: u32,
    strength: f64,
    auc: f64,
    ap: f64,
    fpr: Vec<f64>,
    tpr: Vec<f64>,
    thresholds: Vec<f64>,
    precision: Vec<f64>,
    recall: Vec<f64>,
    confusion: [[usize; 2]; 2],
    was: Vec<f64>,
    said: Vec<f64>,
}

impl Case {
    fn samples(&self) -> (Vec<f32>, Vec<bool>) {
        let truth = |i| hash(self.seed + 1, i).is_multiple_of(3);
        let score = |i| {
            let noise = f64::from(hash(self.seed, i)) / 4_294_967_296.0;
            let mixed =
                self.strength * f64::from(u8::from(truth(i))) + (1.0 - self.strength) * noise;
            let steps = f64::from(self.steps);
            ((mixed * steps).floor() / steps) as f32
        };
        (
            (0..self.n).map(score).collect(),
            (0..self.n).map(truth).collect(),
        )
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("reference/ranking.json")).unwrap()
}

fn all_near(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() < 1e-12, "{what}: {got:?} and {want:?}");
    }
}

#[test]
fn curves_are_those_of_scikit_learn() {
    let all = cases();
    assert_eq!(all.len(), 4);
    for c in all {
        let (scores, truth) = c.samples();
        let r = Ranking::of(&scores, &truth).unwrap();
        all_near(&[r.auc(), r.average_precision()], &[c.auc, c.ap], "areas");
        let (fpr, tpr): (Vec<f64>, Vec<f64>) = r.roc().into_iter().unzip();
        all_near(&fpr, &c.fpr, "false positives");
        all_near(&tpr, &c.tpr, "true positives");
        all_near(&r.thresholds[1..], &c.thresholds, "thresholds");
        // There the last point is (recall 0, precision 1), without a threshold, and the
        // thresholds rise.
        let (recall, precision): (Vec<f64>, Vec<f64>) =
            r.precision_recall().into_iter().rev().unzip();
        all_near(
            &precision,
            &c.precision[..c.precision.len() - 1],
            "precision",
        );
        all_near(&recall, &c.recall[..c.recall.len() - 1], "recall");
        let at = r.at(0.5);
        let got = [
            [at.true_negative, at.false_positive],
            [at.false_negative, at.true_positive],
        ];
        assert_eq!(got, c.confusion);
    }
}

#[test]
fn reliability_is_that_of_scikit_learn() {
    for c in cases() {
        let (scores, truth) = c.samples();
        let bins = calibration(&scores, &truth, 10);
        let full: Vec<_> = bins.iter().filter(|b| b.count > 0).collect();
        all_near(
            &full.iter().map(|b| b.was).collect::<Vec<_>>(),
            &c.was,
            "was",
        );
        all_near(
            &full.iter().map(|b| b.said).collect::<Vec<_>>(),
            &c.said,
            "said",
        );
        let by_hand: f64 = full
            .iter()
            .zip(c.was.iter().zip(&c.said))
            .map(|(b, (w, s))| b.count as f64 * (w - s).abs())
            .sum();
        all_near(
            &[calibration_error(&bins).unwrap()],
            &[by_hand / scores.len() as f64],
            "error",
        );
    }
}

#[test]
fn thresholds_between_scores_and_beyond_them() {
    let r = Ranking::of(&[0.9, 0.4, 0.4, 0.1], &[true, true, false, false]).unwrap();
    let positives = |t: f64| {
        let c = r.at(t);
        (c.true_positive, c.false_positive)
    };
    assert_eq!(
        [1.0, 0.9, 0.5, 0.4, 0.2, 0.1, -1.0].map(|t| positives(f64::from(t as f32))),
        [(0, 0), (1, 0), (1, 0), (2, 1), (2, 1), (2, 2), (2, 2)]
    );
    assert!(r.at(1.0).precision().is_nan());
    assert_eq!((r.at(0.4f32.into()).f1(), r.at(0.0).accuracy()), (0.8, 0.5));
}

#[test]
fn what_has_no_curve_gets_none() {
    assert_eq!(Ranking::of(&[0.5, 0.6], &[true, true]), None);
    assert_eq!(Ranking::of(&[0.5, f32::NAN], &[true, false]), None);
    assert_eq!(Ranking::of(&[], &[]), None);
    assert_eq!(
        calibration_error(&calibration(&[f32::NAN], &[true], 10)),
        None
    );
    let edges = calibration(&[0.0, 1.0, 1.5, -0.5], &[false, true, true, false], 10);
    assert_eq!((edges[0].count, edges[9].count), (2, 2));
}
