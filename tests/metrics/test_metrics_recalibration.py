"""Cox's slope and intercept against scikit-learn, by hand, and where they are not defined."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from medray.metrics.recalibration import log_odds, slope_and_intercept


def found(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    times = np.ones(len(scores)) if weights is None else weights
    return slope_and_intercept(log_odds(scores, positive.astype(bool)), times)


def test_by_hand() -> None:
    # 1 of 4 at 0.1 and 3 of 4 at 0.9: honest log-odds are log 3 either way, told are log 9
    scores, positive = np.repeat([0.1, 0.9], 4), np.array([0, 0, 0, 1, 0, 1, 1, 1])
    assert found(scores, positive) == pytest.approx((0.5, 0.0), abs=1e-9)
    # all told 0.2, half are: the whole shift is log(1) - log(1/4)
    slope, intercept = found(np.full(4, 0.2), np.array([0, 0, 1, 1]))
    assert np.isnan(slope)
    assert intercept == pytest.approx(np.log(4))


@pytest.mark.parametrize(("stretch", "shift"), [(1.0, 0.0), (3.0, 1.0), (0.4, -2.0)])
def test_it_is_the_logistic_regression_of_scikit_learn(stretch: float, shift: float) -> None:
    rng = np.random.default_rng(5)
    honest = rng.normal(0, 1, 400)
    positive = rng.random(400) < expit(honest)
    scores, weights = expit(stretch * honest + shift), rng.integers(0, 4, 400).astype(float)
    z = logit(scores)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(z[:, None], positive, sample_weight=weights)
    flat = brentq(lambda at: np.sum(weights * (positive - expit(z + at))), -9, 9)
    assert found(scores, positive, weights) == pytest.approx((theirs.coef_[0, 0], flat), abs=1e-5)


def test_many_rows_are_gathered_without_moving_the_answer() -> None:
    rng = np.random.default_rng(6)
    z = rng.normal(-1, 2, 40_000)
    positive = rng.random(40_000) < expit(z / 2 + 0.3)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(z[:, None], positive)
    rows = log_odds(expit(z), positive)
    assert len(rows.cells) < 6000
    assert slope_and_intercept(rows, np.ones(40_000))[0] == pytest.approx(theirs.coef_[0, 0], rel=1e-4)


@pytest.mark.parametrize("positive", [[0, 0, 1, 1], [1, 1, 0, 0]])
def test_scores_that_separate_the_classes_have_no_slope(positive: list[int]) -> None:
    slope, intercept = found(np.array([0.1, 0.2, 0.7, 0.9]), np.array(positive))
    assert np.isnan(slope)
    assert np.isfinite(intercept)


def test_one_class_has_neither() -> None:
    assert np.isnan(found(np.array([0.1, 0.2]), np.ones(2))).all()
    assert np.isnan(found(np.array([0.1, 0.9]), np.array([0, 1]), np.array([2.0, 0.0]))).all()


def test_certain_scores_that_are_wrong_stay_finite() -> None:
    slope, intercept = found(np.array([0.0, 0.0, 1.0, 1.0, 0.5]), np.array([0, 1, 1, 0, 1]))
    assert np.isfinite([slope, intercept]).all()
