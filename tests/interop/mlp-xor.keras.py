"""mlp-xor · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers
from sklearn.model_selection import train_test_split


def make_xor(samples, noise, seed):
    """Points of a square, with the class of the diagonal they lie on."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (samples, 2))
    y = (x[:, 0] * x[:, 1] < 0).astype(int)
    return x + noise * rng.standard_normal(x.shape), y


SEED = 1
EPOCHS = 200
BATCH_SIZE = 16


def build_model():
    return keras.Sequential([
        keras.Input(shape=(2,)),
        layers.Dense(8, kernel_initializer=keras.initializers.RandomUniform(-0.70710677, 0.70710677), bias_initializer=keras.initializers.RandomUniform(-0.70710677, 0.70710677), name="fc1"),
        layers.Activation("tanh", name="tanh1"),
        layers.Dense(1, kernel_initializer=keras.initializers.RandomUniform(-0.35355338, 0.35355338), bias_initializer=keras.initializers.RandomUniform(-0.35355338, 0.35355338), name="out"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    x, y = make_xor(200, 0.05, SEED)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=SEED)
    x_train = x_train.astype("float32")
    y_train = y_train.reshape(len(y_train), 1).astype("float32")
    x_test = x_test.astype("float32")
    y_test = y_test.reshape(len(y_test), 1).astype("float32")
    return {"train": (x_train, y_train), "test": (x_test, y_test)}


def main():
    keras.utils.set_random_seed(SEED)
    data = load_data()
    x_train, y_train = data["train"]
    batch_size = BATCH_SIZE or len(x_train)
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)],
    )
    model.summary()
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=EPOCHS,
        verbose=2,
    )
    results = model.evaluate(*data["test"], return_dict=True, verbose=0)
    for name, value in results.items():
        print(f"test_{name} {value:.6f}")


if __name__ == "__main__":
    main()
