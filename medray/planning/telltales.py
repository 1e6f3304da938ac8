"""A plain summary that tells the answer by itself: an answer among the inputs, or close to one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medray.contracts import Array

FEWEST = 20  # of each answer: fewer are told apart by chance
SUSPICIOUS = 0.995  # AUROC


@dataclass(frozen=True)
class Telltale:
    """One summary that tells one answer apart.

    Attributes:
        summary: its place among the summaries.
        auroc: how well, 0.5 to 1.
        is_answer: it has two values, one for each answer: it is the answer.
    """

    summary: int
    auroc: float
    is_answer: bool


def telltale(features: Array, target: Array) -> Telltale | None:
    """The summary that tells a yes-or-no answer apart best, if it does so beyond belief; None where none
    does or there are too few answers.

    Args:
        features: (N, F), NaN where nothing is known, which counts as lower than all.
        target: (N,) of 1, 0 and NaN.
    """
    known = ~np.isnan(target)
    positive = target[known] == 1
    many, few = int(positive.sum()), int((~positive).sum())
    if min(many, few) < FEWEST or not features.shape[1]:
        return None
    values = np.nan_to_num(features[known].astype(np.float64), nan=-np.inf, neginf=-np.inf, posinf=np.inf)
    areas = np.array([_area(column, positive, many, few) for column in values.T])
    best = int(np.argmax(np.abs(areas - 0.5)))
    area = max(float(areas[best]), 1 - float(areas[best]))
    if area <= SUSPICIOUS:
        return None
    return Telltale(best, area, area == 1.0 and len(np.unique(values[:, best])) == 2)


def is_the_number(features: Array, target: Array) -> int | None:
    """The place of a summary that equals every known target; None where there is none, or there are fewer
    than 20 targets or 3 different ones."""
    known = ~np.isnan(target)
    truth = target[known].astype(np.float32)
    if len(truth) < FEWEST or len(np.unique(truth)) < 3:
        return None
    same = (features[known].astype(np.float32) == truth[:, None]).all(axis=0)
    return int(np.argmax(same)) if same.any() else None


def _area(values: Array, positive: Array, many: int, few: int) -> float:
    """AUROC by ranks, equals counted half (Mann and Whitney 1947)."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2
    return float((middle[place][positive].sum() - many * (many + 1) / 2) / (many * few))
