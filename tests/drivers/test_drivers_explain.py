"""`medray explain-row`: everything behind one prediction, and the prediction made again."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from record_scene import FIRST, RecordScene
from scene import Scene
from story import plan
from typer.testing import CliRunner

from medray import cli
from medray.code_version import code_version
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.storage.commit import Outcome, commit_run, write_rows
from medray.storage.models import load_model, register, save_model
from medray.storage.plans import write_plan
from medray.storage.promotions import choose, promote
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray


def _predictions(lake: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = snapshot(LAKE, lake).table(PREDICTIONS).to_pylist()
    return rows


def _asked(lake: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    told = CliRunner().invoke(cli.app, ["explain-row", lake, *arguments, "--json"])
    assert told.exit_code == code, told.output
    found: dict[str, Any] = json.loads(told.output)
    return found


def test_a_row_of_an_image_is_explained_and_made_again(scored: Scene) -> None:
    row = next(row for row in _predictions(scored.lake) if row["status"] == "scored")
    shutil.rmtree(Path(scored.lake) / "cache")  # it is made from its data file
    facts = _asked(scored.lake, "--image", row["SOPInstanceUID"], "--rebuild", "--recipe")
    assert facts["answer"]["raw_score"] == row["raw_score"]
    assert facts["answer"]["state"] == "published"
    given = facts["input"]
    stored = pq.read_table(Path(scored.lake) / "tables" / "images" / given["data_file"]).slice(given["row"], 1)
    assert stored["SOPInstanceUID"].to_pylist() == [row["SOPInstanceUID"]]
    assert given["source_key"] == stored["source_key"][0].as_py()
    sources = {hashlib.sha256(path.read_bytes()).hexdigest() for path in scored.archive.rglob("*") if path.is_file()}
    assert given["input_sha256"] in sources  # the very bytes of the archive
    assert facts["model"]["model_sha256"] == row["model_sha256"]
    assert facts["model"]["made_with_this_subject"] == (facts["model"]["subject_in_split"] in ("train", "tuning"))
    assert facts["run"]["run_id"] == row["run_id"]
    assert facts["run"]["tables_read"]["images"] == 1
    assert facts["recipe"]["model"]["name"] == "tiny"
    assert facts["rebuild"] == {
        "same": True, "differs": {}, "raw_score": row["raw_score"], "same_code": True,
        "code_version_of_row": code_version(), "code_version_here": code_version(),
    }  # fmt: skip


def test_a_score_that_was_changed_is_found_out(scored: Scene) -> None:
    row = next(row for row in _predictions(scored.lake) if row["status"] == "scored")
    answer = _asked(scored.lake, "--image", row["SOPInstanceUID"])["answer"]
    file = Path(scored.lake) / "tables" / answer["table"] / answer["file"]
    table = pq.read_table(file)
    place = table["SOPInstanceUID"].to_pylist().index(row["SOPInstanceUID"])
    changed = table.to_pylist()
    changed[place]["raw_score"] += 2**-40
    pq.write_table(type(table).from_pylist(changed, schema=table.schema), file)
    facts = _asked(scored.lake, "--image", row["SOPInstanceUID"], "--rebuild", code=1)
    assert list(facts["rebuild"]["differs"]) == ["raw_score"]
    shown = CliRunner().invoke(cli.app, ["explain-row", scored.lake, "--image", row["SOPInstanceUID"], "--rebuild"])
    assert shown.exit_code == 1
    assert "DIFFERS: raw_score" in shown.output
    assert f"(by {-(2**-40):.2g})" in shown.output
    assert "the answer is the same" in shown.output
    assert "bit-equal" not in shown.output


def test_a_held_answer_says_so(scored: Scene) -> None:
    """As the gate of a night leaves it: named by `held` alone."""
    rows = snapshot(LAKE, scored.lake).table(PREDICTIONS).slice(0, 1)
    held = rows.set_column(rows.schema.get_field_index("label"), "label", pa.array(["waits"]))
    made = write_plan(LAKE, scored.lake, plan(kind="labels"))
    files = write_rows(LAKE, scored.lake, made, HELD, held, "000000")
    commit_run(LAKE, scored.lake, made, Outcome({}, {HELD.name: files}, verdict="held"))
    uid = rows["SOPInstanceUID"][0].as_py()
    answer = _asked(scored.lake, "--image", uid, "--label", "waits")["answer"]
    assert (answer["state"], answer["table"]) == ("held", "held")


def test_several_rows_give_a_list_to_choose_from(scored: Scene) -> None:
    row = next(row for row in _predictions(scored.lake) if row["status"] == "scored")
    model = load_model(LAKE, scored.lake, row["model_sha256"])
    weights = {name: value * np.float32(0.5) for name, value in model.weights.items()}
    definition = {name: value for name, value in model.definition.items() if name != "format"}
    other = save_model(LAKE, scored.lake, weights, definition, {})
    card = {name: choose(LAKE, scored.lake, "tiny", 1).card[name] for name in ("run_id", "split")}
    register(LAKE, scored.lake, "tiny", other, card)
    promote(LAKE, scored.lake, "tiny", 2, "a person")
    scored.run("predict", run_date="2026-01-02")
    two = _asked(scored.lake, "--image", row["SOPInstanceUID"], code=1)["choices"]
    assert sorted(one["model"] for one in two) == ["tiny/1", "tiny/2"]
    facts = _asked(scored.lake, "--image", row["SOPInstanceUID"], "--model", "tiny/1")
    assert [one["model"] for one in facts["since"]["other_answers"]] == ["tiny/2"]
    assert facts["since"]["in_production_now"] == "tiny/2"
    nobody = CliRunner().invoke(cli.app, ["explain-row", scored.lake, "--image", row["SOPInstanceUID"], "--label", "x"])
    assert nobody.exit_code == 1
    assert "no prediction that fits (2 about" in nobody.output


def test_a_row_of_records_is_made_again_as_of_its_night(scored_records: RecordScene) -> None:
    """Twelve beats and an admission, and one static fact; then a beat comes late into the window."""
    scene = scored_records
    row = next(row for row in _predictions(scene.lake) if row["status"] == "scored")
    names = ("--subject", str(row["subject_id"]), "--time", row["prediction_time"].isoformat(), "--label", "death")
    facts = _asked(scene.lake, *names, "--rebuild")
    given = facts["input"]
    assert given["events_in_window"] == given["observed"] == 14
    assert sum(given["rows_in_window_by_file"].values()) == 14
    assert facts["rebuild"]["same"]
    assert facts["since"]["newer_input_versions"] == []
    late = [f"{90_000 + n},P{n:03d},{_late(n)},HR,200.0" for n in range(80)]
    scene.add("events-late.csv", late)
    scene.run("ingest_ehr", run_date="2026-01-02")
    scene.run("predict", run_date="2026-01-02")
    facts = _asked(scene.lake, *names, "--version", "1", "--rebuild")
    assert facts["rebuild"]["same"]  # what was known that night, not what is known now
    assert facts["input"]["events_in_window"] == 14
    assert facts["since"]["newer_input_versions"] == [2]
    assert [one["input_version"] for one in facts["since"]["other_answers"]] == [2]
    now = _asked(scene.lake, *names, "--version", "2", "--rebuild")
    assert now["input"]["events_in_window"] == 15
    assert now["rebuild"]["same"]


def _late(number: int) -> str:
    return f"{FIRST + timedelta(days=number, hours=5):%Y-%m-%d %H:%M:%S}"
