"""What is traced: each case is a spec, its data and the bounds of its initial weights."""

import math

import numpy as np
from sklearn.datasets import make_regression

from common import FEW_STEPS, GRAD_STEPS


def linear(id, units, activation=None):
    return {
        "id": id,
        "inputs": [],
        "kind": "linear",
        "units": units,
        "bias": True,
        "activation": activation,
        "weight_init": None,
        "bias_init": None,
    }


def activation(id, function, alpha=None):
    return {"id": id, "inputs": [], "kind": "activation", "function": function, "alpha": alpha}


def dropout(id, rate):
    return {"id": id, "inputs": [], "kind": "dropout", "rate": rate}


def hashed(n, features, classes=None, targets=1, low=-1, high=1):
    data = {"kind": "hash", "samples": n, "shape": [features], "low": low, "high": high}
    data["classes"] = classes
    if classes is None:
        data["targets"] = {"seed": 3, "shape": [targets], "low": -1, "high": 1}
    return data


def literal(x, y):
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    return {"kind": "literal", "shape": [x.shape[1]], "x": x, "y": y}


# Optimisers of the spec with the framework's defaults filled in.
def sgd(lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    return {
        "kind": "sgd",
        "learning_rate": lr,
        "momentum": momentum,
        "nesterov": nesterov,
        "weight_decay": weight_decay,
    }


def rmsprop(framework, lr, momentum=0.0, weight_decay=0.0):
    keras = framework == "keras"
    return {
        "kind": "rmsprop",
        "learning_rate": lr,
        "rho": 0.9 if keras else 0.99,
        "epsilon": 1e-7 if keras else 1e-8,
        "momentum": momentum,
        "weight_decay": weight_decay,
    }


def adagrad(framework, lr, weight_decay=0.0):
    keras = framework == "keras"
    return {
        "kind": "adagrad",
        "learning_rate": lr,
        "epsilon": 1e-7 if keras else 1e-10,
        "initial_accumulator": 0.1 if keras else 0.0,
        "weight_decay": weight_decay,
    }


def adam(framework, lr, weight_decay=0.0, kind="adam"):
    return {
        "kind": kind,
        "learning_rate": lr,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-7 if framework == "keras" else 1e-8,
        "weight_decay": weight_decay,
    }


def case(
    name,
    framework,
    data,
    layers,
    loss,
    optimizer,
    batch,
    steps=20,
    clip=None,
    l1=0.0,
    l2=0.0,
    seed=0,
    bounds=None,
    grad_steps=GRAD_STEPS,
    params=None,
):
    """`bounds(fan_in, fan_out)` gives the bounds of weight and bias, unless `params` lists them."""
    bounds = bounds or (lambda i, o: (1 / math.sqrt(i), 1 / math.sqrt(i)))
    own, fan_in, masks = [], data["shape"][0], None
    for l in layers:
        if l["kind"] == "linear" and params is None:
            w, b = (np.float32(v) for v in bounds(fan_in, l["units"]))
            own.append({"name": f"{l['id']}.weight", "shape": [l["units"], fan_in], "bound": w})
            own.append({"name": f"{l['id']}.bias", "shape": [l["units"]], "bound": b})
            fan_in = l["units"]
        elif l["kind"] == "dropout":
            masks = {"seed": seed}
    c = spec_of(name, framework, data, layers, loss, optimizer, batch, steps, clip, l1, l2, seed)
    c["params"] = own if params is None else params
    c["dropout"], c["grad_steps"] = masks, list(grad_steps)
    return c


def spec_of(
    name,
    framework,
    data,
    layers,
    loss,
    optimizer,
    batch,
    steps,
    clip=None,
    l1=0.0,
    l2=0.0,
    seed=0,
):
    """A case that lacks its parameters and the steps whose gradients are traced."""
    if data["kind"] == "literal":
        count = len(data["x"])
        source = {"kind": "points", "x": data["x"], "y": data["y"], "classes": None}
    else:
        count = data["samples"]
        source = {
            "kind": "files",
            "name": "trace",
            "format": "csv",
            "shape": data["shape"],
            "classes": data["classes"],
            "target": None,
        }
    spec = {
        "version": 1,
        "name": name,
        "framework": framework,
        "seed": seed,
        "data": {
            "source": source,
            "split": {"test": 0.0, "validation": 0.0, "shuffle": False},
            "scale": {"kind": "none"},
            "scale_target": False,
            "flatten": False,
        },
        "layers": layers,
        "train": {
            "loss": loss,
            "optimizer": optimizer,
            "batch_size": batch,
            "epochs": max(1, steps * batch // count),
            "shuffle": False,
            "schedule": {"kind": "constant"},
            "clip": clip or {"kind": "none"},
            "l1": l1,
            "l2": l2,
        },
    }
    if data.get("target") == "input":
        spec["data"]["target"] = "input"
    return {
        "name": name,
        "framework": framework,
        "spec": spec,
        "data": data,
        "batch": batch,
        "batches": "sequential",
        "params": [],
        "dropout": None,
        "steps": steps,
        "loss_steps": list(range(steps)) if steps <= 20 else [*range(0, steps, 10), steps - 1],
        "grad_steps": [],
    }


MSE = {"kind": "mse"}


def cross_entropy(framework):
    return {"kind": "cross_entropy", "from_logits": framework == "pytorch"}


def glorot(i, o):
    return math.sqrt(6 / (i + o)), 0.0


def tutorials():
    line = [linear("fc", 1)]
    x, y = make_regression(n_samples=100, n_features=1, noise=10, random_state=42)
    yield case("t1", "pytorch", literal(x, y[:, None]), line, MSE, sgd(0.01), 100)
    r = np.random.RandomState(42)
    x = r.rand(100, 1)
    y = 3 * x + 2 + 0.5 * r.randn(100, 1)
    yield case("t2", "pytorch", literal(x, y), line, MSE, sgd(0.01), 100)
    points = literal([[1, 2], [3, 4]], [[2], [6]])
    yield case("t3", "pytorch", points, line, MSE, sgd(0.01), 2)
    bce = {"kind": "binary_cross_entropy", "from_logits": False}
    yield case(
        "t4",
        "pytorch",
        hashed(128, 30, classes=2),
        [linear("linear", 1), activation("sigmoid", "sigmoid")],
        bce,
        sgd(0.1),
        32,
    )
    plane = hashed(64, 2, classes=2)
    neuron = [linear("neuron", 1), activation("step", "step")]
    rule = {"kind": "perceptron"}
    yield case("t5", "pytorch", plane, neuron, rule, sgd(0.1), 1)
    yield case(
        "t6",
        "pytorch",
        plane,
        [linear("fc1", 8), activation("tanh1", "tanh"), linear("out", 1)],
        {"kind": "binary_cross_entropy", "from_logits": True},
        sgd(0.1, momentum=0.9),
        16,
    )
    hinge, line = {"kind": "hinge"}, [linear("linear", 1)]
    yield case("t7", "pytorch", plane, line, hinge, sgd(0.05), 16, l2=0.01)
    digits = hashed(512, 784, classes=10, low=0)
    for name, drop in ("t8", [dropout("drop", 0.5)]), ("t8_no_dropout", []):
        yield case(
            name,
            "keras",
            digits,
            [linear("fc1", 512, "relu"), *drop, linear("fc2", 10, "softmax")],
            cross_entropy("keras"),
            rmsprop("keras", 0.001),
            128,
            seed=7,
            bounds=glorot,
        )


def small(name, framework, optimizer, **more):
    """8→16 tanh→4 classes, batches of 16 of 64 samples."""
    last = None if framework == "pytorch" else "softmax"
    layers = [linear("fc1", 16, "tanh"), linear("fc2", 4, last)]
    data, loss = hashed(64, 8, classes=4), cross_entropy(framework)
    return case(name, framework, data, layers, loss, optimizer, 16, **more)


def optimizers():
    for f, decayed in (
        ("pytorch", {"sgd_decay": sgd(0.1, weight_decay=0.1),
                     "adam_decay": adam("pytorch", 0.01, weight_decay=0.1),
                     "adamw": adam("pytorch", 0.01, weight_decay=0.1, kind="adamw")}),
        ("keras", {"adamw": adam("keras", 0.01, weight_decay=0.1, kind="adamw")}),
    ):  # fmt: skip
        every = {
            "sgd": sgd(0.1),
            "momentum": sgd(0.1, momentum=0.9),
            "nesterov": sgd(0.1, momentum=0.9, nesterov=True),
            "rmsprop": rmsprop(f, 0.01),
            "rmsprop_momentum": rmsprop(f, 0.003, momentum=0.9),
            "adagrad": adagrad(f, 0.05),
            "adam": adam(f, 0.01),
            **decayed,
        }
        for name, o in every.items():
            yield small(f"{f}_{name}", f, o)
        # The norm of the gradient lies on both sides of the bound over the steps.
        for name, clip in (
            ("clip_norm", {"kind": "global_norm", "max": 0.5}),
            ("clip_value", {"kind": "value", "max": 0.01}),
        ):
            yield small(f"{f}_{name}", f, sgd(0.5), clip=clip)
        for name in "adam", "adamw", "rmsprop", "nesterov":
            yield small(f"{f}_{name}_100", f, every.get(name, decayed.get(name)), steps=100, grad_steps=[0])


def activations():
    for f in (
        "relu",
        "leaky_relu",
        "elu",
        "gelu",
        "gelu_tanh",
        "silu",
        "sigmoid",
        "tanh",
        "softplus",
    ):
        layers = [linear("fc1", 10), activation("act", f), linear("fc2", 3)]
        data = hashed(64, 6, targets=3, low=-2, high=2)
        yield case(
            f"activation_{f}", "pytorch", data, layers, MSE, sgd(0.1), 16, grad_steps=FEW_STEPS
        )


def losses():
    def mlp(name, framework, loss, out, classes=None, last=None, **more):
        layers = [linear("fc1", 10, "tanh"), linear("fc2", out, last)]
        data = hashed(64, 6, classes=classes, targets=out)
        weights = more.pop("class_weight", None)
        c = case(name, framework, data, layers, loss, sgd(0.1), 16, grad_steps=FEW_STEPS, **more)
        if weights:
            c["spec"]["train"]["class_weight"] = weights
        return c

    for f in "pytorch", "keras":
        yield mlp(f"{f}_mse", f, MSE, 2)
        yield mlp(f"{f}_mae", f, {"kind": "mae"}, 2)
        yield mlp(f"{f}_huber", f, {"kind": "huber", "delta": 0.7}, 2)
        ce = {"kind": "cross_entropy", "from_logits": True}
        yield mlp(f"{f}_cross_entropy_logits", f, ce, 4, classes=4)
        for logits, last in (True, None), (False, "sigmoid"):
            name = "logits" if logits else "probabilities"
            bce = {"kind": "binary_cross_entropy", "from_logits": logits}
            yield mlp(f"{f}_bce_{name}", f, bce, 1, classes=2, last=last)
        yield mlp(f"{f}_class_weight", f, ce, 4, classes=4, class_weight=[0.5, 1.0, 2.0, 3.5])
        # PyTorch has a weight for the positive class only.
        weights = [1.0, 3.0] if f == "pytorch" else [0.25, 2.0]
        bce = {"kind": "binary_cross_entropy", "from_logits": True}
        yield mlp(f"{f}_class_weight_two", f, bce, 1, classes=2, class_weight=weights)
    yield mlp("keras_hinge", "keras", {"kind": "hinge"}, 1, classes=2)
    yield mlp("pytorch_l1", "pytorch", MSE, 2, l1=0.01)
    yield mlp("pytorch_l2", "pytorch", MSE, 2, l2=0.01)
    yield mlp("keras_l1_l2", "keras", MSE, 2, l1=0.01, l2=0.02)


def all_cases(framework):
    from images import image_cases
    from sequences import all_sequences

    for group in tutorials, optimizers, activations, losses, image_cases, all_sequences:
        for c in group():
            if c["framework"] == framework:
                yield c
