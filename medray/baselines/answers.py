"""A question, a training split and new features -> what a simple model answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.baselines.carried import carried
from medray.baselines.linear import logistic, ridge
from medray.baselines.question import KINDS, Question
from medray.baselines.sample import Sample, UnlearnableError, drawn_rows, finite, sample
from medray.baselines.trees import boosted_classes, boosted_number

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Baseline:
    """A simple model.

    Attributes:
        chances: (sample, features (M, f), C) -> (M, C) probabilities of the classes 0 to C - 1;
            None where it has none.
        number: (sample, features (M, f), absolute) -> (M,).
        chances_name, number_name: what a report calls it.
        kinds: of the questions that it answers.
    """

    chances: Callable[[Sample, Array, int], Array] | None
    number: Callable[[Sample, Array, bool], Array]
    chances_name: str
    number_name: str
    kinds: tuple[str, ...] = KINDS


BASELINES = {
    "linear": Baseline(logistic, ridge, "logistic regression", "ridge regression"),
    "trees": Baseline(boosted_classes, boosted_number, "boosted trees", "boosted trees"),
    "carried": Baseline(None, carried, "", "the best summary as it is", ("regression",)),
}


@dataclass(frozen=True)
class Training:
    """The training split as simple models see it.

    Attributes:
        features: float32 (n, F), NaN where not known.
        targets: (n, T), NaN where missing: 0 and 1, class positions, ranks, or numbers.
        subjects: int64 (n,).
    """

    features: Array
    targets: Array
    subjects: Array


@dataclass(frozen=True)
class Answers:
    """What one simple model answers.

    Attributes:
        values: float64 (M, K), as `network_answers` has them; NaN in a column that was not learnt.
        reasons: K, why a column could not be learnt; "" where it could.
    """

    values: Array
    reasons: tuple[str, ...]

    @property
    def learnt(self) -> Array:
        """bool (K,)."""
        return np.array([not reason for reason in self.reasons])


def drawn(features: Array, targets: Array, subjects: Array, seed: int) -> Training:
    """The answered rows of a training split, `MOST_ROWS` at most, subject by subject."""
    some = np.flatnonzero(~np.isnan(targets).all(axis=1))
    rows = some[drawn_rows(subjects[some], seed)]
    return Training(finite(features[rows]), targets[rows], subjects[rows])


def baseline_answers(baseline: Baseline, asked: Question, training: Training, features: Array, seed: int) -> Answers:
    """What a simple model answers for features (M, F); `seed` is that of folds and trees."""
    inputs = finite(features)
    width = len(asked.classes) if asked.kind == "multiclass" else 1
    values, reasons = [], []
    for targets in training.targets.T:
        try:
            learnt, columns = sample(training.features, targets, training.subjects, seed)
            values.append(_answer(baseline, asked, learnt, inputs[:, columns]))
            reasons += [""] * width
        except UnlearnableError as why:
            values.append(np.full((len(inputs), width), np.nan))
            reasons += [str(why)] * width
    return Answers(np.hstack(values), tuple(reasons))


def _answer(baseline: Baseline, asked: Question, learnt: Sample, features: Array) -> Array:
    """(M, C) of a multiclass question, (M, 1) otherwise.

    The expected rank of an ordinal question is the conditional mean of the rank: a regression.
    """
    if asked.by_chance:
        assert baseline.chances is not None
        chances = baseline.chances(learnt, features, max(len(asked.classes), 2))
        return chances if asked.kind == "multiclass" else chances[:, 1:]
    number = baseline.number(learnt, features, asked.absolute)[:, None]
    return np.clip(number, 0, len(asked.classes) - 1) if asked.kind == "ordinal" else number
