"""Several yes-or-no answers for the same rows, evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.binary import evaluate_binary
from medray.metrics.bootstrap import Resampling
from medray.metrics.checks import check_lengths, check_truth
from medray.metrics.macro import macro_auroc, with_both_classes, with_intervals
from medray.metrics.records import MultilabelMetrics

Array = npt.NDArray[Any]


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
    raw: Array | None = None,
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
        raw: (N, L) probabilities before calibration.

    Raises:
        AccountingError, LabelError, ModelError: as `evaluate_binary`.
    """
    where = "evaluate_multilabel"
    check_lengths(where, scores, targets, decided, subjects)
    check_truth(where, targets)
    by_label = {
        name: evaluate_binary(
            scores[:, index], targets[:, index], decided[:, index], thresholds[index], subjects,
            resamples=resamples, seed=seed, level=level, raw=None if raw is None else raw[:, index],
        )
        for index, name in enumerate(labels)
    }  # fmt: skip
    some = ~np.isnan(np.asarray(targets, np.float64)).all(axis=1)
    who = np.asarray(subjects, np.int64)[some]
    defined = with_both_classes(by_label)
    statistic = macro_auroc(np.asarray(scores, np.float64)[some], targets[some], defined)
    found = with_intervals(statistic, who, Resampling(resamples, seed, level))
    return MultilabelMetrics(
        n=int(some.sum()),
        n_subjects=len(np.unique(who)),
        metrics={"macro_auroc": found[0]},
        macro_over=tuple(labels[index] for index in defined),
        by_label=by_label,
    )
