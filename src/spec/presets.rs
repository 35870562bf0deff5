//! The tutorial networks, as specs. The titles in other languages are `preset-<id>` of the
//! message catalogue.
use super::*;

/// What the list shows; the English title serves the API.
pub struct Preset {
    pub id: &'static str,
    pub title: &'static str,
    make: fn() -> Spec,
}

impl Preset {
    pub fn spec(&self) -> Spec {
        let mut spec = (self.make)();
        spec.name = self.id.to_string();
        spec
    }
}

/// In the order of the list; the first opens when the page does.
pub const PRESETS: &[Preset] = &[
    Preset {
        id: "digits-mlp",
        title: "Digits · multilayer perceptron",
        make: digits_mlp,
    },
    Preset {
        id: "linreg-sklearn",
        title: "Linear regression",
        make: linreg_sklearn,
    },
    Preset {
        id: "linreg-3x2",
        title: "Linear regression, y = 3x + 2",
        make: linreg_3x2,
    },
    Preset {
        id: "first-network",
        title: "A first network, two points",
        make: first_network,
    },
    Preset {
        id: "logreg",
        title: "Logistic regression, breast cancer",
        make: logreg,
    },
    Preset {
        id: "logreg-blobs",
        title: "Logistic regression, two blobs",
        make: logreg_blobs,
    },
    Preset {
        id: "perceptron",
        title: "Perceptron, separable points",
        make: perceptron,
    },
    Preset {
        id: "perceptron-and",
        title: "Perceptron, AND",
        make: perceptron_and,
    },
    Preset {
        id: "perceptron-or",
        title: "Perceptron, OR",
        make: perceptron_or,
    },
    Preset {
        id: "perceptron-xor",
        title: "Perceptron, XOR, which it cannot learn",
        make: perceptron_xor,
    },
    Preset {
        id: "linear-models",
        title: "Support vector machine, iris",
        make: svm,
    },
    Preset {
        id: "linear-models-gda",
        title: "Gaussian discriminant analysis, iris",
        make: gda,
    },
    Preset {
        id: "mlp-xor",
        title: "Multilayer perceptron, XOR",
        make: mlp_xor,
    },
    Preset {
        id: "mlp-circles",
        title: "Multilayer perceptron, circles",
        make: mlp_circles,
    },
    Preset {
        id: "mlp-moons",
        title: "Multilayer perceptron, moons",
        make: mlp_moons,
    },
    Preset {
        id: "mlp-spirals",
        title: "Multilayer perceptron, spirals",
        make: mlp_spirals,
    },
    Preset {
        id: "mnist-mlp",
        title: "MNIST · multilayer perceptron",
        make: mnist_mlp,
    },
    Preset {
        id: "digits-cnn",
        title: "Digits · convolutional network",
        make: digits_cnn,
    },
    Preset {
        id: "cnn-pytorch",
        title: "MNIST · convolutional network",
        make: cnn_pytorch,
    },
    Preset {
        id: "cifar-cnn",
        title: "CIFAR-10 · convolutional network",
        make: cifar_cnn,
    },
    Preset {
        id: "imdb-conv1d",
        title: "IMDB · 1-D convolutions over words",
        make: imdb_conv1d,
    },
    Preset {
        id: "lstm-sine",
        title: "A sine's next value · LSTM",
        make: lstm_sine,
    },
    Preset {
        id: "lstm",
        title: "Digits row by row · LSTM",
        make: lstm,
    },
    Preset {
        id: "gru",
        title: "Digits row by row · GRU",
        make: gru,
    },
    Preset {
        id: "rnn",
        title: "Digits row by row · simple RNN",
        make: rnn,
    },
    Preset {
        id: "autoencoder",
        title: "Digits · autoencoder",
        make: autoencoder,
    },
    Preset {
        id: "vae",
        title: "Digits · variational autoencoder",
        make: vae,
    },
];

pub fn find(id: &str) -> Option<Spec> {
    PRESETS.iter().find(|p| p.id == id).map(Preset::spec)
}

fn linear(id: &str, units: usize, activation: Option<Activation>) -> LayerSpec {
    LayerSpec::new(
        id,
        LayerKind::Linear {
            units,
            bias: true,
            activation,
            weight_init: None,
            bias_init: None,
        },
    )
}

fn act(id: &str, function: Activation) -> LayerSpec {
    LayerSpec::new(
        id,
        LayerKind::Activation {
            function,
            alpha: None,
        },
    )
}

