"""The simple models: what they read, how strong they are, what they answer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from medray.baselines.design import design
from medray.baselines.linear import STRENGTHS, best_fit, logistic, ridge
from medray.baselines.sample import UnlearnableError, sample
from medray.baselines.trees import boosted_classes, boosted_number

NAN = np.nan


def test_gaps_get_the_median_and_one_column_for_each_pattern() -> None:
    features = np.array([[1, 10, 0], [2, 20, 1], [NAN, NAN, 0], [9, 90, 1]], np.float32)
    made = design(features)(features)
    # medians 2 and 20; both columns lack in the same row, so that one column of gaps tells it
    assert made.shape == (4, 4)
    assert made[2, 0] == pytest.approx(made[1, 0])
    assert made[2, 1] == pytest.approx(made[1, 1])
    assert made.mean(axis=0) == pytest.approx(np.zeros(4))
    assert made.std(axis=0) == pytest.approx(np.ones(4))
    assert made[:, 3] == pytest.approx(np.array([-1, -1, 3, -1]) / 3**0.5)


def test_new_rows_are_scaled_as_the_training_rows_and_cut() -> None:
    made = design(np.array([[-1.0], [1.0]], np.float32))
    assert made(np.array([[0.5], [NAN], [1e6], [-1e6]], np.float32))[:, 0].tolist() == [0.5, 0.0, 3.0, -3.0]


def path(losses: dict[float, float], converges: float = 0.0, whole: float = 0.0) -> tuple[float, list[float]]:
    """The strength that is chosen, and those that were tried on the fold (row 0) or on all rows (row 1)."""
    tried: list[float] = []

    def fit(rows: np.ndarray, strength: float) -> float:
        tried.append(strength)
        if strength < (whole if rows[0] else converges):
            warnings.warn("no", ConvergenceWarning, stacklevel=1)
        return strength

    fold = (np.zeros(1, int), np.zeros(1, int))
    return best_fit(fit, lambda strength, rows: losses.get(strength, 9.0), [fold], np.ones(1, int)), tried


def test_the_path_ends_when_two_steps_are_worse_than_its_lowest_point() -> None:
    best, tried = path({10.0: 5.0, 3.0: 4.0, 1.0: 4.5, 0.3: 3.0, 0.1: 4.0, 0.03: 4.0, 0.01: 4.0, 0.003: 1.0})
    assert best == 0.3
    assert tried == [10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.3]


def test_a_model_that_does_not_converge_is_no_candidate() -> None:
    falling = {strength: strength for strength in STRENGTHS}
    assert path(falling)[0] == STRENGTHS[-1]
    assert path(falling, converges=1.0)[0] == 1.0
    assert path(falling, whole=2.0)[0] == 3.0
    for never in ({"converges": 11.0}, {"whole": 11.0}):
        with pytest.raises(UnlearnableError, match="did not converge"):
            path(falling, **never)


def clouds(rows: int = 400, noise: float = 1.0) -> tuple[Any, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(2 * rows, 4)).astype(np.float32)
    targets = (features[:, 0] + noise * generator.normal(size=2 * rows) > 0).astype(float)
    learnt, _ = sample(features[:rows], targets[:rows], np.arange(rows), 0)
    return learnt, features[rows:], targets[rows:]


@pytest.mark.parametrize("learner", [logistic, boosted_classes])
def test_classes_are_learnt(learner: Any) -> None:
    learnt, features, targets = clouds()
    chances = learner(learnt, features, 2)
    assert chances.sum(axis=1) == pytest.approx(np.ones(len(features)))
    # the best that can be reached is 0.83
    assert roc_auc_score(targets, chances[:, 1]) > 0.79


def test_logistic_regression_is_as_good_as_the_strength_that_is_best_in_hindsight() -> None:
    learnt, features, targets = clouds(100, 2.0)
    mine = roc_auc_score(targets, logistic(learnt, features, 2)[:, 1])
    models = [LogisticRegression(C=c).fit(learnt.features, learnt.targets) for c in (0.001, 0.01, 0.1, 1, 10)]
    best = max(roc_auc_score(targets, model.predict_proba(features)[:, 1]) for model in models)
    assert mine > best - 0.01


@pytest.mark.parametrize("learner", [logistic, boosted_classes])
def test_a_class_that_was_never_seen_has_no_chance(learner: Any) -> None:
    generator = np.random.default_rng(0)
    targets = generator.choice([0.0, 2.0], 60)
    learnt, _ = sample((targets + generator.normal(size=60))[:, None].astype(np.float32), targets, np.arange(60), 0)
    chances = learner(learnt, np.array([[0.0], [2.0]], np.float32), 4)
    assert chances.shape == (2, 4)
    assert (chances[:, [1, 3]] == 0).all()
    assert chances[0, 0] > 0.5 < chances[1, 2]


def test_classes_that_are_separable_converge_or_stop() -> None:
    features = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
    learnt, _ = sample(features, (features[:, 0] > 0).astype(float), np.arange(40), 0)
    assert roc_auc_score(learnt.targets, logistic(learnt, features, 2)[:, 1]) == 1


@pytest.mark.parametrize("learner", [ridge, boosted_number])
@pytest.mark.parametrize("absolute", [False, True])
def test_numbers_are_learnt_in_their_unit(learner: Any, absolute: bool) -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(600, 3)).astype(np.float32)
    targets = 1000 + 100 * features[:, 1] + 10 * generator.normal(size=600)
    features[::7, 2] = NAN
    learnt, _ = sample(features[:400], targets[:400], np.arange(400), 0)
    assert np.abs(learner(learnt, features[400:], absolute) - targets[400:]).mean() < 20


def test_trees_may_aim_at_the_median() -> None:
    generator = np.random.default_rng(0)
    targets = np.where(generator.random(600) < 0.3, 100.0, 0.0)  # mean 30, median 0
    learnt, _ = sample(generator.normal(size=(600, 2)).astype(np.float32), targets, np.arange(600), 0)
    assert np.median(boosted_number(learnt, learnt.features, True)) < 1
    assert 20 < np.median(boosted_number(learnt, learnt.features, False)) < 40
