"""The rows and columns that simple models learn from, and their inner folds by subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold

Array = npt.NDArray[Any]
Fold = tuple[Array, Array]  # row numbers to learn from, and to check on

MOST_ROWS = 20_000  # more would cost minutes, and change a simple model's third decimal
FEWEST_ROWS = 20
FOLDS = 3


class UnlearnableError(Exception):
    """A simple model cannot be learnt; the message says why, for the report."""


@dataclass(frozen=True)
class Sample:
    """What one simple model learns from: rows with a known target.

    Attributes:
        features: float32 (n, f), NaN where not known; every column varies.
        targets: float64 (n,).
        folds: inner folds; no subject is on both sides of one.
        seed: of what the model draws.
    """

    features: Array
    targets: Array
    folds: Sequence[Fold]
    seed: int


def drawn_rows(subjects: Array, seed: int) -> Array:
    """Sorted numbers of at most `MOST_ROWS` rows: subjects in random order, each with all its rows
    (the last may be cut)."""
    known, member = np.unique(subjects, return_inverse=True)
    turn = np.random.default_rng(seed).permutation(len(known))
    return np.sort(np.argsort(turn[member], kind="stable")[:MOST_ROWS])


def finite(features: Array) -> Array:
    """float32 (N, F) with NaN for every number that is not finite."""
    values = np.asarray(features, np.float32)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


def varying(features: Array) -> Array:
    """Places of the columns that tell rows apart, by their values or by what is missing."""
    known = ~np.isnan(features)
    some = known.sum(axis=0)
    low = np.where(known, features, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, features, -np.inf).max(axis=0, initial=-np.inf)
    return np.flatnonzero((some > 0) & ((low < high) | (some < len(features))))


def sample(features: Array, targets: Array, subjects: Array, seed: int) -> tuple[Sample, Array]:
    """The rows whose target (N,) is known, with the columns that vary there; and which those are.

    Raises:
        UnlearnableError: too few rows or subjects, no column that varies, or one target value only.
    """
    known = ~np.isnan(targets)
    values = targets[known].astype(np.float64)
    if known.sum() < FEWEST_ROWS:
        raise UnlearnableError(f"{known.sum()} training examples with an answer; {FEWEST_ROWS} or more are needed")
    if values.min() == values.max():
        raise UnlearnableError("all training examples have the same answer")
    columns = varying(features[known])
    if not len(columns):
        raise UnlearnableError("no summary differs between training examples")
    folds = _folds(subjects[known], seed)
    return Sample(features[known][:, columns], values, folds, seed), columns


def _folds(subjects: Array, seed: int) -> list[Fold]:
    groups = len(np.unique(subjects))
    if groups < FOLDS:
        raise UnlearnableError(f"{groups} training subject(s); {FOLDS} or more are needed to choose its strength")
    split = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    return list(split.split(subjects, groups=subjects))


def usable_folds(sample: Sample) -> Iterator[Fold]:
    """The folds whose learning side holds every answer that the sample holds.

    Raises:
        UnlearnableError: there is none.
    """
    answers = len(np.unique(sample.targets))
    found = [fold for fold in sample.folds if len(np.unique(sample.targets[fold[0]])) == answers]
    if not found:
        raise UnlearnableError("an answer is held by too few training subjects to choose the model's strength")
    yield from found
