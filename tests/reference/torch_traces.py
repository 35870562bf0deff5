"""Traces of PyTorch."""

import sys
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


def padding(v):
    return 0 if v == "valid" else v


def convolution(l, channels):
    options = dict(stride=l["stride"], padding=padding(l["padding"]), dilation=l["dilation"])
    if l["kind"] == "conv_transpose2d":
        options["output_padding"] = l["output_padding"]
    kind = {
        "conv1d": nn.Conv1d,
        "conv2d": nn.Conv2d,
        "conv_transpose2d": nn.ConvTranspose2d,
    }[l["kind"]]
    options.update(groups=l["groups"], bias=l["bias"])
    return kind(channels, l["filters"], l["kernel"], **options)


def layer(l, shape):
    match l["kind"]:
        case "linear":
            return nn.Linear(shape[-1], l["units"], bias=l["bias"])
        case "activation":
            return ACTIVATIONS[l["function"]]()
        case "flatten":
            return nn.Flatten()
        case "conv1d" | "conv2d" | "conv_transpose2d":
            return convolution(l, shape[1])
        case "max_pool1d":
            return nn.MaxPool1d(l["kernel"], l["stride"], padding(l["padding"]))
        case "max_pool2d":
            return nn.MaxPool2d(l["kernel"], l["stride"], padding(l["padding"]))
        case "avg_pool1d":
            return nn.AvgPool1d(l["kernel"], l["stride"], padding(l["padding"]))
        case "avg_pool2d":
            return nn.AvgPool2d(l["kernel"], l["stride"], padding(l["padding"]))
        case "global_avg_pool":
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        case "upsample":
            return nn.Upsample(scale_factor=tuple(l["factor"]))
        case "batch_norm":
            return (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(shape[1])
        case "layer_norm":
            return nn.LayerNorm(shape[len(shape) - l["axes"] :])
        case "rms_norm":
            return nn.RMSNorm(shape[-1:])


def network(spec, shape):
    parts = OrderedDict()
    x = torch.zeros(2, *shape)

    def add(id, module):
        nonlocal x
        parts[id] = module
        x = module(x)

    if len(shape) == 2 and spec["layers"][0]["kind"] == "conv2d":
        add("image", nn.Unflatten(1, (1, shape[0])))
    for l in spec["layers"]:
        add(l["id"], layer(l, list(x.shape)))
        if l.get("activation"):
            add(l["id"] + "_activation", ACTIVATIONS[l["activation"]]())
    for m in parts.values():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            m.reset_running_stats()
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
    model = network(spec, x.shape[1:])
    start = common.parameters(case)
    assert [k for k, _ in model.named_parameters()] == list(start)
    for k, p in model.named_parameters():
        assert p.shape == start[k].shape, (k, p.shape, start[k].shape)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in start.items()}, strict=False)
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
    final = {k: p.detach().numpy() for k, p in model.named_parameters()}
    running = {k: b.numpy() for k, b in model.named_buffers() if ".running_" in k}
    return losses, grads, {**final, **running}


def main():
    for case in all_cases("pytorch"):
        if sys.argv[1:] and case["name"] not in sys.argv[1:]:
            continue
        done = common.trace(case, VERSIONS, run(case, torch.float32), run(case, torch.float64))
        common.write(case["name"], done)
        print(case["name"], *(f"{k} {v:.1e}" for k, v in done["noise"].items()))


main()