fn conv2d(id: &str, filters: usize) -> LayerSpec {
    let mut conv = Conv::new(filters, 3);
    conv.padding = Padding::By(Size::One(1));
    LayerSpec::new(id, LayerKind::Conv2d(conv))
}

fn max_pool2d(id: &str) -> LayerSpec {
    LayerSpec::new(id, LayerKind::MaxPool2d(Pool::default()))
}

fn sgd(learning_rate: f32, momentum: f32) -> Optimizer {
    Optimizer::Sgd {
        learning_rate,
        momentum,
        nesterov: false,
        weight_decay: 0.0,
    }
}

fn adam(framework: Framework, rate: f32) -> Optimizer {
    let mut o = Optimizer::default_of("adam", framework).expect("adam is known");
    o.set_learning_rate(rate);
    o
}

fn data(source: DataSource) -> DataSpec {
    DataSpec {
        source,
        split: Split::default(),
        scale: Scale::None,
        scale_target: false,
        flatten: false,
        target: TargetOf::Labels,
        text: None,
    }
}

fn spec(framework: Framework, data: DataSpec, layers: Vec<LayerSpec>, train: TrainSpec) -> Spec {
    Spec {
        version: VERSION,
        name: String::new(),
        framework,
        seed: 1,
        data,
        layers,
        train,
    }
}

fn train(loss: Loss, optimizer: Optimizer, batch_size: Option<usize>, epochs: usize) -> TrainSpec {
    TrainSpec {
        loss,
        optimizer,
        batch_size,
        epochs,
        shuffle: batch_size.is_some(),
        schedule: Schedule::Constant,
        clip: Clip::None,
        l1: 0.0,
        l2: 0.0,
        strict: false,
        early_stopping: None,
        checkpoints: None,
    }
}

/// Real digits, their values divided by the largest.
fn digits(name: Bundled, by: f32) -> DataSpec {
    let mut d = data(DataSource::Bundled { name });
    d.split = Split {
        test: 0.2,
        validation: 0.1,
        shuffle: true,
    };
    d.scale = Scale::Divide { by };
    d
}

/// 8×8 pixels, values 0…1.
fn digits8() -> DataSpec {
    digits(Bundled::Digits, 16.0)
}

/// 28×28 pixels, values 0…1.
fn digits28() -> DataSpec {
    digits(Bundled::Digits28, 255.0)
}

