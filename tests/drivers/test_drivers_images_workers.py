"""How many workers there are changes nothing of what they write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import story
from image_ingest import drawn

from medray.storage.chunk_file import read_facts
from medray.storage.store import LAKE

ROOT = Path(__file__).resolve().parents[2]
RECIPE = """job = "ingest_dicom"
name = "workers"
lake = "{lake}"
source = {{ kind = "dicom", uri = "{archive}", subject = "PatientID" }}
deidentify = {{ profile = "basic", key = "env:{variable}" }}
compute = {{ cpus = {cpus} }}
chunks = {{ objects = 3 }}
"""


def _files(archive: Path, lake: Path, cpus: int) -> dict[str, Any]:
    """Columns and facts of the files of `images` that a job with so many workers leaves, by name."""
    recipe = lake.with_suffix(".toml")
    recipe.write_text(RECIPE.format(lake=lake, archive=archive, variable=story.KEY_VARIABLE, cpus=cpus))
    job = [sys.executable, str(ROOT / "jobs" / "ingest_dicom.py"), str(recipe)]
    subprocess.run(job, check=True, env={**os.environ, story.KEY_VARIABLE: story.KEY}, cwd=lake.parent)
    found = {}
    for path in (lake / "tables" / "images" / "data").rglob("*.parquet"):
        facts = read_facts(LAKE, str(path)) or {}
        # The run's id is part of the path, and the number of CPUs part of the run.
        found[path.name] = (pq.read_table(path).to_pylist(), {**facts, "path": ""})
    return found


@pytest.mark.slow
@pytest.mark.cluster
def test_one_worker_writes_what_two_write(tmp_path: Path) -> None:
    drawn(tmp_path / "archive", 14)
    one, two = (_files(tmp_path / "archive", tmp_path / f"lake-{cpus}", cpus) for cpus in (1, 2))
    assert len(one) == 5
    assert one == two
