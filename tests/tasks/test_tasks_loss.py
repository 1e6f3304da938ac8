"""Losses by hand: sums in nats with counts."""

from __future__ import annotations

from math import exp, log

import pytest
import torch

from medray.tasks import bernoulli, multiclass
from medray.tasks.config import MulticlassConfig

NAN = float("nan")
CONFIG = MulticlassConfig(kind="multiclass", label="v", classes=("a", "b", "c"), class_weights=True)


def test_weighted_cross_entropy_of_yes_and_no() -> None:
    logits = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    targets = torch.tensor([[1.0, NAN], [0.0, 1.0]])
    total, count = bernoulli.loss(logits, targets, {"weights": [[2.0, 0.5], [1.0, 3.0]]})
    expected = 0.5 * log(2) + 2.0 * log(1 + exp(1.0)) + 3.0 * log(1 + exp(1.0))
    assert float(total) == pytest.approx(expected, rel=1e-6)
    assert int(count) == 3


def test_large_logits_stay_finite() -> None:
    total, _ = bernoulli.loss(torch.tensor([[1e4]]), torch.tensor([[0.0]]), {"weights": [[1.0, 1.0]]})
    assert float(total) == pytest.approx(1e4)


def test_weighted_cross_entropy_of_classes() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [9.0, 9.0, 9.0]])
    targets = torch.tensor([[2.0], [0.0], [NAN]])
    total, count = multiclass.loss(logits, targets, CONFIG, {"weights": [[2.0, 1.0, 0.5]]})
    assert float(total) == pytest.approx(0.5 * log(3) + 2.0 * (log(exp(1.0) + 2) - 1.0), rel=1e-6)
    assert int(count) == 2
