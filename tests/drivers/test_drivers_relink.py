"""`medray relink`: the way back for who may go it, and an audit that was written first."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pydicom
import pytest
from scene import Scene
from story import plan
from typer.testing import CliRunner

from medray import cli
from medray.drivers.operate import relink as relinking
from medray.schema.audit import AUDIT
from medray.schema.images import IMAGES
from medray.schema.predictions import PREDICTIONS
from medray.storage.commit import Outcome, commit_run, write_rows
from medray.storage.plans import write_plan
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray


def _predict(lake: str, run_date: str, score: float) -> None:
    """One answer for each image, as a scoring run leaves them."""
    names = ("subject_id", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "input_version", "input_sha256")
    images = snapshot(LAKE, lake).table(IMAGES, (*names, "study_time")).to_pylist()
    made = write_plan(LAKE, lake, plan(name=run_date, run_date=run_date))
    rows = [
        {
            **{name: row[name] for name in names}, "prediction_time": row["study_time"], "frame_index": 0,
            "task": "binary", "label": "opacity", "status": "scored", "raw_score": score, "model_name": "tiny",
            "model_version": 1, "model_sha256": "ab" * 32, "code_version": "c", "recipe_sha256": "r",
            "run_id": made.run_id, "run_date": date.fromisoformat(run_date), "scored_at": datetime(2026, 1, 1),
        }
        for row in images
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=PREDICTIONS.schema)
    files = write_rows(LAKE, lake, made, PREDICTIONS, table, "000000")
    commit_run(LAKE, lake, made, Outcome({}, {PREDICTIONS.name: files}))


def _scene(new_scene: Callable[..., Scene], linkage: bool = True) -> tuple[Scene, str]:
    """A lake with a linkage table beside it, 8 images with an answer on each of two days, and its recipe as a file."""
    scene = new_scene()
    place = {"linkage": {"uri": str(scene.folder / "trust-office")}} if linkage else {}
    recipe = scene.recipe("ingest_dicom", labels=None, **place)
    scene.run("ingest_dicom", labels=None, **place)
    _predict(scene.lake, "2026-01-01", 0.25)
    _predict(scene.lake, "2026-01-02", 0.75)
    (scene.folder / "recipe.json").write_text(
        json.dumps({name: one for name, one in recipe.items() if one is not None})
    )
    return scene, str(scene.folder / "recipe.json")


def _relink(recipe: str, output: Path | str, *arguments: str) -> Any:
    return CliRunner().invoke(cli.app, ["relink", recipe, str(output), *arguments])


def _audit(lake: str) -> list[dict[str, Any]]:
    rows = snapshot(LAKE, lake).table(AUDIT).to_pylist()
    return [row for row in rows if row["event"] == "relink"]


def test_originals_are_those_of_the_archive(
    ray_session: dict[str, float], new_scene: Callable[..., Scene], tmp_path: Path
) -> None:
    scene, recipe = _scene(new_scene)
    output = tmp_path / "out.parquet"
    told = _relink(recipe, output, "--since", "2026-01-02", "--label", "opacity")
    assert told.exit_code == 0, told.output
    rows = pq.read_table(output).to_pylist()
    assert len(rows) == 8
    assert {row["raw_score"] for row in rows} == {0.75}
    for row in rows:
        header = pydicom.dcmread(row["original_object"], stop_before_pixels=True)
        assert row["original_instance"] == header.SOPInstanceUID
        assert row["original_study"] == header.StudyInstanceUID
        assert row["original_series"] == header.SeriesInstanceUID
        assert row["original_subject"] == header.PatientID
        assert f"{row['original_prediction_time']:%Y%m%d}" == header.StudyDate
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    (event,) = _audit(scene.lake)
    detail = json.loads(event["detail"])
    assert detail["chosen"] == {"since": "2026-01-02", "label": "opacity"}
    assert (detail["rows"], detail["without_original"]) == (8, 0)
    kept = json.dumps([event], default=str)
    assert not [row for row in rows if row["original_instance"] in kept or row["original_object"] in kept]
    _relink(recipe, tmp_path / "out.csv", "--no-dates")
    table = pacsv.read_csv(tmp_path / "out.csv")
    assert table.num_rows == 16
    assert "original_prediction_time" not in table.column_names
    assert len(_audit(scene.lake)) == 2  # each time is an event of its own


def test_nothing_leaves_before_the_audit_stands(
    ray_session: dict[str, float],
    new_scene: Callable[..., Scene],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene, recipe = _scene(new_scene)
    seen: list[int] = []

    def full_disk(rows: pa.Table, place: str) -> None:
        seen.append(len(_audit(scene.lake)))
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(relinking._WRITERS, ".parquet", full_disk)
    told = _relink(recipe, tmp_path / "out.parquet")
    assert told.exit_code == 1
    assert "no space left" in told.output.lower()
    assert seen == [1]
    assert not list(tmp_path.glob("*.parquet*"))
    assert not list(tmp_path.glob(".tmp-*"))


def test_what_may_not_be_is_refused_and_not_audited(
    ray_session: dict[str, float], new_scene: Callable[..., Scene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, recipe = _scene(new_scene)
    standing = tmp_path / "stands.csv"
    standing.write_text("mine")
    (tmp_path / "way-in").symlink_to(scene.lake)
    document = json.loads(Path(recipe).read_text())
    bare, elsewhere, bucket = (tmp_path / f"{name}.json" for name in ("bare", "elsewhere", "bucket"))
    bare.write_text(json.dumps({name: one for name, one in document.items() if name != "linkage"}))
    elsewhere.write_text(json.dumps({**document, "linkage": {"uri": str(tmp_path / "nowhere")}}))
    bucket.write_text(json.dumps({**document, "linkage": {"uri": "s3://linkage/x"}}))
    monkeypatch.delenv("MEDRAY_LINKAGE_AWS_ACCESS_KEY_ID", raising=False)
    out = str(tmp_path / "out.csv")
    cases: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
        (recipe, f"{scene.lake}/out.csv", (), "a place inside the lake"),
        (recipe, str(tmp_path / "way-in" / "out.csv"), (), "a place inside the lake"),
        (recipe, str(standing), (), "a file that stands there"),
        (recipe, str(tmp_path / "out.txt"), (), "without a known ending"),
        (recipe, out, ("--since", "2027-01-01"), "no prediction that was chosen"),
        (str(bare), out, (), "no [linkage]"),
        (str(elsewhere), out, (), "no table"),
        (str(bucket), out, (), "no credentials of its own"),
    )
    for path, output, arguments, words in cases:
        told = _relink(path, output, *arguments)
        assert told.exit_code == 1, words
        assert words in told.output
    assert standing.read_text() == "mine"
    assert not Path(out).exists()
    assert _audit(scene.lake) == []
