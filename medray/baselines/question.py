"""What is asked, and the network's stored answers and the truth in one form for every kind of task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Stored = Mapping[str, Mapping[str, Array]]

CHANCES = ("binary", "multilabel", "multiclass")  # answered by probabilities; the others by a number
KINDS = (*CHANCES, "ordinal", "regression")
_SEPARATOR = "//"  # between label and class among stored answers


@dataclass(frozen=True)
class Question:
    """A task as simple models see it.

    Attributes:
        kind: "binary", "multilabel", "multiclass", "ordinal" or "regression".
        labels: as in the label file.
        classes: of multiclass and ordinal, in order.
        absolute: numbers are asked for with the lowest absolute error, not the lowest squared one.
    """

    kind: str
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    absolute: bool

    @property
    def by_chance(self) -> bool:
        """Whether the answers are probabilities."""
        return self.kind in CHANCES

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the K columns of an answer: the classes of multiclass, the labels otherwise."""
        return self.classes if self.kind == "multiclass" else self.labels


def question(kind: str, task_config: Any) -> Question:
    """The question of a task's config, which has `labels` and may have `classes` and `loss`."""
    return Question(
        kind=kind,
        labels=tuple(task_config.labels),
        classes=tuple(getattr(task_config, "classes", ())),
        absolute=getattr(task_config, "loss", "squared") == "absolute",
    )


def network_answers(asked: Question, stored: Stored) -> Array:
    """float64 (M, K): the probability of each label or class, the expected rank, or each number."""
    prefix = f"{asked.labels[0]}{_SEPARATOR}" if asked.kind == "multiclass" else ""
    value = "predicted_boolean_probability" if asked.by_chance else "predicted_float_value"
    return np.stack([np.asarray(stored[prefix + name][value], np.float64) for name in asked.columns], axis=1)


def truth(asked: Question, targets: Array) -> Array:
    """float64 (M, K) beside the answers: 1, 0, a rank or a number; NaN where not known."""
    found = np.asarray(targets, np.float64)
    if asked.kind != "multiclass":
        return found
    return np.where(np.isnan(found), np.nan, found == np.arange(len(asked.classes)))
