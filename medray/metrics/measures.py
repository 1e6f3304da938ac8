"""The few metrics by which groups of rows, and two models on the same rows, are compared.

Any kind of answer becomes a `Measured`: named metrics of weighted rows, for all rows or some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.bootstrap import Statistic
from medray.metrics.macro import macro_auroc
from medray.metrics.ranking import rank, weighted_areas

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

# name -> whether higher is better; None: the nearer to its honest value, the better
YES_NO: Mapping[str, bool | None] = {
    "auroc": True, "auprc": True, "sensitivity": True, "specificity": True, "ppv": True, "brier": False,
    "observed_to_expected": None,
}  # fmt: skip
CLASSES: Mapping[str, bool | None] = {"macro_auroc": True, "accuracy": True, "balanced_accuracy": True}
RANKS: Mapping[str, bool | None] = {"rank_mae": False, "quadratic_kappa": True, "accuracy": True}
OVER_CLASSES = ("macro_auroc", "balanced_accuracy")  # means over the classes that are there
NUMBER: Mapping[str, bool | None] = {"mae": False, "rmse": False, "mean_error": None, "coverage": None}


@dataclass(frozen=True)
class Measured:
    """One answer on N rows, ready to be measured on any of them.

    Attributes:
        name: the answer ("death", "grade//II").
        metrics: name -> whether higher is better (None: neither).
        known: (N,) whether the truth is known.
        positive: (N,) of a yes-or-no answer; None of others.
        right: (N,) whether the decision is the truth; None where nothing is decided.
        scores: (N,) of a yes-or-no answer; None of others.
        true_class: (N,) position, NaN where not known, of an answer out of classes; None of others.
        over: rows (n,) of those that are known -> row weights (n,) -> the metrics, in order.
    """

    name: str
    metrics: Mapping[str, bool | None]
    known: Bools
    positive: Bools | None
    right: Bools | None
    scores: Floats | None
    true_class: Floats | None
    over: Callable[[Integers], Statistic]


def yes_no(name: str, scores: Floats, truth: Floats, decided: Bools) -> Measured:
    """A yes-or-no answer: scores, truth (1, 0, NaN) and decisions, (N,) each."""
    positive = truth == 1

    def over(rows: Integers) -> Statistic:
        told, yes = scores[rows], positive[rows]
        ranking = rank(told, yes)
        cell = 2 * decided[rows].astype(np.int64) + yes  # true negative, false negative, false positive, true positive
        squared = (told - yes) ** 2

        def values(weights: Floats) -> Floats:
            cleared, missed, alarms, hits = np.bincount(cell, weights, 4)
            expected = np.sum(weights * told)
            with np.errstate(invalid="ignore", divide="ignore"):
                rates = np.array([hits, cleared, hits]) / np.array([hits + missed, cleared + alarms, hits + alarms])
                brier = np.sum(weights * squared) / weights.sum()
                ratio = (hits + missed) / expected if expected > 0 else np.nan
            return np.array([*weighted_areas(ranking, weights), *rates, brier, ratio])

        return values

    return Measured(name, YES_NO, ~np.isnan(truth), positive, decided == positive, scores, None, over)


def classes(name: str, probabilities: Floats, truth: Floats, decided: Integers) -> Measured:
    """One answer out of C classes: probabilities (N, C), truth and decision as positions (N,)."""
    count = probabilities.shape[1]

    def over(rows: Integers) -> Statistic:
        place = truth[rows].astype(np.int64)
        against = np.eye(count)[place]
        both = [column for column in range(count) if 0 < against[:, column].sum() < len(rows)]
        area = macro_auroc(probabilities[rows], against, both)
        correct = (decided[rows] == place).astype(np.float64)
        present = np.bincount(place, minlength=count) > 0

        def values(weights: Floats) -> Floats:
            mass, hits = (np.bincount(place, part, count)[present] for part in (weights, weights * correct))
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.array([area(weights)[0], hits.sum() / mass.sum(), (hits / mass).mean()])

        return values

    return Measured(name, CLASSES, ~np.isnan(truth), None, decided == truth, None, truth, over)


def ranks(name: str, truth: Floats, decided: Integers) -> Measured:
    """One answer out of ordered classes: truth and decision as positions (N,)."""

    def over(rows: Integers) -> Statistic:
        t, d = truth[rows], decided[rows].astype(np.float64)
        off = np.abs(t - d)
        moments = np.stack([off, off == 0, off**2, t, t**2, d, d**2])

        def values(weights: Floats) -> Floats:
            with np.errstate(invalid="ignore", divide="ignore"):
                mae, accuracy, squared, t1, t2, d1, d2 = (moments * weights).sum(axis=1) / weights.sum()
                return np.array([mae, 1 - squared / (t2 - 2 * t1 * d1 + d2), accuracy])

        return values

    return Measured(name, RANKS, ~np.isnan(truth), None, decided == truth, None, None, over)


def number(name: str, predicted: Floats, truth: Floats, lower: Floats, upper: Floats) -> Measured:
    """A number with the ends of its prediction interval (NaN where there is none), (N,) each."""
    error = predicted - truth
    covered = np.where(np.isnan(upper - lower), np.nan, (lower <= truth) & (truth <= upper))
    moments = np.stack([np.abs(error), error**2, error, covered])

    def over(rows: Integers) -> Statistic:
        own = moments[:, rows]

        def values(weights: Floats) -> Floats:
            with np.errstate(invalid="ignore", divide="ignore"):
                mae, squared, mean, share = (own * weights).sum(axis=1) / weights.sum()
            return np.array([mae, np.sqrt(squared), mean, share])

        return values

    return Measured(name, NUMBER, ~np.isnan(truth), None, None, None, None, over)
