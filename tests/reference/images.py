"""Cases of convolution, pooling and normalisation."""

import math

import numpy as np

from cases import MSE, adam, activation, case, cross_entropy, glorot, hashed, linear, sgd
from common import FEW_STEPS


def conv(kind, id, filters, kernel=3, stride=1, padding="valid", activation=None, **more):
    layer = {
        "id": id,
        "inputs": [],
        "kind": kind,
        "filters": filters,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": more.pop("dilation", 1),
        "groups": more.pop("groups", 1),
        "bias": more.pop("bias", True),
        "activation": activation,
        "weight_init": None,
        "bias_init": None,
    }
    if kind == "conv_transpose2d":
        layer["output_padding"] = more.pop("output_padding", 0)
    assert not more
    return layer


def pool(kind, id, kernel=2, stride=None, padding="valid"):
    return {
        "id": id,
        "inputs": [],
        "kind": kind,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
    }


def plain(kind, id, **fields):
    return {"id": id, "inputs": [], "kind": kind, **fields}


def batch_norm(id):
    return plain("batch_norm", id, momentum=None, epsilon=None, affine=True)


def layer_norm(id, axes=1):
    return plain("layer_norm", id, axes=axes, epsilon=None, bias=True)


def rms_norm(id):
    return plain("rms_norm", id, axes=1, epsilon=None)


def images(n, shape, **more):
    data = hashed(n, 1, **more)
    data["shape"] = list(shape)
    return data


def weight(id, shape, bounds):
    """Weight `[out, in, …]` and bias of a layer, in PyTorch's layout."""
    area = math.prod(shape[2:])
    w, b = (np.float32(v) for v in bounds(shape[1] * area, shape[0] * area))
    return {"name": f"{id}.weight", "shape": list(shape), "bound": w}, b


def torch_bounds(i, o):
    return 1 / math.sqrt(i), 1 / math.sqrt(i)


def with_bias(id, shape, bias, bounds):
    w, b = weight(id, shape, bounds)
    return [w, {"name": f"{id}.bias", "shape": [bias], "bound": b}]


def norm(id, shape, bias=True):
    p = [{"name": f"{id}.weight", "shape": list(shape), "bound": np.float32(1)}]
    if bias:
        p.append({"name": f"{id}.bias", "shape": list(shape), "bound": np.float32(0.5)})
    return p


def tutorials():
    def params(bounds, *shapes):
        return sum((with_bias(id, s, s[0], bounds) for id, s in shapes), [])

    yield case(
        "t9",
        "pytorch",
        images(32, (28, 28), classes=10, low=-1),
        [
            conv("conv2d", "conv1", 32, padding=1),
            activation("relu1", "relu"),
            pool("max_pool2d", "pool1"),
            conv("conv2d", "conv2", 64, padding=1),
            activation("relu2", "relu"),
            pool("max_pool2d", "pool2"),
            plain("flatten", "flatten"),
            linear("fc1", 128),
            activation("relu3", "relu"),
            linear("fc2", 10),
        ],
        cross_entropy("pytorch"),
        adam("pytorch", 0.001),
        4,
        # Inputs on both sides of 0, as after standardisation. Even so, among 300 000 ReLUs, some lie nearer to 0 than float32 rounds once weights have moved.
        grad_steps=(0, 1, 2),
        params=params(
            torch_bounds,
            ("conv1", (32, 1, 3, 3)),
            ("conv2", (64, 32, 3, 3)),
            ("fc1", (128, 3136)),
            ("fc2", (10, 128)),
        ),
    )
    yield case(
        "t10",
        "keras",
        images(32, (3, 32, 32), classes=10, low=0),
        [
            conv("conv2d", "conv1", 32, activation="relu"),
            pool("max_pool2d", "pool1"),
            conv("conv2d", "conv2", 64, activation="relu"),
            pool("max_pool2d", "pool2"),
            conv("conv2d", "conv3", 64, activation="relu"),
            plain("flatten", "flatten"),
            linear("fc1", 64, "relu"),
            linear("fc2", 10, "softmax"),
        ],
        cross_entropy("keras"),
        adam("keras", 0.001),
        8,
        # By the twentieth step Keras in float32 is 1.5e-3 away from Keras in float64.
        steps=8,
        grad_steps=(0, 1, 2, 5),
        params=params(
            glorot,
            ("conv1", (32, 3, 3, 3)),
            ("conv2", (64, 32, 3, 3)),
            ("conv3", (64, 64, 3, 3)),
            ("fc1", (64, 1024)),
            ("fc2", (10, 64)),
        ),
    )


def small(name, framework, shape, layers, params, rate=0.1, **more):
    """Three classes, batches of 6 of 24 samples, SGD."""
    return case(
        name,
        framework,
        images(24, shape, classes=3),
        layers,
        {"kind": "cross_entropy", "from_logits": True},
        sgd(rate),
        6,
        params=params,
        grad_steps=FEW_STEPS,
        **more,
    )


