"""How many workers there are changes no byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import story
from image_ingest import drawn

ROOT = Path(__file__).resolve().parents[2]
RECIPE = """job = "ingest_dicom"
name = "workers"
lake = "{lake}"
source = {{ kind = "dicom", uri = "{archive}", subject = "PatientID" }}
deidentify = {{ profile = "basic", key = "env:{variable}" }}
compute = {{ cpus = {cpus} }}
chunks = {{ objects = 3 }}
"""


def _files(archive: Path, lake: Path, cpus: int) -> dict[str, bytes]:
    """The data files of `images` that a job with so many workers leaves, by name."""
    recipe = lake.with_suffix(".toml")
    recipe.write_text(RECIPE.format(lake=lake, archive=archive, variable=story.KEY_VARIABLE, cpus=cpus))
    job = [sys.executable, str(ROOT / "jobs" / "ingest_dicom.py"), str(recipe), "--run-date", "2026-01-05"]
    subprocess.run(job, check=True, env={**os.environ, story.KEY_VARIABLE: story.KEY}, cwd=lake.parent)
    return {path.name: path.read_bytes() for path in (lake / "tables" / "images" / "data").rglob("*.parquet")}


@pytest.mark.slow
@pytest.mark.cluster
def test_one_worker_writes_what_two_write(tmp_path: Path) -> None:
    drawn(tmp_path / "archive", 14)
    found: list[Any] = [_files(tmp_path / "archive", tmp_path / f"lake-{cpus}", cpus) for cpus in (1, 2)]
    assert len(found[0]) == 5
    assert found[0] == found[1]
