"""What Keras' callbacks and PyTorch's ReduceLROnPlateau do on scripted curves."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
import torch

import common

CURVES = {
    "falls_then_rises": [1.0, 0.8, 0.7, 0.65, 0.66, 0.64, 0.7, 0.72, 0.71, 0.8, 0.9, 1.0],
    "stalls": [0.5, 0.5, 0.49995, 0.4999, 0.4998, 0.4998, 0.4998, 0.4998, 0.4998, 0.4998],
    "rises": [0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
    "noisy": [0.9, 0.5, 0.6, 0.55, 0.52, 0.4, 0.45, 0.44, 0.43, 0.42, 0.41, 0.39, 0.5, 0.6, 0.7],
}


def model():
    m = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    m.compile("sgd", "mse")
    m.optimizer.learning_rate = 1.0
    return m


def early(curve, monitor, patience, min_delta):
    m = model()
    stop = keras.callbacks.EarlyStopping(
        f"val_{monitor}", min_delta, patience, restore_best_weights=True,
        mode="max" if monitor == "accuracy" else "min",
    )  # fmt: skip
    stop.set_model(m)
    m.stop_training = False
    stop.on_train_begin()
    for epoch, v in enumerate(curve):
        # The weights tell which epoch they are from.
        m.set_weights([np.full((1, 1), epoch + 1.0), np.zeros(1)])
        stop.on_epoch_end(epoch, {f"val_{monitor}": v})
        if m.stop_training:
            break
    stop.on_train_end()
    return {"ended": epoch + 1, "stopped": bool(m.stop_training), "restored": int(m.get_weights()[0][0, 0])}


def kept(curve, best_only):
    m, names = model(), []
    save = keras.callbacks.ModelCheckpoint(
        "model.{epoch:02d}-{val_loss:.2f}.weights.h5", "val_loss",
        save_best_only=best_only, save_weights_only=True,
    )  # fmt: skip
    m.save_weights = lambda path, overwrite=True: names.append(path.replace(".weights.h5", ".safetensors"))
    save.set_model(m)
    save.on_train_begin()
    for epoch, v in enumerate(curve):
        save.on_epoch_begin(epoch)
        save.on_epoch_end(epoch, {"val_loss": v})
    return names


def plateau_keras(curve, factor, patience, least):
    m, rates = model(), []
    lower = keras.callbacks.ReduceLROnPlateau("val_loss", factor, patience, min_lr=least)
    lower.set_model(m)
    lower.on_train_begin()
    for epoch, v in enumerate(curve):
        lower.on_epoch_end(epoch, {"val_loss": v})
        rates.append(float(m.optimizer.learning_rate))
    return rates


def plateau_torch(curve, factor, patience, least):
    opt, rates = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0), []
    lower = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, "min", factor, patience, min_lr=least)
    for v in curve:
        lower.step(v)
        rates.append(opt.param_groups[0]["lr"])
    return rates


out = {"early_stopping": [], "checkpoints": [], "plateau": []}
for curve in CURVES.values():
    for monitor in "loss", "accuracy":
        for patience, delta in (0, 0.0), (1, 0.0), (3, 0.0), (3, 0.05):
            told = early(curve, monitor, patience, delta)
            given = {"curve": curve, "monitor": f"val_{monitor}", "patience": patience, "min_delta": delta}
            out["early_stopping"].append({**given, **told})
    for best_only in True, False:
        out["checkpoints"].append({"curve": curve, "best_only": best_only, "names": kept(curve, best_only)})
    for patience in 0, 1, 2:
        for least in 0.0, 0.3:
            for f, run in ("keras", plateau_keras), ("pytorch", plateau_torch):
                rates = run(curve, 0.5, patience, least)
                given = {"curve": curve, "framework": f, "patience": patience, "least": least}
                out["plateau"].append({**given, "rates": rates})
common.write("callbacks", out)
