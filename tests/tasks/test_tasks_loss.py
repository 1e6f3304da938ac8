"""Losses by hand: sums in nats with counts."""

from __future__ import annotations

from math import exp, log
from typing import Any

import pytest
import torch

from medray.tasks import bernoulli, binary, multiclass, multilabel
from medray.tasks.config import MulticlassConfig

NAN = float("nan")
CONFIG = MulticlassConfig(kind="multiclass", label="v", classes=("a", "b", "c"), class_weights=True)


def test_weighted_cross_entropy_of_yes_and_no() -> None:
    logits = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    targets = torch.tensor([[1.0, NAN], [0.0, 1.0]])
    total, count = bernoulli.loss(logits, targets, {"weights": [[2.0, 0.5], [1.0, 3.0]]}, 0.0, 0.0)
    expected = 0.5 * log(2) + 2.0 * log(1 + exp(1.0)) + 3.0 * log(1 + exp(1.0))
    assert float(total) == pytest.approx(expected, rel=1e-6)
    assert int(count) == 3


def test_large_logits_stay_finite() -> None:
    total, _ = bernoulli.loss(torch.tensor([[1e4]]), torch.tensor([[0.0]]), {"weights": [[1.0, 1.0]]}, 0.0, 0.0)
    assert float(total) == pytest.approx(1e4)


def test_weighted_cross_entropy_of_classes() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [9.0, 9.0, 9.0]])
    targets = torch.tensor([[2.0], [0.0], [NAN]])
    total, count = multiclass.loss(logits, targets, CONFIG, {"weights": [[2.0, 1.0, 0.5]]})
    assert float(total) == pytest.approx(0.5 * log(3) + 2.0 * (log(exp(1.0) + 2) - 1.0), rel=1e-6)
    assert int(count) == 2


def test_smoothing_spreads_the_answer() -> None:
    total, count = bernoulli.loss(torch.tensor([[1.0]]), torch.tensor([[1.0]]), {"weights": [[2.0, 0.5]]}, 0.2, 0.0)
    # yes counts 0.9 and no 0.1; the weight stays that of yes
    assert float(total) == pytest.approx(0.5 * (0.9 * log(1 + exp(-1.0)) + 0.1 * log(1 + exp(1.0))), rel=1e-6)
    assert int(count) == 1


def test_smoothing_of_classes_keeps_the_weight_of_the_answer() -> None:
    config = CONFIG.model_copy(update={"label_smoothing": 0.3})
    logits, targets = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0]])
    total, _ = multiclass.loss(logits, targets, config, {"weights": [[2.0, 1.0, 0.5]]})
    normal = log(exp(1.0) + 2)
    assert float(total) == pytest.approx(2.0 * (0.8 * (normal - 1.0) + 0.1 * normal + 0.1 * normal), rel=1e-6)


@pytest.mark.parametrize("task", [binary, multilabel])
def test_the_recipe_sets_the_smoothing(task: Any) -> None:
    values = {"class_weights": False, "threshold": "youden", "label_smoothing": 0.5}
    kind = task.TASK.name
    config = task.TASK.Config(kind=kind, **values, **({"label": "a"} if kind == "binary" else {"labels": ["a"]}))
    total, _ = task.TASK.loss(torch.tensor([[2.0]]), torch.tensor([[0.0]]), config, {"weights": [[1.0, 1.0]]})
    assert float(total) == pytest.approx(0.75 * log(1 + exp(2.0)) + 0.25 * log(1 + exp(-2.0)), rel=1e-6)


def test_what_is_learnt_already_counts_less() -> None:
    """Yes at p = 0.9 counts 0.1 squared, no at p(yes) = 0.9 counts 0.9 squared of its cross entropy."""
    logit = torch.tensor([[log(9.0)]])
    even = {"weights": [[1.0, 1.0]]}
    right, _ = bernoulli.loss(logit, torch.tensor([[1.0]]), even, 0.0, 2.0)
    wrong, _ = bernoulli.loss(logit, torch.tensor([[0.0]]), even, 0.0, 2.0)
    assert float(right) == pytest.approx(0.01 * -log(0.9), rel=1e-5)
    assert float(wrong) == pytest.approx(0.81 * -log(0.1), rel=1e-5)


def test_of_classes_too() -> None:
    logits = torch.tensor([[log(8.0), 0.0, 0.0]])  # p = 0.8, 0.1, 0.1
    config = CONFIG.model_copy(update={"focus": 1.0})
    total, count = multiclass.loss(logits, torch.tensor([[1.0]]), config, {"weights": [[1.0, 3.0, 1.0]]})
    assert float(total) == pytest.approx(3.0 * 0.9 * -log(0.1), rel=1e-5)
    assert int(count) == 1
