"""Two models on the same rows: the paired bootstrap for every metric, and the tests that need no
resampling where rows are independent, which is one row a subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, norm, rankdata

from medray.metrics.bootstrap import Resampling, Statistic
from medray.metrics.measures import Measured
from medray.metrics.paired import paired

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Json = dict[str, Any]


@dataclass(frozen=True)
class DeLong:
    """Two areas on the same rows.

    Attributes:
        difference: of the areas, first minus second.
        standard_error: of the difference; 0 where all cases tell the same difference.
        p: two-sided; NaN where the standard error is 0.
    """

    difference: float
    standard_error: float
    p: float


def delong(first: Floats, second: Floats, positive: Bools) -> DeLong:
    """The test of two correlated AUROCs of independent rows (DeLong, DeLong and Clarke-Pearson,
    Biometrics 1988), by midranks (Sun and Xu, IEEE Signal Processing Letters 2014).

    Args:
        first, second: (N,) scores of the same rows.
        positive: (N,), two of each class at least.
    """
    placed = [_placements(scores, positive) for scores in (first, second)]
    of_positives, of_negatives = (placed[0][side] - placed[1][side] for side in (0, 1))
    difference = float(of_positives.mean())
    variance = of_positives.var(ddof=1) / len(of_positives) + of_negatives.var(ddof=1) / len(of_negatives)
    error = float(np.sqrt(variance))
    p = float(2 * norm.sf(abs(difference) / error)) if error > 0 else float("nan")
    return DeLong(difference, error, p)


def _placements(scores: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative that of positives above it."""
    yes, no = scores[positive], scores[~positive]
    among = rankdata(np.r_[yes, no])
    return (among[: len(yes)] - rankdata(yes)) / len(no), 1 - (among[len(yes) :] - rankdata(no)) / len(yes)


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p of as many rows that only one model has right (McNemar, Psychometrika
    1947): binomial with one half; 1 where there is none."""
    return float(min(1.0, 2 * binom.cdf(min(only_first, only_second), only_first + only_second, 0.5)))


def against(model: Measured, other: Measured, subjects: Integers, resampling: Resampling) -> list[Json]:
    """Every metric of an answer by two models on the same N rows.

    Returns:
        One object a metric that has a better side: `label`, `metric`, `model`, `other`, `difference`
        (model minus other), `higher_is_better`, `p`, `verdict` of the paired bootstrap by subject;
        `delong` and `mcnemar` where they belong to the metric, else null, or {"reason": ...} where
        they do not stand; `n`, `n_subjects`.
    """
    rows = np.flatnonzero(model.known & other.known)
    names = list(model.metrics)
    directions = {names.index(name): direction for name, direction in model.metrics.items() if direction is not None}
    sides = [_or_nothing(one, rows) for one in (model, other)]
    found = paired(sides[0], sides[1], subjects[rows], resampling, directions)
    lone = len(np.unique(subjects[rows])) == len(rows)
    lines = []
    for place, result in zip(directions, found, strict=True):
        told = result.to_json()
        shown = {"model": told.pop("network"), "other": told.pop("simple"), **told}
        lines.append({"label": model.name, "metric": names[place], **shown, "delong": None, "mcnemar": None})
        lines[-1] |= _exact(names[place], model, other, rows, lone)
        lines[-1] |= {"n": len(rows), "n_subjects": len(np.unique(subjects[rows]))}
    return lines


def _or_nothing(answer: Measured, rows: Integers) -> Statistic:
    nothing = np.full(len(answer.metrics), np.nan)
    return answer.over(rows) if len(rows) else lambda _: nothing


def _exact(metric: str, model: Measured, other: Measured, rows: Integers, lone: bool) -> Json:
    """DeLong's test of AUROC; McNemar's of accuracy, of sensitivity over the positives, of specificity over
    the negatives."""
    name = {"auroc": "delong", "accuracy": "mcnemar", "sensitivity": "mcnemar", "specificity": "mcnemar"}.get(metric)
    if name is None:
        return {}
    if not lone:
        return {name: {"reason": "subjects have several rows, which are not independent"}}
    if name == "delong":
        return {name: _delong(model, other, rows)}
    if metric != "accuracy":
        assert model.positive is not None
        rows = rows[model.positive[rows] == (metric == "sensitivity")]
    assert model.right is not None
    assert other.right is not None
    first, second = model.right[rows], other.right[rows]
    alone = int((first & ~second).sum()), int((second & ~first).sum())
    return {name: {"only_model": alone[0], "only_other": alone[1], "p": mcnemar(*alone)}}


def _delong(model: Measured, other: Measured, rows: Integers) -> Json:
    assert model.positive is not None
    assert model.scores is not None
    assert other.scores is not None
    positive = model.positive[rows]
    if min(positive.sum(), (~positive).sum()) < 2:
        return {"reason": "fewer than two examples of a class"}
    found = delong(model.scores[rows], other.scores[rows], positive)
    if not found.standard_error > 0:
        alike = found.difference == 0
        return {"reason": "both models rank all pairs alike" if alike else "no case deviates: the test does not stand"}
    return {"difference": found.difference, "standard_error": found.standard_error, "p": found.p}
