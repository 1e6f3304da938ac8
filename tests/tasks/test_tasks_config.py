"""What `[task]` may say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from medray.tasks.config import (
    BinaryConfig,
    MulticlassConfig,
    MultilabelConfig,
    OrdinalConfig,
    RegressionConfig,
    TaskConfig,
)

BINARY = {"kind": "binary", "label": "fracture", "class_weights": True, "threshold": "youden"}
MULTICLASS = {"kind": "multiclass", "label": "view", "classes": ["ap", "pa"], "class_weights": False}
MULTILABEL = {"kind": "multilabel", "labels": ["a", "b"], "class_weights": True, "threshold": "accuracy"}
ORDINAL = {"kind": "ordinal", "label": "grade", "classes": ["none", "mild", "severe"], "class_weights": False}
REGRESSION = {"kind": "regression", "labels": ["rate", "stay"], "loss": "huber", "interval": 0.9}


def parse(values: dict[str, Any]) -> Any:
    return TypeAdapter(TaskConfig).validate_python(values)


@pytest.mark.parametrize(
    ("values", "kind", "labels"),
    [
        (BINARY, BinaryConfig, ("fracture",)),
        (MULTICLASS, MulticlassConfig, ("view",)),
        (MULTILABEL, MultilabelConfig, ("a", "b")),
        (BINARY | {"threshold": "min_sensitivity_ppv"}, BinaryConfig, ("fracture",)),
        (ORDINAL, OrdinalConfig, ("grade",)),
        (ORDINAL | {"bounds": [3, 7]}, OrdinalConfig, ("grade",)),
        (REGRESSION, RegressionConfig, ("rate", "stay")),
    ],
)
def test_kind_chooses_the_config(values: dict[str, Any], kind: type, labels: tuple[str, ...]) -> None:
    found = parse(values)
    assert type(found) is kind
    assert found.labels == labels


@pytest.mark.parametrize(
    ("values", "name"),
    [(values, name) for values in (BINARY, MULTICLASS, MULTILABEL, ORDINAL, REGRESSION) for name in values],
)
def test_nothing_has_a_default(values: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError):
        parse({key: value for key, value in values.items() if key != name})


@pytest.mark.parametrize(
    "values",
    [
        BINARY | {"label": "  "},
        BINARY | {"label": "view//ap"},
        BINARY | {"threshold": "luck"},
        BINARY | {"labels": ["fracture"]},
        MULTICLASS | {"classes": ["ap"]},
        MULTICLASS | {"classes": ["ap", "ap"]},
        MULTILABEL | {"labels": []},
        MULTILABEL | {"labels": ["a", "a"]},
        ORDINAL | {"classes": ["none"]},
        ORDINAL | {"bounds": [3]},
        ORDINAL | {"bounds": [3, 3]},
        ORDINAL | {"bounds": [7, 3]},
        ORDINAL | {"bounds": [3, float("inf")]},
        REGRESSION | {"labels": []},
        REGRESSION | {"loss": "gut feeling"},
        REGRESSION | {"interval": 90},
        REGRESSION | {"interval": 0},
    ],
)
def test_what_cannot_be_asked_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse(values)
