"""lstm-sine · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers
from sklearn.model_selection import train_test_split


def make_sine(samples, window, period, noise, seed):
    """Windows of a noisy sine, and the value after each."""
    rng = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * np.arange(samples + window) / period)
    wave += noise * rng.standard_normal(wave.shape)
    x = np.stack([wave[i : i + window] for i in range(samples)])
    return x[:, :, None], wave[window:]


SEED = 1
EPOCHS = 60
BATCH_SIZE = 32


def build_model():
    return keras.Sequential([
        keras.Input(shape=(25, 1)),
        layers.LSTM(32, kernel_initializer=keras.initializers.RandomUniform(-0.17677669, 0.17677669), recurrent_initializer=keras.initializers.RandomUniform(-0.17677669, 0.17677669), bias_initializer=keras.initializers.RandomUniform(-0.17677669, 0.17677669), unit_forget_bias=False, name="lstm"),
        layers.Dense(1, kernel_initializer=keras.initializers.RandomUniform(-0.17677669, 0.17677669), bias_initializer=keras.initializers.RandomUniform(-0.17677669, 0.17677669), name="fc"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    x, y = make_sine(400, 25, 40, 0.05, SEED)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, shuffle=False)
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
        optimizer=keras.optimizers.Adam(learning_rate=0.01, epsilon=1e-8),
        loss="mse",
        metrics=[keras.metrics.MeanSquaredError(name="mse"), keras.metrics.R2Score(name="r2")],
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
