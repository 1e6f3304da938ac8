"""Logits of the tuning split -> a slope and biases after which probabilities are honest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, softmax

from medray.contracts import Array
from medray.tasks.config import Scaling


@dataclass(frozen=True)
class Calibration:
    """Calibrated logits are `logits / temperature + biases`."""

    temperature: float
    biases: tuple[float, ...]


def identity(classes: int) -> Calibration:
    """The calibration that changes nothing."""
    return Calibration(temperature=1.0, biases=(0.0,) * classes)


def _soft_targets(index: Array, classes: int) -> Array:
    """Platt's (1999) targets for C classes: (n_c + 1) / (n_c + C) for the answer, 1 / (n_c + C)
    for the others. They keep the fit finite when the logits separate the classes."""
    size = np.bincount(index, minlength=classes)[index][:, None] + classes
    return (np.eye(classes)[index] * (size - classes) + 1.0) / size


def fit(logits: Array, index: Array, method: Scaling = "platt") -> Calibration:
    """Temperature and biases that maximise the likelihood of the tuning answers.

    "platt": for two classes with logits (0, z) Platt scaling ("Probabilistic outputs for support
    vector machines", 1999); for more classes bias-corrected temperature scaling (Alexandari et al.,
    ICML 2020). "temperature": without biases (Guo et al., ICML 2017), so that the order of classes
    stays. "none": the identity.

    Args:
        logits: float (N, C).
        index: int (N,), the answer of each example.

    Returns:
        The calibration; the identity where there is nothing to learn from: fewer than two
        different answers. Where logits do not point to the answers at all, biases alone: shares are right then.
    """
    classes = logits.shape[1]
    if method == "none" or len(np.unique(index)) < 2:
        return identity(classes)
    biases = classes if method == "platt" else 0
    targets = _soft_targets(index, classes)

    from scipy.optimize import minimize  # scoring does without it

    def loss(parameters: Array) -> tuple[float, Array]:
        calibrated = logits * parameters[0] + (parameters[1:] if biases else 0.0)
        residual = softmax(calibrated, axis=1) - targets
        gradient = np.r_[(residual * logits).sum(), residual.sum(axis=0)[:biases]]
        return (-(targets * log_softmax(calibrated, axis=1)).sum() / len(index), gradient / len(index))

    found = minimize(loss, np.r_[1.0, np.zeros(biases)], jac=True, method="BFGS").x
    if np.isfinite(found).all() and found[0] <= 0.0 and biases:

        def shifted(parameters: Array) -> tuple[float, Array]:
            worth, gradient = loss(np.r_[1.0, parameters])
            return worth, gradient[1:]

        found = np.r_[1.0, minimize(shifted, np.zeros(biases), jac=True, method="BFGS").x]
    if not np.isfinite(found).all() or found[0] <= 0.0:
        return identity(classes)
    found = np.r_[found, np.zeros(classes - biases)]
    return Calibration(float(1.0 / found[0]), tuple(float(b) for b in found[1:]))
