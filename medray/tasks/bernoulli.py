"""The mathematics of yes-or-no questions that share one network; a missing answer is NaN."""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import expit
from torch.nn.functional import binary_cross_entropy_with_logits

from medray.contracts import Array, Columns, Sums
from medray.tasks.calibration import fit
from medray.tasks.config import ThresholdRule
from medray.tasks.thresholds import threshold


def count(targets: Array) -> Sums:
    """Known answers per question.

    Returns:
        {"counts": [[no, yes], ...]} for targets (N, K).
    """
    return {"counts": np.stack([(targets == 0).sum(axis=0), (targets == 1).sum(axis=0)], axis=1).tolist()}


def loss(
    logits: torch.Tensor, targets: torch.Tensor, summary: Sums, smoothing: float, focus: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy of the known answers, weighted by `summary["weights"]` (K, 2).

    Yes is 1 - smoothing / 2 and no is smoothing / 2 (Szegedy et al., CVPR 2016). An answer that is given the
    probability p already counts (1 - p) ** focus (Lin et al., ICCV 2017).

    Returns:
        (weighted sum in nats, number of known answers), both scalars.
    """
    known = ~targets.isnan()
    yes = torch.where(known, targets, torch.zeros_like(targets))
    weights = torch.as_tensor(summary["weights"], dtype=logits.dtype, device=logits.device)
    weight = torch.lerp(weights[:, 0].expand_as(yes), weights[:, 1].expand_as(yes), yes) * known
    smooth = yes * (1.0 - smoothing) + smoothing / 2.0
    if focus:
        weight = weight * torch.sigmoid(torch.where(yes > 0.5, -logits, logits)) ** focus
    return binary_cross_entropy_with_logits(logits, smooth, weight, reduction="sum"), known.sum()


def calibrate(logits: Array, targets: Array, rule: ThresholdRule) -> Sums:
    """Platt scaling and a threshold for each question.

    Returns:
        {"temperature": [K], "bias": [K], "threshold": [K]}: the calibrated probability is
        sigmoid(logit / temperature + bias), yes from `threshold` on.
    """
    out: Sums = {"temperature": [], "bias": [], "threshold": []}
    for column in range(targets.shape[1]):
        known = ~np.isnan(targets[:, column])
        score, yes = logits[known, column].astype(np.float64), targets[known, column] == 1
        found = fit(np.stack([np.zeros_like(score), score], axis=1), yes.astype(np.int64))
        bias = found.biases[1] - found.biases[0]
        out["temperature"].append(found.temperature)
        out["bias"].append(bias)
        out["threshold"].append(threshold(expit(score / found.temperature + bias), yes, rule))
    return out


def decode(logits: Array, labels: tuple[str, ...], calibration: Sums) -> dict[str, Columns]:
    """Per question: raw score, calibrated probability, answer and threshold of N examples."""
    raw = np.asarray(logits, dtype=np.float64)
    probability = expit(raw / np.asarray(calibration["temperature"]) + np.asarray(calibration["bias"]))
    answer = probability >= np.asarray(calibration["threshold"])
    return {
        label: {
            "raw_score": raw[:, column].tolist(),
            "predicted_boolean_probability": probability[:, column].tolist(),
            "predicted_boolean_value": answer[:, column].tolist(),
            "threshold": [calibration["threshold"][column]] * len(raw),
        }
        for column, label in enumerate(labels)
    }