def layers():
    b = torch_bounds
    flat = plain("flatten", "flatten")
    yield small(
        "pytorch_conv2d_options",
        "pytorch",
        (4, 11, 10),
        [
            conv("conv2d", "c1", 6, [3, 2], [2, 1], [1, 2], "tanh", groups=2),
            conv("conv2d", "c2", 5, 3, padding="same", activation="tanh", dilation=2),
            conv("conv2d", "c3", 4, 1, 2, activation="tanh"),
            flat,
            linear("fc", 3),
        ],
        with_bias("c1", (6, 2, 3, 2), 6, b)
        + with_bias("c2", (5, 6, 3, 3), 5, b)
        + with_bias("c3", (4, 5, 1, 1), 4, b)
        + with_bias("fc", (3, 84), 3, b),
    )
    yield small(
        "keras_conv2d_options",
        "keras",
        (4, 11, 10),
        [
            conv("conv2d", "c1", 6, [3, 2], 2, "same", "tanh", groups=2),
            conv("conv2d", "c2", 5, 3, padding="same", activation="tanh", dilation=2),
            pool("avg_pool2d", "pool", 3, 2, "same"),
            linear("d", 4, "tanh"),
            plain("global_max_pool", "gap"),
            linear("fc", 3),
        ],
        with_bias("c1", (6, 2, 3, 2), 6, b)
        + with_bias("c2", (5, 6, 3, 3), 5, b)
        + with_bias("d", (4, 5), 4, b)
        + with_bias("fc", (3, 4), 3, b),
    )
    yield small(
        "pytorch_conv1d",
        "pytorch",
        (3, 14),
        [
            conv("conv1d", "c1", 6, 5, padding="same", activation="tanh"),
            pool("max_pool1d", "pool", 3, 2, 1),
            conv("conv1d", "c2", 4, 3, 2, 1, "tanh"),
            pool("avg_pool1d", "avg", 2, 1, 1),
            flat,
            linear("fc", 3),
        ],
        with_bias("c1", (6, 3, 5), 6, b)
        + with_bias("c2", (4, 6, 3), 4, b)
        + with_bias("fc", (3, 20), 3, b),
    )
    yield small(
        "keras_conv1d",
        "keras",
        (14, 3),
        [
            conv("conv1d", "c1", 6, 7, padding="same", activation="tanh"),
            pool("max_pool1d", "pool", 4),
            conv("conv1d", "c2", 4, 2, padding="same", activation="tanh"),
            plain("global_avg_pool", "gap"),
            linear("fc", 3),
        ],
        with_bias("c1", (6, 3, 7), 6, b)
        + with_bias("c2", (4, 6, 2), 4, b)
        + with_bias("fc", (3, 4), 3, b),
    )
    yield small(
        "pytorch_transpose",
        "pytorch",
        (4, 5, 4),
        [
            conv("conv_transpose2d", "c1", 6, 3, 2, 1, "tanh", groups=2, output_padding=1),
            conv("conv_transpose2d", "c2", 3, [2, 3], activation="tanh"),
            plain("upsample", "up", factor=[1, 2]),
            pool("avg_pool2d", "avg", 3, 2, 1),
            flat,
            linear("fc", 3),
        ],
        with_bias("c1", (4, 3, 3, 3), 6, b)
        + with_bias("c2", (6, 3, 2, 3), 3, b)
        + with_bias("fc", (3, 180), 3, b),
    )
    yield small(
        "keras_transpose",
        "keras",
        (4, 5, 4),
        [
            conv("conv_transpose2d", "c1", 6, 3, 2, "same", "tanh"),
            conv("conv_transpose2d", "c2", 3, [2, 3], 2, "valid", "tanh"),
            plain("upsample", "up", factor=2),
            pool("avg_pool2d", "avg", 4),
            flat,
            linear("fc", 3),
        ],
        with_bias("c1", (4, 6, 3, 3), 6, b)
        + with_bias("c2", (6, 3, 2, 3), 3, b)
        + with_bias("fc", (3, 240), 3, b),
    )
    for f in "pytorch", "keras":
        yield small(
            f"{f}_batch_norm",
            f,
            (2, 6, 5),
            [
                conv("conv2d", "c1", 5, bias=False),
                batch_norm("bn1"),
                activation("tanh1", "tanh"),
                flat,
                {**linear("fc1", 7), "bias": False},
                batch_norm("bn2"),
                activation("tanh2", "tanh"),
                linear("fc2", 3),
            ],
            [weight("c1", (5, 2, 3, 3), b)[0]]
            + norm("bn1", [5])
            + [weight("fc1", (7, 60), b)[0]]
            + norm("bn2", [7])
            + with_bias("fc2", (3, 7), 3, b),
        )
        channels = 6
        over = [3] if f == "keras" else [4]
        yield small(
            f"{f}_layer_norm",
            f,
            (3, 5, 4),
            [
                layer_norm("ln1"),
                conv("conv2d", "c1", channels, padding="same", activation="tanh"),
                plain("global_avg_pool", "gap"),
                layer_norm("ln2"),
                rms_norm("rms"),
                linear("fc", 3),
            ],
            norm("ln1", over)
            + with_bias("c1", (channels, 3, 3, 3), channels, b)
            + norm("ln2", [channels])
            + norm("rms", [channels], bias=False)
            + with_bias("fc", (3, channels), 3, b),
        )
    yield small(
        "pytorch_layer_norm_axes",
        "pytorch",
        (3, 5, 4),
        [layer_norm("ln", 3), flat, linear("fc", 3)],
        norm("ln", [3, 5, 4]) + with_bias("fc", (3, 60), 3, b),
    )


def image_cases():
    yield from tutorials()
    yield from layers()
