"""What an evaluation gives: frozen records and their JSON.

In JSON a value that is not defined is `null`, never NaN (RFC 8259 has no NaN).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """A value and its bootstrap interval.

    Attributes:
        value: of the sample itself.
        lower, upper: ends of the interval.
        undefined: resamples where the value was not defined; they are not in the interval.
    """

    value: float
    lower: float
    upper: float
    undefined: int


@dataclass(frozen=True)
class Confusion:
    """The four counts of a yes-or-no decision."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int


@dataclass(frozen=True)
class Curve:
    """Points of a curve, in the order they are drawn."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Reliability:
    """Equal-mass bins of the score, by bin: edges (B + 1), rows, mean score, share of positives
    and its bootstrap interval."""

    edges: tuple[float, ...]
    count: tuple[int, ...]
    mean_score: tuple[float, ...]
    observed: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]


@dataclass(frozen=True)
class Honesty:
    """How far probabilities can be taken at their word.

    Attributes:
        metrics: brier, ece, calibration_slope, calibration_intercept.
        reliability: the bins that ece is made of.
    """

    metrics: Mapping[str, Estimate]
    reliability: Reliability


@dataclass(frozen=True)
class ScoreHistogram:
    """Rows by score and truth in equal-width bins of [0, 1]: edges (B + 1), counts (B)."""

    edges: tuple[float, ...]
    negative: tuple[int, ...]
    positive: tuple[int, ...]


@dataclass(frozen=True)
class BinaryMetrics:
    """One yes-or-no answer, evaluated. Rows without a truth are not counted anywhere.

    Attributes:
        n, n_subjects, n_positive: rows, their subjects, the positive rows.
        threshold: the score at which a row was decided positive; None when the decision was the
            most probable class.
        metrics: auroc, auprc, accuracy, sensitivity, specificity, ppv, npv, f1,
            min_sensitivity_ppv, brier, ece, calibration_slope, calibration_intercept.
        raw: the same of the network's own probabilities, before calibration; None where there are none.
        resamples, seed, level: of the bootstrap.
        one_class_resamples: resamples that held one class only; rank metrics leave them out.
    """

    n: int
    n_subjects: int
    n_positive: int
    threshold: float | None
    metrics: Mapping[str, Estimate]
    confusion: Confusion
    roc: Curve
    precision_recall: Curve
    reliability: Reliability
    raw: Honesty | None
    histogram: ScoreHistogram
    resamples: int
    seed: int
    level: float
    one_class_resamples: int

    def to_json(self) -> dict[str, Any]:
        """The fields by name, with `kind` "binary"."""
        return {"kind": "binary", **plain(asdict(self))}


@dataclass(frozen=True)
class MulticlassMetrics:
    """One answer out of several classes, evaluated.

    Attributes:
        classes: in the order of the probabilities.
        metrics: macro_auroc (one class against the rest, mean over `macro_over`), accuracy,
            balanced_accuracy.
        macro_over: the classes that have both positives and negatives here.
        confusion: (C, C) counts, row = truth, column = most probable class.
        by_class: each class against the rest.
    """

    n: int
    n_subjects: int
    classes: tuple[str, ...]
    metrics: Mapping[str, Estimate]
    macro_over: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    by_class: Mapping[str, BinaryMetrics]

    def to_json(self) -> dict[str, Any]:
        """The fields by name, with `kind` "multiclass"; `by_class` holds JSON of binary metrics."""
        by_class = {name: metrics.to_json() for name, metrics in self.by_class.items()}
        return {"kind": "multiclass", **plain(asdict(self)), "by_class": by_class}


@dataclass(frozen=True)
class MultilabelMetrics:
    """Several yes-or-no answers for the same rows, evaluated.

    Attributes:
        n, n_subjects: rows with one truth or more, and their subjects.
        metrics: macro_auroc, the mean over `macro_over`.
        macro_over: the labels that have both positives and negatives here.
        by_label: each label by itself.
    """

    n: int
    n_subjects: int
    metrics: Mapping[str, Estimate]
    macro_over: tuple[str, ...]
    by_label: Mapping[str, BinaryMetrics]

    def to_json(self) -> dict[str, Any]:
        """The fields by name, with `kind` "multilabel"; `by_label` holds JSON of binary metrics."""
        by_label = {name: metrics.to_json() for name, metrics in self.by_label.items()}
        return {"kind": "multilabel", **plain(asdict(self)), "by_label": by_label}


@dataclass(frozen=True)
class OrdinalMetrics:
    """One answer out of ordered classes, evaluated.

    Attributes:
        classes: lowest first.
        metrics: quadratic_kappa, rank_mae (mean distance in classes), accuracy, within_one (decided
            for the class or a neighbour), macro_auroc (mean over the cuts `macro_over`).
        macro_over: the cuts that have both sides here, each named after its lowest class.
        confusion: (C, C) counts, row = truth, column = decided class.
        by_cut: "at least this class" as a yes-or-no answer, for each class but the lowest.
    """

    n: int
    n_subjects: int
    classes: tuple[str, ...]
    metrics: Mapping[str, Estimate]
    macro_over: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    by_cut: Mapping[str, BinaryMetrics]

    def to_json(self) -> dict[str, Any]:
        """The fields by name, with `kind` "ordinal"; `by_cut` holds JSON of binary metrics."""
        by_cut = {name: metrics.to_json() for name, metrics in self.by_cut.items()}
        return {"kind": "ordinal", **plain(asdict(self)), "by_cut": by_cut}


@dataclass(frozen=True)
class Plane:
    """Rows by truth and prediction in square cells; what lies outside the edges is in the outer ones.

    Attributes:
        edges: (B + 1,) of both sides.
        truth, predicted, count: one entry for each cell that holds a row: its places, its rows.
    """

    edges: tuple[float, ...]
    truth: tuple[int, ...]
    predicted: tuple[int, ...]
    count: tuple[int, ...]


@dataclass(frozen=True)
class ErrorBins:
    """Equal-mass bins of the prediction, by bin: rows; means of prediction and error (prediction
    minus truth); quantiles of the error at 0.05 and 0.95; share of truths inside their interval
    with its bootstrap interval."""

    count: tuple[int, ...]
    mean_prediction: tuple[float, ...]
    mean_error: tuple[float, ...]
    error_low: tuple[float, ...]
    error_high: tuple[float, ...]
    coverage: tuple[float, ...]
    coverage_lower: tuple[float, ...]
    coverage_upper: tuple[float, ...]


@dataclass(frozen=True)
class RegressionMetrics:
    """One number, evaluated. Rows without a truth are not counted anywhere.

    Attributes:
        n, n_subjects: rows and their subjects.
        nominal: the share of truths that prediction intervals were to cover.
        metrics: mae, rmse, r2, coverage (share of truths inside), width (mean, of the intervals).
        plane, bins: for plots.
        resamples, seed, level: of the bootstrap.
    """

    n: int
    n_subjects: int
    nominal: float
    metrics: Mapping[str, Estimate]
    plane: Plane
    bins: ErrorBins
    resamples: int
    seed: int
    level: float

    def to_json(self) -> dict[str, Any]:
        """The fields by name, with `kind` "regression"."""
        return {"kind": "regression", **plain(asdict(self))}


def plain(value: Any) -> Any:
    """The same with lists for tuples and None for what is not finite."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
