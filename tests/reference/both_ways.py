"""Weights that cross between Python and the page, on MNIST.

    python tests/reference/both_ways.py train /tmp/both   # trains in PyTorch and in Keras, saves the weights
    node tests/reference/both_ways.mjs /tmp/both          # the built page loads them, then trains its own
    python tests/reference/both_ways.py score /tmp/both   # Python loads those, and all accuracies are compared

The networks are those of the tutorials: a CNN as a PyTorch state dict, a dense network as Keras variables by
their paths. `NABLA_DATA` names the folder that holds `mnist/`.
"""

import gzip
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_torch
from safetensors.torch import save_file as save_torch
from torch import nn
from torch.nn import functional as F

import keras
from keras import layers

DATA = Path(os.environ.get("NABLA_DATA", Path(__file__).parents[3] / "shared/data")) / "mnist"
TRAIN = 20_000  # images of one pass
torch.set_num_threads(1)


def idx(name):
    with gzip.open(DATA / name) as f:
        bytes_ = f.read()
    rank = bytes_[3]
    shape = np.frombuffer(bytes_, ">u4", rank, 4)
    return np.frombuffer(bytes_, np.uint8, -1, 4 + 4 * rank).reshape(shape)


def mnist(part):
    images = idx(f"{part}-images-idx3-ubyte.gz").astype(np.float32) / 255
    return images, idx(f"{part}-labels-idx1-ubyte.gz").astype(np.int64)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))


@torch.no_grad()
def torch_accuracy(net):
    x, y = mnist("t10k")
    x, y = torch.from_numpy(x)[:, None], torch.from_numpy(y)
    net.eval()
    hits = sum((net(x[i : i + 500]).argmax(1) == y[i : i + 500]).sum().item() for i in range(0, len(x), 500))
    return hits / len(y)


def keras_model():
    return keras.Sequential(
        [
            keras.Input(shape=(784,)),
            layers.Dense(512, activation="relu", name="dense"),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(10, activation="softmax", name="dense_1"),
        ]
    )


def keras_accuracy(model):
    x, y = mnist("t10k")
    return float((model.predict(x.reshape(-1, 784), verbose=0).argmax(1) == y).mean())


def train(folder):
    folder.mkdir(parents=True, exist_ok=True)
    x, y = mnist("train")
    x, y = x[:TRAIN], y[:TRAIN]
    torch.manual_seed(1)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    images, labels = torch.from_numpy(x)[:, None], torch.from_numpy(y)
    for i in range(0, len(x), 64):
        optimizer.zero_grad()
        F.cross_entropy(net(images[i : i + 64]), labels[i : i + 64]).backward()
        optimizer.step()
    save_torch(net.state_dict(), folder / "cnn-pytorch.safetensors")
    keras.utils.set_random_seed(1)
    model = keras_model()
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x.reshape(-1, 784), y, batch_size=128, epochs=1, verbose=0)
    save_file({v.path: np.asarray(v) for v in model.trainable_variables}, folder / "mnist-mlp.safetensors")
    scores = {"cnn-pytorch": torch_accuracy(net), "mnist-mlp": keras_accuracy(model)}
    (folder / "python.json").write_text(json.dumps(scores))
    print(scores)


def score(folder):
    theirs = json.loads((folder / "python.json").read_text())
    page = json.loads((folder / "page.json").read_text())
    net = Net()
    net.load_state_dict(load_torch(folder / "page.cnn-pytorch.safetensors"))
    model = keras_model()
    tensors = load_file(folder / "page.mnist-mlp.safetensors")
    for variable in model.trainable_variables:
        name = next(n for n in tensors if f"/{variable.path}".endswith(f"/{n}"))
        variable.assign(tensors[name])
    back = {"cnn-pytorch": torch_accuracy(net), "mnist-mlp": keras_accuracy(model)}
    wrong = False
    for name in theirs:
        there = (theirs[name], page[name]["theirs"])
        here = (page[name]["own"], back[name])
        for what, (a, b) in (("trained in Python", there), ("trained in the page", here)):
            # A sample whose two best classes are equal to single precision may fall either way.
            ok = abs(a - b) <= 1.5e-4
            wrong |= not ok
            print(f"{name}, {what}: {a:.4f} there, {b:.4f} after crossing{'' if ok else '  DIFFERS'}")
    sys.exit(wrong)


if __name__ == "__main__":
    {"train": train, "score": score}[sys.argv[1]](Path(sys.argv[2]))
