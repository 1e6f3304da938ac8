"""Answers with several parts: one class out of many, or many labels at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from medray.metrics.bootstrap import Resampling, Statistic, estimates, replicates
from medray.metrics.checks import check_classes, check_lengths, check_probabilities, check_truth
from medray.metrics.evaluate import evaluate_binary
from medray.metrics.ranking import Ranking, rank, weighted_areas
from medray.metrics.records import BinaryMetrics, Estimate, MulticlassMetrics, MultilabelMetrics

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def evaluate_multiclass(
    probabilities: Array,
    targets: Array,
    classes: Sequence[str],
    subjects: Array,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> MulticlassMetrics:
    """Metrics of an answer out of C classes, decided for the most probable one.

    Args:
        probabilities: (N, C) calibrated, columns in the order of `classes`.
        targets: (N,) class index, NaN not known.
        classes: C names.
        subjects: (N,) whose row it is.
        resamples, seed, level: of the bootstrap by subject.

    Raises:
        AccountingError: the arrays differ in length.
        LabelError: a target is no index into `classes`.
        ModelError: a value is not a probability.
    """
    where = "evaluate_multiclass"
    check_lengths(where, probabilities, targets, subjects)
    check_classes(where, targets, len(classes))
    known = ~np.isnan(np.asarray(targets, np.float64))
    scores = np.asarray(probabilities, np.float64)[known]
    check_probabilities(where, scores)
    truth = np.asarray(targets)[known].astype(np.int64)
    who = np.asarray(subjects, np.int64)[known]
    decided = scores.argmax(axis=1) if len(scores) else truth
    by_class = {
        name: evaluate_binary(
            scores[:, index], (truth == index).astype(np.float64), decided == index, None, who,
            resamples=resamples, seed=seed, level=level,
        )
        for index, name in enumerate(classes)
    }  # fmt: skip
    defined = _defined(by_class)
    one_hot = np.eye(len(classes))[truth]
    statistic = _multiclass_statistic(scores, one_hot, truth, decided, defined)
    found = _interval(statistic, who, Resampling(resamples, seed, level))
    return MulticlassMetrics(
        n=len(truth),
        n_subjects=len(np.unique(who)),
        classes=tuple(classes),
        metrics=dict(zip(("macro_auroc", "accuracy", "balanced_accuracy"), found, strict=True)),
        macro_over=tuple(classes[index] for index in defined),
        confusion=_confusion(truth, decided, len(classes)),
        by_class=by_class,
    )


def evaluate_multilabel(
    scores: Array,
    targets: Array,
    decided: Array,
    thresholds: Sequence[float],
    labels: Sequence[str],
    subjects: Array,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> MultilabelMetrics:
    """Metrics of L yes-or-no answers for the same rows, each over the rows where it is known.

    Args:
        scores: (N, L) calibrated probabilities.
        targets: (N, L) 1, 0, or NaN where not known.
        decided: (N, L) the stored decisions.
        thresholds: L, the ones the decisions were made with.
        labels: L names.
        subjects: (N,) whose row it is.
        resamples, seed, level: of the bootstrap by subject.

    Raises:
        AccountingError, LabelError, ModelError: as `evaluate_binary`.
    """
    where = "evaluate_multilabel"
    check_lengths(where, scores, targets, decided, subjects)
    check_truth(where, targets)
    by_label = {
        name: evaluate_binary(
            scores[:, index], targets[:, index], decided[:, index], thresholds[index], subjects,
            resamples=resamples, seed=seed, level=level,
        )
        for index, name in enumerate(labels)
    }  # fmt: skip
    some = ~np.isnan(np.asarray(targets, np.float64)).all(axis=1)
    who = np.asarray(subjects, np.int64)[some]
    defined = _defined(by_label)
    statistic = _macro_statistic(np.asarray(scores, np.float64)[some], targets[some], defined)
    found = _interval(statistic, who, Resampling(resamples, seed, level))
    return MultilabelMetrics(
        n=int(some.sum()),
        n_subjects=len(np.unique(who)),
        metrics={"macro_auroc": found[0]},
        macro_over=tuple(labels[index] for index in defined),
        by_label=by_label,
    )


def _defined(parts: Mapping[str, BinaryMetrics]) -> list[int]:
    """The parts with both classes. Macro means keep to them in every resample: a mean over another
    set of parts would be another quantity."""
    return [i for i, part in enumerate(parts.values()) if 0 < part.n_positive < part.n]


def _macro_statistic(scores: Floats, targets: Floats, defined: Sequence[int]) -> Statistic:
    parts: list[tuple[Ranking, npt.NDArray[np.bool_]]] = []
    for index in defined:
        known = ~np.isnan(targets[:, index])
        parts.append((rank(scores[known, index], targets[known, index] == 1), known))

    def values(weights: Floats) -> Floats:
        areas = [weighted_areas(ranking, weights[known])[0] for ranking, known in parts]
        return np.array([np.mean(areas) if areas else np.nan])

    return values


def _multiclass_statistic(
    scores: Floats, one_hot: Floats, truth: Integers, decided: Integers, defined: Sequence[int]
) -> Statistic:
    macro = _macro_statistic(scores, one_hot, defined)
    correct = (truth == decided).astype(np.float64)
    count = one_hot.shape[1]
    present = np.bincount(truth, minlength=count) > 0

    def values(weights: Floats) -> Floats:
        mass = np.bincount(truth, weights, count)[present]
        hits = np.bincount(truth, weights * correct, count)[present]
        with np.errstate(invalid="ignore"):
            recall = np.sum(hits / mass) / present.sum()
            return np.array([macro(weights)[0], hits.sum() / mass.sum(), recall])

    return values


def _interval(statistic: Statistic, subjects: Integers, resampling: Resampling) -> list[Estimate]:
    values = statistic(np.ones(len(subjects)))
    if not len(subjects):
        return [Estimate(float("nan"), float("nan"), float("nan"), 0) for _ in values]
    drawn = replicates(statistic, subjects, resampling)
    return estimates(values, drawn, len(np.unique(subjects)), resampling.level)


def _confusion(truth: Integers, decided: Integers, count: int) -> tuple[tuple[int, ...], ...]:
    if not len(truth):
        return tuple((0,) * count for _ in range(count))
    matrix = confusion_matrix(truth, decided, labels=range(count))
    return tuple(tuple(int(cell) for cell in row) for row in matrix)
