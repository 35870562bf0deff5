"""perceptron-xor · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers


def perceptron_loss(target, output):
    """(ŷ − y)·z with ŷ = step(z): its gradient is the perceptron's rule."""
    return (keras.ops.cast(output > 0, output.dtype) - target) * output


SEED = 1
EPOCHS = 50
BATCH_SIZE = 1


def build_model():
    return keras.Sequential([
        keras.Input(shape=(2,)),
        layers.Dense(1, kernel_initializer="zeros", bias_initializer="zeros", name="neuron"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([0, 1, 1, 0])
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
        optimizer=keras.optimizers.SGD(learning_rate=0.1),
        loss=perceptron_loss,
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
    results = model.evaluate(*data["train"], return_dict=True, verbose=0)
    for name, value in results.items():
        print(f"train_{name} {value:.6f}")


if __name__ == "__main__":
    main()
