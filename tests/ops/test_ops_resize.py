"""Sizes that change, with means that stay."""

from __future__ import annotations

import numpy as np
import pytest

from medray.ops.resize import resize


def test_area_is_the_mean_of_the_footprint() -> None:
    image = np.arange(16).reshape(4, 4)
    assert resize(image, (2, 2), "area").tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_bilinear_weighs_a_triangle_of_twice_the_scale() -> None:
    # 4 to 2: support 2, weights 0.25 0.75 0.75 0.25 at 0..3 around 0.5, cut at the edge: / 1.75
    expected = [(0.75 * 0 + 0.75 * 1 + 0.25 * 10) / 1.75, (0.25 * 1 + 0.75 * 10 + 0.75 * 100) / 1.75]
    assert resize(np.array([[0, 1, 10, 100]]), (1, 2)).tolist()[0] == pytest.approx(expected, rel=1e-6)


def test_height_comes_first_and_nothing_is_cut_to_bytes() -> None:
    image = np.full((8, 6), -1234.5, np.float64)
    small = resize(image, (4, 2))
    assert small.shape == (4, 2)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, -1234.5)


def test_colours_are_resized_one_by_one() -> None:
    image = np.random.default_rng(0).random((9, 7, 3), np.float32)
    small = resize(image, (3, 5))
    assert small.shape == (3, 5, 3)
    np.testing.assert_array_equal(small[..., 1], resize(image[..., 1], (3, 5)))


def test_fine_stripes_do_not_alias() -> None:
    stripes = np.tile([0.0, 1.0], (64, 32))
    for kind in ("area", "bilinear"):
        np.testing.assert_allclose(resize(stripes, (16, 16), kind)[:, 1:-1], 0.5, atol=0.02)


def test_the_same_size_changes_nothing() -> None:
    image = np.random.default_rng(0).random((5, 5), np.float32)
    np.testing.assert_allclose(resize(image, (5, 5)), image, atol=1e-6)
