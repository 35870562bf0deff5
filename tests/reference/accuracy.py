"""What Keras reaches with the tutorials' networks on the data of tests/accuracy, in the same settings.

    python accuracy.py cifar-cnn 0          # network, seed; $NABLA_DATA is the folder of the data sets

One thread. The last weights are tested, as the page tests them, and those of the best epoch beside.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import keras
import numpy as np
from accuracy_data import cifar, imdb, mnist
from keras import layers

def cifar_cnn():
    model = keras.Sequential([
        keras.Input((32, 32, 3)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    data = cifar(["data_batch_1.bin.gz", "data_batch_2.bin.gz"]), cifar(["test_batch.bin.gz"])
    return model, data, dict(epochs=50, callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=3)])


def mnist_mlp():
    model = keras.Sequential([
        keras.Input((784,)),
        layers.Dense(512, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, (mnist("train"), mnist("t10k")), dict(epochs=10)


def imdb_conv1d():
    (train, y), (test, y_test) = imdb("train"), imdb("test")
    counts = {}
    words = lambda text: keras.src.legacy.preprocessing.text.text_to_word_sequence(text)
    split = [words(t) for t in train]
    # The vocabulary is of the part that is trained on.
    for text in split[: len(split) - len(split) // 10]:
        for w in text:
            counts[w] = counts.get(w, 0) + 1
    ranked = sorted(counts, key=lambda w: -counts[w])
    number = {w: i + 2 for i, w in enumerate(ranked[: 10_000 - 2])}
    encode = lambda all: keras.utils.pad_sequences([[number.get(w, 1) for w in t] for t in all], 500)
    model = keras.Sequential([
        keras.Input((500,)),
        layers.Embedding(10_000, 64),
        layers.Conv1D(32, 7, padding="same", activation="relu"),
        layers.MaxPooling1D(4),
        layers.Conv1D(32, 7, padding="same", activation="relu"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(10_000, name="auc")])
    return model, ((encode(split), y), (encode(map(words, test)), y_test)), dict(epochs=20)


class Best(keras.callbacks.Callback):
    """Keeps the weights of the least validation loss."""

    loss, weights, epoch = np.inf, None, 0

    def on_epoch_end(self, epoch, logs):
        if logs["val_loss"] < self.loss:
            self.loss, self.weights, self.epoch = logs["val_loss"], self.model.get_weights(), epoch + 1


def main():
    name, seed = sys.argv[1], int(sys.argv[2])
    keras.utils.set_random_seed(seed)
    model, ((x, y), test), how = {"cifar-cnn": cifar_cnn, "mnist-mlp": mnist_mlp, "imdb-conv1d": imdb_conv1d}[name]()
    best = Best()
    callbacks = how.pop("callbacks", []) + [best]
    start = time.time()
    done = model.fit(x, y, batch_size=128, validation_split=0.1, callbacks=callbacks, verbose=2, **how)
    seconds = time.time() - start
    last = model.evaluate(*test, return_dict=True, verbose=0)
    model.set_weights(best.weights)
    at_best = model.evaluate(*test, return_dict=True, verbose=0)
    epochs = len(done.epoch)
    print(json.dumps({
        "network": name, "seed": seed, "keras": keras.__version__, "epochs": epochs,
        "best_epoch": best.epoch, "seconds_per_epoch": seconds / epochs, "last": last, "best": at_best,
    }))  # fmt: skip


main()
