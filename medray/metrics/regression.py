"""One number, evaluated: errors, explained variance, and whether its interval keeps its promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.bootstrap import Resampling, Statistic
from medray.metrics.checks import check_finite, check_lengths
from medray.metrics.macro import with_intervals
from medray.metrics.records import ErrorBins, Estimate, Plane, RegressionMetrics

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

METRICS = ("mae", "rmse", "r2", "coverage", "width")
ERROR_BINS = 10
PLANE_BINS = 60
ROUNDING = 1e-12  # a variance below this share of the mean square is no variance
TAIL = 0.001  # share of values beyond each end of the plane: one gross error must not set its scale


@dataclass(frozen=True)
class _Sample:
    """Rows that have a truth: (N,) each, and the bins of the prediction that all resamples share.

    `covered` and `width` are NaN where there is no interval.
    """

    predicted: Floats
    truth: Floats
    covered: Floats
    width: Floats
    subjects: Integers
    bins: Integers
    bin_count: int


def evaluate_regression(
    predicted: Array,
    targets: Array,
    lower: Array,
    upper: Array,
    nominal: float,
    subjects: Array,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> RegressionMetrics:
    """Every metric of one number, with intervals by subject.

    Args:
        predicted: (N,) in the units of the truth.
        targets: (N,) the truth, NaN not known.
        lower, upper: (N,) ends of the prediction intervals, NaN or None where there is none.
        nominal: the share of truths that they were to cover.
        subjects: (N,) whose row it is.
        resamples, seed, level: of the bootstrap by subject.

    Raises:
        AccountingError: the arrays differ in length.
        ModelError: a prediction is no finite number.
    """
    check_lengths("evaluate_regression", predicted, targets, lower, upper, subjects)
    known = ~np.isnan(np.asarray(targets, np.float64))
    check_finite("evaluate_regression", np.asarray(predicted, np.float64)[known])
    sample = _sample(*(np.asarray(part)[known] for part in (predicted, targets, lower, upper, subjects)))
    found = with_intervals(_statistic(sample), sample.subjects, Resampling(resamples, seed, level))
    return RegressionMetrics(
        n=len(sample.truth),
        n_subjects=len(np.unique(sample.subjects)),
        nominal=nominal,
        metrics=dict(zip(METRICS, found, strict=False)),
        plane=_plane(sample),
        bins=_error_bins(sample, found[len(METRICS) :]),
        resamples=resamples,
        seed=seed,
        level=level,
    )


def _sample(predicted: Array, targets: Array, lower: Array, upper: Array, subjects: Array) -> _Sample:
    value, truth, low, high = (part.astype(np.float64) for part in (predicted, targets, lower, upper))
    inner = _inner_edges(value)
    return _Sample(
        predicted=value,
        truth=truth,
        covered=np.where(np.isnan(high - low), np.nan, (low <= truth) & (truth <= high)),
        width=high - low,
        subjects=subjects.astype(np.int64),
        bins=np.searchsorted(inner, value, side="right").astype(np.int64),
        bin_count=len(inner) + 1,
    )


def _inner_edges(values: Floats) -> Floats:
    """Edges between at most `ERROR_BINS` bins that hold about as many values each, and one at least."""
    if not len(values):
        return values
    edges = np.unique(np.quantile(values, np.linspace(0, 1, ERROR_BINS + 1)[1:-1], method="higher"))
    return np.asarray(edges[edges > values.min()])


def _statistic(sample: _Sample) -> Statistic:
    """Row weights -> the values of `METRICS`, then the coverage of each bin."""
    error = sample.predicted - sample.truth
    centred = sample.truth - (np.median(sample.truth) if len(error) else 0.0)
    moments = np.stack([np.abs(error), error**2, centred, centred**2, sample.covered, sample.width])

    def values(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            # no BLAS here: its threads cost more than they save, and sums would depend on how many there are
            mae, squared, mean, square, coverage, width = (moments * weights).sum(axis=1) / weights.sum()
            variance = square - mean**2
            r2 = 1 - squared / variance if variance > ROUNDING * square else np.nan
            mass = np.bincount(sample.bins, weights, sample.bin_count)
            per_bin = np.bincount(sample.bins, weights * sample.covered, sample.bin_count) / mass
        return np.array([mae, np.sqrt(squared), r2, coverage, width, *per_bin])

    return values


def _error_bins(sample: _Sample, coverage: list[Estimate]) -> ErrorBins:
    error = sample.predicted - sample.truth
    rows = [sample.bins == number for number in range(sample.bin_count)]
    return ErrorBins(
        count=tuple(int(here.sum()) for here in rows),
        mean_prediction=tuple(_mean(sample.predicted[here]) for here in rows),
        mean_error=tuple(_mean(error[here]) for here in rows),
        error_low=tuple(_quantile(error[here], 0.05) for here in rows),
        error_high=tuple(_quantile(error[here], 0.95) for here in rows),
        coverage=tuple(share.value for share in coverage),
        coverage_lower=tuple(share.lower for share in coverage),
        coverage_upper=tuple(share.upper for share in coverage),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _quantile(values: Floats, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else float("nan")


def _plane(sample: _Sample) -> Plane:
    both = np.concatenate([sample.truth, sample.predicted])
    if not len(both):
        return Plane((0.0, 1.0), (), (), ())
    low, high = np.quantile(both, [TAIL, 1 - TAIL])
    edges = np.linspace(low, high if high > low else low + 1.0, PLANE_BINS + 1)
    truth, predicted = (np.searchsorted(edges[1:-1], part, side="right") for part in (sample.truth, sample.predicted))
    cells, count = np.unique(truth * PLANE_BINS + predicted, return_counts=True)
    rows, columns = np.divmod(cells, PLANE_BINS)
    return Plane(tuple(edges.tolist()), tuple(rows.tolist()), tuple(columns.tolist()), tuple(count.tolist()))
