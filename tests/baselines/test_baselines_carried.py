"""Carrying a summary forward, by hand."""

from __future__ import annotations

import numpy as np

from medray.baselines.answers import BASELINES, Training, baseline_answers
from medray.baselines.question import Question


def test_the_summary_with_the_least_error_is_the_answer() -> None:
    targets = np.arange(40, dtype=float)
    near = targets + 1  # off by 1; the other by 3 and once unknown
    far = targets + 3
    features = np.stack([far, near], axis=1)
    training = Training(features, targets[:, None], np.arange(40))
    asked = Question("regression", ("rate",), (), True)
    found = baseline_answers(BASELINES["carried"], asked, training, np.array([[7.0, 70.0], [7.0, np.nan]]), 1)
    assert found.values[:, 0].tolist() == [70.0, 19.5]  # the median answer where it is not known


def test_only_numbers_are_carried() -> None:
    assert BASELINES["carried"].kinds == ("regression",)
