"""Stored answers of any task -> what can be measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.measures import Measured, classes, number, ranks, yes_no

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Stored = Mapping[str, Mapping[str, Array]]

SEPARATOR = "//"  # between label and class among stored answers


def whole_answers(kind: str, config: Any, stored: Stored, targets: Array) -> list[Measured]:
    """Each answer as a whole: a label of binary and multilabel, the choice among classes, a number.

    Args:
        kind: "binary", "multilabel", "multiclass", "ordinal" or "regression".
        config: the task's: `labels`, and `classes` where it has them.
        stored: {label: {column of `predictions`: (N,)}}.
        targets: (N, T), NaN where not known.
    """
    truth = np.asarray(targets, np.float64)
    if kind in ("binary", "multilabel"):
        return yes_or_no(kind, config, stored, targets)
    if kind == "regression":
        return [_number(label, stored[label], truth[:, place]) for place, label in enumerate(config.labels)]
    label = config.labels[0]
    decided = np.asarray(stored[label]["predicted_integer_value"]).astype(np.int64)
    if kind == "ordinal":
        return [ranks(label, truth[:, 0], decided)]
    return [classes(label, _by_class(config, stored), truth[:, 0], decided)]


def yes_or_no(kind: str, config: Any, stored: Stored, targets: Array) -> list[Measured]:
    """Each yes-or-no question that an answer holds: the labels, each class against the rest, "this
    class or above"; none of numbers. Arguments as those of `whole_answers`."""
    truth = np.asarray(targets, np.float64)
    if kind in ("binary", "multilabel"):
        return [
            yes_no(label, _floats(stored[label]["predicted_boolean_probability"]), truth[:, place],
                   np.asarray(stored[label]["predicted_boolean_value"]).astype(bool))
            for place, label in enumerate(config.labels)
        ]  # fmt: skip
    if kind == "regression":
        return []
    label, place = config.labels[0], truth[:, 0]
    decided = np.asarray(stored[label]["predicted_integer_value"]).astype(np.int64)
    chances = _by_class(config, stored)
    gaps = np.where(np.isnan(place), np.nan, 0.0)
    if kind == "multiclass":
        return [
            yes_no(f"{label}{SEPARATOR}{name}", chances[:, at], gaps + (place == at), decided == at)
            for at, name in enumerate(config.classes)
        ]
    above = np.clip(chances[:, ::-1].cumsum(axis=1)[:, ::-1], 0.0, 1.0)
    return [
        yes_no(f"{label} \N{GREATER-THAN OR EQUAL TO} {name}", above[:, at], gaps + (place >= at), decided >= at)
        for at, name in enumerate(config.classes)
        if at
    ]


def _number(label: str, answer: Mapping[str, Array], truth: Floats) -> Measured:
    ends = (_floats(answer[end]) for end in ("prediction_lower", "prediction_upper"))
    return number(label, _floats(answer["predicted_float_value"]), truth, *ends)


def _by_class(config: Any, stored: Stored) -> Floats:
    names = [f"{config.labels[0]}{SEPARATOR}{name}" for name in config.classes]
    return np.stack([_floats(stored[name]["predicted_boolean_probability"]) for name in names], axis=1)


def _floats(values: Array) -> Floats:
    return np.asarray(values, np.float64)
