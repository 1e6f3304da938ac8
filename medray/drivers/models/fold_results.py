"""What a cross-validation has found, as JSON: every metric by seed and fold, curves, classic models beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from medray.contracts import Array, Task
from medray.drivers.models.fold_trainings import Fold, Stored
from medray.metrics.measures import OVER_CLASSES
from medray.planning.folds import OUT, TRAIN, TUNING

RESAMPLES = 1000
Json = dict[str, Any]


def measured(
    task: Task, config: Any, seeds: Sequence[Stored], targets: Array, subjects: Array, folds: Sequence[Fold], seed: int
) -> Json:
    """Every metric of every answer.

    Args:
        seeds: for each seed all N answers (`fold_trainings.pooled`).
        seed: of the bootstrap. All seeds of the networks are measured on the same resamples of subjects.

    Returns:
        `metrics`, one object each: `answer`, `metric`; `value`, the mean over seeds of the pooled out-of-fold
        metric, with `lower` and `upper`, the means of the ends of the seeds' intervals (about as wide as the
        interval of the mean, or wider); `by_seed` [S] of the pooled metric; `by_fold` [S][K], None where a fold
        lacks a class of which the metric is a mean; `over_seeds` and
        `over_folds`, the standard deviations of the seeds' pooled values and of the folds' means over seeds.
        `roc`: yes-or-no answer -> the curve of each fold, first seed.
    """

    def evaluated(stored: Stored, rows: Array, resamples: int) -> dict[tuple[str, str], Json]:
        return dict(_flat(task.evaluate(_some(stored, rows), targets[rows], config, subjects[rows], resamples, seed)))

    everything, outs = np.arange(len(targets)), [fold.rows(OUT) for fold in folds]
    whole = [evaluated(stored, everything, RESAMPLES) for stored in seeds]
    parts = [[evaluated(stored, out, 1) for out in outs] for stored in seeds]
    curves = [place for place, found in whole[0].items() if "roc" in found]
    values = [place for place, found in whole[0].items() if "value" in found]
    return {
        "metrics": [
            _spread(
                {"answer": answer, "metric": metric},
                [found[answer, metric] for found in whole],
                [[_of_fold(found, whole[0], answer, metric) for found in by_fold] for by_fold in parts],
            )
            for answer, metric in values
        ],
        "roc": {answer: [found[answer, "roc"]["roc"] for found in parts[0]] for answer, _ in curves},
    }


def _flat(metrics: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Json]]:
    """((answer, metric), estimate) of a task's metrics, ((answer, "roc"), {"roc": curve}) and ((answer, "over"),
    {"over": classes of its means}); the labels of a multilabel answer stand for themselves."""
    for answer, found in metrics.items():
        yield from (((answer, name), estimate) for name, estimate in found["metrics"].items())
        if "macro_over" in found:
            yield (answer, "over"), {"over": list(found["macro_over"])}
        if "roc" in found:
            yield (answer, "roc"), {"roc": found["roc"]}
        yield from _flat(found.get("by_label", {}))


def _some(stored: Stored, rows: Array) -> dict[str, dict[str, Array]]:
    return {label: {name: column[rows] for name, column in columns.items()} for label, columns in stored.items()}


def _of_fold(fold: Mapping[Any, Json], whole: Mapping[Any, Json], answer: str, metric: str) -> float:
    """A mean over other classes would be another quantity."""
    if metric in OVER_CLASSES and fold.get((answer, "over")) != whole.get((answer, "over")):
        return np.nan
    return _value(fold.get((answer, metric)))


def _value(estimate: Mapping[str, Any] | None) -> float:
    return np.nan if estimate is None or estimate["value"] is None else float(estimate["value"])


def _spread(named: Json, whole: Sequence[Mapping[str, Any]], by_fold: Sequence[Sequence[float]]) -> Json:
    ends = {end: [np.nan if one[end] is None else one[end] for one in whole] for end in ("value", "lower", "upper")}
    table = np.array(by_fold, np.float64)
    return {
        **named,
        **{end: _known(np.mean(values)) for end, values in ends.items()},
        "by_seed": [_known(value) for value in ends["value"]],
        "by_fold": [[_known(value) for value in row] for row in table],
        "over_seeds": _deviation(np.array(ends["value"])),
        "over_folds": _deviation(table.mean(axis=0)),
    }


def _deviation(values: Array) -> float | None:
    return _known(np.std(values, ddof=1)) if len(values) > 1 else None


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def divided(folds: Sequence[Fold], subjects: Array, group: Array, targets: Array, columns: Sequence[str]) -> list[Json]:
    """What each fold holds: examples and subjects out of it, of which so many share images with others; examples it
    learnt from and tuned with; the mean of each known target."""
    found = []
    for fold in folds:
        out = fold.rows(OUT)
        with np.errstate(invalid="ignore"):
            known = ~np.isnan(targets[out])
            mean = np.where(known, targets[out], 0).sum(axis=0) / known.sum(axis=0)
        joined = len(np.unique(subjects[out])) - len(np.unique(group[out]))
        found.append(
            {
                "fold": fold.number + 1,
                "examples": len(out),
                "subjects": len(np.unique(subjects[out])),
                "joined": joined,
                "train": len(fold.rows(TRAIN)),
                "tuning": len(fold.rows(TUNING)),
                "means": {name: _known(value) for name, value in zip(columns, mean, strict=True)},
            }
        )
    return found
