"""Traces of PyTorch."""

from collections import OrderedDict

import torch
from torch import nn

import common
from cases import all_cases

torch.set_num_threads(1)
VERSIONS = {"torch": torch.__version__.split("+")[0]}
ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU(approximate="tanh"),
    "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
}


def network(spec, features):
    parts = OrderedDict()
    for l in spec["layers"]:
        if l["kind"] == "linear":
            parts[l["id"]] = nn.Linear(features, l["units"])
            features = l["units"]
            if l["activation"]:
                parts[l["id"] + "_activation"] = ACTIVATIONS[l["activation"]]()
        else:
            parts[l["id"]] = ACTIVATIONS[l["function"]]()
    return nn.Sequential(parts)


def loss_function(loss):
    match loss:
        case {"kind": "mse"}:
            return nn.MSELoss()
        case {"kind": "mae"}:
            return nn.L1Loss()
        case {"kind": "huber", "delta": delta}:
            return nn.HuberLoss(delta=delta)
        case {"kind": "cross_entropy"}:
            return nn.CrossEntropyLoss()
        case {"kind": "binary_cross_entropy", "from_logits": True}:
            return nn.BCEWithLogitsLoss()
        case {"kind": "binary_cross_entropy"}:
            return nn.BCELoss()


def optimizer(o, params):
    lr, decay = o["learning_rate"], o["weight_decay"]
    match o["kind"]:
        case "sgd":
            return torch.optim.SGD(
                params, lr, momentum=o["momentum"], nesterov=o["nesterov"], weight_decay=decay
            )
        case "rmsprop":
            return torch.optim.RMSprop(
                params, lr, o["rho"], o["epsilon"], weight_decay=decay, momentum=o["momentum"]
            )
        case "adagrad":
            return torch.optim.Adagrad(
                params,
                lr,
                weight_decay=decay,
                initial_accumulator_value=o["initial_accumulator"],
                eps=o["epsilon"],
            )
        case "adam" | "adamw":
            kind = torch.optim.Adam if o["kind"] == "adam" else torch.optim.AdamW
            return kind(params, lr, (o["beta1"], o["beta2"]), o["epsilon"], weight_decay=decay)


def run(case, dtype):
    spec, train = case["spec"], case["spec"]["train"]
    x, y = common.samples(case["data"])
    model = network(spec, x.shape[1])
    start = common.parameters(case)
    assert list(model.state_dict()) == list(start)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in start.items()})
    model = model.to(dtype)
    criterion = loss_function(train["loss"])
    opt = optimizer(train["optimizer"], model.parameters())
    weights = [p for k, p in model.named_parameters() if k.endswith(".weight")]
    losses, grads = [], {}
    for step in range(case["steps"]):
        bx, by = (torch.from_numpy(v) for v in common.batch(case, x, y, step))
        bx = bx.to(dtype)
        if train["loss"]["kind"] == "binary_cross_entropy":
            by = by[:, None]
        if train["loss"]["kind"] != "cross_entropy":
            by = by.to(dtype)
        opt.zero_grad()
        loss = criterion(model(bx), by)
        if train["l1"]:
            loss = loss + train["l1"] * sum(w.abs().sum() for w in weights)
        if train["l2"]:
            loss = loss + train["l2"] * sum(w.square().sum() for w in weights)
        loss.backward()
        losses.append(loss.item())
        if step in case["grad_steps"]:
            grads[step] = {k: p.grad.numpy().copy() for k, p in model.named_parameters()}
        match train["clip"]:
            case {"kind": "global_norm", "max": limit}:
                nn.utils.clip_grad_norm_(model.parameters(), limit)
            case {"kind": "value", "max": limit}:
                nn.utils.clip_grad_value_(model.parameters(), limit)
        opt.step()
    return losses, grads, {k: p.detach().numpy() for k, p in model.named_parameters()}


def main():
    for case in all_cases("pytorch"):
        done = common.trace(case, VERSIONS, run(case, torch.float32), run(case, torch.float64))
        common.write(case["name"], done)
        print(case["name"], *(f"{k} {v:.1e}" for k, v in done["noise"].items()))


main()
