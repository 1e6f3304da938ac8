"""Is the network better than a simple model on the same rows? The paired bootstrap by subject.

Each resample draws subjects once and measures both models on them, so that what is hard for both
cancels out of the difference (Efron and Tibshirani 1993, chapter 16; whole subjects as in
`bootstrap.py`). The two-sided p is the smallest 1 - level at which the percentile interval leaves 0
out, with one draw added on each side so that it is never 0 (Davison and Hinkley 1997, section 4.4),
and never below 2 / 2^S of S subjects, the least that a test of signs can give: of two subjects that
agree nothing follows. The verdict follows from p. Neither is corrected for the number of comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medray.metrics.bootstrap import Resampling, Statistic, estimates, replicates
from medray.metrics.ranking import Ranking, rank, weighted_areas
from medray.metrics.records import Estimate, plain

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Verdict = Literal["better", "no better", "worse"]


@dataclass(frozen=True)
class Paired:
    """One metric of the network and of a simple model on the same rows.

    Attributes:
        network, simple: the metric of each.
        difference: network minus simple, with its interval.
        higher_is_better: whether a difference above 0 is in the network's favour.
        p: two-sided, NaN where the interval is not defined.
        verdict: "better" when p is at most 1 - level and the difference is in the network's favour,
            "worse" when it is in the other's, None where there is no p.
    """

    network: float
    simple: float
    difference: Estimate
    higher_is_better: bool
    p: float
    verdict: Verdict | None

    def to_json(self) -> dict[str, Any]:
        """The fields by name; what is not defined is None."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def paired(
    network: Statistic,
    simple: Statistic,
    subjects: Integers,
    resampling: Resampling,
    higher_is_better: Mapping[int, bool],
) -> list[Paired]:
    """Some metrics of both models, compared.

    Args:
        network, simple: row weights (N,) -> the same K metrics, NaN where not defined.
        subjects: (N,) whose row it is.
        resampling: how many draws, from which seed.
        higher_is_better: place of a metric among the K -> its direction; one result for each.
    """
    places = list(higher_is_better)

    def both(weights: Floats) -> Floats:
        return np.concatenate([network(weights)[places], simple(weights)[places]])

    count = len(places)
    values = both(np.ones(len(subjects)))
    some = len(subjects) > 0
    drawn = replicates(both, subjects, resampling) if some else np.full((resampling.resamples, 2 * count), np.nan)
    apart = drawn[:, :count] - drawn[:, count:]
    subject_count = len(np.unique(subjects))
    differences = estimates(values[:count] - values[count:], apart, subject_count, resampling.level)
    return [
        Paired(
            network=float(values[at]),
            simple=float(values[count + at]),
            difference=found,
            higher_is_better=higher_is_better[place],
            p=p,
            verdict=_verdict(p, apart[:, at], resampling.level, higher_is_better[place]),
        )
        for at, (place, found) in enumerate(zip(places, differences, strict=True))
        for p in [_two_sided(apart[:, at], subject_count) if np.isfinite(found.lower) else float("nan")]
    ]


def _two_sided(drawn: Floats, subject_count: int) -> float:
    usable = drawn[~np.isnan(drawn)]
    below, above = np.count_nonzero(usable <= 0), np.count_nonzero(usable >= 0)
    return float(min(1.0, max(2 * (min(below, above) + 1) / (len(usable) + 1), 2.0 ** (1 - subject_count))))


def _verdict(p: float, drawn: Floats, level: float, higher_is_better: bool) -> Verdict | None:
    if not np.isfinite(p):
        return None
    if p > 1 - level:
        return "no better"
    return "better" if (np.nanmedian(drawn) > 0) == higher_is_better else "worse"


def mean_of(statistics: Sequence[Statistic]) -> Statistic:
    """The mean of the metrics of several models on the same rows, such as those of several seeds."""

    def values(weights: Floats) -> Floats:
        return np.asarray(np.mean([statistic(weights) for statistic in statistics], axis=0))

    return values


def areas(scores: Floats, targets: Floats) -> Statistic:
    """Row weights (N,) -> (2 L + 1,): AUROC of each column, average precision of each column, and
    the mean AUROC of the columns that hold both classes.

    Args:
        scores: (N, L), higher for more likely positive.
        targets: (N, L) of 1, 0 and NaN; a row counts in the columns where it is known.
    """
    ranked: list[tuple[Ranking, Bools] | None] = []
    for score, target in zip(scores.T, targets.T, strict=True):
        known = ~np.isnan(target)
        positive = target[known] == 1
        ranked.append((rank(score[known], positive), known) if 0 < positive.sum() < len(positive) else None)
    defined = [place for place, column in enumerate(ranked) if column is not None]

    def values(weights: Floats) -> Floats:
        found = np.full((len(ranked), 2), np.nan)
        for place, column in enumerate(ranked):
            if column is not None:
                found[place] = weighted_areas(column[0], weights[column[1]])
        return np.array([*found[:, 0], *found[:, 1], found[defined, 0].mean() if defined else np.nan])

    return values


def errors(answers: Floats, targets: Floats) -> Statistic:
    """Row weights (N,) -> (2 K,): mean absolute error of each column, then R2 of each column.

    R2 is 1 - squared error / squared distance from the weighted mean of the targets, NaN where the
    targets do not differ.

    Args:
        answers: (N, K).
        targets: (N, K), NaN where not known.
    """
    known = ~np.isnan(targets)
    truth = np.where(known, targets, 0.0)
    absolute = np.where(known, np.abs(answers - truth), 0.0)
    squared = absolute**2

    def values(weights: Floats) -> Floats:
        weight = weights[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            mass = (weight * known).sum(axis=0)
            mean = (weight * truth).sum(axis=0) / mass
            spread = (weight * known * (truth - mean) ** 2).sum(axis=0)
            explained = np.where(spread > 0, 1 - (weight * squared).sum(axis=0) / spread, np.nan)
            return np.concatenate([(weight * absolute).sum(axis=0) / mass, explained])

    return values
