from __future__ import annotations

import numpy as np
import pytest

from medray.errors import RecipeError
from medray.metrics.binary import evaluate_binary
from medray.metrics.bootstrap import Resampling, Statistic, estimates, replicates, without_bias


def mean_of(values: np.ndarray) -> Statistic:
    return lambda weights: np.array([np.dot(weights, values) / weights.sum(), weights.sum()])


def test_a_subject_is_drawn_with_all_its_rows() -> None:
    seen = []

    def keep(weights: np.ndarray) -> np.ndarray:
        seen.append(weights)
        return np.zeros(1)

    replicates(keep, np.array([7, 7, 7, 3, 9, 9]), Resampling(50, 1, 0.95))
    weights = np.array(seen)
    assert np.array_equal(weights[:, 0], weights[:, 1])
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert np.array_equal(weights[:, 4], weights[:, 5])
    # three subjects are drawn each time
    assert np.all(weights[:, 0] + weights[:, 3] + weights[:, 4] == 3)
    assert len(np.unique(weights[:, 0])) > 1


@pytest.mark.parametrize(("resamples", "level"), [(0, 0.95), (10, 0.0), (10, 1.0), (10, 95)])
def test_a_bootstrap_that_cannot_be_is_refused(resamples: int, level: float) -> None:
    with pytest.raises(RecipeError, match="1 resample or more"):
        Resampling(resamples, 1, level)


def test_the_same_seed_draws_the_same() -> None:
    values, subjects = np.arange(10.0), np.arange(10)
    first, again, other = (replicates(mean_of(values), subjects, Resampling(20, seed, 0.95)) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_order_of_rows_changes_nothing() -> None:
    generator = np.random.default_rng(0)
    values, subjects = generator.random(40), generator.integers(0, 9, 40)
    turned = generator.permutation(40)
    one = replicates(mean_of(values), subjects, Resampling(20, 1, 0.95))
    two = replicates(mean_of(values[turned]), subjects[turned], Resampling(20, 1, 0.95))
    assert np.allclose(one, two)


def test_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    # standard error of the mean of 400 values of standard deviation 1 is 0.05
    values = np.random.default_rng(2).normal(size=400)
    values = (values - values.mean()) / values.std()
    drawn = replicates(mean_of(values), np.arange(400), Resampling(2000, 3, 0.95))
    found = estimates(np.array([0.0, 400.0]), drawn, 400, 0.95)[0]
    assert abs(found.upper - 1.96 * 0.05) < 0.01
    assert abs(found.lower + 1.96 * 0.05) < 0.01


def test_percentiles_by_hand() -> None:
    drawn = np.arange(101.0)[:, None]
    found = estimates(np.array([50.0]), drawn, 9, 0.90)[0]
    assert (found.value, found.lower, found.upper, found.undefined) == pytest.approx((50, 5, 95, 0))


def test_undefined_resamples_are_left_out_and_counted() -> None:
    drawn = np.array([[1.0], [np.nan], [3.0], [np.nan]])
    found = estimates(np.array([2.0]), drawn, 9, 0.999)[0]
    assert found.undefined == 2
    assert 1 <= found.lower < 1.01
    assert 2.99 < found.upper <= 3


def test_no_interval_without_a_value_or_with_one_subject() -> None:
    drawn = np.ones((5, 1))
    for value, subject_count in ((np.nan, 9), (1.0, 1)):
        found = estimates(np.array([value]), drawn, subject_count, 0.95)[0]
        assert np.isnan(found.lower)
        assert np.isnan(found.upper)


def test_a_distance_keeps_its_interval_around_its_value() -> None:
    drawn = without_bias(0.02, np.array([0.03, 0.05, 0.06, np.nan]))
    np.testing.assert_allclose(drawn, [0.0, 0.02, 0.03, np.nan])


def test_the_interval_of_a_calibration_error_holds_the_error() -> None:
    """Honest scores: in nearly every resample the error is larger than in the sample."""
    rng = np.random.default_rng(4)
    for _ in range(10):
        scores = rng.random(300)
        truth = (rng.random(300) < scores).astype(float)
        found = evaluate_binary(scores, truth, scores > 0.5, 0.5, np.arange(300), resamples=100, seed=1, raw=scores)
        assert found.raw is not None
        for ece in (found.metrics["ece"], found.raw.metrics["ece"]):
            assert 0.0 <= ece.lower <= ece.value <= ece.upper
