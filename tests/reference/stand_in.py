"""A network of 700 parameters, trained on the digits that ship with scikit-learn and with the page: its weights as
PyTorch and as Keras save them, and how many digits it gets right. `tests/crossing.rs` reads what this writes.

    python tests/reference/stand_in.py
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import torch
from keras import layers
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch
from sklearn.datasets import load_digits
from torch import nn

HERE = Path(__file__).parent / "crossing"
torch.set_num_threads(1)


def main():
    HERE.mkdir(exist_ok=True)
    digits = load_digits()
    x, y = (digits.images / 16).astype(np.float32), digits.target.astype(np.int64)

    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 10)
    )
    images, labels = torch.from_numpy(x)[:, None], torch.from_numpy(y)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for step in range(60):
        rows = torch.arange(step * 64, step * 64 + 64) % len(y)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images[rows]), labels[rows]).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        hits = int((net(images).argmax(1) == labels).sum())
    save_torch(net.state_dict(), HERE / "pytorch.safetensors")

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    model.fit(x[..., None], y, batch_size=64, epochs=2, shuffle=False, verbose=0)
    keras_hits = int((model.predict(x[..., None], verbose=0).argmax(1) == y).sum())
    save_file({v.path: np.asarray(v) for v in model.weights}, HERE / "keras.safetensors")
    record = {"samples": len(y), "pytorch": hits, "keras": keras_hits}
    (HERE / "hits.json").write_text(json.dumps(record) + "\n")
    print(record)


if __name__ == "__main__":
    main()
