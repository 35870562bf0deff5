"""What the real frameworks make of the networks in tests/interop/snippets.txt: shapes of the trainable
parameters, in order, and their number.

    python tests/reference/snippets.py > tests/reference/snippets.json
"""

import contextlib
import io
import json
import os
import re
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import torch


def main():
    text = (Path(__file__).parents[1] / "interop/snippets.txt").read_text()
    out = {}
    for name, code in re.findall(r"^=== (\S+)\n(.*?)(?=^=== |\Z)", text, re.M | re.S):
        # The older name of the same.
        code = code.replace("from tensorflow import keras", "import keras").replace("tensorflow.keras", "keras")
        space = {}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code.split("# ---\n")[0], space)
        net = space.get("net") or space["model"]
        if isinstance(net, torch.nn.Module):
            shapes = [list(p.shape) for p in net.parameters()]
        else:
            shapes = [list(v.shape) for v in net.trainable_variables]
        count = 0
        for shape in shapes:
            size = 1
            for n in shape:
                size *= n
            count += size
        out[name] = {"shapes": shapes, "parameters": count}
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in out.items()]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
