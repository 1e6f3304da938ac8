"""Logistic and ridge regression, as strong as the inner folds allow."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error

from medray.baselines.design import design
from medray.baselines.sample import Fold, Sample, UnlearnableError, usable_folds

Array = npt.NDArray[Any]

# Weight of the squared coefficients beside the mean loss of a row; strong first.
STRENGTHS = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00001)
MOST_STEPS = 1000


def logistic(sample: Sample, features: Array, classes: int) -> Array:
    """L2 logistic regression (multinomial from three classes on).

    Returns:
        float64 (M, classes) probabilities; 0 for a class that the sample does not hold.

    Raises:
        UnlearnableError: no inner fold holds every class.
    """
    made = design(sample.features)
    inputs, answers = made(sample.features), sample.targets.astype(np.int64)
    present = np.unique(answers)

    def fit(rows: Array, strength: float) -> LogisticRegression:
        model = LogisticRegression(C=1 / (strength * len(rows)), max_iter=MOST_STEPS, tol=1e-3)
        return model.fit(inputs[rows], answers[rows])

    def loss(model: LogisticRegression, rows: Array) -> float:
        return float(log_loss(answers[rows], model.predict_proba(inputs[rows]), labels=present))

    model = best_fit(fit, loss, list(usable_folds(sample)), np.arange(len(answers)))
    out = np.zeros((len(features), classes))
    out[:, present] = model.predict_proba(made(features))
    return out


def ridge(sample: Sample, features: Array, absolute: bool) -> Array:
    """Ridge regression; float64 (M,) in the unit of the targets.

    Learnt by the squared error always; with `absolute`, its strength is chosen by the absolute one.
    """
    error = mean_absolute_error if absolute else mean_squared_error
    made = design(sample.features)
    inputs = made(sample.features)

    def fit(rows: Array, strength: float) -> Ridge:
        return Ridge(alpha=strength * len(rows)).fit(inputs[rows], sample.targets[rows])

    def loss(model: Ridge, rows: Array) -> float:
        return float(error(sample.targets[rows], model.predict(inputs[rows])))

    answers: Array = best_fit(fit, loss, sample.folds, np.arange(len(inputs))).predict(made(features))
    return answers


def best_fit(
    fit: Callable[[Array, float], Any], loss: Callable[[Any, Array], float], folds: Sequence[Fold], rows: Array
) -> Any:
    """The model of all rows with the one of `STRENGTHS` that has the least mean loss over the folds.

    A solver that stops before it converges has not found the model that is described: that
    strength is no candidate, and the next stronger one is taken.

    Raises:
        UnlearnableError: not even the strongest converges.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        losses = _losses(fit, loss, folds)
        for strength in reversed(STRENGTHS[: int(np.argmin(losses)) + 1] if losses else ()):
            with suppress(ConvergenceWarning):
                return fit(rows, strength)
    raise UnlearnableError("the solver did not converge")


def _losses(
    fit: Callable[[Array, float], Any], loss: Callable[[Any, Array], float], folds: Sequence[Fold]
) -> list[float]:
    """Mean losses from the strongest on.

    They fall and then rise, so that the path ends with the second that is above the lowest; it also
    ends at the first strength without convergence, since weaker ones converge more slowly.
    """
    found: list[float] = []
    for strength in STRENGTHS:
        with suppress(ConvergenceWarning):
            found.append(float(np.mean([loss(fit(learn, strength), check) for learn, check in folds])))
            if len(found) - np.argmin(found) <= 2:
                continue
        break
    return found
