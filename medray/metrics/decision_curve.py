"""What decisions are worth to a patient: net benefit over the thresholds a clinician may hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.bootstrap import Resampling, Statistic
from medray.metrics.checks import check_lengths, check_probabilities
from medray.metrics.macro import with_intervals
from medray.metrics.records import Estimate, plain

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit by threshold (T,), in true positives for each example; treating none has 0.

    Attributes:
        thresholds: the probability from which one would treat.
        model: treating who scores at it or above.
        treat_all: treating everybody.
        gain: model minus the better one of treating all and treating none.
    """

    n: int
    n_subjects: int
    n_positive: int
    thresholds: tuple[float, ...]
    model: tuple[Estimate, ...]
    treat_all: tuple[Estimate, ...]
    gain: tuple[Estimate, ...]

    def to_json(self) -> dict[str, Any]:
        """The fields by name; what is not defined is None."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def decision_curve(
    scores: Array, targets: Array, subjects: Array, thresholds: Floats, resampling: Resampling
) -> DecisionCurve:
    """The decision curve of one yes-or-no answer (Vickers and Elkin, Medical Decision Making 2006).

    Net benefit at threshold t is true positives / n - false positives / n * t / (1 - t): who treats
    from t on holds one treatment in vain as bad as (1 - t) / t treatments missed.

    Args:
        scores: (N,) calibrated probabilities.
        targets: (N,) 1, 0, NaN where not known: those rows count nowhere.
        subjects: (N,) whose row it is.
        thresholds: (T,) rising, in [0, 1).

    Raises:
        AccountingError: the arrays differ in length.
        ModelError: a score is not a probability.
    """
    check_lengths("decision_curve", scores, targets, subjects)
    truth = np.asarray(targets, np.float64)
    known = ~np.isnan(truth)
    told = np.asarray(scores, np.float64)[known]
    check_probabilities("decision_curve", told)
    who = np.asarray(subjects, np.int64)[known]
    found = with_intervals(_benefits(told, truth[known], thresholds), who, resampling)
    count = len(thresholds)
    return DecisionCurve(
        n=len(told),
        n_subjects=len(np.unique(who)),
        n_positive=int(truth[known].sum()),
        thresholds=tuple(thresholds.tolist()),
        model=tuple(found[:count]),
        treat_all=tuple(found[count : 2 * count]),
        gain=tuple(found[2 * count :]),
    )


def _benefits(scores: Floats, outcomes: Floats, thresholds: Floats) -> Statistic:
    """Row weights -> (3 T,): net benefit of the model, of treating all, and the model's gain."""
    reached = np.searchsorted(thresholds, scores, side="right")  # thresholds that a row is treated at
    odds = thresholds / (1 - thresholds)

    def treated(weights: Floats) -> Floats:
        by_count = np.bincount(reached, weights, len(thresholds) + 1)
        return np.asarray(by_count[::-1].cumsum()[::-1][1:])

    def values(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            hits = treated(weights * outcomes)
            model = (hits - (treated(weights) - hits) * odds) / weights.sum()
            share = np.sum(weights * outcomes) / weights.sum()
        everybody = share - (1 - share) * odds
        return np.concatenate([model, everybody, model - np.maximum(everybody, 0.0)])

    return values
