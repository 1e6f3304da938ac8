"""Means over classes or labels, and their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from medray.metrics.bootstrap import Resampling, Statistic, estimates, replicates
from medray.metrics.ranking import Ranking, rank, weighted_areas
from medray.metrics.records import BinaryMetrics, Estimate

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def with_both_classes(parts: Mapping[str, BinaryMetrics]) -> list[int]:
    """The places of the parts that have positives and negatives.

    Macro means keep to them in every resample: a mean over another set of parts would be another
    quantity.
    """
    return [i for i, part in enumerate(parts.values()) if 0 < part.n_positive < part.n]


def macro_auroc(scores: Floats, targets: Floats, parts: Sequence[int]) -> Statistic:
    """Row weights (N,) -> (1,) mean AUROC over some columns of (N, L); targets are 1, 0 or NaN."""
    ranked: list[tuple[Ranking, npt.NDArray[np.bool_]]] = []
    for index in parts:
        known = ~np.isnan(targets[:, index])
        ranked.append((rank(scores[known, index], targets[known, index] == 1), known))

    def values(weights: Floats) -> Floats:
        areas = [weighted_areas(ranking, weights[known])[0] for ranking, known in ranked]
        return np.array([np.mean(areas) if areas else np.nan])

    return values


def with_intervals(statistic: Statistic, subjects: Integers, resampling: Resampling) -> list[Estimate]:
    """Each value of a statistic of rows (N,) with its interval; not defined without rows."""
    values = statistic(np.ones(len(subjects)))
    if not len(subjects):
        return [Estimate(float("nan"), float("nan"), float("nan"), 0) for _ in values]
    drawn = replicates(statistic, subjects, resampling)
    return estimates(values, drawn, len(np.unique(subjects)), resampling.level)
