//! Linear models, single neurons, and models that are fitted in closed form.
use super::*;

/// T1: scikit-learn's make_regression(n_samples=100, n_features=1, noise=10).
pub(super) fn linreg_sklearn() -> Spec {
    spec(
        Framework::Pytorch,
        data(DataSource::MakeRegression {
            samples: 100,
            features: 1,
            noise: 10.0,
            bias: 0.0,
        }),
        vec![linear("linear", 1, None)],
        train(Loss::Mse, sgd(0.01, 0.0), None, 100),
    )
}

/// T2: y = 3x + 2 with noise.
pub(super) fn linreg_3x2() -> Spec {
    spec(
        Framework::Pytorch,
        data(DataSource::Line {
            samples: 100,
            slope: 3.0,
            intercept: 2.0,
            noise: 0.5,
        }),
        vec![linear("linear", 1, None)],
        train(Loss::Mse, sgd(0.01, 0.0), None, 1000),
    )
}

/// T3: two points, which leave the plane through them undetermined.
pub(super) fn first_network() -> Spec {
    spec(
        Framework::Pytorch,
        data(DataSource::Points {
            x: vec![vec![1.0, 2.0], vec![3.0, 4.0]],
            y: vec![vec![2.0], vec![6.0]],
            classes: None,
        }),
        vec![linear("fc1", 1, None)],
        train(Loss::Mse, sgd(0.01, 0.0), None, 100),
    )
}

/// T4 on 569 real cases of 30 features.
pub(super) fn logreg() -> Spec {
    let mut d = data(DataSource::Bundled {
        name: Bundled::BreastCancer,
    });
    d.split = Split {
        test: 0.2,
        validation: 0.0,
        shuffle: true,
    };
    d.scale = Scale::Standardize;
    spec(
        Framework::Pytorch,
        d,
        vec![
            linear("linear", 1, None),
            act("sigmoid", Activation::Sigmoid),
        ],
        train(
            Loss::BinaryCrossEntropy { from_logits: false },
            sgd(0.1, 0.0),
            Some(32),
            50,
        ),
    )
}

/// T4 in the plane, where the decision line can be seen.
pub(super) fn logreg_blobs() -> Spec {
    let mut d = data(DataSource::Blobs {
        samples: 200,
        centers: 2,
        std: 1.5,
    });
    d.split = Split {
        test: 0.25,
        validation: 0.0,
        shuffle: true,
    };
    spec(
        Framework::Pytorch,
        d,
        vec![
            linear("linear", 1, None),
            act("sigmoid", Activation::Sigmoid),
        ],
        train(
            Loss::BinaryCrossEntropy { from_logits: false },
            sgd(0.05, 0.0),
            Some(16),
            100,
        ),
    )
}

/// T5: one neuron with a step. A sample at a time, Rosenblatt's rule moves the line by each that
/// it gets wrong.
pub(super) fn one_step_neuron(source: DataSource, epochs: usize) -> Spec {
    let neuron = LayerKind::Linear {
        units: 1,
        bias: true,
        activation: None,
        weight_init: Some(Init::Zeros),
        bias_init: Some(Init::Zeros),
    };
    spec(
        Framework::Pytorch,
        data(source),
        vec![
            LayerSpec::new("neuron", neuron),
            act("step", Activation::Step),
        ],
        train(Loss::Perceptron, sgd(0.1, 0.0), Some(1), epochs),
    )
}

pub(super) fn perceptron() -> Spec {
    let source = DataSource::Separable {
        samples: 100,
        margin: 0.1,
    };
    one_step_neuron(source, 20)
}

/// Both inputs' four combinations.
pub(super) fn gate(truth: [f32; 4]) -> Spec {
    let source = DataSource::Points {
        x: [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
            .map(|p: [f32; 2]| p.to_vec())
            .to_vec(),
        y: truth.map(|v| vec![v]).to_vec(),
        classes: Some(2),
    };
    one_step_neuron(source, 50)
}

pub(super) fn perceptron_and() -> Spec {
    gate([0.0, 0.0, 0.0, 1.0])
}

pub(super) fn perceptron_or() -> Spec {
    gate([0.0, 1.0, 1.0, 1.0])
}

pub(super) fn perceptron_xor() -> Spec {
    gate([0.0, 1.0, 1.0, 0.0])
}

/// Two kinds of iris by their petals, standardised; the parts that T7's models share.
pub(super) fn two_irises() -> DataSpec {
    let mut d = data(DataSource::Bundled {
        name: Bundled::IrisPair,
    });
    d.split = Split {
        test: 0.25,
        validation: 0.0,
        shuffle: true,
    };
    d.scale = Scale::Standardize;
    d
}

/// T7: a linear support vector machine, hinge loss and an L2 penalty.
pub(super) fn svm() -> Spec {
    let mut train = train(Loss::Hinge, sgd(0.05, 0.0), Some(16), 100);
    train.l2 = 0.01;
    let layers = vec![linear("linear", 1, None)];
    spec(Framework::Pytorch, two_irises(), layers, train)
}

/// T7: Gaussian discriminant analysis; its first step is its last.
pub(super) fn gda() -> Spec {
    let loss = Loss::BinaryCrossEntropy { from_logits: true };
    spec(
        Framework::Pytorch,
        two_irises(),
        vec![linear("linear", 1, None)],
        train(loss, Optimizer::ClosedForm, None, 5),
    )
}
