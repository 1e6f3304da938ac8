"""Calibration error before and after, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medray.metrics.calibration_change import calibration_change


def test_the_error_before_and_after_is_told_for_the_same_examples() -> None:
    positive = np.array([True, False, True, False])
    found = calibration_change(np.full(4, 0.9), np.full(4, 0.5), positive)
    assert found["n"] == 4
    assert found["before"]["ece"] == pytest.approx(0.4)
    assert found["after"]["ece"] == pytest.approx(0.0)
    assert found["before"]["brier"] == pytest.approx((0.01 + 0.81) / 2)
    assert found["after"]["brier"] == pytest.approx(0.25)
    assert (found["before"]["mean_score"], found["before"]["observed"]) == ([pytest.approx(0.9)], [0.5])


def test_without_examples_nothing_is_defined() -> None:
    found = calibration_change(np.array([]), np.array([]), np.array([], bool))
    assert (found["n"], found["after"]["ece"], found["after"]["brier"]) == (0, None, None)
