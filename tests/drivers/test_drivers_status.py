"""`medray status`: open plans by what they have left in the lake, without Ray."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from story import job, plan
from typer.testing import CliRunner

from medray import cli
from medray.drivers.abandon import abandon
from medray.drivers.operate.status import status
from medray.storage.commit import Outcome, commit_run
from medray.storage.plans import Plan, write_plan
from medray.storage.store import LAKE

PLANNED = datetime(2026, 1, 1, 12)


def _left(lake: str, path: str, minutes: float, text: str = "") -> None:
    """A file that was written so many minutes after the plan."""
    place = Path(lake) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    when = (PLANNED + timedelta(minutes=minutes)).replace(tzinfo=UTC).timestamp()
    os.utime(place, (when, when))


def _open(lake: str, **changes: Any) -> Plan:
    return write_plan(LAKE, lake, plan(**{"planned_at": PLANNED, **changes}))


def test_each_kind_of_plan_shows_how_far_it_is(lake: str) -> None:
    scoring = _open(lake, kind="predict", inputs=(0, 1, 2, 3))
    for chunk in range(3):
        _left(lake, f"tables/predictions/data/{scoring.run_id}/00000{chunk}.parquet", 2 * chunk + 1)
    _left(lake, f"tables/predictions/data/{scoring.run_id}/.tmp-1", 9)
    training = _open(lake, kind="train", recipe={"training": {"epochs": 8}})
    begun = PLANNED.replace(tzinfo=UTC).timestamp()
    history = [{"epoch": one, "ended_at": begun + 60.0 * (3 + one)} for one in (1, 2, 3)]
    _left(lake, f"training/{training.run_id}/progress.json", 7, json.dumps({"history": history}))
    searching = _open(lake, kind="tune")
    for trial, log in enumerate([history, history[:1]]):
        _left(lake, f"training/{searching.run_id}/trials/{trial}/progress.json", 6, json.dumps({"history": log}))
    records = _open(lake, kind="ingest_ehr", inputs=(0, 1))
    _left(lake, f"staging/{records.run_id}/000000.arrow", 3)
    _open(lake, kind="prepare", facts={"family": "image", "prepare_hash": "ab", "data_files": ["a", "b"]})
    _left(lake, "cache/image/ab/old.arrow", -5)
    _left(lake, "cache/image/ab/new.arrow", 4)
    found = {one.plan.job: one for one in status(lake, job(), PLANNED + timedelta(minutes=8)).open}
    assert {name: one.progress.words for name, one in found.items()} == {
        "predict": "3 of 4 chunks", "train": "3 of 8 epochs", "ingest_ehr": "1 of 2 chunks", "prepare": "1 of 2 shards",
        "tune": "4 epochs",
    }  # fmt: skip
    assert found["predict"].progress.left_s == pytest.approx(120)  # one left, one in two minutes
    assert found["train"].progress.per_minute == pytest.approx(1)
    assert found["train"].progress.quiet_s == 60


def test_only_what_is_neither_committed_nor_given_up_is_open(lake: str) -> None:
    committed, given_up, dead = (_open(lake, name=name) for name in "abc")
    commit_run(LAKE, lake, committed, Outcome({"requested": 3}))
    abandon(lake, given_up.run_id, job())
    half = Path(lake) / "plans" / "predict" / "0123"
    half.mkdir()
    (half / "inputs.arrow").write_bytes(b"")  # killed before there was a plan
    told = CliRunner().invoke(cli.app, ["status", lake, "--json"])
    assert told.exit_code == 0, told.output
    document = json.loads(told.output)
    assert [one["run"] for one in document["open"]] == [dead.run_id[:12]]
    assert document["open"][0]["state"] == "quiet"
    assert f"medray abandon {dead.run_id[:12]}" in document["open"][0]["do"]
    assert [run["job"] for run in document["newest"]] == ["abandon", "predict"]
    shown = CliRunner().invoke(cli.app, ["status", lake])
    assert dead.run_id[:12] in shown.output
    assert "no night yet" in shown.output


def test_an_empty_lake_has_nothing_to_tell(lake: str) -> None:
    found = status(lake, job(), PLANNED)
    assert (found.open, found.newest, found.night) == ((), (), None)
