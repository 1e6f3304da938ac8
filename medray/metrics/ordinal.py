"""One answer out of ordered classes, evaluated: how far off it is, not only whether."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.binary import evaluate_binary
from medray.metrics.bootstrap import Resampling, Statistic
from medray.metrics.checks import check_classes, check_lengths, check_probabilities
from medray.metrics.macro import macro_auroc, with_both_classes, with_intervals
from medray.metrics.multiclass import confusion_counts
from medray.metrics.records import BinaryMetrics, OrdinalMetrics

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NAMES = ("quadratic_kappa", "rank_mae", "accuracy", "within_one", "macro_auroc")


@dataclass(frozen=True)
class _Sample:
    """Rows that have a truth: probabilities of "at least class 1, 2, ..." (N, C - 1), and (N,)
    truth, decision, subject."""

    at_least: Floats
    raw_at_least: Floats | None
    truth: Integers
    decided: Integers
    subjects: Integers


def evaluate_ordinal(
    probabilities: Array,
    targets: Array,
    decided: Array,
    classes: Sequence[str],
    subjects: Array,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    raw: Array | None = None,
) -> OrdinalMetrics:
    """Metrics of an answer out of C ordered classes.

    Args:
        probabilities: (N, C) calibrated, lowest class first.
        targets: (N,) class index, NaN not known.
        decided: (N,) the stored class indices.
        classes: C names, lowest first.
        subjects: (N,) whose row it is.
        resamples, seed, level: of the bootstrap by subject.
        raw: (N, C) probabilities before calibration.

    Raises:
        AccountingError: the arrays differ in length.
        LabelError: a target is no index into `classes`.
        ModelError: a value is not a probability.
    """
    where = "evaluate_ordinal"
    check_lengths(where, probabilities, targets, decided, subjects)
    check_classes(where, targets, len(classes))
    known = ~np.isnan(np.asarray(targets, np.float64))
    scores = np.asarray(probabilities, np.float64)[known]
    check_probabilities(where, scores)
    sample = _Sample(
        at_least=_at_least(scores),
        raw_at_least=None if raw is None else _at_least(np.asarray(raw, np.float64)[known]),
        truth=np.asarray(targets)[known].astype(np.int64),
        decided=np.asarray(decided)[known].astype(np.int64),
        subjects=np.asarray(subjects, np.int64)[known],
    )
    return _evaluated(sample, tuple(classes), Resampling(resamples, seed, level))


def _at_least(probabilities: Floats) -> Floats:
    """(N, C) -> (N, C - 1) of being in class 1, 2, ... or above."""
    return np.asarray(np.clip(probabilities[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:], 0.0, 1.0))


def _evaluated(sample: _Sample, classes: tuple[str, ...], resampling: Resampling) -> OrdinalMetrics:
    by_cut = _cuts(sample, classes, resampling)
    parts = with_both_classes(by_cut)
    found = with_intervals(_statistic(sample, parts), sample.subjects, resampling)
    return OrdinalMetrics(
        n=len(sample.truth),
        n_subjects=len(np.unique(sample.subjects)),
        classes=classes,
        metrics=dict(zip(NAMES, found, strict=True)),
        macro_over=tuple(classes[part + 1] for part in parts),
        confusion=confusion_counts(sample.truth, sample.decided, len(classes)),
        by_cut=by_cut,
    )


def _cuts(sample: _Sample, classes: Sequence[str], resampling: Resampling) -> Mapping[str, BinaryMetrics]:
    return {
        name: evaluate_binary(
            sample.at_least[:, index - 1],
            (sample.truth >= index).astype(np.float64),
            sample.decided >= index,
            None,
            sample.subjects,
            resamples=resampling.resamples,
            seed=resampling.seed,
            level=resampling.level,
            raw=None if sample.raw_at_least is None else sample.raw_at_least[:, index - 1],
        )
        for index, name in enumerate(classes)
        if index
    }


def _statistic(sample: _Sample, parts: Sequence[int]) -> Statistic:
    """Row weights -> the values of `NAMES`."""
    truth, decided = sample.truth.astype(np.float64), sample.decided.astype(np.float64)
    off = np.abs(truth - decided)
    moments = np.stack([off, off == 0, off <= 1, off**2, truth, truth**2, decided, decided**2])
    reached = (sample.truth[:, None] > np.arange(sample.at_least.shape[1])).astype(np.float64)
    macro = macro_auroc(sample.at_least, reached, parts)

    def values(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            mae, accuracy, within, squared, t, tt, d, dd = (moments * weights).sum(axis=1) / weights.sum()
            # Cohen's quadratic weights make observed and chance disagreement sums of squares (1968).
            chance = tt - 2 * t * d + dd
            kappa = 1 - squared / chance
        return np.array([kappa, mae, accuracy, within, macro(weights)[0]])

    return values
