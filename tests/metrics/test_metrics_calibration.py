from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from medray.metrics.calibration import (
    bin_of,
    brier,
    equal_mass_edges,
    expected_calibration_error,
    reliability,
)

NONE = np.zeros(0)
SCORES = np.array([0.1, 0.3, 0.6, 0.8])
POSITIVE = np.array([False, True, True, True])


def test_brier_by_hand_and_by_scikit_learn() -> None:
    # (0.01 + 0.49 + 0.16 + 0.04) / 4
    each_once = np.ones_like(SCORES)
    assert brier(SCORES, POSITIVE, each_once) == pytest.approx(0.175)
    assert brier(SCORES, POSITIVE, each_once) == pytest.approx(brier_score_loss(POSITIVE, SCORES))
    assert brier(SCORES, POSITIVE, np.arange(4.0)) == pytest.approx(
        brier_score_loss(POSITIVE, SCORES, sample_weight=np.arange(4.0))
    )
    assert np.isnan(brier(SCORES, POSITIVE, 0 * each_once))


def test_calibration_error_by_hand() -> None:
    bins = bin_of(SCORES, np.array([0.0, 0.5, 1.0]))
    points = reliability(SCORES, POSITIVE.astype(float), np.ones(4), bins, 2)
    assert points.tolist() == [[2, 2], pytest.approx([0.2, 0.7]), [0.5, 1.0]]
    # bins of two: |0.2 - 0.5| and |0.7 - 1.0|
    assert expected_calibration_error(points) == pytest.approx(0.3)


def test_calibration_error_weighs_bins_by_mass_and_skips_empty_ones() -> None:
    weights = np.array([3.0, 0.0, 1.0, 0.0])
    points = reliability(SCORES, POSITIVE.astype(float), weights, np.array([0, 0, 2, 2]), 3)
    # |0.1 - 0| with mass 3, |0.6 - 1| with mass 1, an empty bin between
    assert expected_calibration_error(points) == pytest.approx((3 * 0.1 + 0.4) / 4)
    assert np.isnan(points[1:, 1]).all()
    assert np.isnan(expected_calibration_error(reliability(NONE, NONE, NONE, np.zeros(0, int), 2)))


def test_bins_hold_their_lower_edge_and_the_last_one_its_end() -> None:
    edges = np.array([0.0, 0.5, 1.0])
    assert bin_of(np.array([0.0, 0.49, 0.5, 1.0]), edges).tolist() == [0, 0, 1, 1]


def test_equal_mass_bins_hold_about_as_many_each() -> None:
    scores = np.random.default_rng(0).beta(1, 8, 1000)
    edges = equal_mass_edges(scores, 10)
    assert (edges[0], edges[-1], len(edges)) == (0.0, 1.0, 11)
    assert np.abs(np.bincount(bin_of(scores, edges)) - 100).max() <= 1


def test_equal_mass_edges_by_hand() -> None:
    # the third of four scores opens the second of two bins
    assert equal_mass_edges(np.array([0.4, 0.1, 0.3, 0.2]), 2).tolist() == [0.0, 0.3, 1.0]


def test_scores_of_one_have_a_bin_of_their_own() -> None:
    """Sure of all and wrong in all: the two mistakes must not cancel out in one bin."""
    scores, truth = np.array([0.0] * 6 + [1.0] * 6), np.array([1.0] * 6 + [0.0] * 6)
    edges = equal_mass_edges(scores, 10)
    points = reliability(scores, truth, np.ones(12), bin_of(scores, edges), len(edges) - 1)
    assert expected_calibration_error(points) == 1.0


@pytest.mark.parametrize("scores", [[0.5] * 9, [0.0] * 9, [1.0] * 9, [0.0] * 4 + [1.0] * 5, []])
def test_equal_scores_share_a_bin_and_no_bin_is_empty(scores: list[float]) -> None:
    values = np.array(scores)
    edges = equal_mass_edges(values, 4)
    assert np.all(np.diff(edges)[:-1] > 0)
    held = np.bincount(bin_of(values, edges), minlength=len(edges) - 1)
    assert len(scores) == 0 or np.all(held > 0) or len(edges) == 2
