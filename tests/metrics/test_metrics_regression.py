from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from medray.errors import AccountingError, ModelError
from medray.metrics.evaluate import evaluate_regression
from medray.metrics.records import RegressionMetrics

NAN = np.nan
# errors 1, -2, 0, 3; the last row has no truth
PREDICTED = np.array([11.0, 18.0, 30.0, 43.0, 7.0])
TARGETS = np.array([10.0, 20.0, 30.0, 40.0, NAN])
SUBJECTS = np.arange(5)


def evaluated(**changes: object) -> RegressionMetrics:
    given = {
        "predicted": PREDICTED, "targets": TARGETS, "lower": PREDICTED - 2, "upper": PREDICTED + 2, "nominal": 0.8,
        "subjects": SUBJECTS, "resamples": 200, "seed": 4,
    }  # fmt: skip
    return evaluate_regression(**(given | changes))  # type: ignore[arg-type]


def values(found: RegressionMetrics) -> dict[str, float]:
    return {name: estimate.value for name, estimate in found.metrics.items()}


def test_values_by_hand() -> None:
    found = evaluated()
    assert (found.n, found.n_subjects, found.nominal) == (4, 4, 0.8)
    # squared errors 1 4 0 9; squared distances to the mean 25 are 225 25 25 225; an end of an interval is inside it
    assert values(found) == pytest.approx(
        {"mae": 1.5, "rmse": 3.5**0.5, "r2": 1 - 14 / 500, "coverage": 3 / 4, "width": 4.0}
    )


def test_values_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(1e7, 3, 300)  # far from 0, where squares lose their last digits
    predicted = truth + generator.normal(0.5, 2, 300)
    found = evaluated(predicted=predicted, targets=truth, lower=predicted, upper=predicted, subjects=np.arange(300))
    metrics = values(found)
    assert metrics["mae"] == pytest.approx(mean_absolute_error(truth, predicted))
    assert metrics["rmse"] == pytest.approx(root_mean_squared_error(truth, predicted))
    assert metrics["r2"] == pytest.approx(r2_score(truth, predicted))
    r2 = found.metrics["r2"]
    assert r2.lower < r2.value < r2.upper


def test_the_resampled_statistic_is_the_reported_value() -> None:
    # every subject alike: each resample equals the sample
    found = evaluated(
        predicted=np.tile(PREDICTED, 30), targets=np.tile(TARGETS, 30), lower=np.tile(PREDICTED - 2, 30),
        upper=np.tile(PREDICTED + 2, 30), subjects=np.repeat(np.arange(30), 5),
    )  # fmt: skip
    for name, estimate in found.metrics.items():
        assert (estimate.lower, estimate.upper) == pytest.approx((estimate.value, estimate.value)), name


def test_subjects_are_drawn_whole() -> None:
    found = evaluated(subjects=np.array([1, 1, 2, 2, 2]))
    # the draws are subject 1 alone (mean error 1.5), 2 alone (1.5), or both: never another mean
    assert (found.metrics["mae"].lower, found.metrics["mae"].upper) == pytest.approx((1.5, 1.5))
    assert found.metrics["rmse"].lower == pytest.approx(2.5**0.5)


@pytest.mark.parametrize("absent", [np.full(5, NAN), np.array([None] * 5, dtype=object)])
def test_no_prediction_interval_leaves_its_metrics_undefined(absent: np.ndarray) -> None:
    found = evaluated(lower=absent, upper=absent)
    assert np.isnan([values(found)["coverage"], values(found)["width"]]).all()
    assert values(found)["mae"] == 1.5
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_equal_truths_have_no_variance_to_explain(value: float) -> None:
    found = evaluated(targets=np.full(5, value))
    assert np.isnan(values(found)["r2"])
    assert found.metrics["r2"].undefined == 200


def test_a_resample_of_one_truth_explains_nothing() -> None:
    # each subject has one truth; half of the draws are of one subject only
    truth, subjects = np.repeat([0.1, 0.7], 3), np.repeat([1, 2], 3)
    predicted = truth + 0.05
    r2 = evaluated(predicted=predicted, targets=truth, lower=truth, upper=truth, subjects=subjects).metrics["r2"]
    assert r2.undefined == pytest.approx(100, abs=20)
    assert r2.lower > 0.9


def test_no_truth_at_all_is_null() -> None:
    written = json.loads(json.dumps(evaluated(targets=np.full(5, NAN)).to_json(), allow_nan=False))
    assert (written["kind"], written["n"], written["metrics"]["mae"]["value"]) == ("regression", 0, None)
    assert written["plane"]["count"] == []


def test_bins_are_of_equal_size_and_say_where_intervals_fail() -> None:
    truth = np.arange(100.0)
    predicted = truth + np.where(truth < 50, 1.0, 5.0)
    found = evaluated(
        predicted=predicted, targets=truth, lower=predicted - 2, upper=predicted + 2, subjects=np.arange(100)
    ).bins
    assert found.count == (10,) * 10
    assert found.mean_error == pytest.approx((1,) * 5 + (5,) * 5)
    assert found.mean_prediction == pytest.approx([*(5.5 + 10 * np.arange(5)), *(59.5 + 10 * np.arange(5))])
    for share in (found.coverage, found.coverage_lower, found.coverage_upper):
        assert share == pytest.approx((1,) * 5 + (0,) * 5)
    assert (found.error_low, found.error_high) == (pytest.approx(found.mean_error), pytest.approx(found.mean_error))


def test_both_ends_belong_to_the_interval() -> None:
    targets = np.array([0.0, 2, 0, 2, 2.1])
    found = evaluated(predicted=np.ones(5), targets=targets, lower=np.zeros(5), upper=np.full(5, 2))
    assert values(found)["coverage"] == pytest.approx(4 / 5)


def test_few_different_predictions_give_few_bins_and_none_is_empty() -> None:
    predicted = np.repeat([0.0, 1.0], 5)
    bins = evaluated(
        predicted=predicted, targets=predicted, lower=predicted, upper=predicted, subjects=np.arange(10)
    ).bins
    assert bins.count == (5, 5)


def test_spread_of_errors_by_hand() -> None:
    # 21 errors -10 .. 10 in one bin: a twentieth beyond each end
    found = evaluated(
        predicted=np.full(21, 50.0), targets=50.0 - np.arange(-10, 11), lower=np.zeros(21), upper=np.zeros(21),
        subjects=np.arange(21),
    ).bins  # fmt: skip
    assert sum(found.count) == 21
    assert (max(found.error_low), max(found.error_high)) == pytest.approx((-9, 9))


def test_the_plane_counts_every_row_and_names_no_extreme() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random(5000)
    truth[7] = 1e6  # one gross error of the record
    predicted = np.full(5000, 0.25)
    plane = evaluated(
        predicted=predicted, targets=truth, lower=predicted, upper=predicted, subjects=np.arange(5000)
    ).plane
    assert sum(plane.count) == 5000
    assert len(plane.count) <= 60
    assert len(plane.edges) == 61
    assert plane.edges[-1] < 1.1
    assert len(set(plane.predicted)) == 1
    assert plane.edges[plane.predicted[0]] <= 0.25 <= plane.edges[plane.predicted[0] + 1]


def test_what_cannot_be_evaluated_is_refused() -> None:
    with pytest.raises(AccountingError):
        evaluated(subjects=np.arange(4))
    with pytest.raises(ModelError, match="1 of 4 predictions"):
        evaluated(predicted=np.array([1, 2, np.inf, 4, NAN]))
