"""digits-mlp · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


SEED = 1
EPOCHS = 60
BATCH_SIZE = 32


def build_model():
    return keras.Sequential([
        keras.Input(shape=(64,)),
        layers.Dense(64, kernel_initializer=keras.initializers.RandomUniform(-0.125, 0.125), bias_initializer=keras.initializers.RandomUniform(-0.125, 0.125), name="fc1"),
        layers.Activation("relu", name="relu1"),
        layers.Dense(10, kernel_initializer=keras.initializers.RandomUniform(-0.125, 0.125), bias_initializer=keras.initializers.RandomUniform(-0.125, 0.125), name="fc2"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    digits = load_digits()
    x, y = digits.images, digits.target
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=SEED)
    x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.1, random_state=SEED)
    x_train, x_val, x_test = x_train / 16, x_val / 16, x_test / 16
    x_train = x_train.reshape(len(x_train), -1).astype("float32")
    y_train = y_train.astype("int64")
    x_val = x_val.reshape(len(x_val), -1).astype("float32")
    y_val = y_val.astype("int64")
    x_test = x_test.reshape(len(x_test), -1).astype("float32")
    y_test = y_test.astype("int64")
    return {"train": (x_train, y_train), "val": (x_val, y_val), "test": (x_test, y_test)}


def main():
    keras.utils.set_random_seed(SEED)
    data = load_data()
    x_train, y_train = data["train"]
    batch_size = BATCH_SIZE or len(x_train)
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.001, epsilon=1e-8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.summary()
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=EPOCHS,
        validation_data=data["val"],
        verbose=2,
    )
    results = model.evaluate(*data["test"], return_dict=True, verbose=0)
    for name, value in results.items():
        print(f"test_{name} {value:.6f}")


if __name__ == "__main__":
    main()
