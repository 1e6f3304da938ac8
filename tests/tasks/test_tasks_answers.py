"""Label rows -> targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from medray.errors import LabelError
from medray.tasks import binary, multiclass, multilabel
from medray.tasks.answers import class_indices
from medray.tasks.config import BinaryConfig, MulticlassConfig, MultilabelConfig

BINARY = BinaryConfig(kind="binary", label="a", class_weights=True, threshold="youden")
MULTILABEL = MultilabelConfig(kind="multilabel", labels=("a", "b"), class_weights=True, threshold="youden")
MULTICLASS = MulticlassConfig(kind="multiclass", label="view", classes=("ap", "pa", "ll"), class_weights=True)
NAN = float("nan")


def test_yes_and_no_in_every_spelling() -> None:
    values = [True, False, 1, 0, 1.0, np.bool_(False), np.int64(1), None, NAN]
    expected = np.array([[1], [0], [1], [0], [1], [0], [1], [NAN], [NAN]], dtype=np.float32)
    np.testing.assert_array_equal(binary.TASK.targets({"a": values}, BINARY), expected)


def test_columns_follow_the_recipe() -> None:
    found = multilabel.targets({"b": [0, None], "a": [None, 1], "c": [1, 1]}, MULTILABEL)
    np.testing.assert_array_equal(found, np.array([[NAN, 0], [1, NAN]], dtype=np.float32))


def test_classes_by_name_or_position() -> None:
    found = multiclass.targets({"view": ["ll", 1, "ap", None, np.int64(2)]}, MULTICLASS)
    np.testing.assert_array_equal(found, np.array([[2], [1], [0], [NAN], [2]], dtype=np.float32))


def test_no_rows_give_no_targets() -> None:
    assert binary.TASK.targets({"a": []}, BINARY).shape == (0, 1)
    assert multiclass.targets({"view": []}, MULTICLASS).shape == (0, 1)


@pytest.mark.parametrize("value", [2, -1, 0.5, "yes", "1"])
def test_other_than_yes_or_no_is_refused(value: Any) -> None:
    with pytest.raises(LabelError, match="question 'a', example 1"):
        binary.TASK.targets({"a": [1, value]}, BINARY)


@pytest.mark.parametrize("value", [3, -1, 1.5, "lateral of Mrs Smith", True])
def test_other_than_a_class_is_refused_without_quoting_it(value: Any) -> None:
    with pytest.raises(LabelError, match="question 'view', example 0") as error:
        multiclass.targets({"view": [value]}, MULTICLASS)
    assert "Smith" not in str(error.value)


def test_a_question_without_answers_is_refused() -> None:
    with pytest.raises(LabelError, match=r"question 'b'.*no answer at all"):
        multilabel.targets({"a": [1]}, MULTILABEL)


def test_names_that_are_no_class_are_counted_beside_the_classes() -> None:
    with pytest.raises(LabelError) as raised:
        class_indices(["low", "Mustermann", None, "high", True], "risk", ["low", "middle", "high"])
    assert str(raised.value).startswith("labels, question 'risk', example 1: found a value of type str")
    assert "and 1 more. Allowed: one of the classes of [task] (low, middle, high)" in str(raised.value)
    assert "Mustermann" not in str(raised.value)
