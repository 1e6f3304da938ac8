"""Answers of a label file -> numbers, with NaN where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medray.contracts import Array
from medray.errors import LabelError

_LARGEST = float(np.finfo(np.float32).max)


def answers(rows: Mapping[str, Sequence[Any]], label: str) -> Sequence[Any]:
    """The values of one question.

    Raises:
        LabelError: the label file has no such question.
    """
    if label not in rows:
        raise LabelError(
            where=f"labels, question '{label}'",
            found="no answer at all",
            allowed="the questions that [task] names",
            do="add the question to the label file or correct its name in the recipe",
        )
    return rows[label]


def is_missing(value: Any) -> bool:
    """True for None and for a float NaN (what pandas puts for a missing answer)."""
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def refuse(label: str, position: int, value: Any, allowed: str, count: int = 1) -> LabelError:
    """The error for answers that the task cannot hold, `value` the first of so many; names its type,
    never its text."""
    others = f", and {count - 1:,} more" if count > 1 else ""
    return LabelError(
        where=f"labels, question '{label}', example {position}",
        found=f"a value of type {type(value).__name__} that is not allowed{others}",
        allowed=allowed,
        do="correct the label file, or leave the answer empty where it is not known",
    )


def booleans(values: Sequence[Any], label: str) -> Array:
    """Yes and no as 1 and 0.

    Args:
        values: booleans, or numbers equal to 0 or 1; None or NaN where the answer is missing.

    Returns:
        float32 (N,), NaN where missing.

    Raises:
        LabelError: any other value.
    """
    out = np.full(len(values), np.nan, dtype=np.float32)
    for position, value in enumerate(values):
        if is_missing(value):
            continue
        if isinstance(value, str) or value not in (0, 1):
            raise refuse(label, position, value, "true, false, 1, 0 or empty")
        out[position] = float(value)
    return out


def class_indices(values: Sequence[Any], label: str, classes: Sequence[str]) -> Array:
    """The position of each answer among `classes`.

    Args:
        values: class names, or integers that are positions; None or NaN where missing.

    Returns:
        float32 (N,), NaN where missing.

    Raises:
        LabelError: a name or number that is no class.
    """
    index: dict[Any, int] = {name: position for position, name in enumerate(classes)}
    index.update({position: position for position in range(len(classes))})
    known = [(position, value) for position, value in enumerate(values) if not is_missing(value)]
    others = [place for place in known if isinstance(place[1], bool | np.bool_) or place[1] not in index]
    if others:
        named = f"one of the classes of [task] ({', '.join(classes)}), its position from 0, or empty"
        raise refuse(label, *others[0], named, count=len(others))
    out = np.full(len(values), np.nan, dtype=np.float32)
    for position, value in known:
        out[position] = float(index[value])
    return out


def numbers(values: Sequence[Any], label: str) -> Array:
    """Numbers as they are.

    Args:
        values: integers or floats; None or NaN where the answer is missing.

    Returns:
        float64 (N,), NaN where missing.

    Raises:
        LabelError: a value that is no finite number, or too large for float32.
    """
    out = np.full(len(values), np.nan, dtype=np.float64)
    for position, value in enumerate(values):
        if is_missing(value):
            continue
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not number or not abs(value) <= _LARGEST:
            raise refuse(label, position, value, f"a finite number of size {_LARGEST:.3g} at most, or empty")
        out[position] = float(value)
    return out
