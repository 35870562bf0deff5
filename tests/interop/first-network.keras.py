"""first-network · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers


SEED = 1
EPOCHS = 100
BATCH_SIZE = None  # all samples at once


def build_model():
    return keras.Sequential([
        keras.Input(shape=(2,)),
        layers.Dense(1, kernel_initializer=keras.initializers.RandomUniform(-0.70710677, 0.70710677), bias_initializer=keras.initializers.RandomUniform(-0.70710677, 0.70710677), name="fc1"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    y = np.array([[2.0], [6.0]])
    x_train, y_train = x, y
    x_train = x_train.astype("float32")
    y_train = y_train.reshape(len(y_train), 1).astype("float32")
    return {"train": (x_train, y_train)}


def main():
    keras.utils.set_random_seed(SEED)
    data = load_data()
    x_train, y_train = data["train"]
    batch_size = BATCH_SIZE or len(x_train)
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="mse",
        metrics=[keras.metrics.MeanSquaredError(name="mse"), keras.metrics.R2Score(name="r2")],
    )
    model.summary()
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=EPOCHS,
        shuffle=False,
        verbose=2,
    )
    results = model.evaluate(*data["train"], return_dict=True, verbose=0)
    for name, value in results.items():
        print(f"train_{name} {value:.6f}")


if __name__ == "__main__":
    main()
