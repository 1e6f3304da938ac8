from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from medray.metrics.ranking import rank, weighted_areas

ROWS = st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_agrees_with_scikit_learn_under_any_weights(rows: list[tuple[int, bool, int]]) -> None:
    scores = np.array([row[0] / 5 for row in rows])
    positive = np.array([row[1] for row in rows])
    weights = np.array([row[2] for row in rows], float)
    area, precision = weighted_areas(rank(scores, positive), weights)
    if weights[positive].sum() == 0 or weights[~positive].sum() == 0:
        assert np.isnan(area)
        assert np.isnan(precision)
        return
    kept = weights > 0  # scikit-learn refuses a class that has rows but no weight
    truth = (positive[kept], scores[kept])
    assert area == pytest.approx(roc_auc_score(*truth, sample_weight=weights[kept]))
    assert precision == pytest.approx(average_precision_score(*truth, sample_weight=weights[kept]))


def test_a_weight_of_two_is_the_row_twice() -> None:
    scores, positive = np.array([0.9, 0.6, 0.3]), np.array([False, True, False])
    # one positive; it loses to the 0.9 twice and beats the 0.3 once
    area, precision = weighted_areas(rank(scores, positive), np.array([2.0, 1.0, 1.0]))
    assert (area, precision) == pytest.approx((1 / 3, 1 / 3))


def test_rank_keeps_the_groups_that_hold_a_positive() -> None:
    found = rank(np.array([0.2, 0.9, 0.2, 0.5]), np.array([True, False, False, True]))
    assert found.order.tolist() == [1, 3, 0, 2]
    assert found.found.tolist() == [3, 0]
    assert found.rows_before.tolist() == [1, 2]
    assert found.rows_through.tolist() == [2, 4]
    assert found.found_through.tolist() == [1, 2]
