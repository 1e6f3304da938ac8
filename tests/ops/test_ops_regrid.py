"""Interpolation along a stack and across a canvas, by numbers computed by hand."""

from __future__ import annotations

import numpy as np

from medray.ops.regrid import moved, shares

NAN = np.nan


def test_shares_are_those_of_linear_interpolation() -> None:
    positions, grid = np.array([0.0, 3.0, 9.0]), np.array([0.0, 3.0, 6.0, 9.0])
    given = [tuple(part.tolist() for part in shares(positions, index, grid)) for index in range(3)]
    assert given == [([0], [1.0]), ([1, 2], [1.0, 0.5]), ([2, 3], [0.5, 1.0])]


def test_rounding_gives_no_share_to_neighbours() -> None:
    indices, weights = shares(np.array([0.0, 1.0, 2.0]), 1, np.array([1e-9, 1.0 + 1e-9, 2.0 + 1e-9]))
    assert (indices.tolist(), weights.tolist()) == ([1], [1.0])


def test_a_whole_offset_moves_pixels_as_they_are() -> None:
    canvas = moved(np.array([[1, 2], [3, 4]]), (3, 3), (1.0, 0.0))
    np.testing.assert_array_equal(canvas, [[NAN, NAN, NAN], [1, 2, NAN], [3, 4, NAN]])


def test_a_part_of_an_offset_mixes_neighbours_and_loses_the_edge() -> None:
    # down by 1.25: row 2 holds 0.75 of row 1 and 0.25 of row 0
    canvas = moved(np.array([[0.0], [4.0], [12.0]]), (5, 1), (1.25, 0.0))
    np.testing.assert_array_equal(canvas[:, 0], [NAN, NAN, 3, 10, NAN])


def test_both_directions_at_once() -> None:
    canvas = moved(np.array([[0.0, 1.0], [2.0, 3.0]]), (2, 2), (0.5, 0.5))
    np.testing.assert_array_equal(canvas, [[NAN, NAN], [NAN, 1.5]])
