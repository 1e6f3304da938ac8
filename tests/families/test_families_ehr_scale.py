"""Scores of many codes at once are those of each code's own broken line."""

from __future__ import annotations

import numpy as np
import pytest

from medray.families.ehr.scale import normal_scores

LINES = {
    "values": [[-20.0, -0.5, 0.0, 3.0], [], [7.0], [0.1, 1e30]],
    "scores": [[-2.0, -1.0, 0.5, 1.0], [], [0.25], [-1.0, 1.0]],
}


def test_each_value_is_read_off_the_line_of_its_code() -> None:
    draw = np.random.default_rng(0)
    index = draw.integers(1, 5, 4000)
    values = np.concatenate([draw.normal(0, 10, 3900), np.tile([0.0, -0.0, -0.5, 7.0, 1e38, -1e38], 17)[:100]])
    values = values.astype(np.float32)
    expected = [
        np.interp(value, LINES["values"][code - 1], LINES["scores"][code - 1]) if LINES["values"][code - 1] else 0.0
        for code, value in zip(index, values, strict=True)
    ]
    found = normal_scores(values, index, LINES)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_without_known_values_all_scores_are_zero() -> None:
    nothing: dict[str, list[list[float]]] = {"values": [[], []], "scores": [[], []]}
    assert normal_scores(np.array([5.0], np.float32), np.array([2]), nothing).tolist() == [0.0]
