//! Models older than backpropagation, through the same spec and run: the perceptron's rule and
//! Gaussian discriminant analysis.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::spec::{Loss, Scale, Spec};
use nabla::train::Session;
use nabla::train::protocol::Part;

fn open(spec: Spec) -> Session<CpuBackend> {
    let data = load(&spec);
    block_on(Session::new(spec, data, None)).unwrap()
}

/// After each epoch, the accuracy on the training part.
fn epochs(run: &mut Session<CpuBackend>) -> Vec<f64> {
    (0..run.epochs())
        .map(|_| {
            while !block_on(run.steps(u32::MAX)).unwrap().epoch_done {}
            block_on(run.evaluate(Part::Train))
                .unwrap()
                .accuracy
                .unwrap()
        })
        .collect()
}

#[test]
fn the_perceptron_learns_what_a_line_divides_and_not_xor() {
    for id in ["perceptron", "perceptron-and", "perceptron-or"] {
        assert_eq!(epochs(&mut open(preset(id))).last(), Some(&1.0), "{id}");
    }
    let xor = epochs(&mut open(preset("perceptron-xor")));
    assert!(xor.iter().all(|a| *a <= 0.75), "{xor:?}");
}

/// w ← w − η(ŷ − y)x, computed beside.
#[test]
fn every_step_is_rosenblatts_rule() {
    let spec = preset("perceptron-or");
    let rate = spec.train.optimizer.learning_rate();
    let data = load(&spec);
    let mut run = open(spec);
    let (mut w, mut b) = ([0f32; 2], 0f32);
    for _ in 0..30 {
        let (report, _) = block_on(run.step_report()).unwrap();
        let mut x = [0.0; 2];
        data.write_x(report.batch[0] as usize, &mut x);
        let y = data.target_row(report.batch[0] as usize)[0];
        let said = if w[0] * x[0] + w[1] * x[1] + b > 0.0 {
            1.0
        } else {
            0.0
        };
        let wrong = rate * (said - y);
        w = [w[0] - wrong * x[0], w[1] - wrong * x[1]];
        b -= wrong;
        let (_, got) = block_on(run.tensor("neuron.weight")).unwrap();
        let (_, bias) = block_on(run.tensor("neuron.bias")).unwrap();
        for (got, want) in got.iter().chain(&bias).zip([w[0], w[1], b]) {
            assert!((got - want).abs() < 1e-6, "{got} instead of {want}");
        }
    }
}

/// scikit-learn 1.9's LinearDiscriminantAnalysis(solver="lsqr") on the same hundred irises.
#[test]
fn the_closed_form_is_scikit_learns() {
    let mut spec = preset("linear-models-gda");
    spec.data.split.test = 0.0;
    spec.data.scale = Scale::None;
    let mut run = open(spec);
    block_on(run.steps(1)).unwrap();
    let (_, w) = block_on(run.tensor("linear.weight")).unwrap();
    let (_, b) = block_on(run.tensor("linear.bias")).unwrap();
    for (got, want) in w.iter().chain(&b).zip([2.820_988_6, 9.469_44, -29.710_55]) {
        assert!((got / want - 1.0).abs() < 1e-4, "{got} instead of {want}");
    }
    // Another step finds the same.
    block_on(run.steps(1)).unwrap();
    assert_eq!(block_on(run.tensor("linear.weight")).unwrap().1, w);
    let accuracy = block_on(run.evaluate(Part::Train)).unwrap().accuracy;
    assert!(accuracy > Some(0.9), "{accuracy:?}");
}

#[test]
fn linear_models_divide_the_irises() {
    for id in ["linear-models", "linear-models-gda"] {
        let mut run = open(preset(id));
        epochs(&mut run);
        let test = block_on(run.evaluate(Part::Test)).unwrap();
        assert!(test.accuracy > Some(0.87), "{id}: {:?}", test.accuracy);
    }
}

#[test]
fn what_they_cannot_be_used_for_is_said() {
    let code = |spec: &Spec| {
        nabla::graph::check(spec, spec.data.shape().as_ref()).errors[0]
            .code
            .clone()
    };
    let mut gda = preset("linear-models-gda");
    gda.train.batch_size = Some(4);
    assert_eq!(code(&gda), "closed-form");
    let mut gda = preset("linear-models-gda");
    gda.layers.insert(0, preset("digits-mlp").layers[0].clone());
    let data = load(&gda);
    let refused = block_on(Session::<CpuBackend>::new(gda, data, None));
    assert_eq!(refused.err().unwrap().problems[0].code, "closed-form");
    let mut stepless = preset("perceptron");
    stepless.layers.pop();
    assert_eq!(code(&stepless), "needs-step");
    let mut three = preset("logreg");
    three.train.loss = Loss::Perceptron;
    assert_eq!(code(&three), "needs-step");
}
