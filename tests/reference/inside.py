"""Figures of PyTorch, scikit-learn and numpy for tests/look.rs, in float64: attention maps, hidden states,
integrated gradients, errors of an autoencoder, a loss surface, principal components, neighbours.

    python tests/reference/inside.py > tests/reference/inside.json
"""
import json

import numpy as np
import torch
from common import uniform
from sklearn.decomposition import PCA
from torch import nn

torch.set_default_dtype(torch.float64)


def flat(t, digits=12):
    return [float(f"{v:.{digits}g}") for v in np.asarray(t, dtype=np.float64).reshape(-1)]


def numbers(seed, shape):
    return torch.tensor(uniform(seed, shape, -1.0, 1.0).astype(np.float64))


def fill(params, bound=0.8):
    """Parameter t gets (2h(1000 + t, i) − 1)·bound, as in the traces."""
    with torch.no_grad():
        for t, p in enumerate(params):
            p.copy_(numbers(1000 + t, tuple(p.shape)) * np.float64(np.float32(bound)))


def attention(causal):
    layer = nn.MultiheadAttention(6, 2, batch_first=True)
    fill([layer.in_proj_weight, layer.in_proj_bias, layer.out_proj.weight, layer.out_proj.bias])
    x = numbers(1, (1, 5, 6))
    mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1) if causal else None
    _, maps = layer(x, x, x, attn_mask=mask, average_attn_weights=False)
    return flat(maps.detach()[0])


def states(kind, both):
    layer = getattr(nn, kind)(3, 4, batch_first=True, bidirectional=both)
    fill(list(layer.parameters()))
    return flat(layer(numbers(1, (1, 6, 3)))[0].detach()[0])


def network():
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4))
    fill(list(net.parameters()), 1.5)
    return net


def saliency(output, points=64):
    net, x = network(), numbers(1, (1, 3))
    share = (torch.arange(points) + 0.5) / points
    path = (share[:, None] * x).requires_grad_()
    net(path)[:, output].sum().backward()
    along = path.grad.mean(0) * x[0]
    x.requires_grad_()
    net(x)[0, output].backward()
    blank = net(torch.zeros(1, 3))[0, output].item()
    return {"score": net(x)[0, output].item(), "blank": blank, "times": flat(x.grad[0] * x[0].detach()), "along": flat(along)}


def reconstruction():
    net = nn.Sequential(nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 6), nn.Sigmoid())
    fill(list(net.parameters()), 1.5)
    x = numbers(1, (1, 6)).requires_grad_()
    out = net(x)
    error = (out - x) ** 2
    error.mean().backward()
    return {"mean": error.mean().item(), "output": flat(out.detach()), "errors": flat(error.detach()), "slope": flat(x.grad)}


def surface(first, second, reach, side):
    """Mean cross-entropy of eight samples; x moves parameter `first`, y parameter `second`."""
    net, x = network(), numbers(1, (8, 3))
    y = torch.arange(8) % 4
    start = nn.utils.parameters_to_vector(net.parameters()).detach()
    losses = []
    for b in np.linspace(-reach, reach, side):
        for a in np.linspace(-reach, reach, side):
            moved = start.clone()
            moved[first] += a
            moved[second] += b
            nn.utils.vector_to_parameters(moved, net.parameters())
            losses.append(nn.functional.cross_entropy(net(x), y).item())
    return {"first": first, "second": second, "range": reach, "side": side, "losses": flat(losses)}


def points(n, dims):
    """Points that differ along some axes more than along others."""
    x = uniform(3, (n, dims), -1.0, 1.0).astype(np.float64)
    return x * (1.0 / np.sqrt(1.0 + np.arange(dims)))


def projection(n, dims):
    x = points(n, dims).astype(np.float32).astype(np.float64)
    pca = PCA(2, svd_solver="full").fit(x)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    alike = unit @ unit[1]
    alike[1] = -2
    order = np.argsort(-alike, kind="stable")[:5]
    return {
        "n": n,
        "dims": dims,
        "explained": flat(pca.explained_variance_ratio_),
        "components": [flat(c[:6]) for c in pca.components_],
        "places": flat(pca.transform(x)[:6]),
        "neighbours": [int(i) for i in order],
        "cosines": flat(alike[order]),
    }


print(
    json.dumps(
        {
            "attention": attention(False),
            "causal": attention(True),
            "lstm": states("LSTM", False),
            "gru": states("GRU", False),
            "rnn": states("RNN", False),
            "both": states("LSTM", True),
            "saliency": [saliency(k) for k in (0, 2)],
            "reconstruction": reconstruction(),
            "surface": surface(4, 17, 0.75, 5),
            "projection": [projection(40, 5), projection(7, 20), projection(300, 140)],
        },
        separators=(",", ":"),
    )
)
