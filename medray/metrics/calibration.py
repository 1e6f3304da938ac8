"""Whether a score of 0.8 is right eight times in ten."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


def brier(scores: Floats, outcomes: Floats, weights: Floats) -> float:
    """Mean squared distance of probabilities (N,) to the truth, 0 or 1 (N,), in [0, 1], lower is better (Brier 1950).

    NaN without weight.
    """
    total = weights.sum()
    return float(np.sum(weights * (scores - outcomes) ** 2) / total) if total else float("nan")


def equal_mass_edges(scores: Floats, bins: int) -> Floats:
    """Edges in [0, 1] of at most `bins` bins that hold about as many scores each.

    Equal scores share a bin, so a score with few distinct values gives fewer bins. Equal-mass
    bins are less biased than equal-width ones (Nixon et al. 2019, "Measuring calibration").
    """
    if not len(scores):
        return np.array([0.0, 1.0])
    inner = np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1], method="higher")
    inner = np.unique(inner)
    return np.concatenate([[0.0], inner[inner > scores.min()], [1.0]])


def bin_of(scores: Floats, edges: Floats) -> Integers:
    """The bin (N,) of each score: bin b holds edges[b] <= score < edges[b + 1], the last one also its end."""
    return np.searchsorted(edges[1:-1], scores, side="right").astype(np.int64)


def reliability(scores: Floats, outcomes: Floats, weights: Floats, bins: Integers, count: int) -> Floats:
    """Per bin, (3, count): sum of weights, weighted mean score, weighted share of positives.

    The means of an empty bin are NaN. `outcomes` is 1.0 where positive, 0.0 where not.
    """
    mass = np.bincount(bins, weights, count)
    with np.errstate(invalid="ignore"):
        mean_score = np.bincount(bins, weights * scores, count) / mass
        observed = np.bincount(bins, weights * outcomes, count) / mass
    return np.stack([mass, mean_score, observed])


def expected_calibration_error(points: Floats) -> float:
    """Mean distance between mean score and share of positives, by mass (Naeini et al. 2015).

    Takes `reliability`'s (3, bins); in [0, 1], lower is better, NaN without examples. It depends on
    the bins: compare only values made with the same number of them.
    """
    mass, mean_score, observed = points
    total = mass.sum()
    if total == 0:
        return float("nan")
    return float(np.nansum(mass * np.abs(mean_score - observed)) / total)
