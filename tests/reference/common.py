"""Numbers that both sides compute alike, and the form of a trace. See README.md."""

import json
from pathlib import Path

import numpy as np

TRACES = Path(__file__).parent / "traces"
# Steps at which gradients are recorded: of presets and optimisers, and of single operations.
GRAD_STEPS = (0, 1, 2, 5, 10, 19)
FEW_STEPS = (0, 2, 19)
# How many values and dot products of each.
FIRST = 8
DOTS = 4
# Constant of the dropout stream in the key of the generator.
DROPOUT_STREAM = 4
# That of a variational autoencoder's code.
CODE_STREAM = 7


def bits(seed, n):
    """24 random bits for each i < n (the finaliser of MurmurHash3, cut short)."""
    x = np.arange(n, dtype=np.uint32) + np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x >> np.uint32(8)


def h(seed, n):
    """The same bits as float32 in [0, 1)."""
    return bits(seed, n).astype(np.float32) * np.float32(2.0**-24)


def uniform(seed, shape, low, high):
    """float32 in [low, high)."""
    low, high = np.float32(low), np.float32(high)
    return (h(seed, int(np.prod(shape))) * (high - low) + low).reshape(shape)


def whole(seed, shape, n):
    """Integers from 0 to n − 1."""
    return ((bits(seed, int(np.prod(shape))).astype(np.int64) * n) >> 24).reshape(shape)


def philox4x32_10(counter, key):
    """Philox4x32-10: `counter` is four arrays, `key` two words; gives four arrays."""
    c = [np.asarray(w, dtype=np.uint64) for w in counter]
    k0, k1 = int(key[0]), int(key[1])
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        high0, high1 = p0 >> np.uint64(32), p1 >> np.uint64(32)
        c = [high1 ^ c[1] ^ np.uint64(k0), p1 & low, high0 ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return [w.astype(np.uint32) for w in c]


def dropout_mask(seed, layer, step, shape, rate):
    """What the activation is multiplied with: 0, or 1/(1−rate)."""
    n = int(np.prod(shape))
    groups = np.arange((n + 3) // 4)
    zero = np.zeros_like(groups)
    words = philox4x32_10(
        (groups, zero + step, zero, zero), (seed, DROPOUT_STREAM ^ (layer << 8))
    )
    u = (np.stack(words, axis=1).reshape(-1)[:n] >> np.uint32(8)) * 2.0**-24
    keep = u >= np.float32(rate)
    return (keep / (1.0 - rate)).astype(np.float32).reshape(shape)


def normals(seed, layer, step, shape):
    """What a sampling layer draws from N(0, 1)."""
    n = int(np.prod(shape))
    blocks = np.arange((n + 1) // 2)
    zero = np.zeros_like(blocks)
    u, v, _, _ = philox4x32_10((blocks, zero + step, zero, zero), (seed, CODE_STREAM ^ (layer << 8)))
    r = np.sqrt(-2.0 * np.log((u.astype(np.float64) + 1.0) * 2.0**-32))
    angle = 2.0 * np.pi * (v.astype(np.float64) * 2.0**-32)
    pairs = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    return pairs.reshape(-1)[:n].astype(np.float32).reshape(shape)


def known_answers():
    """The vectors that Random123 publishes for Philox4x32-10."""
    ones = 0xFFFFFFFF
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    for (counter, key), want in [
        (((0,) * 4, (0, 0)), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (((ones,) * 4, (ones, ones)), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (pi, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
    ]:
        got = tuple(int(w) for w in philox4x32_10(counter, key))
        assert got == want, (counter, key, got, want)


known_answers()


def samples(data):
    """x[N, …] and y: class indices [N] or numbers [N, k]."""
    if data["kind"] == "literal":
        return np.array(data["x"], np.float32), np.array(data["y"], np.float32)
    n = data["samples"]
    shape = [n, *data["shape"]]
    if "tokens" in data:
        x = whole(1, shape, data["tokens"])
    else:
        x = uniform(1, shape, data["low"], data["high"])
    if data.get("target") == "input":
        y = x
    elif data["classes"]:
        y = whole(2, shape[: 1 + bool(data.get("steps"))], data["classes"])
    else:
        t = data["targets"]
        y = uniform(t["seed"], [n, *t["shape"]], t["low"], t["high"])
    return x, y


def batch(case, x, y, step):
    rows = (step * case["batch"] + np.arange(case["batch"])) % len(x)
    return x[rows], y[rows]


def parameters(case):
    """Initial values by name, in PyTorch's layout."""
    return {
        p["name"]: uniform(1000 + t, p["shape"], -1, 1) * np.float32(p["bound"])
        for t, p in enumerate(case["params"])
    }


def summary(tensors):
    """Norm, first values and dot products of each tensor (PyTorch's layout)."""
    out = []
    for name, a in tensors.items():
        a = np.asarray(a, np.float64).reshape(-1)
        dots = [a @ (2.0 * h(5000 + k, a.size).astype(np.float64) - 1.0) for k in range(DOTS)]
        out.append({"name": name, "norm": np.linalg.norm(a), "first": a[:FIRST], "dots": dots})
    return out


def distance(a, b):
    """Greatest distance between tensors of the same name, relative to the norm of `b`'s."""
    worst = 0.0
    for name in b:
        norm = np.linalg.norm(b[name])
        if norm > 0:
            worst = max(worst, np.linalg.norm(np.asarray(a[name], np.float64) - b[name]) / norm)
    return worst


def trace(case, versions, run32, run64):
    """Joins a case with what its runs in float32 and float64 gave: (losses, grads, final)."""
    losses, grads, final = run32
    losses64, grads64, final64 = run64
    shown = case["loss_steps"]
    noise = {
        "loss": max(abs(a - b) / abs(b) if b else abs(a) for a, b in zip(losses, losses64)),
        "grad": max(distance(grads[s], grads64[s]) for s in grads),
        "final": distance(final, final64),
    }
    done = dict(case)
    done["versions"] = versions
    done["losses"] = [losses[s] for s in shown]
    done["losses64"] = [losses64[s] for s in shown]
    done["noise"] = noise
    done["grads"] = {str(s): summary(g) for s, g in grads.items()}
    done["final"] = summary(final)
    return done


def text(v):
    """JSON with floats of nine significant digits, which name every float32 exactly."""
    if isinstance(v, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{text(x)}" for k, x in v.items()) + "}"
    if isinstance(v, (list, tuple, np.ndarray)):
        return "[" + ",".join(text(x) for x in v) + "]"
    if isinstance(v, (float, np.floating)):
        assert np.isfinite(v)
        return f"{float(v):.9g}"
    if isinstance(v, np.integer):
        return str(int(v))
    return json.dumps(v)


def write(name, value):
    """One top-level key a line."""
    lines = ",\n".join(f"{json.dumps(k)}:{text(v)}" for k, v in value.items())
    TRACES.mkdir(exist_ok=True)
    (TRACES / f"{name}.json").write_text("{\n" + lines + "\n}\n")
