from __future__ import annotations

import numpy as np
import pytest

from medray.metrics.discrimination import auprc, auroc, precision_recall_points, roc_points

# pairs (positive, negative): 0.8 beats 0.4 and 0.2; 0.4 ties 0.4 and beats 0.2
SCORES = np.array([0.8, 0.4, 0.4, 0.2])
POSITIVE = np.array([True, True, False, False])


def test_auroc_is_the_share_of_pairs_won() -> None:
    assert auroc(SCORES, POSITIVE) == pytest.approx((1 + 1 + 0.5 + 1) / 4)


def test_auprc_sums_precision_over_recall_steps() -> None:
    # recall 0 -> 1/2 at precision 1/1; 1/2 -> 1 at precision 2/3 (both ties are called)
    assert auprc(SCORES, POSITIVE) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@pytest.mark.parametrize("positive", [np.ones(4, bool), np.zeros(4, bool), np.zeros(0, bool)])
def test_one_class_has_no_rank_metric(positive: np.ndarray) -> None:
    scores = SCORES[: len(positive)]
    assert np.isnan(auroc(scores, positive))
    assert np.isnan(auprc(scores, positive))
    assert roc_points(scores, positive, 10).x == ()
    assert precision_recall_points(scores, positive, 10).x == ()


def test_roc_points_run_from_corner_to_corner() -> None:
    curve = roc_points(SCORES, POSITIVE, 10)
    # call nothing; call 0.8; call the ties too; call everything
    assert curve.x == (0.0, 0.0, 0.5, 1.0)
    assert curve.y == (0.0, 0.5, 1.0, 1.0)


def test_precision_recall_points_start_at_the_first_positive_found() -> None:
    curve = precision_recall_points(SCORES, POSITIVE, 10)
    assert curve.x == (0.5, 1.0, 1.0)
    assert curve.y == pytest.approx((1.0, 2 / 3, 0.5))


def test_long_curves_are_thinned_and_keep_both_ends() -> None:
    generator = np.random.default_rng(3)
    scores, positive = generator.random(5000), generator.random(5000) < 0.5
    curve = roc_points(scores, positive, 50)
    assert len(curve.x) == len(curve.y) == 50
    assert (curve.x[0], curve.y[0]) == (0.0, 0.0)
    assert (curve.x[-1], curve.y[-1]) == (1.0, 1.0)
    assert list(curve.x) == sorted(curve.x)
