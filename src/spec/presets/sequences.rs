//! Networks for text and for sequences.
use super::*;

/// T11: opens on generated reviews.
pub(super) fn imdb_conv1d() -> Spec {
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
pub(super) fn lstm_sine() -> Spec {
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
pub(super) fn rows_of_digits(id: &str, kind: LayerKind) -> Spec {
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

pub(super) fn lstm() -> Spec {
    rows_of_digits("lstm", LayerKind::Lstm(STATE))
}

pub(super) fn gru() -> Spec {
    rows_of_digits("gru", LayerKind::Gru(STATE))
}

pub(super) fn rnn() -> Spec {
    let kind = LayerKind::Rnn {
        layer: STATE,
        activation: Activation::Tanh,
    };
    rows_of_digits("rnn", kind)
}
