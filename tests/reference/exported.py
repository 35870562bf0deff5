"""Runs the scripts that Nabla exports, unchanged, from Nabla's weights on Nabla's batches, and records
their losses in exported.json. First:

    NABLA_EXPORT=/tmp/exported cargo test --test interop export

then `python exported.py /tmp/exported`, once for both frameworks. Names of scripts after the folder
run only those; --whole also lets each script run as it stands for one epoch, on its own data.
"""

import json
import os
import runpy
import sys
import warnings
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
warnings.filterwarnings("ignore")

from safetensors.numpy import load_file  # noqa: E402

RECORD = Path(__file__).parent / "exported.json"


def fnv(text):
    h = 0xCBF29CE484222325
    for b in text.encode():
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def batches_of(folder, preset):
    tensors = load_file(folder / f"{preset}.batches")
    steps = sum(name[0] == "x" for name in tensors)
    get = lambda k: [tensors.get(f"{k}{s}") for s in range(steps)]
    return list(zip(get("x"), get("y"), get("e")))


def stand_ins():
    """Small arrays in the form of the sets that Keras would download."""
    import numpy as np
    from keras.datasets import cifar10, imdb, mnist

    def two(x, y):
        return lambda *_, **__: ((x, y), (x, y))

    labels = np.arange(20) % 10
    mnist.load_data = two(np.zeros((20, 28, 28), np.uint8), labels)
    cifar10.load_data = two(np.zeros((20, 32, 32, 3), np.uint8), labels[:, None])
    words = np.empty(20, object)
    words[:] = [[1, 2, 3]] * 20
    imdb.load_data = two(words, labels % 2)


class Done(Exception):
    pass


def run_pytorch(path, batches):
    """main() itself runs; only what its DataLoader gives, and where it starts, are set."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    space = runpy.run_path(str(path), run_name="script")
    names = space["main"].__globals__
    weights = {k: torch.tensor(v) for k, v in load_file(path.with_suffix(".safetensors")).items()}
    losses, noise = [], []

    class Loader:
        def __init__(self, data, **_):
            self.dataset, self.data = data, data

        def __len__(self):
            return len(batches)

        def __iter__(self):
            wanted = self.data.tensors
            for x, y, e in batches:
                noise[:] = [e]
                kind = wanted[1].dtype
                y = torch.tensor(y).to(kind)
                y = y.reshape(len(y), *wanted[1].shape[1:])
                yield torch.tensor(x).reshape(len(x), *wanted[0].shape[1:]), y
            raise Done

    class Net(names["Net"]):
        def __init__(self):
            super().__init__()
            self.load_state_dict(weights)

    backward = torch.Tensor.backward

    def record(self, *args, **kwargs):
        losses.append(self.item())
        return backward(self, *args, **kwargs)

    names.update(DataLoader=Loader, Net=Net)
    torch.Tensor.backward = record
    like, torch.randn_like = torch.randn_like, lambda t: torch.tensor(noise[0])
    try:
        names["main"]()
    except Done:
        pass
    finally:
        torch.Tensor.backward, torch.randn_like = backward, like
    return losses


def run_keras(path, batches):
    """main() itself runs; `fit` takes the given batches one by one."""
    import keras

    space = runpy.run_path(str(path), run_name="script")
    names = space["main"].__globals__
    weights = load_file(path.with_suffix(".safetensors"))
    losses = []

    def fit(self, x, y, **_):
        for v in self.weights:
            if "seed_generator" in v.path:
                continue
            found = [w for n, w in weights.items() if v.path == n or v.path.endswith("/" + n)]
            assert len(found) == 1, (v.path, list(weights))
            v.assign(found[0].reshape(v.shape))
        for bx, by, e in batches:
            assert e is None, "noise is not set under Keras"
            bx = bx.transpose(0, *range(2, bx.ndim), 1) if bx.ndim == 4 else bx
            bx = bx.reshape(len(bx), *x.shape[1:])
            by = by.reshape(len(by), *y.shape[1:]).astype(y.dtype)
            # The loss before the update, as the running mean of one batch.
            self.reset_metrics()
            losses.append(float(self.train_on_batch(bx, by, return_dict=True)["loss"]))
        raise Done

    real, keras.Model.fit = keras.Model.fit, fit
    try:
        names["main"]()
    except Done:
        pass
    finally:
        keras.Model.fit = real
    return losses


def run_whole(path):
    """As it stands, but for one epoch."""
    text = path.read_text().replace("\nEPOCHS = ", "\nEPOCHS = 1  # ", 1)
    short = path.with_suffix(".short.py")
    short.write_text(text)
    runpy.run_path(str(short), run_name="__main__")


def main():
    folder, *wanted = [Path(a) if i == 0 else a for i, a in enumerate(sys.argv[1:])]
    whole = "--whole" in wanted
    stand_ins()
    wanted = [w for w in wanted if not w.startswith("--")]
    known = RECORD.exists() and wanted
    record = json.loads(RECORD.read_text()) if known else {"scripts": {}}
    for path in sorted(folder.glob("*.py")):
        name = path.stem
        if name.endswith(".short") or (wanted and name not in wanted):
            continue
        preset, kind = name.split(".")
        if whole:
            print(f"== {name}")
            run_whole(path)
        if not path.with_suffix(".safetensors").exists():
            continue
        batches = batches_of(folder, preset)
        if kind == "keras" and batches[0][2] is not None:
            continue
        losses = (run_pytorch if kind == "pytorch" else run_keras)(path, batches)
        ours = json.loads((folder / f"{preset}.losses").read_text())
        far = max(abs(a - b) / max(abs(b), 1e-9) for a, b in zip(losses, ours))
        print(f"{name}: {len(losses)} steps, greatest relative difference {far:.2e}")
        record["scripts"][name] = {"script": fnv(path.read_text()), "losses": losses}
    record["scripts"] = dict(sorted(record["scripts"].items()))
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in record["scripts"].items())
    RECORD.write_text('{"scripts": {\n' + lines + "\n}}\n")


if __name__ == "__main__":
    main()
