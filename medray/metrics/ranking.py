"""AUROC and average precision of many weightings of one sample, with one sort.

A bootstrap resample is a weighting of the rows. scikit-learn sorts and validates anew for each:
30 times slower at 100,000 rows. The tests hold both functions to scikit-learn's `sample_weight`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ranking:
    """One sample in descending order of score.

    Attributes:
        order: (N,) row numbers.
        positive: (N,) in that order.
        ends: (G,) the last place of each group of equal scores.
    """

    order: npt.NDArray[np.int64]
    positive: Bools
    ends: npt.NDArray[np.int64]


def rank(scores: Floats, positive: Bools) -> Ranking:
    """The sample (N,) sorted once."""
    order = np.argsort(-scores, kind="stable").astype(np.int64)
    falling = scores[order]
    ends = np.append(np.flatnonzero(np.diff(falling)), len(scores) - 1).astype(np.int64)
    return Ranking(order, positive[order], ends)


def cumulated(ranking: Ranking, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of positives and of negatives at or above each distinct score, highest first, (G,) each.

    `weights` (N,) are in the sample's own order.
    """
    ordered = weights[ranking.order]
    everything = np.cumsum(ordered)[ranking.ends]
    positives = np.cumsum(ordered * ranking.positive)[ranking.ends]
    return positives, everything - positives


def area_under_roc(positives: Floats, negatives: Floats) -> float:
    """AUROC of `cumulated`'s sums (trapezoids, so ties count one half); NaN without both classes."""
    total = positives[-1] * negatives[-1]
    if total <= 0:
        return float("nan")
    steps = np.diff(negatives, prepend=0.0)
    heights = positives + np.concatenate([[0.0], positives[:-1]])
    return float(np.dot(steps, heights) / 2 / total)


def average_precision(positives: Floats, negatives: Floats) -> float:
    """Average precision of `cumulated`'s sums; NaN without both classes."""
    if positives[-1] <= 0 or negatives[-1] <= 0:
        return float("nan")
    above = positives + negatives
    precision = np.divide(positives, above, out=np.zeros_like(above), where=above > 0)
    return float(np.dot(np.diff(positives, prepend=0.0), precision) / positives[-1])
