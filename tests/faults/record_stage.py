"""The scene of a kill of `ingest_ehr`: a small archive of records; and what must hold afterwards."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from faults.counts import exactly_once, other_than

from medray.config import load
from medray.drivers.job import Job
from medray.entry import driver
from medray.narration import silent
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.schema.record_files import RECORD_FILES
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.store import LAKE

RUN_DATE = "2026-01-02"
FILES_BEFORE, FILES_LATER, ROWS = 12, 3, 60
JOBS = {"records": "ingest_ehr", "records_commit": "ingest_ehr", "night": "ingest_ehr"}

BAD_ROWS = 2  # of each file: one without subject, one that repeats another
_RECIPE = """
job = "ingest_ehr"
name = "kill"
lake = "{lake}"
issuer = "H"
encounters = "any"
[source]
kind = "tables"
uri = "{archive}"
[[source.tables]]
name = "vitals"
files = "vitals*.csv"
subject = "subject"
[[source.tables.events]]
code = "VITAL//{{item}}"
time = "time"
value = "value"
[deidentify]
profile = "basic"
key = "file:{key}"
[chunks]
objects = 2
megabytes = 0.01
"""


def build(base: Path) -> None:
    """The scene with an empty lake, put aside below `base`."""
    scene = base / "records-scene"
    write_archive(scene)
    (scene / "ingest_ehr.toml").write_text(recipe(f"{scene}/lake", f"{scene}/archive", scene / "key"))
    shutil.copytree(scene, base / "records-aside")


def recipe(lake: str, archive: str, key: Path) -> str:
    """The recipe of an ingest of the archive."""
    return _RECIPE.format(lake=lake, archive=archive, key=key)


def write_archive(scene: Path) -> None:
    """A key, and files of which some rows are bad, and one that nothing reads."""
    (scene / "archive").mkdir(parents=True)
    (scene / "key").write_text("k" * 64)
    for number in range(FILES_BEFORE):
        _write(scene, number)
    (scene / "archive" / "notes.txt").write_text("nothing reads this")


def recipe_of(job: str) -> str:
    """The recipe's file."""
    return f"{JOBS[job]}.toml"


def run(scene: Path, job: str) -> None:
    """Run a job to its end in this process."""
    recipe = load(str(scene / recipe_of(job)))
    driver(recipe.job)(recipe, Job(RUN_DATE, silent()))


def restore(base: Path, job: str) -> Path:
    """The scene as a job finds it, where it was built."""
    scene = base / "records-scene"
    shutil.rmtree(scene)
    shutil.copytree(base / "records-aside", scene)
    return scene


def grow(scene: Path) -> None:
    """More files come into the archive."""
    for number in range(FILES_BEFORE, FILES_BEFORE + FILES_LATER):
        _write(scene, number)


def partial(scene: Path) -> list[str]:
    """Where a snapshot shows something else than its committed runs have counted."""
    return uncounted(snapshot(LAKE, str(scene / "lake")))


def uncounted(state: Snapshot) -> list[str]:
    """Tables that have other rows than the runs of a snapshot have counted."""
    counted: Counter[str] = Counter()
    for counts in state.runs["counts"].to_pylist():
        counted.update(dict(counts))
    expected = {
        EVENTS: counted["candidates/ingested"],
        RECORD_FILES: counted["listed/ingested"],
        QUARANTINE: counted["candidates/duplicate"] + counted["candidates/quarantined"] + counted["listed/quarantined"],
    }
    return other_than(state, expected)


def faults(scene: Path) -> list[str]:
    """What is lost or doubled once everything has been run to its end."""
    found = inexact(snapshot(LAKE, str(scene / "lake")), FILES_BEFORE + FILES_LATER)
    left = [path.name for path in (scene / "lake").rglob(".tmp-*")]
    left += [f"staging of {path.name}" for path in (scene / "lake" / "staging").iterdir()]
    return found + [f"left over: {name}" for name in left]


def inexact(state: Snapshot, total: int) -> list[str]:
    """What is lost or doubled of so many files."""
    events = state.table(EVENTS, ("numeric_value",))["numeric_value"].to_pylist()
    files = state.table(RECORD_FILES, ("source_key",))["source_key"].to_pylist()
    refused = [tuple(row.values()) for row in state.table(QUARANTINE, ("source_key", "row_index")).to_pylist()]
    found = uncounted(state)
    found += exactly_once("event", events, total * ROWS)
    found += exactly_once("file", files, total)
    found += exactly_once("refusal", refused, total * BAD_ROWS + 1)
    return found + exactly_once("run", state.runs["run_id"].to_pylist(), state.runs.num_rows)


def _write(scene: Path, number: int) -> None:
    """A file of rows with values that no other row has, but for the bad ones."""
    values = [number * ROWS + row for row in range(ROWS)]
    rows = [f"p{value % 7},2020-01-{1 + value % 28:02},HR,{value}" for value in values]
    lines = ["subject,time,item,value", *rows, rows[0], ",2020-01-01,HR,1"]
    (scene / "archive" / f"vitals-{number:02}.csv").write_text("\n".join(lines) + "\n")
