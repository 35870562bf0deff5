"""Figures of scikit-learn for tests/ranking.rs: ROC, precision and recall, calibration.

    python tests/reference/ranking.py > tests/reference/ranking.json
"""
import json

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)


def hash32(seed, i):
    x = (i + seed * 0x9E3779B9) & 0xFFFFFFFF
    x ^= x >> 16
    x = (x * 0x85EBCA6B) & 0xFFFFFFFF
    x ^= x >> 13
    x = (x * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)


def case(seed, n, steps, strength):
    """n samples whose scores are one of `steps` values, so that some are equal."""
    noise = np.array([hash32(seed, i) / 2**32 for i in range(n)])
    truth = np.array([hash32(seed + 1, i) % 3 == 0 for i in range(n)])
    mixed = strength * truth + (1 - strength) * noise
    scores = (np.floor(mixed * steps) / steps).astype(np.float32)
    fpr, tpr, thresholds = roc_curve(truth, scores, drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(truth, scores)
    was, said = calibration_curve(truth, scores, n_bins=10)
    middle = float(np.float32(0.5))
    return {
        "seed": seed,
        "n": n,
        "steps": steps,
        "strength": strength,
        "auc": roc_auc_score(truth, scores),
        "ap": average_precision_score(truth, scores),
        "fpr": fpr.tolist(),
        "tpr": tpr.tolist(),
        "thresholds": thresholds[1:].tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "confusion": confusion_matrix(truth, scores >= middle).tolist(),
        "was": was.tolist(),
        "said": said.tolist(),
    }


cases = [case(1, 40, 64, 0.25), case(5, 200, 16, 0.4), case(9, 25, 8, 0.0), case(13, 30, 256, 0.9)]
print(json.dumps(cases))
