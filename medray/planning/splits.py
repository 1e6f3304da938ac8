"""A subject is in one split for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medray.contracts import Array
from medray.errors import SplitError

TRAIN, TUNING, HELD_OUT = "train", "tuning", "held_out"
SPLITS = (TRAIN, TUNING, HELD_OUT)
LEARNT = (TRAIN, TUNING)  # what a model is made with


def hashed_split(subject_id: int, salt: str, tuning: float, held_out: float) -> str:
    """The split of a subject by a salted hash: 53 bits of SHA-256 as a number in [0, 1).

    The held-out part lies at the bottom, the tuning part above it, so that changing one share
    moves no subject between the other two.
    """
    digest = hashlib.sha256(f"{salt}\x1f{subject_id}".encode()).digest()
    position = (int.from_bytes(digest[:8], "big") >> 11) / 2**53
    if position < held_out:
        return HELD_OUT
    return TUNING if position >= 1 - tuning else TRAIN


def nested(subjects: Array, share: float, salt: str) -> Array:
    """bool (N,): whether each row's subject is in a part of about `share` of all subjects. The part of a
    smaller share lies within that of a larger one; a share of 1 is everybody."""
    inside = {subject: hashed_split(int(subject), salt, 0.0, share) == HELD_OUT for subject in np.unique(subjects)}
    return np.array([inside[subject] for subject in subjects], bool)


def assign(subjects: Array, declared: Mapping[str, Any], given: Sequence[str | None]) -> Array:
    """The split of each example, as an object array of `SPLITS` (None: not declared for it).

    Args:
        subjects: int64 (N,).
        declared: a recipe's `[split]`.
        given: the split label's value of each example, read when the recipe names a label.

    Raises:
        SplitError: a given value is no split, or one subject has two.
    """
    if declared.get("label") is None:
        values = {
            subject: hashed_split(
                int(subject), str(declared["salt"]), float(declared["tuning"]), float(declared["held_out"])
            )
            for subject in np.unique(subjects)
        }
        return np.array([values[subject] for subject in subjects], dtype=object)
    unknown = {value for value in given if value is not None} - set(SPLITS)
    if unknown:
        raise SplitError(
            f"label {declared['label']!r}",
            f"{len(unknown)} unknown value(s)",
            ", ".join(SPLITS),
            "correct the label file",
        )
    _one_split_each(subjects, given)
    return np.array(list(given), dtype=object)


def _one_split_each(subjects: Array, given: Sequence[str | None]) -> None:
    seen: dict[int, str] = {}
    torn = {
        int(subject)
        for subject, value in zip(subjects, given, strict=True)
        if value is not None and seen.setdefault(int(subject), value) != value
    }
    if torn:
        raise SplitError(
            "given split",
            f"{len(torn)} subject(s) in two splits",
            "one split for each subject",
            "correct the label file",
        )


def check_apart(keys: Array, parts: Array, where: str, what: str = "subject(s)") -> None:
    """Raise SplitError where the examples of one subject, or of whatever the keys are, are in two parts.

    Args:
        keys, parts: (N,), whose example it is and where it went.
    """
    pairs = np.unique(np.stack([np.asarray(keys, np.int64), np.asarray(parts, np.int64)]), axis=1)
    torn = pairs.shape[1] - len(np.unique(pairs[0]))
    if torn:
        raise SplitError(
            where,
            f"{torn} {what} in two of its parts",
            "each in one part",
            "report it: no recipe may lead to this",
        )
