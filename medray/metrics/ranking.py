"""AUROC and average precision of many weightings of one sample, with one sort.

A bootstrap resample is a weighting of the rows. scikit-learn sorts and validates anew for each.
Both areas change only where a positive is found, so that a resample costs one running sum over the
rows and some arithmetic over the positives. The tests hold both to scikit-learn's `sample_weight`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ranking:
    """One sample in descending order of score.

    Equal scores form a group; only the G groups that hold a positive are kept.

    Attributes:
        order: (N,) row numbers.
        found: (P,) row numbers of the positives, in that order.
        rows_before, rows_through: (G,) rows above each group, and with it.
        found_through: (G,) positives above each group and in it.
    """

    order: Integers
    found: Integers
    rows_before: Integers
    rows_through: Integers
    found_through: Integers


def rank(scores: Floats, positive: Bools) -> Ranking:
    """The sample (N,) sorted once."""
    order = np.argsort(-scores, kind="stable").astype(np.int64)
    falling, hits = scores[order], np.cumsum(positive[order], dtype=np.int64)
    through = np.append(np.flatnonzero(np.diff(falling)) + 1, len(scores)).astype(np.int64)
    before = np.concatenate([[0], through[:-1]])
    found_through = hits[through - 1]
    holding = np.diff(found_through, prepend=0) > 0
    found = order[positive[order]]
    return Ranking(order, found, before[holding], through[holding], found_through[holding])


def weighted_areas(ranking: Ranking, weights: Floats) -> tuple[float, float]:
    """AUROC (ties count one half) and average precision; both NaN without weight in both classes.

    `weights` (N,) are in the sample's own order.
    """
    rows = _running_sum(weights[ranking.order])
    hits = _running_sum(weights[ranking.found])
    positives, negatives = hits[-1], rows[-1] - hits[-1]
    if positives <= 0 or negatives <= 0:
        return float("nan"), float("nan")
    hits_through = hits[ranking.found_through]
    gain = np.diff(hits_through, prepend=0.0)
    negatives_through = rows[ranking.rows_through] - hits_through
    negatives_before = rows[ranking.rows_before] - (hits_through - gain)
    lost = (negatives_through + negatives_before) / 2
    # nothing above and nothing in the group: no gain either, whatever the denominator
    precision = hits_through / np.maximum(rows[ranking.rows_through], np.finfo(np.float64).tiny)
    # no BLAS here: its threads cost more than they save, and sums would depend on how many there are
    area = np.sum(gain * (negatives - lost)) / (positives * negatives)
    return float(area), float(np.sum(gain * precision) / positives)


def _running_sum(values: Floats) -> Floats:
    """(N + 1,), from 0 on."""
    out = np.zeros(len(values) + 1)
    np.cumsum(values, out=out[1:])
    return out
