"""Cases of the layers over sequences. Every layer says here what parameters it has."""

import math

import numpy as np

from cases import MSE, FEW_STEPS, activation, adam, cross_entropy, hashed, linear, sgd, spec_of
from images import conv, pool


def layer(id, kind, inputs=(), **fields):
    return {"id": id, "inputs": list(inputs), "kind": kind, **fields}


def recurrent(id, kind, units, both=False, sequences=False, **more):
    return layer(id, kind, units=units, bidirectional=both, return_sequences=sequences, **more)


def norm(id):
    return layer(id, "layer_norm", axes=1, epsilon=None, bias=True)


def flatten(id):
    return layer(id, "flatten")


GATES = {"lstm": 4, "gru": 3, "rnn": 1}
CELLS = {"lstm": "lstm", "gru": "gru", "rnn": "simple_rnn"}


def recurrent_parameters(framework, l, width):
    h, rows = l["units"], GATES[l["kind"]] * l["units"]
    for reverse in [False, True][: 1 + l["bidirectional"]]:
        if framework == "pytorch":
            end = "_l0_reverse" if reverse else "_l0"
            yield "weight_ih" + end, [rows, width]
            yield "weight_hh" + end, [rows, h]
            yield "bias_ih" + end, [rows]
            yield "bias_hh" + end, [rows]
        else:
            cell = CELLS[l["kind"]]
            side = ("backward" if reverse else "forward") + f"_{cell}."
            path = (side if l["bidirectional"] else "") + f"{cell}_cell."
            yield path + "kernel", [rows, width]
            yield path + "recurrent_kernel", [rows, h]
            yield path + "bias", [2, rows] if l["kind"] == "gru" else [rows]


def attention_parameters(framework, d):
    if framework == "pytorch":
        yield "in_proj_weight", [3 * d, d]
        yield "in_proj_bias", [3 * d]
        yield "out_proj.weight", [d, d]
        yield "out_proj.bias", [d]
    else:
        for name in "query", "key", "value", "attention_output":
            yield name + ".weight", [d, d]
            yield name + ".bias", [d]


def parameters(framework, layers, shape):
    """Names and shapes of all parameters, in the engine's layout."""
    shapes, before, out = {"input": list(shape)}, list(shape), []
    table = "weight" if framework == "pytorch" else "embeddings"
    for l in layers:
        x = shapes[l["inputs"][0]] if l["inputs"] else before
        y, own = list(x), []
        match l["kind"]:
            case "linear":
                own = [("weight", [l["units"], x[-1]]), ("bias", [l["units"]])]
                y[-1] = l["units"]
            case "layer_norm":
                own = [("weight", [x[-1]]), ("bias", [x[-1]])]
            case "embedding":
                own = [(table, [l["vocab"], l["dim"]])]
                y.append(l["dim"])
            case "positional_embedding":
                own = [(table, list(x))]
            case "rnn" | "lstm" | "gru":
                own = list(recurrent_parameters(framework, l, x[-1]))
                width = l["units"] * (1 + l["bidirectional"])
                y = [x[0], width] if l["return_sequences"] else [width]
            case "multi_head_attention":
                own = list(attention_parameters(framework, x[-1]))
            case "flatten":
                y = [int(np.prod(x))]
            case "conv1d":
                # Keras' [steps, channels], padded to the same length.
                own = [("weight", [l["filters"], x[-1], l["kernel"]]), ("bias", [l["filters"]])]
                y[-1] = l["filters"]
            case "max_pool1d":
                y[0] //= l["kernel"]
            case "global_avg_pool":
                y = [x[-1]]
        for name, s in own:
            bound = np.float32(1 / math.sqrt(s[-1]))
            if l["kind"].endswith(("embedding", "norm")):
                bound = np.float32(1.0)
            out.append({"name": f"{l['id']}.{name}", "shape": s, "bound": bound})
        shapes[l["id"]] = before = y
    return out


def case(name, framework, data, layers, loss, batch=8, optimizer=None, steps=20, seed=None):
    # A bias of all keys changes no softmax: its gradient is rounding, which Adam would blow up.
    attends = any(l["kind"] == "multi_head_attention" for l in layers)
    optimizer = optimizer or (sgd(0.1) if attends else adam(framework, 0.01))
    c = spec_of(name, framework, data, layers, loss, optimizer, batch, steps, seed=seed or 0)
    if seed is not None:
        c["dropout"] = {"seed": seed}
    c["params"] = parameters(framework, layers, data["shape"])
    c["grad_steps"] = list(FEW_STEPS)
    c["sequence"] = True
    return c


def tokens(n, steps, vocab, classes, each=False):
    data = hashed(n, steps, classes=classes, low=0, high=1)
    data["tokens"] = vocab
    data["steps"] = each
    return data


def autoencoders():
    for f in "pytorch", "keras":
        data = {**hashed(32, 12, low=0), "target": "input"}
        layers = [
            linear("encoder", 8, "relu"),
            linear("code", 3, "relu"),
            linear("decoder", 8, "relu"),
            linear("image", 12, "sigmoid"),
        ]
        yield case(f"{f}_autoencoder", f, data, layers, MSE)
        bce = {"kind": "binary_cross_entropy", "from_logits": False}
        yield case(f"{f}_autoencoder_bce", f, data, layers, bce)


