//! Convolutional networks and autoencoders.
use super::*;

/// A convolutional network small enough for 8×8 pixels.
pub(super) fn digits_cnn() -> Spec {
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
pub(super) fn cnn_pytorch() -> Spec {
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
pub(super) fn keras_conv2d(id: &str, filters: usize) -> LayerSpec {
    let mut conv = Conv::new(filters, 3);
    conv.padding = Padding::Named(PaddingName::Valid);
    conv.activation = Some(Activation::Relu);
    LayerSpec::new(id, LayerKind::Conv2d(conv))
}

/// T10: opens on shapes in colour, as large as CIFAR-10's pictures.
pub(super) fn cifar_cnn() -> Spec {
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

/// T13: through a code of 32 numbers and back.
pub(super) fn autoencoder() -> Spec {
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
pub(super) fn vae() -> Spec {
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
