"""imdb-conv1d · Keras 3, from Nabla."""

import keras
import numpy as np
from keras import layers
from keras.datasets import imdb
from keras.utils import pad_sequences
from sklearn.model_selection import train_test_split


SEED = 1
EPOCHS = 20
BATCH_SIZE = 128


def build_model():
    return keras.Sequential([
        keras.Input(shape=(500,)),
        layers.Embedding(10000, 64, name="embedding"),
        layers.Conv1D(32, 7, padding="same", activation="relu", name="conv1d"),
        layers.MaxPooling1D(4, name="max_pooling1d"),
        layers.Conv1D(32, 7, padding="same", activation="relu", name="conv1d_1"),
        layers.GlobalAveragePooling1D(name="global_average_pooling1d"),
        layers.Dense(1, activation="sigmoid", name="dense"),
    ])


def load_data():
    """The parts of the data by name: inputs and targets."""
    # The page's generated reviews stand in for IMDB's.
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10000)
    x_train = pad_sequences(x_train, maxlen=500, padding="pre", truncating="pre")
    x_test = pad_sequences(x_test, maxlen=500, padding="pre", truncating="pre")
    x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.1, shuffle=False)
    x_train = x_train.astype("float32")
    y_train = y_train.reshape(len(y_train), 1).astype("float32")
    x_val = x_val.astype("float32")
    y_val = y_val.reshape(len(y_val), 1).astype("float32")
    x_test = x_test.astype("float32")
    y_test = y_test.reshape(len(y_test), 1).astype("float32")
    return {"train": (x_train, y_train), "val": (x_val, y_val), "test": (x_test, y_test)}


def main():
    keras.utils.set_random_seed(SEED)
    data = load_data()
    x_train, y_train = data["train"]
    batch_size = BATCH_SIZE or len(x_train)
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.001),
        loss="binary_crossentropy",
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
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
