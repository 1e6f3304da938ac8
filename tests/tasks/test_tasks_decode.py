"""Logits -> prediction columns, by hand."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from medray.tasks import binary, multiclass, multilabel
from medray.tasks.config import BinaryConfig, MulticlassConfig, MultilabelConfig

BINARY = BinaryConfig(kind="binary", label="a", class_weights=True, threshold="youden")
MULTILABEL = MultilabelConfig(kind="multilabel", labels=("a", "b"), class_weights=True, threshold="youden")
MULTICLASS = MulticlassConfig(kind="multiclass", label="v", classes=("x", "y"), class_weights=True)


def test_binary_by_hand() -> None:
    calibration = {"temperature": [2.0], "bias": [-log(3)], "threshold": [0.25]}
    found = binary.TASK.decode(np.array([[0.0], [2 * log(3)], [-2.0]], dtype=np.float32), BINARY, calibration)["a"]
    assert found["raw_score"] == pytest.approx([0.0, 2 * log(3), -2.0])
    assert found["predicted_boolean_probability"] == pytest.approx([0.25, 0.5, 1 / (1 + 3 * exp(1))])
    assert found["predicted_boolean_value"] == [True, True, False]
    assert found["threshold"] == [0.25] * 3


def test_multilabel_columns_have_their_own_calibration() -> None:
    calibration = {"temperature": [1.0, 2.0], "bias": [0.0, log(3)], "threshold": [0.6, 0.7]}
    found = multilabel.decode(np.zeros((1, 2)), MULTILABEL, calibration)
    assert found["a"]["predicted_boolean_probability"] == pytest.approx([0.5])
    assert found["a"]["predicted_boolean_value"] == [False]
    assert found["b"]["predicted_boolean_probability"] == pytest.approx([0.75])
    assert found["b"]["predicted_boolean_value"] == [True]


def test_multiclass_answers_by_calibrated_probability() -> None:
    calibration = {"temperature": 1.0, "bias": [log(3), 0.0]}
    found = multiclass.decode(np.array([[1.0, 1.5], [0.0, 5.0]]), MULTICLASS, calibration)
    assert found["v"] == {
        "raw_score": [1.0, 5.0],
        "predicted_integer_value": [0, 1],
        "predicted_categorical_value": ["x", "y"],
    }
    x, y = found["v//x"]["predicted_boolean_probability"], found["v//y"]["predicted_boolean_probability"]
    assert x == pytest.approx([3 / (3 + exp(0.5)), 3 / (3 + exp(5))])
    assert np.add(x, y) == pytest.approx([1.0, 1.0])
    assert found["v//y"]["raw_score"] == [1.5, 5.0]


def test_no_examples_give_empty_columns() -> None:
    calibration = {"temperature": [1.0], "bias": [0.0], "threshold": [0.5]}
    found = binary.TASK.decode(np.zeros((0, 1)), BINARY, calibration)
    assert all(values == [] for values in found["a"].values())
