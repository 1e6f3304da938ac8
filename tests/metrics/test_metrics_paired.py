"""Two models on the same rows, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from medray.metrics.bootstrap import Resampling, Statistic
from medray.metrics.paired import Paired, areas, errors, paired

DRAWS = Resampling(200, 1, 0.95)
NAN = float("nan")


def constant(*values: float) -> Statistic:
    return lambda weights: np.array(values)


def mean_of(values: np.ndarray) -> Statistic:
    return lambda weights: np.array([(weights * values).sum() / weights.sum()])


def one(network: Statistic, simple: Statistic, subjects: np.ndarray, higher: bool = True) -> Paired:
    return paired(network, simple, subjects, DRAWS, {0: higher})[0]


def test_areas_of_each_column_and_their_mean() -> None:
    # column 0: the positive is above one negative of two and level with the other; column 1 has one class
    scores = np.array([[0.9, 0.1, 0.2], [0.9, 0.2, 0.8], [0.1, 0.3, 0.5], [0.0, 0.4, 0.4]])
    targets = np.array([[1, 0, 0], [0, 0, 1], [0, 0, NAN], [NAN, 0, 0]])
    found = areas(scores, targets)(np.ones(4))
    assert found[[0, 2]] == pytest.approx([0.75, 1.0])
    assert found[[3, 5]] == pytest.approx([0.5, 1.0])
    assert np.isnan(found[[1, 4]]).all()
    assert found[6] == pytest.approx(0.875)


def test_areas_follow_the_weights() -> None:
    generator = np.random.default_rng(0)
    scores, targets = generator.random((50, 1)), (generator.random((50, 1)) < 0.4).astype(float)
    weights = generator.integers(0, 4, 50).astype(float)
    gaps = np.vstack([np.full((7, 1), NAN), targets])  # rows without a truth do not shift the weights
    found = areas(np.vstack([np.ones((7, 1)), scores]), gaps)(np.append(np.arange(7.0), weights))
    assert found[0] == pytest.approx(roc_auc_score(targets[:, 0], scores[:, 0], sample_weight=weights))
    assert found[1] == pytest.approx(average_precision_score(targets[:, 0], scores[:, 0], sample_weight=weights))


def test_no_column_with_both_classes_has_no_mean() -> None:
    assert np.isnan(areas(np.zeros((3, 1)), np.ones((3, 1)))(np.ones(3))).all()


def test_errors_by_hand() -> None:
    answers = np.array([[1.0, 5.0], [2.0, 5.0], [6.0, 9.0]])
    targets = np.array([[1.0, 7.0], [4.0, 7.0], [4.0, NAN]])
    found = errors(answers, targets)(np.ones(3))
    # column 0: off by 0, 2, 2; mean 3, squared distances 4 + 1 + 1, squared errors 4 + 4
    assert found[:3] == pytest.approx([4 / 3, 2.0, 1 - 8 / 6])
    assert np.isnan(found[3])  # truths that do not differ
    assert errors(answers, targets)(np.array([1.0, 3.0, 0.0]))[0] == pytest.approx(6 / 4)


def test_errors_follow_the_weights() -> None:
    generator = np.random.default_rng(0)
    answers, targets = generator.normal(size=(40, 1)), generator.normal(size=(40, 1))
    weights = generator.integers(0, 3, 40).astype(float)
    expected = r2_score(targets[:, 0], answers[:, 0], sample_weight=weights)
    assert errors(answers, targets)(weights)[1] == pytest.approx(expected)


def test_a_column_without_rows_has_no_error() -> None:
    assert np.isnan(errors(np.ones((3, 1)), np.full((3, 1), NAN))(np.ones(3))).all()


def test_the_difference_is_network_minus_simple_and_its_direction_is_known() -> None:
    subjects = np.arange(9)
    up = one(constant(0.9), constant(0.7), subjects)
    assert (up.network, up.simple, up.verdict) == (0.9, 0.7, "better")
    assert up.difference.value == pytest.approx(0.2)
    assert one(constant(0.9), constant(0.7), subjects, higher=False).verdict == "worse"
    assert one(constant(0.7), constant(0.9), subjects).verdict == "worse"
    assert one(constant(0.7), constant(0.9), subjects, higher=False).verdict == "better"
    same = one(constant(0.7), constant(0.7), subjects)
    assert (same.verdict, same.p) == ("no better", 1.0)


def test_p_is_as_low_as_the_resamples_allow_and_never_zero() -> None:
    assert one(constant(0.9), constant(0.7), np.arange(9)).p == pytest.approx(2 / 201)


@pytest.mark.parametrize(("subjects", "p"), [(2, 0.5), (4, 0.125), (5, 0.0625), (7, 1 / 64)])
def test_few_subjects_that_agree_prove_little(subjects: int, p: float) -> None:
    """All of S signs alike happen by chance in 2 of 2^S times, however small each resample's doubt is."""
    found = one(constant(0.9), constant(0.7), np.arange(subjects))
    assert found.p == pytest.approx(p)
    assert found.verdict == ("better" if subjects > 5 else "no better")


