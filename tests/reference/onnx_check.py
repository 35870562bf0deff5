"""Checks the ONNX files that Nabla writes: onnx.checker with full, strict shape inference, and
onnxruntime's outputs beside the page's predictions. First:

    NABLA_EXPORT=/tmp/exported cargo test --test interop export_onnx

then `python onnx_check.py /tmp/exported`, which prints a table and fails beyond 1e-5.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from safetensors.numpy import load_file

BOUND = 1e-5


def shapes_are_known(model):
    """Every value has a type and a shape, and the first axis of inputs and outputs is the batch."""
    full = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    graph = full.graph
    known = {v.name for v in [*graph.value_info, *graph.input, *graph.output]}
    for node in graph.node:
        for name in node.output:
            assert not name or name in known, f"{name} has no shape"
    for value in [*graph.input, *graph.output]:
        first, *rest = value.type.tensor_type.shape.dim
        assert first.dim_param == "batch", value.name
        assert all(d.dim_value > 0 for d in rest), value.name


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    shapes_are_known(model)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    io = load_file(path.with_suffix(".io"))
    given = session.get_inputs()[0]
    x = io["x"].reshape(len(io["x"]), *given.shape[1:])
    x = x.astype(np.int64 if "int64" in given.type else np.float32)
    far = 0.0
    for rows in (len(x), 1):
        y = session.run(["output"], {given.name: x[:rows]})[0]
        want = io["y"][:rows].reshape(y.shape)
        # Relative to the size of the numbers, where these are large.
        far = max(far, float(np.max(np.abs(y - want) / np.maximum(np.abs(want), 1.0))))
    opset = model.opset_import[0].version
    shape = "×".join(str(d) for d in given.shape)
    print(f"| {path.stem} | {opset} | {len(model.graph.node)} | {shape} {x.dtype} | {far:.1e} |")
    return far


def main():
    files = sorted(Path(sys.argv[1]).glob("*.onnx"))
    print("| network | opset | nodes | input | greatest difference |")
    print("|---|---|---|---|---|")
    worst = max(check(path) for path in files)
    print(f"\n{len(files)} files, greatest difference {worst:.1e}")
    assert worst < BOUND


if __name__ == "__main__":
    main()
