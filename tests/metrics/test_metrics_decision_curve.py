"""Net benefit by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medray.errors import ModelError
from medray.metrics.bootstrap import Resampling
from medray.metrics.decision_curve import DecisionCurve, decision_curve

DRAWS = Resampling(200, 1, 0.95)


def curve(scores: list[float], targets: list[float], at: list[float], subjects: object = None) -> DecisionCurve:
    who = np.arange(len(scores)) if subjects is None else np.asarray(subjects)
    return decision_curve(np.array(scores), np.array(targets), who, np.array(at), DRAWS)


def test_by_hand() -> None:
    # ten patients, four ill; from 0.2 on: 4 found, 2 alarms; from 0.5 on: 3 found, 1 alarm
    scores = [0.9, 0.8, 0.5, 0.2, 0.6, 0.3, 0.1, 0.1, 0.05, 0.0]
    targets = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    found = curve(scores, targets, [0.0, 0.2, 0.5])
    assert [one.value for one in found.model] == pytest.approx([0.4, (4 - 2 * 0.25) / 10, (3 - 1) / 10])
    assert [one.value for one in found.treat_all] == pytest.approx([0.4, 0.4 - 0.6 * 0.25, 0.4 - 0.6])
    # at one half treating nobody is better than treating all
    assert [one.value for one in found.gain] == pytest.approx([0.0, 0.35 - 0.25, 0.2])
    assert (found.n, found.n_subjects, found.n_positive) == (10, 10, 4)


def test_rows_without_a_truth_count_nowhere() -> None:
    known = curve([0.9, 0.1], [1, 0], [0.3])
    gaps = curve([0.9, 0.7, 0.1], [1, float("nan"), 0], [0.3])
    assert gaps.model[0].value == known.model[0].value == 0.5
    assert gaps.n == 2


def test_intervals_are_by_subject() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random(40)
    targets = (generator.random(40) < scores).astype(float)
    once = curve(scores.tolist(), targets.tolist(), [0.3])
    copied = curve(np.repeat(scores, 9).tolist(), np.repeat(targets, 9).tolist(), [0.3], np.repeat(np.arange(40), 9))
    for one, other in ((once.model[0], copied.model[0]), (once.gain[0], copied.gain[0])):
        assert (other.lower, other.upper) == pytest.approx((one.lower, one.upper))
        assert one.lower < one.value < one.upper


def test_nothing_known_is_not_defined() -> None:
    found = curve([0.5], [float("nan")], [0.2])
    assert np.isnan(found.model[0].value)
    assert found.to_json()["model"][0]["value"] is None


def test_logits_are_refused() -> None:
    with pytest.raises(ModelError):
        curve([2.0], [1], [0.2])
