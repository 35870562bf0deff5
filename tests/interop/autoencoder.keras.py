"""autoencoder · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def enlarge(images):
    """8×8 digits of 0…16 as 28×28 of 0…255: 20×20 by bicubic interpolation, the mass in the middle."""
    t = np.abs((np.arange(20)[:, None] + 0.5) * 0.4 - 0.5 - np.arange(8))
    near, far = ((1.5 * t - 2.5) * t) * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2
    w = np.where(t < 1, near, np.where(t < 2, far, 0)).astype(np.float32)
    boxes = np.clip(w @ images.astype(np.float32) @ w.T * (255 / 16) + 0.5, 0, 255).astype(np.uint8)
    out = np.zeros((len(images), 28, 28), np.uint8)
    for box, image in zip(boxes.astype(int), out):
        mass = max(box.sum(), 1)
        dy, dx = (14 - (2 * (box.sum(axis=a) @ np.arange(20)) + mass) // (2 * mass) for a in (1, 0))
        dy, dx = np.clip([dy, dx], 0, 8)
        image[dy : dy + 20, dx : dx + 20] = box
    return out


SEED = 1
EPOCHS = 50
BATCH_SIZE = 128


def build_model():
    return keras.Sequential([
        keras.Input(shape=(784,)),
        layers.Dense(128, kernel_initializer=keras.initializers.RandomUniform(-0.035714287, 0.035714287), bias_initializer=keras.initializers.RandomUniform(-0.035714287, 0.035714287), name="encoder"),
        layers.Activation("relu", name="relu1"),
        layers.Dense(32, kernel_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), bias_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), name="code"),
        layers.Activation("relu", name="relu2"),
        layers.Dense(128, kernel_initializer=keras.initializers.RandomUniform(-0.17677669, 0.17677669), bias_initializer=keras.initializers.RandomUniform(-0.17677669, 0.17677669), name="decoder"),
        layers.Activation("relu", name="relu3"),
        layers.Dense(784, kernel_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), bias_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), name="image"),
        layers.Activation("sigmoid", name="sigmoid"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    digits = load_digits()
    x, y = enlarge(digits.images), digits.target
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=SEED)
    x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.1, random_state=SEED)
    x_train, x_val, x_test = x_train / 255, x_val / 255, x_test / 255
    x_train = x_train.reshape(len(x_train), -1).astype("float32")
    x_val = x_val.reshape(len(x_val), -1).astype("float32")
    x_test = x_test.reshape(len(x_test), -1).astype("float32")
    return {"train": (x_train, x_train), "val": (x_val, x_val), "test": (x_test, x_test)}


def main():
    keras.utils.set_random_seed(SEED)
    data = load_data()
    x_train, y_train = data["train"]
    batch_size = BATCH_SIZE or len(x_train)
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.001, epsilon=1e-8),
        loss="mse",
        metrics=[keras.metrics.MeanSquaredError(name="mse")],
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
