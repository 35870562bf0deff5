//! Metrics beside scikit-learn's figures.
#![cfg(not(target_arch = "wasm32"))]
use nabla::train::metrics::Outcome;

type Case = (&'static [usize], &'static [usize], usize, [f64; 3]);

/// Outputs that say these classes, one-hot.
fn outcome(truth: &[usize], guess: &[usize], k: usize) -> Outcome {
    Outcome {
        width: k,
        outputs: guess
            .iter()
            .flat_map(|g| (0..k).map(move |c| f32::from(u8::from(c == *g))))
            .collect(),
        targets: truth.iter().map(|t| *t as f32).collect(),
        losses: vec![0.5; truth.len()],
        classes: Some(k),
        threshold: 0.5,
        itself: false,
    }
}

#[test]
fn precision_recall_and_f1() {
    let cases: [Case; 3] = [
        (
            &[0, 1, 1, 0, 1, 1, 0, 1],
            &[0, 1, 0, 1, 1, 1, 0, 0],
            2,
            [0.75, 0.6, 2.0 / 3.0],
        ),
        (
            &[0, 1, 2, 2, 1, 0, 2, 1, 0, 2],
            &[0, 2, 2, 1, 1, 0, 2, 1, 1, 2],
            3,
            [0.75, 0.694_444_444_4, 0.707_142_857_1],
        ),
        // A class that is never there and one that is never found.
        (
            &[0, 0, 1, 1],
            &[0, 0, 2, 0],
            3,
            [0.222_222_222_2, 1.0 / 3.0, 0.266_666_666_7],
        ),
    ];
    for (truth, guess, k, want) in cases {
        let e = outcome(truth, guess, k).evaluate();
        let got = [e.precision, e.recall, e.f1].map(Option::unwrap);
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-9, "{got} instead of {want}");
        }
        assert_eq!((e.top5, e.perplexity), (None, None));
    }
}

#[test]
fn the_five_likeliest_and_perplexity() {
    // Row r holds 0, 1, … 6 turned by r: class c has rank 6 − (c − r mod 7).
    let rows = 7;
    let mut o = outcome(&[0; 7], &[0; 7], 7);
    o.outputs = (0..rows)
        .flat_map(|r| (0..7).map(move |c| ((c + 7 - r) % 7) as f32))
        .collect();
    o.targets = vec![0.0; rows];
    // Class 0 is 0, 6, 5, 4, 3, 2, 1 in the seven rows; five of them are among the largest.
    assert_eq!(o.evaluate().top5, Some(5.0 / 7.0));
    let steps = Outcome {
        losses: vec![2.0],
        ..outcome(&[0, 1, 1], &[0, 1, 0], 2)
    };
    let e = steps.evaluate();
    assert!((e.perplexity.unwrap() - std::f64::consts::E.powi(2)).abs() < 1e-9);
}

#[test]
fn what_is_given_back_is_measured_as_a_whole() {
    // scikit-learn's r2_score with multioutput="variance_weighted"; the first column never varies.
    let given_back = Outcome {
        width: 3,
        outputs: vec![0.5, 1.0, 2.0, 0.0, 2.0, 1.0, 0.0, 2.0, 4.0],
        targets: vec![0.0, 1.0, 2.0, 0.0, 3.0, 1.0, 0.0, 2.0, 5.0],
        losses: vec![0.0; 3],
        itself: true,
        ..Outcome::default()
    };
    assert!((given_back.evaluate().r2.unwrap() - 0.8125).abs() < 1e-12);
    // Where targets have units of their own, each that varies counts alike.
    let numbers = Outcome {
        itself: false,
        ..given_back
    };
    assert!((numbers.evaluate().r2.unwrap() - 9.0 / 13.0).abs() < 1e-12);
}
