"""Small networks as Keras itself writes them as ONNX (`model.export(format="onnx")`, by way of TensorFlow and
tf2onnx), with an input and what it gives: tests/interop/onnx/*.keras.onnx and keras.json. Needs keras,
tensorflow, tf2onnx and onnx.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers
from keras.models import Sequential

FOLDER = Path(__file__).parent.parent / "interop" / "onnx"


def networks():
    """Name → network, input."""
    rng = np.random.default_rng(3)
    real = lambda *shape: rng.random(shape, dtype=np.float32).round(3)
    words = lambda n: rng.integers(0, 30, (2, n)).astype(np.int32)
    dense = Sequential([
        keras.Input((64,)),
        layers.Dense(12, activation="relu"),
        layers.Dropout(0.3),
        layers.BatchNormalization(),
        layers.Dense(6, activation="tanh"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    cnn = Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    text = Sequential([
        keras.Input((12,), dtype="int32"),
        layers.Embedding(30, 5),
        layers.Conv1D(6, 3, activation="relu"),
        layers.MaxPooling1D(2),
        layers.Conv1D(4, 2, padding="same", activation="relu"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    lstm = Sequential([keras.Input((25, 1)), layers.LSTM(4), layers.Dense(1)])
    gru = Sequential([keras.Input((25, 1)), layers.GRU(3), layers.Dense(1)])
    return {
        "dense": (dense, real(2, 64)),
        "cnn": (cnn, real(2, 8, 8, 1)),
        "text": (text, words(12)),
        "lstm": (lstm, real(2, 25, 1)),
        "gru": (gru, real(2, 25, 1)),
    }


def main():
    keras.utils.set_random_seed(2)
    record = {}
    for name, (net, x) in networks().items():
        for layer in net.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.moving_mean.assign(np.linspace(-0.5, 0.5, layer.moving_mean.shape[0]))
                layer.moving_variance.assign(np.linspace(0.5, 1.5, layer.moving_variance.shape[0]))
        path = FOLDER / f"{name}.keras.onnx"
        y = np.asarray(net(x, training=False))
        try:
            net.export(path, format="onnx", verbose=False)
        except Exception as e:  # what an exporter itself cannot do is no test of the reader
            print(f"{path.name}: {type(e).__name__}: {str(e)[:300]}")
            continue
        record[name] = {"x": x.flatten().tolist(), "shape": list(x.shape), "y": y.flatten().tolist()}
        print(path.name, path.stat().st_size)
    (FOLDER / "keras.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
