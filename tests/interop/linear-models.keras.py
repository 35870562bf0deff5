"""linear-models · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def load_iris_pair():
    """Versicolor and virginica by length and width of their petals."""
    iris = load_iris()
    return iris.data[50:, 2:], iris.target[50:] - 1


SEED = 1
EPOCHS = 100
BATCH_SIZE = 16
PENALTY = keras.regularizers.L1L2(l1=0.0, l2=0.01)


def build_model():
    return keras.Sequential([
        keras.Input(shape=(2,)),
        layers.Dense(1, kernel_initializer=keras.initializers.RandomUniform(-0.70710677, 0.70710677), bias_initializer=keras.initializers.RandomUniform(-0.70710677, 0.70710677), kernel_regularizer=PENALTY, name="linear"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    x, y = load_iris_pair()
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=SEED)
    scaler = StandardScaler().fit(x_train)
    x_train = scaler.transform(x_train)
    x_test = scaler.transform(x_test)
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
        optimizer=keras.optimizers.SGD(learning_rate=0.05),
        loss="hinge",
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
