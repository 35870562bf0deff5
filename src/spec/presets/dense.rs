//! Dense networks: digits, and points in the plane.
use super::*;

/// The page's opening network: real 8×8 digits.
pub(super) fn digits_mlp() -> Spec {
    let mut d = digits8();
    d.flatten = true;
    spec(
        Framework::Pytorch,
        d,
        vec![
            linear("fc1", 64, None),
            act("relu1", Activation::Relu),
            linear("fc2", 10, None),
        ],
        train(
            Loss::CrossEntropy { from_logits: true },
            adam(Framework::Pytorch, 0.001),
            Some(32),
            60,
        ),
    )
}

/// T6: a small network with a decision boundary.
pub(super) fn mlp_2d(
    source: DataSource,
    hidden: &[usize],
    optimizer: Optimizer,
    epochs: usize,
) -> Spec {
    let mut d = data(source);
    d.split = Split {
        test: 0.25,
        validation: 0.0,
        shuffle: true,
    };
    let mut layers = Vec::new();
    for (i, h) in hidden.iter().enumerate() {
        layers.push(linear(&format!("fc{}", i + 1), *h, None));
        layers.push(act(&format!("tanh{}", i + 1), Activation::Tanh));
    }
    layers.push(linear("out", 1, None));
    spec(
        Framework::Pytorch,
        d,
        layers,
        train(
            Loss::BinaryCrossEntropy { from_logits: true },
            optimizer,
            Some(16),
            epochs,
        ),
    )
}

pub(super) fn mlp_xor() -> Spec {
    let source = DataSource::Xor {
        samples: 200,
        noise: 0.05,
    };
    mlp_2d(source, &[8], sgd(0.1, 0.9), 200)
}

pub(super) fn mlp_circles() -> Spec {
    let source = DataSource::Circles {
        samples: 240,
        noise: 0.08,
        factor: 0.5,
    };
    mlp_2d(source, &[8], adam(Framework::Pytorch, 0.02), 200)
}

pub(super) fn mlp_moons() -> Spec {
    let source = DataSource::Moons {
        samples: 240,
        noise: 0.1,
    };
    mlp_2d(source, &[8, 8], adam(Framework::Pytorch, 0.02), 200)
}

pub(super) fn mlp_spirals() -> Spec {
    let source = DataSource::Spirals {
        samples: 300,
        arms: 2,
        turns: 1.25,
        noise: 0.03,
    };
    mlp_2d(source, &[16, 16], adam(Framework::Pytorch, 0.01), 400)
}

/// T8: the Keras tutorial's network. Opens on the digits that ship, enlarged to MNIST's size.
pub(super) fn mnist_mlp() -> Spec {
    let mut d = digits28();
    d.split.shuffle = false;
    d.flatten = true;
    spec(
        Framework::Keras,
        d,
        vec![
            linear("dense", 512, Some(Activation::Relu)),
            LayerSpec::new("dropout", LayerKind::Dropout { rate: 0.5 }),
            linear("dense_1", 10, Some(Activation::Softmax)),
        ],
        train(
            Loss::CrossEntropy { from_logits: false },
            Optimizer::default_of("rmsprop", Framework::Keras).expect("rmsprop is known"),
            Some(128),
            10,
        ),
    )
}
