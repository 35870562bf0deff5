"""Traces of PyTorch."""

import math
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
    # The loss makes the step: the perceptron's rule is about what goes into it.
    "step": nn.Identity,
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


class Sequence(nn.Module):
    """Layers over sequences; each that has parameters is a module of the layer's name."""

    def __init__(self, spec, shape):
        super().__init__()
        self.layers, shapes, before = spec["layers"], {}, list(shape)
        recurrent = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
        for l in self.layers:
            x = shapes[l["inputs"][0]] if l["inputs"] else before
            y, own = list(x), None
            match l["kind"]:
                case "embedding":
                    own, y = nn.Embedding(l["vocab"], l["dim"]), [*x, l["dim"]]
                case "positional_embedding":
                    own = nn.Embedding(*x)
                case "lstm" | "gru" | "rnn" as kind:
                    more = {"nonlinearity": l["activation"]} if kind == "rnn" else {}
                    both = l["bidirectional"]
                    own = recurrent[kind](
                        x[-1], l["units"], batch_first=True, bidirectional=both, **more
                    )
                    width = l["units"] * (1 + both)
                    y = [x[0], width] if l["return_sequences"] else [width]
                case "multi_head_attention":
                    own = nn.MultiheadAttention(x[-1], l["heads"], batch_first=True)
                case "add" | "sampling":
                    pass
                case _:
                    own = layer(l, [1, *x])
                    y = list(own(torch.zeros(1, *x)).shape[1:])
            if own is not None:
                self.add_module(l["id"], own)
            shapes[l["id"]] = before = y

    def forward(self, x):
        values, self.terms = {}, []
        for l in self.layers:
            inputs = [values[i] for i in l["inputs"]] or [x]
            x, own = inputs[0], getattr(self, l["id"], None)
            match l["kind"]:
                case "embedding":
                    x = own(x.long())
                case "positional_embedding":
                    x = x + own.weight
                case "lstm" | "gru" | "rnn":
                    every, last = own(x)
                    last = last[0] if l["kind"] == "lstm" else last
                    x = every if l["return_sequences"] else torch.cat(list(last), dim=-1)
                case "multi_head_attention":
                    t = x.shape[1]
                    mask = torch.full((t, t), -math.inf, dtype=x.dtype).triu(1)
                    x = own(x, x, x, need_weights=False, attn_mask=mask if l["causal"] else None)[0]
                case "add":
                    x = sum(inputs)
                case "sampling":
                    mean, logvar = inputs
                    eps = common.normals(self.seed, self.layers.index(l), self.now, mean.shape)
                    x = mean + torch.from_numpy(eps).to(mean.dtype) * torch.exp(0.5 * logvar)
                    each = -0.5 * (1 + logvar - mean**2 - logvar.exp()).sum(1)
                    self.terms.append(float(l["kl"]) * each.mean())
                case _:
                    x = own(x)
                    if l.get("activation"):
                        x = ACTIVATIONS[l["activation"]]()(x)
            values[l["id"]] = x
        return x


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


def loss_function(train, dtype):
    loss, weights = train["loss"], train.get("class_weight")
    if weights:
        weights = torch.tensor(weights, dtype=dtype)
        if loss["kind"] == "cross_entropy":
            return nn.CrossEntropyLoss(weight=weights)
        assert weights[0] == 1 and loss == {"kind": "binary_cross_entropy", "from_logits": True}
        return nn.BCEWithLogitsLoss(pos_weight=weights[1:])
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
        case {"kind": "hinge"}:
            return lambda out, y: torch.clamp(1 - (2 * y - 1) * out, min=0).mean()
        case {"kind": "perceptron"}:
            return lambda z, y: (((z > 0).to(z.dtype) - y) * z).mean()


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
    if case.get("sequence"):
        model = Sequence(spec, x.shape[1:])
        model.seed = (case["dropout"] or {}).get("seed")
    else:
        model = network(spec, x.shape[1:])
    start = common.parameters(case)
    assert [k for k, _ in model.named_parameters()] == list(start)
    for k, p in model.named_parameters():
        assert p.shape == start[k].shape, (k, p.shape, start[k].shape)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in start.items()}, strict=False)
    model = model.to(dtype)
    criterion = loss_function(train, dtype)
    opt = optimizer(train["optimizer"], model.parameters())
    weights = [p for k, p in model.named_parameters() if k.endswith(".weight")]
    losses, grads = [], {}
    for step in range(case["steps"]):
        bx, by = (torch.from_numpy(v) for v in common.batch(case, x, y, step))
        bx = bx.to(dtype)
        one = train["loss"]["kind"] in ("binary_cross_entropy", "hinge", "perceptron")
        if one and by.ndim == 1:
            by = by[:, None]
        if train["loss"]["kind"] != "cross_entropy":
            by = by.to(dtype)
        opt.zero_grad()
        model.now = step
        out = model(bx)
        if case["data"].get("steps"):
            out, by = out.flatten(0, 1), by.flatten()
        loss = criterion(out, by)
        loss = loss + sum(getattr(model, "terms", []))
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
    wanted = sys.argv[1:]
    for case in all_cases("pytorch"):
        if wanted and case["name"] not in wanted:
            continue
        done = common.trace(case, VERSIONS, run(case, torch.float32), run(case, torch.float64))
        common.write(case["name"], done)
        print(case["name"], *(f"{k} {v:.1e}" for k, v in done["noise"].items()))


main()
