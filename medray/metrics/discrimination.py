"""How well scores separate positives from negatives, whatever the threshold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from medray.metrics.records import Curve

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def auroc(scores: Floats, positive: Bools) -> float:
    """Area under the ROC curve of scores (N,), in [0, 1]; NaN unless both classes are there.

    The probability that a random positive scores above a random negative, ties counting one half
    (Hanley and McNeil 1982).
    """
    return float(roc_auc_score(positive, scores)) if _both(positive) else float("nan")


def auprc(scores: Floats, positive: Bools) -> float:
    """Average precision of scores (N,), in [0, 1]; NaN unless both classes are there.

    The step sum over recall, without interpolation between points (Davis and Goadrich 2006). Its
    value for a useless score is the prevalence, not one half.
    """
    return float(average_precision_score(positive, scores)) if _both(positive) else float("nan")


def roc_points(scores: Floats, positive: Bools, most: int) -> Curve:
    """x: false positive rate, y: sensitivity; at most `most` points, none unless both classes are there."""
    if not _both(positive):
        return Curve((), ())
    false_positive_rate, sensitivity, _ = roc_curve(positive, scores)
    return _thinned(false_positive_rate, sensitivity, most)


def precision_recall_points(scores: Floats, positive: Bools, most: int) -> Curve:
    """x: recall, rising; y: precision; at most `most` points, none unless both classes are there.

    Starts at the first positive found: at recall 0 precision is a convention, not a measurement.
    """
    if not _both(positive):
        return Curve((), ())
    precision, recall, _ = precision_recall_curve(positive, scores, drop_intermediate=True)
    found = recall > 0
    return _thinned(recall[found][::-1], precision[found][::-1], most)


def _both(positive: Bools) -> bool:
    return bool(positive.any() and not positive.all())


def _thinned(x: Floats, y: Floats, most: int) -> Curve:
    """Both ends stay, as does an even selection between."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(most, len(x))).round().astype(np.int64))
    return Curve(tuple(x[kept].tolist()), tuple(y[kept].tolist()))
