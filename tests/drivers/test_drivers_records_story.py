"""A record lake from events to predictions, and the nights after."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from record_scene import FIRST, PATIENTS, PROBLEM, TABULAR, RecordScene, patient_rows

from medray.errors import LabelError, RecipeError
from medray.privacy.pseudonyms import Pseudonyms
from medray.schema.events import EVENTS
from medray.schema.labels import LABELS
from medray.schema.predictions import PREDICTIONS
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
KNOWN = {"abstained": 0, "quarantined": 0}


def _table(scene: RecordScene, contract: Any, where: Any = None) -> pa.Table:
    return snapshot(LAKE, scene.lake).table(contract, None, where)


def _subject(number: int) -> int:
    return Pseudonyms(b"r" * 64).subject_id("", f"P{number:03d}")


def test_every_input_is_scored_once_at_its_time(records: RecordScene) -> None:
    scored = records.run("predict")
    assert dict(scored.sums[-1].parts) == {"known": 0, "scored": PATIENTS, **KNOWN}
    assert records.run("predict").status == "nothing"
    rows = _table(records, PREDICTIONS)
    assert set(rows["subject_id"].to_pylist()) == {_subject(number) for number in range(PATIENTS)}
    assert rows["SOPInstanceUID"].null_count == rows.num_rows
    admitted = _table(records, EVENTS, pc.field("code") == "ADMISSION")
    start = dict(zip(admitted["subject_id"].to_pylist(), admitted["time"].to_pylist(), strict=True))
    assert all(
        time == start[subject] + timedelta(hours=12)
        for subject, time in zip(rows["subject_id"].to_pylist(), rows["prediction_time"].to_pylist(), strict=True)
    )


def test_a_problem_becomes_inputs_and_answers_in_labels(records: RecordScene) -> None:
    rows = _table(records, LABELS)
    asked = rows.filter(pc.equal(rows["label"], PROBLEM["name"]))
    assert (asked.num_rows, set(asked["input_version"].to_pylist())) == (PATIENTS, {1})
    # Admission, 12 heart rates up to the 12th hour, and the sex: fourteen things are known.
    assert set(asked["observed"].to_pylist()) == {14}
    deaths = rows.filter(pc.equal(rows["label"], "death"))
    died = dict(zip(deaths["subject_id"].to_pylist(), deaths["boolean_value"].to_pylist(), strict=True))
    assert died == {_subject(number): number % 3 == 0 for number in range(PATIENTS)}
    assert rows.filter(pc.equal(rows["label"], "next_rate"))["float_value"].null_count == 0


def test_an_evaluation_shows_the_network_beside_simple_models(records: RecordScene) -> None:
    told = records.run("evaluate").facts
    lines = {(line["baseline"], line["metric"]) for line in told["comparisons"]}
    assert {("linear", "auroc"), ("trees", "auroc")} <= lines
    assert told["metrics"]["death"]["metrics"]["auroc"]["value"] > 0.9
    page = Path(told["report"]).read_text()
    assert "ogistic regression" in page
    assert "oosted trees" in page
    assert records.run("evaluate").facts["comparisons"] == told["comparisons"]
    learnt = {line["learnt"]["rows"] for line in told["comparisons"]}
    counts = _counts(records, "train")
    assert learnt == {counts["train"]}


def _counts(scene: RecordScene, job: str) -> dict[str, int]:
    runs = snapshot(LAKE, scene.lake).runs.to_pylist()
    return dict(next(row["counts"] for row in runs if row["job"] == job))


def test_a_night_scores_new_subjects_and_those_whose_past_has_changed(scored_records: RecordScene) -> None:
    late = FIRST + timedelta(days=5, hours=3)  # into what was known of patient 5 at his 12th hour
    after = FIRST + timedelta(days=6, hours=29)  # after patient 6's
    rows = [
        *patient_rows(PATIENTS, 90_000),
        f"95000,P005,{late:%Y-%m-%d %H:%M:%S},HR,140",
        f"95001,P006,{after:%Y-%m-%d %H:%M:%S},HR,60",
    ]
    scored_records.add("events_2.csv", rows)
    night = scored_records.run("nightly")
    sums = {part.total_name: dict(part.parts) for part in night.sums}
    assert sums["requested"] == {"known": PATIENTS - 1, "scored": 2, **KNOWN}
    answers = _table(scored_records, PREDICTIONS)
    versions = {
        (subject, version)
        for subject, version in zip(
            answers["subject_id"].to_pylist(), answers["input_version"].to_pylist(), strict=True
        )
    }
    assert {(_subject(5), 1), (_subject(5), 2), (_subject(6), 1), (_subject(PATIENTS), 1)} <= versions
    assert (_subject(6), 2) not in versions
    assert scored_records.run("nightly", "2026-01-02").status == "done"  # a night without news is committed too
    assert _table(scored_records, PREDICTIONS).num_rows == answers.num_rows


def test_a_night_whose_rates_come_in_another_unit_is_held_and_names_their_code(scored_records: RecordScene) -> None:
    per_second = [row for number in range(100, 120) for row in patient_rows(number, number * 100, 1 / 60)]
    scored_records.add("events_2.csv", per_second)
    night = scored_records.run("nightly", gate={"min_inputs": 10})
    assert night.status == "held"
    report = json.loads((Path(night.facts["report"]).parent / "report.json").read_text())
    holding = {one["about"] for one in report["findings"] if one["holds"]}
    assert "input trait 'HR'" in holding
    assert not any("code" in about for about in holding)


def test_a_correction_that_moves_an_event_out_of_the_window_is_a_change_too(scored_records: RecordScene) -> None:
    before = next(row for row in patient_rows(7, 700) if row.startswith("703,"))  # HR of the third hour
    _, patient, _, item, value = before.split(",")
    later = FIRST + timedelta(days=7, hours=29)
    scored_records.add("events_2.csv", [f"703,{patient},{later:%Y-%m-%d %H:%M:%S},{item},{value}"])
    scored_records.run("ingest_ehr")
    scored = scored_records.run("predict")
    assert dict(scored.sums[-1].parts) == {"known": PATIENTS - 1, "scored": 1, **KNOWN}
    asked = _table(scored_records, LABELS, pc.field("label") == PROBLEM["name"]).to_pylist()
    versions = [(row["input_version"], row["observed"]) for row in asked if row["subject_id"] == _subject(7)]
    assert sorted(versions) == [(1, 14), (2, 13)]


def test_what_happens_later_changes_no_score(
    scored_records: RecordScene, new_records: Callable[..., RecordScene]
) -> None:
    """The same patients, all events after the prediction time but one removed."""
    other = new_records(PATIENTS)
    (other.archive / "events.csv").unlink()
    kept = []
    for number in range(PATIENTS):
        rows = list(patient_rows(number, number * 100))
        kept += [row for row in rows if _hour(row, number) <= 12 or _hour(row, number) == 30]
    other.add("events.csv", kept)
    other.run("ingest_ehr")
    _copy_model(scored_records, other)
    other.run("predict")
    scores = [
        dict(zip(t["subject_id"].to_pylist(), t["raw_score"].to_pylist(), strict=True))
        for t in (_table(scored_records, PREDICTIONS), _table(other, PREDICTIONS))
    ]
    assert scores[0] == scores[1]


def _hour(row: str, number: int) -> float:
    time = datetime.fromisoformat(row.split(",")[2])
    return (time - FIRST - timedelta(days=number)) / timedelta(hours=1)


def _copy_model(source: RecordScene, target: RecordScene) -> None:
    shutil.copytree(Path(source.lake) / "models", Path(target.lake) / "models")


def test_a_network_on_a_table_learns_a_number(records: RecordScene) -> None:
    task = {"kind": "regression", "labels": ["next_rate"], "interval": 0.8, "loss": "squared"}
    alone = {**records.recipe("train")["training"], "workers": 1}
    records.run("train", family=TABULAR, task=task, training=alone, model={"name": "rate"})
    told = records.run("evaluate", model={"name": "rate", "version": 1}).facts
    assert told["metrics"]["next_rate"]["metrics"]["mae"]["value"] < 15
    assert {line["metric"] for line in told["comparisons"]} == {"mae", "r2"}


def test_what_calibration_will_refuse_is_refused_before_the_first_epoch(
    records: RecordScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medray.drivers.models.train.fit", lambda *_: pytest.fail("it began to train"))
    task = {"kind": "regression", "labels": ["next_rate"], "interval": 0.8, "loss": "squared"}
    split = {"salt": "records", "tuning": 0.03, "held_out": 0.25}
    with pytest.raises(LabelError, match="known answers in the tuning split"):
        records.run("train", family=TABULAR, task=task, split=split, model={"name": "rate"})


def test_one_name_means_one_problem(records: RecordScene) -> None:
    with pytest.raises(RecipeError, match="another definition"):
        records.run("prepare", problem={**PROBLEM, "observe_hours": 6})


def test_a_family_of_records_needs_a_problem_and_only_it(records: RecordScene) -> None:
    with pytest.raises(RecipeError, match=r"\[problem\] belongs to a family of records"):
        records.run("prepare", problem=None)


def test_a_lake_without_events_says_what_to_run(new_records: Callable[..., RecordScene]) -> None:
    with pytest.raises(RecipeError, match="run an ingest_ehr recipe first"):
        new_records().run("prepare")


def test_too_few_events_are_out_of_the_models_range(records: RecordScene) -> None:
    start = FIRST + timedelta(days=900)
    times = [start + timedelta(hours=hour) for hour in (*range(1, 7), 13)]  # seven events by the 12th hour
    rows = [f"91000,P900,{start:%Y-%m-%d %H:%M:%S},ADMISSION,"]
    rows += [f"{92000 + n},P900,{time:%Y-%m-%d %H:%M:%S},HR,80" for n, time in enumerate(times)]
    records.add("events_few.csv", rows)
    records.run("ingest_ehr")
    scored = records.run("predict")
    assert dict(scored.sums[-1].parts) == {"known": 0, "scored": PATIENTS, "abstained": 1, "quarantined": 0}
    refused = _table(records, PREDICTIONS, pc.field("status") == "abstained").to_pylist()
    assert [(row["subject_id"], row["reason"]) for row in refused] == [(_subject(900), "too_few_events")]
