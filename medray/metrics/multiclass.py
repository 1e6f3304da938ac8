"""One answer out of several classes, evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from medray.metrics.binary import evaluate_binary
from medray.metrics.bootstrap import Resampling, Statistic
from medray.metrics.checks import check_classes, check_lengths, check_probabilities
from medray.metrics.macro import macro_auroc, with_both_classes, with_intervals
from medray.metrics.records import BinaryMetrics, MulticlassMetrics

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NAMES = ("macro_auroc", "accuracy", "balanced_accuracy")


@dataclass(frozen=True)
class _Sample:
    """Rows that have a truth: probabilities (N, C), and (N,) truth, decision, subject."""

    scores: Floats
    raw: Floats | None
    truth: Integers
    decided: Integers
    subjects: Integers


def evaluate_multiclass(
    probabilities: Array,
    targets: Array,
    classes: Sequence[str],
    subjects: Array,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    raw: Array | None = None,
) -> MulticlassMetrics:
    """Metrics of an answer out of C classes, decided for the most probable one.

    Args:
        probabilities: (N, C) calibrated, columns in the order of `classes`.
        targets: (N,) class index, NaN not known.
        classes: C names.
        subjects: (N,) whose row it is.
        resamples, seed, level: of the bootstrap by subject.
        raw: (N, C) probabilities before calibration.

    Raises:
        AccountingError: the arrays differ in length.
        LabelError: a target is no index into `classes`.
        ModelError: a value is not a probability.
    """
    where = "evaluate_multiclass"
    check_lengths(where, probabilities, targets, subjects)
    check_classes(where, targets, len(classes))
    sample = _known_rows(probabilities, targets, subjects, raw)
    check_probabilities(where, sample.scores)
    resampling = Resampling(resamples, seed, level)
    by_class = _against_the_rest(sample, classes, resampling)
    parts = with_both_classes(by_class)
    found = with_intervals(_statistic(sample, parts), sample.subjects, resampling)
    return MulticlassMetrics(
        n=len(sample.truth),
        n_subjects=len(np.unique(sample.subjects)),
        classes=tuple(classes),
        metrics=dict(zip(NAMES, found, strict=True)),
        macro_over=tuple(classes[index] for index in parts),
        confusion=confusion_counts(sample.truth, sample.decided, len(classes)),
        by_class=by_class,
    )


def _known_rows(probabilities: Array, targets: Array, subjects: Array, raw: Array | None) -> _Sample:
    known = ~np.isnan(np.asarray(targets, np.float64))
    scores = np.asarray(probabilities, np.float64)[known]
    return _Sample(
        scores=scores,
        raw=None if raw is None else np.asarray(raw, np.float64)[known],
        truth=np.asarray(targets)[known].astype(np.int64),
        decided=scores.argmax(axis=1).astype(np.int64),
        subjects=np.asarray(subjects, np.int64)[known],
    )


def _against_the_rest(sample: _Sample, classes: Sequence[str], resampling: Resampling) -> Mapping[str, BinaryMetrics]:
    return {
        name: evaluate_binary(
            sample.scores[:, index],
            (sample.truth == index).astype(np.float64),
            sample.decided == index,
            None,
            sample.subjects,
            resamples=resampling.resamples,
            seed=resampling.seed,
            level=resampling.level,
            raw=None if sample.raw is None else sample.raw[:, index],
        )
        for index, name in enumerate(classes)
    }


def _statistic(sample: _Sample, parts: Sequence[int]) -> Statistic:
    """Row weights -> the values of `NAMES`."""
    truth, count = sample.truth, sample.scores.shape[1]
    macro = macro_auroc(sample.scores, np.eye(count)[truth], parts)
    correct = (truth == sample.decided).astype(np.float64)
    present = np.bincount(truth, minlength=count) > 0

    def values(weights: Floats) -> Floats:
        mass = np.bincount(truth, weights, count)[present]
        hits = np.bincount(truth, weights * correct, count)[present]
        with np.errstate(invalid="ignore"):
            recall = np.sum(hits / mass) / present.sum()
            return np.array([macro(weights)[0], hits.sum() / mass.sum(), recall])

    return values


def confusion_counts(truth: Integers, decided: Integers, count: int) -> tuple[tuple[int, ...], ...]:
    """Counts (C, C) of class indices (N,): row = truth, column = decided."""
    if not len(truth):
        return tuple((0,) * count for _ in range(count))
    matrix = confusion_matrix(truth, decided, labels=range(count))
    return tuple(tuple(int(cell) for cell in row) for row in matrix)