def tutorials():
    """T11 to T14 as the presets have them."""
    words = tokens(32, 500, 10_000, 2)
    convolution = lambda id: conv("conv1d", id, 32, 7, padding="same", activation="relu")
    review = [
        layer("embedding", "embedding", vocab=10_000, dim=64),
        convolution("conv1d"),
        pool("max_pool1d", "max_pooling1d", 4),
        convolution("conv1d_1"),
        layer("global_average_pooling1d", "global_avg_pool"),
        linear("dense", 1, "sigmoid"),
    ]
    bce = {"kind": "binary_cross_entropy", "from_logits": False}
    slow = adam("keras", 0.001)
    yield case("t11", "keras", words, review, bce, 4, slow)
    rows = hashed(32, 0, classes=10, low=0)
    rows["shape"] = [28, 28]
    slow = adam("pytorch", 0.001)
    for kind in "lstm", "gru", "rnn":
        more = {"activation": "tanh"} if kind == "rnn" else {}
        net = [recurrent(kind, kind, 128, **more), linear("fc", 10)]
        yield case(f"t12_{kind}", "pytorch", rows, net, cross_entropy("pytorch"), 8, slow)
    series = hashed(64, 0, targets=1)
    series["shape"] = [25, 1]
    net = [recurrent("lstm", "lstm", 32), linear("fc", 1)]
    yield case("t12_sine", "pytorch", series, net, MSE, 16)
    image = {**hashed(64, 784, low=0), "target": "input"}
    relu = lambda id: activation(id, "relu")
    code = [
        linear("encoder", 128), relu("relu1"), linear("code", 32), relu("relu2"),
        linear("decoder", 128), relu("relu3"), linear("image", 784), activation("sigmoid", "sigmoid"),
    ]  # fmt: skip
    yield case("t13", "pytorch", image, code, MSE, 16, slow)
    latent = [
        linear("encoder", 128), relu("relu1"), linear("mean", 2),
        {**linear("logvar", 2), "inputs": ["relu1"]},
        layer("code", "sampling", ["mean", "logvar"], kl=np.float32(1 / 784)),
        linear("decoder", 128), relu("relu2"), linear("image", 784), activation("sigmoid", "sigmoid"),
    ]  # fmt: skip
    yield case("t14", "pytorch", image, latent, bce, 16, slow, seed=7)


def decoder():
    """T16: 64 characters of 65, width 64, two blocks of four heads."""
    blocks, before = [], "pos"
    for i in "12":
        blocks += [
            norm(f"norm_a{i}"),
            layer(f"attn{i}", "multi_head_attention", heads=4, causal=True),
            layer(f"sum_a{i}", "add", [before, f"attn{i}"]),
            norm(f"norm_b{i}"),
            linear(f"up{i}", 256, "gelu"),
            linear(f"down{i}", 64),
            layer(f"sum_b{i}", "add", [f"sum_a{i}", f"down{i}"]),
        ]
        before = f"sum_b{i}"
    net = [layer("tok", "embedding", vocab=65, dim=64), layer("pos", "positional_embedding"),
           *blocks, norm("norm"), linear("head", 65)]  # fmt: skip
    # As in `case`: with an epsilon above the rounding of the keys' bias, whose gradient is 0.
    rate = {**adam("pytorch", 0.001, weight_decay=0.01, kind="adamw"), "epsilon": 1e-5}
    text = tokens(16, 64, 65, 65, True)
    return case("t16", "pytorch", text, net, cross_entropy("pytorch"), 4, rate)


def all_sequences():
    yield decoder()
    yield from tutorials()
    yield from autoencoders()
    for f in "pytorch", "keras":
        last = None if f == "pytorch" else "softmax"
        loss = cross_entropy(f)
        data = hashed(32, 0, classes=4)
        data["shape"] = [6, 5]
        for kind in "lstm", "gru", "rnn":
            more = {"activation": "tanh"} if kind == "rnn" else {}
            one = [recurrent("cell", kind, 7, **more), linear("out", 4, last)]
            yield case(f"{f}_{kind}", f, data, one, loss)
            stack = [
                recurrent("first", kind, 5, both=True, sequences=True, **more),
                recurrent("second", kind, 4, both=True, **more),
                linear("out", 4, last),
            ]
            yield case(f"{f}_{kind}_both", f, data, stack, loss)
        relu = [recurrent("cell", "rnn", 7, sequences=True, activation="relu"),
                flatten("flat"), linear("out", 4, last)]  # fmt: skip
        yield case(f"{f}_rnn_relu", f, data, relu, loss)
        words = tokens(32, 6, 11, 4)
        bag = [layer("emb", "embedding", vocab=11, dim=5), flatten("flat"), linear("out", 4, last)]
        yield case(f"{f}_embedding", f, words, bag, loss)
        data = hashed(32, 0, classes=4)
        data["shape"] = [7, 6]
        attend = [layer("attn", "multi_head_attention", heads=3, causal=False),
                  flatten("flat"), linear("out", 4, last)]  # fmt: skip
        yield case(f"{f}_attention", f, data, attend, loss)
        block = [
            layer("tok", "embedding", vocab=11, dim=8),
            layer("pos", "positional_embedding"),
            norm("norm1"),
            layer("attn", "multi_head_attention", heads=2, causal=True),
            layer("sum1", "add", ["pos", "attn"]),
            norm("norm2"),
            linear("up", 16, "gelu" if f == "pytorch" else "relu"),
            linear("down", 8),
            layer("sum2", "add", ["sum1", "down"]),
            norm("norm3"),
            linear("head", 11, last),
        ]
        yield case(f"{f}_decoder", f, tokens(32, 9, 11, 11, True), block, loss)
