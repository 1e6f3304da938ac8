"""One yes-or-no answer, evaluated: every metric with its interval, and what its plots need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.bootstrap import Resampling, Statistic, estimates, replicates, without_bias
from medray.metrics.checks import check_lengths, check_probabilities, check_truth
from medray.metrics.discrimination import auprc, auroc, precision_recall_points, roc_points
from medray.metrics.honesty import NAMES as HONESTY
from medray.metrics.honesty import Scores, scored
from medray.metrics.ranking import rank, weighted_areas
from medray.metrics.records import BinaryMetrics, Estimate, ScoreHistogram
from medray.metrics.thresholded import RATES, confusion, rates

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

METRICS = ("auroc", "auprc", *RATES, *HONESTY)
HISTOGRAM_BINS = 40
CURVE_POINTS = 400


@dataclass(frozen=True)
class _Sample:
    """Rows that have a truth: (N,) each."""

    positive: Bools
    decided: Bools
    subjects: npt.NDArray[np.int64]
    calibrated: Scores
    raw: Scores | None

    @property
    def scores(self) -> Floats:
        return self.calibrated.scores

    @property
    def raw_from(self) -> int:
        """Where, after `METRICS` and the bins, the values of the raw scores begin."""
        return len(METRICS) + len(self.calibrated.edges) - 1


def evaluate_binary(
    scores: Array,
    targets: Array,
    decided: Array,
    threshold: float | None,
    subjects: Array,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    raw: Array | None = None,
) -> BinaryMetrics:
    """Every metric of one yes-or-no answer, with intervals by subject.

    Args:
        scores: (N,) calibrated probabilities in [0, 1].
        targets: (N,) 1 positive, 0 negative, NaN not known.
        decided: (N,) the stored decisions.
        threshold: the one the decisions were made with; None when they were not made with one.
        subjects: (N,) whose row it is.
        resamples: bootstrap resamples; 1000 is usual.
        seed: of the bootstrap.
        level: of the intervals.
        raw: (N,) probabilities before calibration, where they are to be looked at too.

    Raises:
        AccountingError: the arrays differ in length.
        LabelError: a target is neither 0, 1 nor NaN.
        ModelError: a score is not a probability.
    """
    check_lengths("evaluate_binary", scores, targets, decided, subjects)
    check_truth("evaluate_binary", targets)
    sample = _known_rows(scores, targets, decided, subjects, raw)
    resampling = Resampling(resamples, seed, level)
    found, drawn = _with_intervals(sample, resampling)
    ranked, end = len(METRICS) - len(HONESTY), sample.raw_from
    one_class = int(np.isnan(drawn[:, 0]).sum())
    return BinaryMetrics(
        n=len(sample.scores),
        n_subjects=len(np.unique(sample.subjects)),
        n_positive=int(sample.positive.sum()),
        threshold=threshold,
        metrics=dict(zip(METRICS, found, strict=False)),
        confusion=confusion(sample.decided, sample.positive),
        roc=roc_points(sample.scores, sample.positive, CURVE_POINTS),
        precision_recall=precision_recall_points(sample.scores, sample.positive, CURVE_POINTS),
        reliability=sample.calibrated.record(found[ranked:end]).reliability,
        raw=sample.raw.record(found[end:]) if sample.raw else None,
        histogram=_histogram(sample),
        resamples=resamples,
        seed=seed,
        level=level,
        one_class_resamples=one_class,
    )


def _known_rows(scores: Array, targets: Array, decided: Array, subjects: Array, raw: Array | None) -> _Sample:
    known = ~np.isnan(np.asarray(targets, np.float64))
    positive = np.asarray(targets)[known] == 1
    shown = [None if part is None else np.asarray(part, np.float64)[known] for part in (scores, raw)]
    for part in shown:
        if part is not None:
            check_probabilities("evaluate_binary", part)
    calibrated, before = (None if part is None else scored(part, positive) for part in shown)
    assert calibrated is not None
    return _Sample(
        positive=positive,
        decided=np.asarray(decided, np.bool_)[known],
        subjects=np.asarray(subjects, np.int64)[known],
        calibrated=calibrated,
        raw=before,
    )


def _with_intervals(sample: _Sample, resampling: Resampling) -> tuple[list[Estimate], Floats]:
    """Estimates of `METRICS`, of each bin's share of positives, and of the raw scores' own."""
    values = _point_values(sample)
    if not len(sample.scores):
        drawn = np.full((resampling.resamples, len(values)), np.nan)
    else:
        drawn = replicates(_statistic(sample), sample.subjects, resampling)
    raw = [sample.raw_from + HONESTY.index("ece")] if sample.raw else []
    for place in (METRICS.index("ece"), *raw):
        drawn[:, place] = without_bias(values[place], drawn[:, place])
    subject_count = len(np.unique(sample.subjects))
    return estimates(values, drawn, subject_count, resampling.level), drawn


def _honesty(sample: _Sample, weights: Floats) -> Floats:
    before = sample.raw.values(weights) if sample.raw else ()
    return np.array([*sample.calibrated.values(weights), *before])


def _point_values(sample: _Sample) -> Floats:
    counts = confusion(sample.decided, sample.positive)
    named = rates(**vars(counts))
    areas = auroc(sample.scores, sample.positive), auprc(sample.scores, sample.positive)
    return np.array([*areas, *(named[name] for name in RATES), *_honesty(sample, np.ones_like(sample.scores))])


def _statistic(sample: _Sample) -> Statistic:
    """Row weights -> the same values as `_point_values`, from one sort of the sample."""
    ranking = rank(sample.scores, sample.positive)
    # 0 true negative, 1 false negative, 2 false positive, 3 true positive
    cell = 2 * sample.decided.astype(np.int64) + sample.positive

    def values(weights: Floats) -> Floats:
        negatives, missed, alarms, hits = np.bincount(cell, weights, 4).tolist()
        named = rates(hits, alarms, missed, negatives)
        scalars = [*weighted_areas(ranking, weights), *(named[name] for name in RATES)]
        return np.array([*scalars, *_honesty(sample, weights)])

    return values


def _histogram(sample: _Sample) -> ScoreHistogram:
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    negative, _ = np.histogram(sample.scores[~sample.positive], edges)
    positive, _ = np.histogram(sample.scores[sample.positive], edges)
    return ScoreHistogram(tuple(edges.tolist()), tuple(negative.tolist()), tuple(positive.tolist()))