def test_what_is_hard_for_both_cancels_out() -> None:
    # the rows differ by 100 from each other, the models by 1 on every row
    rows = 100 * np.random.default_rng(0).normal(size=60)
    found = one(mean_of(rows + 1), mean_of(rows), np.arange(60))
    assert found.difference.lower == pytest.approx(1.0)
    assert found.difference.upper == pytest.approx(1.0)
    assert found.verdict == "better"


def test_interval_and_p_are_those_of_the_mean_of_the_differences() -> None:
    gap = np.random.default_rng(3).normal(size=400)
    gap = (gap - gap.mean()) / gap.std() + 0.08  # 1.6 standard errors of 0.05: two-sided p of a normal 0.11
    found = paired(mean_of(gap), mean_of(0 * gap), np.arange(400), Resampling(4000, 1, 0.95), {0: True})[0]
    assert found.difference.lower == pytest.approx(0.08 - 1.96 * 0.05, abs=0.01)
    assert found.difference.upper == pytest.approx(0.08 + 1.96 * 0.05, abs=0.01)
    assert found.p == pytest.approx(0.11, abs=0.03)
    assert found.verdict == "no better"


def test_subjects_are_drawn_whole() -> None:
    # 100 copies of 4 subjects are no more evidence than the 4
    gap = np.tile([1.0, 1.0, 1.0, -1.0], 100)
    assert one(mean_of(gap), mean_of(0 * gap), np.arange(400)).verdict == "better"
    assert one(mean_of(gap), mean_of(0 * gap), np.tile(np.arange(4), 100)).verdict == "no better"


def test_only_the_places_asked_for_are_compared() -> None:
    found = paired(constant(1.0, NAN, 3.0), constant(0.0, NAN, 5.0), np.arange(4), DRAWS, {2: True, 0: True})
    assert [one.difference.value for one in found] == [-2, 1]


@pytest.mark.parametrize(("network", "subjects"), [(NAN, [1, 2, 3]), (0.9, [1, 1, 1]), (0.9, [])])
def test_without_a_value_or_a_second_subject_there_is_no_verdict(network: float, subjects: list[int]) -> None:
    found = one(constant(network), constant(0.5), np.array(subjects, np.int64))
    assert found.verdict is None
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert (written["p"], written["difference"]["lower"], written["verdict"]) == (None, None, None)


def test_the_verdict_follows_from_p() -> None:
    """Means near the edge: the interval's ends and p need not fall on the same side of it."""
    generator = np.random.default_rng(2)
    seen = []
    for shift in np.linspace(0.1, 0.5, 60):
        values = generator.normal(shift, 1.0, 40)
        found = paired(mean_of(values), constant(0.0), np.arange(40), Resampling(100, 1, 0.95), {0: True})[0]
        assert found.verdict == ("better" if found.p <= 0.05 else "no better")
        seen.append((found.verdict == "better") != (found.difference.lower > 0))
    assert any(seen)
