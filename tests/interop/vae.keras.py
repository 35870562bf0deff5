"""vae · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@keras.saving.register_keras_serializable()
class Sampling(layers.Layer):
    """mean + ε·exp(½·logvar) while training; adds the divergence from N(0, 1) to the loss."""

    def __init__(self, kl, **kwargs):
        super().__init__(**kwargs)
        self.kl = kl
        self.noise = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        mean, logvar = inputs
        ops = keras.ops
        terms = 1 + logvar - ops.square(mean) - ops.exp(logvar)
        self.add_loss(self.kl * -0.5 * ops.mean(ops.sum(terms, axis=-1)))
        if not training:
            return mean
        return mean + keras.random.normal(ops.shape(mean), seed=self.noise) * ops.exp(0.5 * logvar)

    def get_config(self):
        return {**super().get_config(), "kl": self.kl}


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
EPOCHS = 100
BATCH_SIZE = 128


def build_model():
    inputs = keras.Input(shape=(784,))
    x = layers.Dense(128, kernel_initializer=keras.initializers.RandomUniform(-0.035714287, 0.035714287), bias_initializer=keras.initializers.RandomUniform(-0.035714287, 0.035714287), name="encoder")(inputs)
    relu1 = layers.Activation("relu", name="relu1")(x)
    mean = layers.Dense(2, kernel_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), bias_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), name="mean")(relu1)
    logvar = layers.Dense(2, kernel_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), bias_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), name="logvar")(relu1)
    x = Sampling(0.0012755102, name="code")([mean, logvar])
    x = layers.Dense(128, kernel_initializer=keras.initializers.RandomUniform(-0.70710677, 0.70710677), bias_initializer=keras.initializers.RandomUniform(-0.70710677, 0.70710677), name="decoder")(x)
    x = layers.Activation("relu", name="relu2")(x)
    x = layers.Dense(784, kernel_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), bias_initializer=keras.initializers.RandomUniform(-0.088388346, 0.088388346), name="image")(x)
    x = layers.Activation("sigmoid", name="sigmoid")(x)
    return keras.Model(inputs, x)


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
        loss="binary_crossentropy",
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
