"""The data of tests/accuracy as arrays. $NABLA_DATA is their folder."""

import gzip
import json
import os

import numpy as np

DATA = os.environ.get("NABLA_DATA", os.path.join(os.path.dirname(__file__), "../../../shared/data"))


def raw(*path):
    with gzip.open(os.path.join(DATA, *path)) as f:
        return f.read()


def cifar(batches):
    rows = np.concatenate([np.frombuffer(raw("cifar10", b), np.uint8).reshape(-1, 3073) for b in batches])
    x = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return x.astype("float32") / 255, rows[:, 0].astype("int64")


def mnist(part):
    x = np.frombuffer(raw("mnist", f"{part}-images-idx3-ubyte.gz"), np.uint8, offset=16)
    y = np.frombuffer(raw("mnist", f"{part}-labels-idx1-ubyte.gz"), np.uint8, offset=8)
    return x.reshape(-1, 784).astype("float32") / 255, y.astype("int64")


def imdb(part):
    texts = [json.loads(line) for line in raw("imdb", f"{part}.jsonl.gz").splitlines()]
    return [t["text"].replace("<br />", " ") for t in texts], np.array([t["label"] for t in texts], "float32")
