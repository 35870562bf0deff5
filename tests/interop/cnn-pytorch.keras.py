"""cnn-pytorch · Keras 3, from Nabla."""

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
EPOCHS = 10
BATCH_SIZE = 64


def build_model():
    return keras.Sequential([
        keras.Input(shape=(28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", kernel_initializer=keras.initializers.RandomUniform(-0.33333334, 0.33333334), bias_initializer=keras.initializers.RandomUniform(-0.33333334, 0.33333334), name="conv1"),
        layers.Activation("relu", name="relu1"),
        layers.MaxPooling2D(2, name="pool1"),
        layers.Conv2D(64, 3, padding="same", kernel_initializer=keras.initializers.RandomUniform(-0.058925565, 0.058925565), bias_initializer=keras.initializers.RandomUniform(-0.058925565, 0.058925565), name="conv2"),
        layers.Activation("relu", name="relu2"),
        layers.MaxPooling2D(2, name="pool2"),
        layers.Permute((3, 1, 2)),
        layers.Flatten(name="flatten"),
        layers.Dense(128, kernel_initializer=keras.initializers.RandomUniform(-0.017857144, 0.017857144), bias_initializer=keras.initializers.RandomUniform(-0.017857144, 0.017857144), name="fc1"),
        layers.Activation("relu", name="relu3"),
        layers.Dense(10, kernel_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), bias_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), name="fc2"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    digits = load_digits()
    x, y = enlarge(digits.images), digits.target
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=SEED)
    x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.1, random_state=SEED)
    x_train, x_val, x_test = x_train / 255, x_val / 255, x_test / 255
    x_train = x_train[..., None].astype("float32")
    y_train = y_train.astype("int64")
    x_val = x_val[..., None].astype("float32")
    y_val = y_val.astype("int64")
    x_test = x_test[..., None].astype("float32")
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
