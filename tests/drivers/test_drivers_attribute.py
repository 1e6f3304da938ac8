"""Explanations as a user finds them in the table `attributions`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from record_scene import RecordScene
from scene import Scene

from medray.drivers.models import attribute
from medray.errors import RecipeError
from medray.schema.attributions import ATTRIBUTIONS, REST
from medray.schema.predictions import PREDICTIONS
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
IMAGES = {
    "model": {"name": "tiny"}, "label": "opacity", "methods": ["grad_cam", "integrated_gradients"], "reference": "mean",
    "seed": 1, "inputs": 12, "effort": {"grid": 8},
}  # fmt: skip
RECORDS = {
    "model": {"name": "tiny"}, "label": "death", "methods": ["shap", "lime"], "reference": "missing", "seed": 1,
    "inputs": 10, "split": "held_out", "effort": {"samples": 200, "features": 2},
}  # fmt: skip


def rows(lake: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = snapshot(LAKE, lake).table(ATTRIBUTIONS).to_pylist()
    return found


def test_images_are_explained_once_by_every_method(scored: Scene) -> None:
    first = scored.run("explain", **IMAGES)
    assert str(first.sums[0]) == "requested 24 = known 0 + explained 24 + abstained 0 + quarantined 0"
    found = rows(scored.lake)
    assert Counter(row["method"] for row in found) == {"grad_cam": 12, "integrated_gradients": 12}
    for row in found:
        cells = np.frombuffer(row["map"], "<f4")
        assert cells.shape == (row["map_rows"] * row["map_columns"],)
        assert float(cells.sum()) == pytest.approx(row["attribution"], abs=1e-4)
    whole = [row for row in found if row["completeness_error"] is not None]
    assert {(row["method"], row["map_rows"], row["reference"]) for row in whole} == {("integrated_gradients", 8, "mean")}
    assert max(row["completeness_error"] for row in whole) < 0.01
    answers = {row["SOPInstanceUID"]: row for row in snapshot(LAKE, scored.lake).table(PREDICTIONS).to_pylist()}
    for row in found:
        answer = answers[row["SOPInstanceUID"]]
        assert row["output"] == pytest.approx(answer["raw_score"], abs=1e-5)
        assert row["predicted_boolean_probability"] == answer["predicted_boolean_probability"]
    assert "sum up to the answer" in Path(first.facts["report"]).read_text()
    assert scored.run("explain", **IMAGES).status == "nothing"
    more = scored.run("explain", **IMAGES | {"inputs": 14})
    assert more.sums[0].parts == {"known": 24, "explained": 4, "abstained": 0, "quarantined": 0}


