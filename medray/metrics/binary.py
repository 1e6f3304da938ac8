"""One yes-or-no answer, evaluated: every metric with its interval, and what its plots need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.bootstrap import Resampling, Statistic, estimates, replicates
from medray.metrics.calibration import (
    bin_of,
    brier,
    equal_mass_edges,
    expected_calibration_error,
    reliability,
)
from medray.metrics.checks import check_lengths, check_probabilities, check_truth
from medray.metrics.discrimination import auprc, auroc, precision_recall_points, roc_points
from medray.metrics.ranking import rank, weighted_areas
from medray.metrics.records import BinaryMetrics, Estimate, Reliability, ScoreHistogram
from medray.metrics.thresholded import RATES, confusion, rates

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

METRICS = ("auroc", "auprc", *RATES, "brier", "ece")
RELIABILITY_BINS = 10
HISTOGRAM_BINS = 40
CURVE_POINTS = 400


@dataclass(frozen=True)
class _Sample:
    """Rows that have a truth: (N,) each, and the reliability bins that all resamples share."""

    scores: Floats
    positive: Bools
    decided: Bools
    subjects: npt.NDArray[np.int64]
    edges: Floats
    bins: npt.NDArray[np.int64]


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

    Raises:
        AccountingError: the arrays differ in length.
        LabelError: a target is neither 0, 1 nor NaN.
        ModelError: a score is not a probability.
    """
    check_lengths("evaluate_binary", scores, targets, decided, subjects)
    check_truth("evaluate_binary", targets)
    sample = _known_rows(scores, targets, decided, subjects)
    check_probabilities("evaluate_binary", sample.scores)
    resampling = Resampling(resamples, seed, level)
    found, drawn = _with_intervals(sample, resampling)
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
        reliability=_reliability(sample, found[len(METRICS) :]),
        histogram=_histogram(sample),
        resamples=resamples,
        seed=seed,
        level=level,
        one_class_resamples=one_class,
    )


def _known_rows(scores: Array, targets: Array, decided: Array, subjects: Array) -> _Sample:
    known = ~np.isnan(np.asarray(targets, np.float64))
    kept = np.asarray(scores, np.float64)[known]
    edges = equal_mass_edges(kept, RELIABILITY_BINS)
    return _Sample(
        scores=kept,
        positive=np.asarray(targets)[known] == 1,
        decided=np.asarray(decided, np.bool_)[known],
        subjects=np.asarray(subjects, np.int64)[known],
        edges=edges,
        bins=bin_of(kept, edges),
    )


def _with_intervals(sample: _Sample, resampling: Resampling) -> tuple[list[Estimate], Floats]:
    """Estimates of `METRICS`, then of each bin's share of positives; and the resampled values."""
    values = _point_values(sample)
    if not len(sample.scores):
        drawn = np.full((resampling.resamples, len(values)), np.nan)
    else:
        drawn = replicates(_statistic(sample), sample.subjects, resampling)
    subject_count = len(np.unique(sample.subjects))
    return estimates(values, drawn, subject_count, resampling.level), drawn


def _points(sample: _Sample, weights: Floats) -> Floats:
    outcomes = sample.positive.astype(np.float64)
    return reliability(sample.scores, outcomes, weights, sample.bins, len(sample.edges) - 1)


def _point_values(sample: _Sample) -> Floats:
    counts = confusion(sample.decided, sample.positive)
    points = _points(sample, np.ones_like(sample.scores))
    named = {
        "auroc": auroc(sample.scores, sample.positive),
        "auprc": auprc(sample.scores, sample.positive),
        **rates(**vars(counts)),
        "brier": brier(sample.scores, sample.positive),
        "ece": expected_calibration_error(points),
    }
    return np.array([*(named[name] for name in METRICS), *points[2]])


def _statistic(sample: _Sample) -> Statistic:
    """Row weights -> the same values as `_point_values`, from one sort of the sample."""
    ranking = rank(sample.scores, sample.positive)
    squared_error = (sample.scores - sample.positive) ** 2
    # 0 true negative, 1 false negative, 2 false positive, 3 true positive
    cell = 2 * sample.decided.astype(np.int64) + sample.positive

    def values(weights: Floats) -> Floats:
        negatives, missed, alarms, hits = np.bincount(cell, weights, 4).tolist()
        points = _points(sample, weights)
        named = rates(hits, alarms, missed, negatives)
        scalars = [
            *weighted_areas(ranking, weights),
            *(named[name] for name in RATES),
            np.sum(weights * squared_error) / weights.sum(),
            expected_calibration_error(points),
        ]
        return np.array([*scalars, *points[2]])

    return values


def _reliability(sample: _Sample, shares: list[Estimate]) -> Reliability:
    mass, mean_score, _ = _points(sample, np.ones_like(sample.scores))
    return Reliability(
        edges=tuple(sample.edges.tolist()),
        count=tuple(mass.astype(int).tolist()),
        mean_score=tuple(mean_score.tolist()),
        observed=tuple(share.value for share in shares),
        lower=tuple(share.lower for share in shares),
        upper=tuple(share.upper for share in shares),
    )


def _histogram(sample: _Sample) -> ScoreHistogram:
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    negative, _ = np.histogram(sample.scores[~sample.positive], edges)
    positive, _ = np.histogram(sample.scores[sample.positive], edges)
    return ScoreHistogram(tuple(edges.tolist()), tuple(negative.tolist()), tuple(positive.tolist()))
