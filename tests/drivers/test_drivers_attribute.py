"""Explanations as a user finds them in the table `attributions`."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from record_scene import RecordScene
from scene import Scene
from without_ray import without_ray

from medray import config
from medray.drivers.models import attribute
from medray.errors import ModelError, RecipeError
from medray.schema.attributions import ATTRIBUTIONS, REST
from medray.schema.predictions import PREDICTIONS
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
SMALL: dict[str, Any] = {"grid": 8, "samples": 100, "permutations": 4, "features": 2}
OF_A_RUN = {"run_id", "run_date", "explained_at", "recipe_sha256"}


def rows(lake: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = snapshot(LAKE, lake).table(ATTRIBUTIONS).to_pylist()
    return found


@pytest.fixture
def here() -> Iterator[None]:
    """Chunks one after another in this process."""
    with without_ray():
        yield


def test_images_are_explained_once_by_every_method(scored: Scene) -> None:
    asked: dict[str, Any] = {"inputs": 6, "effort": SMALL}
    first = scored.run("explain", **asked)
    assert str(first.sums[0]) == "requested 12 = known 0 + explained 12 + abstained 0 + quarantined 0"
    found = rows(scored.lake)
    assert Counter(row["method"] for row in found) == {"grad_cam": 6, "integrated_gradients": 6}
    for row in found:
        cells = np.frombuffer(row["map"], "<f4")
        assert cells.shape == (row["map_rows"] * row["map_columns"],)
        assert float(cells.sum()) == pytest.approx(row["attribution"], abs=1e-4)
    whole = [row for row in found if row["completeness_error"] is not None]
    assert {(row["method"], row["map_rows"], row["reference"]) for row in whole} == {
        ("integrated_gradients", 8, "mean")
    }
    assert max(row["completeness_error"] for row in whole) < 0.01
    answers = {row["SOPInstanceUID"]: row for row in snapshot(LAKE, scored.lake).table(PREDICTIONS).to_pylist()}
    for row in found:
        answer = answers[row["SOPInstanceUID"]]
        assert row["output"] == pytest.approx(answer["raw_score"], abs=1e-5)
        assert row["predicted_boolean_probability"] == pytest.approx(answer["predicted_boolean_probability"], abs=1e-6)
    assert "Where the answers come from" in Path(first.facts["report"]).read_text()
    assert scored.run("explain", **asked).status == "nothing"
    more = scored.run("explain", **asked | {"inputs": 7})
    assert dict(more.sums[0].parts) == {"known": 12, "explained": 2, "abstained": 0, "quarantined": 0}
    # what an explanation is relative to is part of the question; Grad-CAM has nothing of the kind
    other = scored.run("explain", **asked | {"reference": "black"})
    assert dict(other.sums[0].parts) == {"known": 6, "explained": 6, "abstained": 0, "quarantined": 0}


def test_features_of_records_have_their_codes_and_sum_up(records: RecordScene, here: None) -> None:
    done = records.run("explain", inputs=5, effort=SMALL | {"features": 1})
    assert dict(done.sums[0].parts) == {"known": 0, "explained": 10, "abstained": 0, "quarantined": 0}
    found = rows(records.lake)
    assert {row["feature"] for row in found} <= {"ADMISSION", "HR", "SEX//F", "SEX//M", REST}
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in found:
        groups.setdefault((row["subject_id"], row["method"]), []).append(row)
    assert len(groups) == 10
    for (_, method), group in groups.items():
        assert [row["rank"] for row in group] == [1, None]
        assert group[0]["feature_value"] is None or 60 < group[0]["feature_value"] < 140  # the last heart rate
        if method == "shap":
            total = sum(row["attribution"] for row in group)
            assert total == pytest.approx(group[0]["output"] - group[0]["base_value"], abs=1e-5)
            assert group[0]["completeness_error"] < 0.01
        else:
            assert group[0]["fit"] <= 1
    assert done.facts["methods"]["shap"]["completeness_below_1_percent"] == 5


def test_a_row_is_explained_alike_alone_and_among_others(
    records: RecordScene, here: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(records.lake, tmp_path / "other")
    records.run("explain", inputs=6, effort=SMALL)
    monkeypatch.setattr(attribute, "CHUNK", 1)
    records.run("explain", inputs=3, effort=SMALL, lake=str(tmp_path / "other"))

    def by_row(lake: str) -> dict[Any, Any]:
        return {
            (row["subject_id"], row["method"], row["feature"]): {k: v for k, v in row.items() if k not in OF_A_RUN}
            for row in rows(lake)
        }

    many, few = by_row(records.lake), by_row(str(tmp_path / "other"))
    assert len({subject for subject, _, _ in few}) == 3
    assert {key: many[key] for key in few} == few


def test_a_killed_run_is_finished_and_nothing_is_doubled(
    scored: Scene, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver dies after two of four chunks; its plan is finished by the next, of whatever recipe."""
    monkeypatch.setattr(attribute, "CHUNK", 2)
    real = attribute.run_actors

    def dying(*arguments: Any, **named: Any) -> Iterator[Any]:
        facts = real(*arguments, **named)
        yield next(facts)
        yield next(facts)
        raise KeyboardInterrupt

    monkeypatch.setattr(attribute, "run_actors", dying)
    asked: dict[str, Any] = {"inputs": 8, "methods": ["grad_cam"], "reference": None}
    with pytest.raises(KeyboardInterrupt):
        scored.run("explain", **asked)
    assert rows(scored.lake) == []
    folder = Path(scored.lake, "tables", "attributions", "data")
    stands = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    assert len(stands) == 2
    monkeypatch.setattr(attribute, "run_actors", real)
    again = scored.run("explain", **asked)
    assert dict(again.sums[0].parts) == {"known": 0, "explained": 8, "abstained": 0, "quarantined": 0}
    assert len({row["SOPInstanceUID"] for row in rows(scored.lake)}) == len(rows(scored.lake)) == 8
    assert {path: path.stat().st_mtime_ns for path in stands} == stands
    assert scored.run("explain", **asked).status == "nothing"


