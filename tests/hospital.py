"""A small archive of records with its lake: what the tests of `ingest_ehr` share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from scene import KEY

from medray import config
from medray.drivers.job import Job, Result
from medray.drivers.records.read_events import read_bucket
from medray.entry import driver
from medray.narration import silent
from medray.planning.buckets import Bucket
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.store import LAKE
from medray.storage.uri import join

TABLES = [
    {
        "name": "admissions", "files": "admissions*", "subject": "subject_id", "encounter": "hadm_id",
        "defines_encounter": True, "events": [{"code": "ADMISSION", "time": "admittime", "value_required": False}],
    },
    {
        "name": "labs", "files": "labs*", "subject": "subject_id", "encounter": "hadm_id", "record": "id",
        "events": [{"code": "LAB//{itemid}", "time": "charttime", "value": "value", "unit": "{unit}"}],
    },
    {
        "name": "vitals", "files": "vitals*", "subject": "subject_id",
        "events": [{"code": "VITAL//{itemid}", "time": "charttime", "value": "value"}],
    },
]  # fmt: skip
ADMISSIONS = "subject_id,hadm_id,admittime\np1,a1,2020-01-01 08:00:00\np2,a2,2020-02-01 08:00:00\n"
LABS = """id,subject_id,hadm_id,charttime,itemid,value,unit
1,p1,a1,2020-01-02 00:00:00,NA,140,mmol/L
2,p1,a9,2020-01-02 01:00:00,NA,141,mmol/L
3,p2,a2,2020-02-02 00:00:00,K,4.5,mmol/L
4,,a2,2020-02-02 00:00:00,K,4.5,mmol/L
5,p2,a2,yesterday,K,4.5,mmol/L
6,p2,a2,2020-02-02 00:00:00,K,,mmol/L
7,p2,a2,2020-02-02 00:00:00,K,high,mmol/L
"""
VITALS = "subject_id,charttime,itemid,value\n" + "".join(
    f"p{i % 3},2020-01-{1 + i % 9:02},HR,{60 + i % 4}\n" for i in range(40)
)


class Hospital:
    """An archive of records in a folder, with its lake beside it, or at another place."""

    def __init__(self, folder: Path, place: str | None = None) -> None:
        self.folder, self.archive, self.lake = folder, folder / "archive", join(place or str(folder), "lake")
        self.archive.mkdir(parents=True, exist_ok=True)
        (folder / "key").write_text(KEY)

    def put(self, name: str, text: str) -> Path:
        (self.archive / name).parent.mkdir(parents=True, exist_ok=True)
        (self.archive / name).write_text(text)
        return self.archive / name

    def recipe(self, **changes: Any) -> dict[str, Any]:
        return {
            "job": "ingest_ehr", "name": "records", "lake": self.lake, "issuer": "H", "encounters": "required",
            "source": {"kind": "tables", "uri": str(self.archive), "tables": TABLES},
            "deidentify": {"profile": "basic", "key": f"file:{self.folder / 'key'}"}, **changes,
        }  # fmt: skip

    def ingest(self, **changes: Any) -> Result:
        recipe = config.parse(self.recipe(**changes), "test")
        result: Result = driver("ingest_ehr")(recipe, Job("2026-01-01", silent()))
        return result

    @property
    def state(self) -> Snapshot:
        return snapshot(LAKE, self.lake)

    def reasons(self) -> dict[str, int]:
        return dict(Counter(self.state.table(QUARANTINE, ("reason",))["reason"].to_pylist()))

    def current(self, *columns: str) -> list[dict[str, Any]]:
        rows = read_bucket(LAKE, self.lake, self.state.files(EVENTS), Bucket(0, 1), columns)
        found: list[dict[str, Any]] = rows.to_pylist()
        return found

    def values(self) -> list[tuple[str, float | None]]:
        return sorted((row["code"], row["numeric_value"]) for row in self.current("code", "numeric_value"))


def without_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    """A hospital whose chunks and buckets are done here, one after another: no Ray."""
    monkeypatch.setattr("medray.drivers.records.ingest.run_chunks", _serial)
    return Hospital(folder)


def _serial(work: Callable[[Any], Any], chunks: Sequence[Any]) -> Iterator[Any]:
    for chunk in chunks:
        yield json.loads(json.dumps(work(chunk)))


def archive(folder: Path) -> Hospital:
    """Two tables of two patients: 9 candidates, of which 4 become events."""
    place = Hospital(folder)
    place.put("admissions.csv", ADMISSIONS)
    place.put("labs.csv", LABS)
    return place
