"""Statistics of the initialisers (init.json) and factors of the schedules (schedules.json)."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
import torch
from torch import nn

import common

OUT, IN = 256, 128
DRAWS = 50
VERSIONS = {"torch": torch.__version__.split("+")[0], "keras": keras.__version__}

# Initialisers of the spec, and what they are called in each framework.
NAMED = [
    (
        {"kind": "uniform", "low": -0.05, "high": 0.15},
        lambda w: nn.init.uniform_(w, -0.05, 0.15),
        lambda: keras.initializers.RandomUniform(-0.05, 0.15),
    ),
    (
        {"kind": "normal", "mean": 0.1, "std": 0.05},
        lambda w: nn.init.normal_(w, 0.1, 0.05),
        lambda: keras.initializers.RandomNormal(0.1, 0.05),
    ),
    (
        {"kind": "truncated_normal", "mean": 0.1, "std": 0.05},
        # PyTorch cuts where it is told to, not at two deviations.
        lambda w: nn.init.trunc_normal_(w, 0.1, 0.05, 0.0, 0.2),
        lambda: keras.initializers.TruncatedNormal(0.1, 0.05),
    ),
    ({"kind": "torch_default"}, lambda w: nn.init.kaiming_uniform_(w, a=5**0.5), None),
    (
        {"kind": "glorot_uniform"},
        nn.init.xavier_uniform_,
        keras.initializers.GlorotUniform,
    ),
    ({"kind": "glorot_normal"}, nn.init.xavier_normal_, keras.initializers.GlorotNormal),
    (
        {"kind": "he_uniform"},
        lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
        keras.initializers.HeUniform,
    ),
    (
        {"kind": "he_normal"},
        lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
        keras.initializers.HeNormal,
    ),
    (
        {"kind": "lecun_uniform"},
        lambda w: nn.init.kaiming_uniform_(w, nonlinearity="linear"),
        keras.initializers.LecunUniform,
    ),
    (
        {"kind": "lecun_normal"},
        lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear"),
        keras.initializers.LecunNormal,
    ),
    (
        {"kind": "orthogonal", "gain": 1.5},
        lambda w: nn.init.orthogonal_(w, 1.5),
        lambda: keras.initializers.Orthogonal(1.5),
    ),
]


def statistics(framework, init, tensor, draws):
    a = np.stack([np.asarray(d, np.float64) for d in draws])
    row = {
        "framework": framework,
        "init": init,
        "tensor": tensor,
        "mean": a.mean(),
        "std": a.std(),
        "min": a.min(),
        "max": a.max(),
    }
    if init and init["kind"] == "orthogonal":
        row["gram_error"] = max(np.abs(w.T @ w - init["gain"] ** 2 * np.eye(IN)).max() for w in a)
    return row


def initialisers():
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    layers = [nn.Linear(IN, OUT) for _ in range(DRAWS)]
    for t in "weight", "bias":
        draws = [getattr(l, t).detach().numpy() for l in layers]
        yield statistics("pytorch", None, t, draws)
    layers = []
    for _ in range(DRAWS):
        layers.append(keras.layers.Dense(OUT))
        layers[-1].build([None, IN])
    yield statistics("keras", None, "weight", [l.kernel.numpy().T for l in layers])
    yield statistics("keras", None, "bias", [l.bias.numpy() for l in layers])
    for init, in_torch, in_keras in NAMED:
        draws = [in_torch(torch.empty(OUT, IN)).numpy() for _ in range(DRAWS)]
        yield statistics("pytorch", init, "weight", draws)
        if in_keras:
            draws = [np.array(in_keras()([IN, OUT])).T for _ in range(DRAWS)]
            yield statistics("keras", init, "weight", draws)


def schedules():
    s = torch.optim.lr_scheduler
    rate = 0.1
    one_cycle = lambda o, n: s.OneCycleLR(
        o, rate, total_steps=n, pct_start=0.3, three_phase=False, cycle_momentum=False
    )
    for name, schedule, epochs, make in [
        (
            "StepLR",
            {"kind": "step", "every": 4, "gamma": 0.5},
            20,
            lambda o, n: s.StepLR(o, 4, 0.5),
        ),
        (
            "ExponentialLR",
            {"kind": "exponential", "gamma": 0.9},
            20,
            lambda o, n: s.ExponentialLR(o, 0.9),
        ),
        (
            "CosineAnnealingLR",
            {"kind": "cosine", "final_factor": 0.1},
            20,
            lambda o, n: s.CosineAnnealingLR(o, n, 0.1 * rate),
        ),
        ("OneCycleLR", {"kind": "one_cycle", "warmup": 0.3}, 20, one_cycle),
        ("OneCycleLR", {"kind": "one_cycle", "warmup": 0.3}, 7, one_cycle),
    ]:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], rate)
        scheduler = make(optimizer, epochs)
        factors = []
        for _ in range(epochs):
            factors.append(optimizer.param_groups[0]["lr"] / rate)
            optimizer.step()
            if len(factors) < epochs:
                scheduler.step()
        yield {"name": name, "schedule": schedule, "epochs": epochs, "factors": factors}


def main():
    rows = list(initialisers())
    sizes = {"shape": [OUT, IN], "fan_in": IN, "fan_out": OUT, "draws": DRAWS}
    common.write("init", {"versions": VERSIONS, **sizes, "entries": rows})
    common.write("schedules", {"versions": VERSIONS, "entries": list(schedules())})
    for r in rows:
        print(r["framework"], r["init"], r["tensor"], f"{r['mean']:.5f} {r['std']:.5f}")


main()
