"""Gradient-boosted trees, as many as the inner folds ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from medray.baselines.sample import Fold, Sample, usable_folds

Array = npt.NDArray[Any]
MOST_TREES = 300
PATIENCE = 15


def boosted_classes(sample: Sample, features: Array, classes: int) -> Array:
    """float64 (M, classes) probabilities; 0 for a class that the sample does not hold.

    Raises:
        UnlearnableError: no inner fold holds every class.
    """
    answers = sample.targets.astype(np.int64)
    model = _grown(HistGradientBoostingClassifier, "log_loss", sample, answers, list(usable_folds(sample)))
    out = np.zeros((len(features), classes))
    out[:, np.unique(answers)] = model.predict_proba(features)
    return out


def boosted_number(sample: Sample, features: Array, absolute: bool) -> Array:
    """float64 (M,) in the unit of the targets, for the lowest absolute or squared error."""
    loss = "absolute_error" if absolute else "squared_error"
    answers: Array = _grown(HistGradientBoostingRegressor, loss, sample, sample.targets, sample.folds).predict(features)
    return answers


def _grown(kind: Any, loss: str, sample: Sample, answers: Array, folds: Sequence[Fold]) -> Any:
    """All rows, with as many trees as the inner folds stopped at on average."""
    trees = []
    for learn, check in folds:
        model = _planted(kind, loss, sample, MOST_TREES, early_stopping=True)
        model.fit(sample.features[learn], answers[learn], X_val=sample.features[check], y_val=answers[check])
        trees.append(int(np.argmax(model.validation_score_)))
    model = _planted(kind, loss, sample, max(round(np.mean(trees)), 1), early_stopping=False)
    return model.fit(sample.features, answers)


def _planted(kind: Any, loss: str, sample: Sample, trees: int, *, early_stopping: bool) -> Any:
    return kind(
        loss=loss,
        max_iter=trees,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=int(np.clip(len(sample.targets) // 20, 2, 20)),
        l2_regularization=5.0,
        max_features=0.25,
        max_bins=127,
        early_stopping=early_stopping,
        n_iter_no_change=PATIENCE,
        random_state=sample.seed,
    )