def test_inputs_are_chosen_by_answer_and_out_of_range_ones_abstain(scored: Scene, here: None) -> None:
    from medray.dicom.examples import FOLDER

    asked: dict[str, Any] = {"methods": ["grad_cam"], "reference": None, "above": 0.5}
    scored.run("explain", **asked)
    above = {row["SOPInstanceUID"]: row for row in rows(scored.lake)}
    table = snapshot(LAKE, scored.lake).table(PREDICTIONS).to_pylist()
    assert above.keys() == {row["SOPInstanceUID"] for row in table if row["predicted_boolean_probability"] >= 0.5}
    shutil.copy(FOLDER / "CT_small.dcm", scored.archive / "ct.dcm")
    scored.run("ingest_dicom")
    ct = scored.run("explain", **asked | {"above": None, "select": {"modalities": ["CT"]}})
    assert dict(ct.sums[0].parts) == {"known": 0, "explained": 0, "abstained": 1, "quarantined": 0}
    abstained = [row for row in rows(scored.lake) if row["status"] == "abstained"]
    assert [(row["reason"], row["output"], row["map"]) for row in abstained] == [("modality_out_of_range", None, None)]
    assert scored.run("explain", **asked | {"above": None, "select": {"modalities": ["CT"]}}).status == "nothing"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"label": "fracture"}, "found label = 'fracture'. Allowed: opacity"),
        ({"methods": ["shap", "lime"]}, "for a model of the family 'image'. Allowed: grad_cam, integrated_gradients"),
        ({"reference": "median"}, "for a model of the family 'image'. Allowed: black, mean"),
    ],
)
def test_what_a_model_is_not_asked_is_refused_before_anything_is_done(
    scored: Scene, here: None, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(RecipeError) as refused:
        scored.run("explain", **changes)
    assert told in str(refused.value)
    with pytest.raises(ModelError, match="no version 9"):
        scored.run("explain", model={"name": "tiny", "version": 9})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"methods": ["grad_cam", "shap"]}, "name one kind"),
        ({"methods": ["occlusion"]}, "Input should be 'grad_cam'"),
        ({"methods": ["grad_cam"]}, "'reference' belongs to all methods but grad_cam"),
        ({"reference": None}, "'reference' belongs to all methods but grad_cam"),
        ({"split": "held_out", "select": {"modalities": ["CR"]}}, "not both"),
        ({"effort": {"permutations": 3}}, "multiple of 2"),
    ],
)
def test_a_recipe_says_all_that_it_must(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as refused:
        config.parse(Scene(tmp_path).recipe("explain", **changes), "test")
    assert told in str(refused.value)
