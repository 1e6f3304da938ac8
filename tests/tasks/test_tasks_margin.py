"""The number that is explained is the one that the answer follows from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logit

from medray import rooms

LOGITS = np.array([[0.3, -1.2, 2.0], [-0.5, 0.1, 0.4], [3.0, -2.0, 0.0]], np.float32)
NEUTRAL = {"temperature": 1.0, "bias": [0.0, 0.0, 0.0]}
CLASSES = {"label": "view", "classes": ["ap", "pa", "ll"], "class_weights": False}


def margins(kind: str, label: str, logits: Any, config: dict[str, Any]) -> Any:
    task = rooms.task(kind)
    return task.margin(torch.from_numpy(logits), task.Config(kind=kind, **config), label).numpy()


@pytest.mark.parametrize(("kind", "outputs"), [("multiclass", 3), ("ordinal", 2)])
def test_of_a_class_it_is_the_log_odds_of_its_uncalibrated_probability(kind: str, outputs: int) -> None:
    task, logits = rooms.task(kind), LOGITS[:, :outputs]
    config = task.Config(kind=kind, **CLASSES)
    decoded = task.decode(logits, config, NEUTRAL)
    for name in task.questions(config)[1:]:
        odds = logit(decoded[name]["predicted_boolean_probability"])
        assert margins(kind, name, logits, CLASSES) == pytest.approx(odds, abs=1e-5)
    expected = decoded["view"]["raw_score"]
    if kind == "multiclass":  # of the class that is ahead
        ahead = [
            max(decoded[name]["predicted_boolean_probability"][row] for name in decoded if "//" in name)
            for row in range(3)
        ]
        expected = logit(ahead)
    assert margins(kind, "view", logits, CLASSES) == pytest.approx(expected, abs=1e-5)


def test_of_a_question_with_an_output_of_its_own_it_is_that_output() -> None:
    yes = {"labels": ["a", "b", "c"], "class_weights": False, "threshold": "youden"}
    assert margins("multilabel", "b", LOGITS, yes).tolist() == LOGITS[:, 1].tolist()
    numbers = {"labels": ["a", "b", "c"], "loss": "squared", "interval": 0.8}
    assert margins("regression", "c", LOGITS, numbers).tolist() == LOGITS[:, 2].tolist()
    one = {"label": "a", "class_weights": False, "threshold": "youden"}
    assert margins("binary", "a", LOGITS[:, :1], one).tolist() == LOGITS[:, 0].tolist()
