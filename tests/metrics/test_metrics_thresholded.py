from __future__ import annotations

import numpy as np
import pytest

from medray.metrics.thresholded import confusion, rates

POSITIVE = np.array([True] * 5 + [False] * 6)
DECIDED = np.array([True, True, True, False, False, True, False, False, False, False, False])


def test_confusion_counts_each_cell() -> None:
    found = confusion(DECIDED, POSITIVE)
    assert (found.true_positive, found.false_negative) == (3, 2)
    assert (found.false_positive, found.true_negative) == (1, 5)


def test_rates_by_hand() -> None:
    found = rates(true_positive=3, false_positive=1, false_negative=2, true_negative=5)
    assert found == {
        "accuracy": pytest.approx(8 / 11),
        "sensitivity": pytest.approx(3 / 5),
        "specificity": pytest.approx(5 / 6),
        "ppv": pytest.approx(3 / 4),
        "npv": pytest.approx(5 / 7),
        "f1": pytest.approx(6 / 9),
        "min_sensitivity_ppv": pytest.approx(3 / 5),
    }


def test_the_lower_of_sensitivity_and_ppv_may_be_either() -> None:
    for counts in ((3, 1, 2, 5), (3, 2, 1, 5), (0, 4, 3, 1), (2, 2, 2, 0)):
        found = rates(*counts)
        assert found["min_sensitivity_ppv"] == pytest.approx(min(found["sensitivity"], found["ppv"]))
    # nothing is called positive: no PPV, but nothing is found either
    assert rates(0, 0, 5, 1)["min_sensitivity_ppv"] == 0


def test_a_rate_of_nothing_is_not_defined() -> None:
    found = rates(0, 0, 0, 4)
    assert found["specificity"] == found["npv"] == found["accuracy"] == 1
    assert all(np.isnan(found[name]) for name in ("sensitivity", "ppv", "f1", "min_sensitivity_ppv"))