/// The page's opening network: real 8×8 digits.
fn digits_mlp() -> Spec {
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

/// T1: scikit-learn's make_regression(n_samples=100, n_features=1, noise=10).
fn linreg_sklearn() -> Spec {
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
fn linreg_3x2() -> Spec {
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
fn first_network() -> Spec {
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
fn logreg() -> Spec {
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
fn logreg_blobs() -> Spec {
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
fn one_step_neuron(source: DataSource, epochs: usize) -> Spec {
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

fn perceptron() -> Spec {
    let source = DataSource::Separable {
        samples: 100,
        margin: 0.1,
    };
    one_step_neuron(source, 20)
}

/// Both inputs' four combinations.
fn gate(truth: [f32; 4]) -> Spec {
    let source = DataSource::Points {
        x: [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
            .map(|p: [f32; 2]| p.to_vec())
            .to_vec(),
        y: truth.map(|v| vec![v]).to_vec(),
        classes: Some(2),
    };
    one_step_neuron(source, 50)
}

fn perceptron_and() -> Spec {
    gate([0.0, 0.0, 0.0, 1.0])
}

fn perceptron_or() -> Spec {
    gate([0.0, 1.0, 1.0, 1.0])
}

fn perceptron_xor() -> Spec {
    gate([0.0, 1.0, 1.0, 0.0])
}

/// Two kinds of iris by their petals, standardised; the parts that T7's models share.
fn two_irises() -> DataSpec {
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
fn svm() -> Spec {
    let mut train = train(Loss::Hinge, sgd(0.05, 0.0), Some(16), 100);
    train.l2 = 0.01;
    let layers = vec![linear("linear", 1, None)];
    spec(Framework::Pytorch, two_irises(), layers, train)
}

/// T7: Gaussian discriminant analysis; its first step is its last.
fn gda() -> Spec {
    let loss = Loss::BinaryCrossEntropy { from_logits: true };
    spec(
        Framework::Pytorch,
        two_irises(),
        vec![linear("linear", 1, None)],
        train(loss, Optimizer::ClosedForm, None, 5),
    )
}

/// T6: a small network with a decision boundary.
fn mlp_2d(source: DataSource, hidden: &[usize], optimizer: Optimizer, epochs: usize) -> Spec {
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

fn mlp_xor() -> Spec {
    let source = DataSource::Xor {
        samples: 200,
        noise: 0.05,
    };
    mlp_2d(source, &[8], sgd(0.1, 0.9), 200)
}

fn mlp_circles() -> Spec {
    let source = DataSource::Circles {
        samples: 240,
        noise: 0.08,
        factor: 0.5,
    };
    mlp_2d(source, &[8], adam(Framework::Pytorch, 0.02), 200)
}

fn mlp_moons() -> Spec {
    let source = DataSource::Moons {
        samples: 240,
        noise: 0.1,
    };
    mlp_2d(source, &[8, 8], adam(Framework::Pytorch, 0.02), 200)
}

fn mlp_spirals() -> Spec {
    let source = DataSource::Spirals {
        samples: 300,
        arms: 2,
        turns: 1.25,
        noise: 0.03,
    };
    mlp_2d(source, &[16, 16], adam(Framework::Pytorch, 0.01), 400)
}

/// T8: the Keras tutorial's network. Opens on the digits that ship, enlarged to MNIST's size.
fn mnist_mlp() -> Spec {
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

/// A convolutional network small enough for 8×8 pixels.
fn digits_cnn() -> Spec {
    spec(
        Framework::Pytorch,
        digits8(),
        vec![
            conv2d("conv1", 8),
            act("relu1", Activation::Relu),
            max_pool2d("pool1"),
            conv2d("conv2", 16),
            act("relu2", Activation::Relu),
            max_pool2d("pool2"),
            LayerSpec::new("flatten", LayerKind::Flatten),
            linear("fc", 10, None),
        ],
        train(
            Loss::CrossEntropy { from_logits: true },
            adam(Framework::Pytorch, 0.003),
            Some(32),
            40,
        ),
    )
}

/// T9: the PyTorch tutorial's network. Opens on the digits that ship, enlarged to MNIST's size.
fn cnn_pytorch() -> Spec {
    spec(
        Framework::Pytorch,
        digits28(),
        vec![
            conv2d("conv1", 32),
            act("relu1", Activation::Relu),
            max_pool2d("pool1"),
            conv2d("conv2", 64),
            act("relu2", Activation::Relu),
            max_pool2d("pool2"),
            LayerSpec::new("flatten", LayerKind::Flatten),
            linear("fc1", 128, None),
            act("relu3", Activation::Relu),
            linear("fc2", 10, None),
        ],
        train(
            Loss::CrossEntropy { from_logits: true },
            adam(Framework::Pytorch, 0.001),
            Some(64),
            10,
        ),
    )
}

/// A convolution as the Keras tutorial has it.
fn keras_conv2d(id: &str, filters: usize) -> LayerSpec {
    let mut conv = Conv::new(filters, 3);
    conv.padding = Padding::Named(PaddingName::Valid);
    conv.activation = Some(Activation::Relu);
    LayerSpec::new(id, LayerKind::Conv2d(conv))
}

/// T10: opens on shapes in colour, as large as CIFAR-10's pictures.
fn cifar_cnn() -> Spec {
    let mut d = data(DataSource::Shapes { samples: 2000 });
    d.split = Split {
        test: 0.2,
        validation: 0.1,
        shuffle: false,
    };
    d.scale = Scale::Divide { by: 255.0 };
    let mut train = train(
        Loss::CrossEntropy { from_logits: false },
        adam(Framework::Keras, 0.001),
        Some(128),
        50,
    );
    train.early_stopping = Some(EarlyStopping {
        monitor: Monitor::ValLoss,
        patience: 3,
        min_delta: 0.0,
        restore_best: false,
    });
    train.checkpoints = Some(Checkpoints {
        monitor: Monitor::ValLoss,
        best_only: true,
    });
    spec(
        Framework::Keras,
        d,
        vec![
            keras_conv2d("conv2d", 32),
            max_pool2d("max_pooling2d"),
            keras_conv2d("conv2d_1", 64),
            max_pool2d("max_pooling2d_1"),
            keras_conv2d("conv2d_2", 64),
            LayerSpec::new("flatten", LayerKind::Flatten),
            linear("dense", 64, Some(Activation::Relu)),
            linear("dense_1", 10, Some(Activation::Softmax)),
        ],
        train,
    )
}

/// T11: opens on generated reviews.
fn imdb_conv1d() -> Spec {
    let mut d = data(DataSource::Reviews { samples: 2000 });
    d.split = Split {
        test: 0.25,
        validation: 0.1,
        shuffle: false,
    };
    d.text = Some(TextSpec::default());
    let conv = |id: &str| {
        let mut conv = Conv::new(32, 7);
        conv.padding = Padding::Named(PaddingName::Same);
        conv.activation = Some(Activation::Relu);
        LayerSpec::new(id, LayerKind::Conv1d(conv))
    };
    let pool = Pool {
        kernel: Size::One(4),
        ..Pool::default()
    };
    let words = LayerKind::Embedding {
        vocab: 10_000,
        dim: 64,
    };
    spec(
        Framework::Keras,
        d,
        vec![
            LayerSpec::new("embedding", words),
            conv("conv1d"),
            LayerSpec::new("max_pooling1d", LayerKind::MaxPool1d(pool)),
            conv("conv1d_1"),
            LayerSpec::new("global_average_pooling1d", LayerKind::GlobalAvgPool),
            linear("dense", 1, Some(Activation::Sigmoid)),
        ],
        train(
            Loss::BinaryCrossEntropy { from_logits: false },
            adam(Framework::Keras, 0.001),
            Some(128),
            20,
        ),
    )
}

/// T12: the value that follows 25 values of a noisy sine. The end of the series is for testing.
fn lstm_sine() -> Spec {
    let mut d = data(DataSource::Sine {
        samples: 400,
        window: 25,
        period: 40.0,
        noise: 0.05,
    });
    d.split = Split {
        test: 0.3,
        validation: 0.0,
        shuffle: false,
    };
    let state = Recurrence { units: 32, ..STATE };
    spec(
        Framework::Pytorch,
        d,
        vec![
            LayerSpec::new("lstm", LayerKind::Lstm(state)),
            linear("fc", 1, None),
        ],
        train(Loss::Mse, adam(Framework::Pytorch, 0.01), Some(32), 60),
    )
}

/// T12: a digit read row by row, 28 steps of 28 numbers.
fn rows_of_digits(id: &str, kind: LayerKind) -> Spec {
    spec(
        Framework::Pytorch,
        digits28(),
        vec![LayerSpec::new(id, kind), linear("fc", 10, None)],
        train(
            Loss::CrossEntropy { from_logits: true },
            adam(Framework::Pytorch, 0.001),
            Some(64),
            30,
        ),
    )
}

const STATE: Recurrence = Recurrence {
    units: 128,
    bidirectional: false,
    return_sequences: false,
};

fn lstm() -> Spec {
    rows_of_digits("lstm", LayerKind::Lstm(STATE))
}

fn gru() -> Spec {
    rows_of_digits("gru", LayerKind::Gru(STATE))
}

fn rnn() -> Spec {
    let kind = LayerKind::Rnn {
        layer: STATE,
        activation: Activation::Tanh,
    };
    rows_of_digits("rnn", kind)
}

/// T13: through a code of 32 numbers and back.
fn autoencoder() -> Spec {
    let mut d = digits28();
    d.flatten = true;
    d.target = TargetOf::Input;
    spec(
        Framework::Pytorch,
        d,
        vec![
            linear("encoder", 128, None),
            act("relu1", Activation::Relu),
            linear("code", 32, None),
            act("relu2", Activation::Relu),
            linear("decoder", 128, None),
            act("relu3", Activation::Relu),
            linear("image", 784, None),
            act("sigmoid", Activation::Sigmoid),
        ],
        train(Loss::Mse, adam(Framework::Pytorch, 0.001), Some(128), 50),
    )
}

/// T14: a code of two numbers, drawn from a normal distribution that the encoder describes.
fn vae() -> Spec {
    let mut d = digits28();
    d.flatten = true;
    d.target = TargetOf::Input;
    let mut logvar = linear("logvar", 2, None);
    logvar.inputs = vec!["relu1".into()];
    // PyTorch's usual loss sums over the 784 pixels where this one takes their mean.
    let mut code = LayerSpec::new("code", LayerKind::Sampling { kl: 1.0 / 784.0 });
    code.inputs = vec!["mean".into(), "logvar".into()];
    spec(
        Framework::Pytorch,
        d,
        vec![
            linear("encoder", 128, None),
            act("relu1", Activation::Relu),
            linear("mean", 2, None),
            logvar,
            code,
            linear("decoder", 128, None),
            act("relu2", Activation::Relu),
            linear("image", 784, None),
            act("sigmoid", Activation::Sigmoid),
        ],
        train(
            Loss::BinaryCrossEntropy { from_logits: false },
            adam(Framework::Pytorch, 0.001),
            Some(128),
            100,
        ),
    )
}
