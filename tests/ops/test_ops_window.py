"""PS3.3 C.11.2.1.2, with the standard's own cases and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medray.ops.window import linear, linear_exact, sigmoid


def test_linear_maps_256_values_to_256_levels() -> None:
    values = np.arange(256)
    np.testing.assert_allclose(linear(values, 128, 256), values / 255, atol=1e-7)


def test_linear_of_the_standard_s_examples() -> None:
    # c = 2048, w = 4096: x <= 0 is black, x > 4095 white; c = 2048, w = 1: a step above 2047.5
    assert linear(np.array([-1, 0, 4095, 5000]), 2048, 4096).tolist() == [0, 0, 1, 1]
    assert linear(np.array([2047, 2047.5, 2047.6, 2048]), 2048, 1).tolist() == [0, 0, 1, 1]
    # c = 0, w = 100: black up to -50, white above 49; (x + 0.5) / 99 + 0.5 between
    assert linear(np.array([-50, -0.5, 49, 50]), 0, 100).tolist() == [0, 0.5, 1, 1]


def test_linear_takes_widths_below_one_for_one() -> None:
    assert linear(np.array([1, 3]), 2, 0).tolist() == [0, 1]


def test_linear_exact() -> None:
    assert linear_exact(np.array([-51, -50, 0, 25, 50, 51]), 0, 100).tolist() == [0, 0, 0.5, 0.75, 1, 1]


def test_sigmoid() -> None:
    levels = sigmoid(np.array([-1e9, 40, 140, 1e9]), 40, 400)
    assert levels.tolist() == pytest.approx([0, 0.5, 1 / (1 + np.exp(-1)), 1])


def test_all_are_float32_and_keep_the_shape() -> None:
    values = np.zeros((2, 3, 4), np.int16)
    for function in (linear, linear_exact, sigmoid):
        levels = function(values, 0, 2)
        assert levels.dtype == np.float32
        assert levels.shape == (2, 3, 4)
