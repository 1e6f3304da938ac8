"""The MIMIC-III demo by its worked recipe: every row of every table is accounted for."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

from medray import config
from medray.drivers.job import Job
from medray.entry import driver
from medray.narration import silent
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.schema.record_files import RECORD_FILES
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MEDRAY_TEST_DATA", ROOT.parent / "shared" / "data")) / "mimic3_demo"
pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(not DATA.exists(), reason="the MIMIC-III demo is not on this machine"),
]
ORPHANS = 217  # records of admission 168674, the one that this copy lacks
UNMAPPED = 10  # dictionaries, caregivers, notes without rows, licence, readme, checksums


def test_the_demo_reconciles_table_by_table(tmp_path: Path, ray_session: object) -> None:
    (tmp_path / "key").write_text("m" * 64)
    lake = str(tmp_path / "lake")
    changes = [f"source.uri={DATA}", f"lake={lake}", f"deidentify.key=file:{tmp_path / 'key'}"]
    recipe = config.load(str(ROOT / "jobs" / "recipes" / "mimic3" / "ingest.toml"), changes)
    result = driver("ingest_ehr")(recipe, Job("2026-01-01", silent()))
    state = snapshot(LAKE, lake)
    rows = {row["table"]: row for row in state.table(RECORD_FILES).to_pylist()}
    refused = state.table(QUARANTINE, ("stage", "reason", "detail", "source_key", "row_index"))
    assert [row for row in refused.to_pylist() if row["reason"] not in ("orphan_encounter", "not_mapped")] == []
    assert {table: row["source_rows"] for table, row in rows.items()} == {table: _lines(table) for table in rows}
    assert {"PATIENTS", "ADMISSIONS", "PRESCRIPTIONS", "DIAGNOSES_ICD", "INPUTEVENTS_MV"} <= set(rows)
    assert sum(row["ingested"] for row in rows.values()) == state.table(EVENTS, ("code",)).num_rows
    reasons = state.table(QUARANTINE, ("reason",))["reason"].value_counts().to_pylist()
    assert {one["values"]: one["counts"] for one in reasons} == {"orphan_encounter": ORPHANS, "not_mapped": UNMAPPED}
    assert result.sums[0].parts == {"known": 0, "ingested": len(rows), "quarantined": UNMAPPED}
    assert len(set(state.table(EVENTS, ("subject_id",))["subject_id"].to_pylist())) == 100


def _lines(table: str) -> int:
    with gzip.open(DATA / f"{table}.csv.gz", "rt", newline="") as stream:
        return sum(1 for _ in csv.reader(stream)) - 1
