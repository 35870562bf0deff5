"""cifar-cnn · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers
from keras.datasets import cifar10
from sklearn.model_selection import train_test_split


SEED = 1
EPOCHS = 50
BATCH_SIZE = 128


def build_model():
    return keras.Sequential([
        keras.Input(shape=(32, 32, 3)),
        layers.Conv2D(32, 3, activation="relu", name="conv2d"),
        layers.MaxPooling2D(2, name="max_pooling2d"),
        layers.Conv2D(64, 3, activation="relu", name="conv2d_1"),
        layers.MaxPooling2D(2, name="max_pooling2d_1"),
        layers.Conv2D(64, 3, activation="relu", name="conv2d_2"),
        layers.Flatten(name="flatten"),
        layers.Dense(64, activation="relu", name="dense"),
        layers.Dense(10, activation="softmax", name="dense_1"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    # The page's shapes stand in for CIFAR-10.
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    x_train, x_test = x_train.transpose(0, 3, 1, 2), x_test.transpose(0, 3, 1, 2)
    y_train, y_test = y_train.ravel(), y_test.ravel()
    x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.1, shuffle=False)
    x_train, x_val, x_test = x_train / 255, x_val / 255, x_test / 255
    x_train = x_train.transpose(0, 2, 3, 1).astype("float32")
    y_train = y_train.astype("int64")
    x_val = x_val.transpose(0, 2, 3, 1).astype("float32")
    y_val = y_val.astype("int64")
    x_test = x_test.transpose(0, 2, 3, 1).astype("float32")
    y_test = y_test.astype("int64")
    return {"train": (x_train, y_train), "val": (x_val, y_val), "test": (x_test, y_test)}


def main():
    keras.utils.set_random_seed(SEED)
    data = load_data()
    x_train, y_train = data["train"]
    batch_size = BATCH_SIZE or len(x_train)
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.001),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.summary()
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=EPOCHS,
        validation_data=data["val"],
        callbacks=[
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=3),
            keras.callbacks.ModelCheckpoint("{epoch:02d}-{val_loss:.4f}.keras", monitor="val_loss", save_best_only=True),
        ],
        verbose=2,
    )
    results = model.evaluate(*data["test"], return_dict=True, verbose=0)
    for name, value in results.items():
        print(f"test_{name} {value:.6f}")


if __name__ == "__main__":
    main()
