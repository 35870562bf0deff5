"""The loader lines that the page shows beside a script, run in real PyTorch and Keras.

    NABLA_EXPORT=/tmp/export cargo test --test interop export_for_reference
    python tests/reference/loaders.py /tmp/export

Every tensor of the file must arrive in the model, bit for bit, and leave no parameter as it was.
"""

import os
import re
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from exported import stand_ins


def check(path):
    name = path.stem
    kind = name.split(".")[1]
    space = runpy.run_path(str(path.with_suffix(".py")), run_name="script")
    text = path.read_text()
    file = re.search(r'load_file\("(.*?)"\)', text).group(1)
    shutil.copy(path.with_suffix(".safetensors"), file)
    tensors = load_file(file)
    if kind == "pytorch":
        net = space["Net"]()
        exec(text, {"net": net})
        state = {k: v.numpy() for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
        pairs = [(k, state.get(k), v) for k, v in tensors.items()]
        assert set(state) == set(tensors), (name, set(state) ^ set(tensors))
    else:
        model = space["build_model"]()
        exec(text, {"model": model})
        weights = [v for v in model.weights if "seed_generator" not in v.path]
        assert len(weights) == len(tensors), name
        found = {n: v for v in weights for n in tensors if f"/{v.path}".endswith(f"/{n}")}
        pairs = [(n, np.array(found[n]), v) for n, v in tensors.items()]
    for key, got, want in pairs:
        assert np.array_equal(got.ravel(), want.ravel()), (name, key)
    print(f"{name}: {len(pairs)} tensors")


def main():
    folder = Path(sys.argv[1]).resolve()
    os.chdir(folder)
    stand_ins()
    for path in sorted(folder.glob("*.loader")):
        check(path)


if __name__ == "__main__":
    main()
