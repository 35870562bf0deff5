//! The tutorial networks, as specs. The titles in other languages are `preset-<id>` of the
//! message catalogue.
use super::*;
use dense::*;
use images::*;
use lines::*;
use sequences::*;

mod dense;
mod images;
mod lines;
mod sequences;

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
        missing: Default::default(),
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
        class_weight: None,
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
