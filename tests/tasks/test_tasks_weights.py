"""Class counts and weights, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medray.tasks import bernoulli, multiclass
from medray.tasks.config import MulticlassConfig
from medray.tasks.weights import add, weigh

NAN = float("nan")


def test_counts_leave_out_missing_answers() -> None:
    targets = np.array([[1, NAN], [0, 1], [1, 1], [NAN, NAN]], dtype=np.float32)
    assert bernoulli.count(targets) == {"counts": [[1, 2], [0, 2]]}


def test_class_counts() -> None:
    config = MulticlassConfig(kind="multiclass", label="v", classes=("a", "b", "c"), class_weights=True)
    targets = np.array([[0], [2], [NAN], [2]], dtype=np.float32)
    assert multiclass.survey(targets, config) == {"counts": [[1, 0, 2]]}


def test_counts_add() -> None:
    assert add({"counts": [[1, 2], [3, 4]]}, {"counts": [[10, 20], [30, 40]]}) == {"counts": [[11, 22], [33, 44]]}


def test_weights_by_hand() -> None:
    assert weigh({"counts": [[1, 3]]}, balanced=True) == {"weights": [[2.0, pytest.approx(2 / 3)]]}
    assert weigh({"counts": [[1, 3]]}, balanced=False) == {"weights": [[1.0, 1.0]]}
    assert weigh({"counts": [[2, 4, 6]]}, balanced=True)["weights"] == [[2.0, 1.0, pytest.approx(2 / 3)]]


@pytest.mark.parametrize("counts", [[5, 0], [0, 0], [0, 7, 0]])
def test_answers_that_never_occur_weigh_one(counts: list[int]) -> None:
    assert weigh({"counts": [counts]}, balanced=True)["weights"] == [[1.0] * len(counts)]


def test_the_expected_weight_is_one() -> None:
    counts = np.array([[17, 3], [1, 99]])
    weights = np.array(weigh({"counts": counts.tolist()}, balanced=True)["weights"])
    np.testing.assert_allclose((weights * counts).sum(1) / counts.sum(1), 1.0)
    np.testing.assert_allclose(weights[:, 0] * counts[:, 0], weights[:, 1] * counts[:, 1])
