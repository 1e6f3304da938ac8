"""Golden folders of records: `in`, `recipe.toml` and, to be read by eye, what comes `out`.

`events.csv` has the events that hold, by subject and time; `quarantine.csv` what was not used and
why. Times and subjects are the original ones: the lake of the test is an identified one, and the
test knows the key.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from medray import config
from medray.drivers.job import Job
from medray.drivers.records.read_events import read_bucket
from medray.entry import driver
from medray.narration import silent
from medray.planning.buckets import Bucket
from medray.privacy.pseudonyms import Pseudonyms
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
FOLDERS = Path(__file__).resolve().parents[1] / "ehr" / "golden"
KEY = Pseudonyms(b"g" * 64, identified=True)
SUBJECTS = {KEY.subject_id("golden", name): name for name in ("1", "2", "p1", "p2", "p3", "p4", "p5")}
EVENT = ("subject", "time", "code", "numeric_value", "text_value", "unit", "input_version", "file")
REFUSED = ("file", "row", "reason")
Row = dict[str, str]


@pytest.mark.parametrize("name", ["fhir", "omop"])
def test_a_golden_archive_becomes_its_events_and_its_quarantine(name: str, tmp_path: Path, ray_session: object) -> None:
    golden = FOLDERS / name
    (tmp_path / "key").write_text("g" * 64)
    document = tomllib.loads((golden / "recipe.toml").read_text())
    document["source"]["uri"] = str(golden / "in")
    shared = {
        "job": "ingest_ehr",
        "name": "golden",
        "lake": str(tmp_path / "lake"),
        "issuer": "golden",
        "deidentify": {"profile": "none", "reason": "invented patients", "key": f"file:{tmp_path / 'key'}"},
    }
    recipe = config.parse({**shared, **document}, name)
    driver("ingest_ehr")(recipe, Job("2024-07-01", silent()))
    files = {KEY.source_key(str(path)): path.name for path in (golden / "in").iterdir()}
    assert _events(shared["lake"], files) == _read(golden / "out" / "events.csv")
    assert _quarantine(shared["lake"], files) == _read(golden / "out" / "quarantine.csv")


def _events(lake: str, files: Mapping[str, str]) -> list[Row]:
    state = snapshot(LAKE, lake)
    held = read_bucket(LAKE, lake, state.files(EVENTS), Bucket(0, 1)).to_pylist()
    found = [{**row, "subject": SUBJECTS[row["subject_id"]], "file": files[row["source_key"]]} for row in held]
    return _sorted(EVENT, found)


def _quarantine(lake: str, files: Mapping[str, str]) -> list[Row]:
    rows = snapshot(LAKE, lake).table(QUARANTINE).to_pylist()
    return _sorted(REFUSED, [{**row, "file": files[row["source_key"]], "row": row["row_index"]} for row in rows])


def _sorted(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> list[Row]:
    told = [{name: "" if row[name] is None else str(row[name]) for name in columns} for row in rows]
    return sorted(told, key=lambda row: tuple(row.values()))


def _read(path: Path) -> list[Row]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))
