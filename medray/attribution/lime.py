"""A linear model that answers as the network does, near one example."""

from __future__ import annotations

import numpy as np

from medray.attribution.explanation import Explanation
from medray.attribution.shapley import Value
from medray.contracts import Array

WIDTH = 0.25  # of the kernel, in cosine distance; the penalty is that of the authors' program
PENALTY = 1.0


def lime(value: Value, parts: int, samples: int, seed: int) -> Explanation:
    """LIME (Ribeiro, Singh and Guestrin, KDD 2016) on the presence of parts.

    From each sample some parts are taken away: a number drawn evenly from 1 to all of them, then
    which. Samples near the whole example weigh more: exp(-d^2 / 0.25^2), d the cosine distance of
    the presences. A ridge regression on them gives what each part adds. Nothing makes these amounts
    sum up to the answer; `fit` tells how far the straight line can be trusted.
    """
    masks = _masks(parts, samples, np.random.default_rng(seed))
    answers = value(masks)
    if not parts:
        return Explanation(float(answers[0]), float(answers[0]), np.zeros(0), fit=None, evaluations=len(masks))
    if parts == 1:  # without it nothing is left: the line is known, and a penalty would only shrink it
        without = float(value(np.zeros((1, 1), bool))[0])
        own = np.array([float(answers[0]) - without])
        return Explanation(float(answers[0]), without, own, fit=1.0, evaluations=len(masks) + 1)
    distance = 1.0 - np.sqrt(masks.mean(axis=1))
    weights = np.exp(-((distance / WIDTH) ** 2))
    weights = weights / weights.sum()
    middle, mean = weights @ masks, float(weights @ answers)
    # weights of mean 1, as in a regression on that many samples, so that the penalty means the same
    centred = (masks - middle) * np.sqrt(weights * len(masks))[:, None]
    moved = (answers - mean) * np.sqrt(weights * len(masks))
    slopes = np.linalg.solve(centred.T @ centred + PENALTY * np.eye(parts), centred.T @ moved)
    left, whole = float(((moved - centred @ slopes) ** 2).sum()), float((moved**2).sum())
    fit = 1.0 - left / whole if whole > 0.0 else None
    return Explanation(float(answers[0]), mean - float(middle @ slopes), slopes, fit=fit, evaluations=len(masks))


def _masks(parts: int, samples: int, rng: np.random.Generator) -> Array:
    """bool (1 + samples, P): the whole example, then the samples."""
    masks = np.ones((1 + samples, parts), bool)
    if parts:
        order = rng.random((samples, parts)).argsort(axis=1).argsort(axis=1)
        masks[1:] = order >= rng.integers(1, parts + 1, samples)[:, None]
    return masks
