"""Drivers that overlap on one lake, each in a process of its own: one ingest submitted eight times, and a
late night beside the next one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import racing
from faults import driver_runs, failpoints, stage
from without_ray import without_ray

from medray.config import load
from medray.demo.archive import write_archive
from medray.demo.cases import synthetic
from medray.drivers.job import Job
from medray.drivers.night.nightly import nightly
from medray.narration import silent
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

NIGHTS = ("2026-01-02", "2026-01-03")


def submit(lake: str, number: int, wait: Callable[[], int]) -> None:
    wait()
    driver_runs.ingest(lake)


def spend_a_night(lake: str, number: int, wait: Callable[[], int]) -> None:
    recipe = load(str(Path(lake).parent / "nightly.toml"))
    with without_ray():
        wait()
        nightly(recipe, Job(NIGHTS[number], silent()))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_ingest_that_is_submitted_eight_times_at_once_is_one_run(tmp_path: Path) -> None:
    lake = str(tmp_path / "lake")
    driver_runs.prepare(lake)
    assert racing.at_once(submit, lake, 8) == [0] * 8
    assert driver_runs.look(lake, True) == []
    assert snapshot(LAKE, lake).runs["job"].to_pylist() == ["ingest_dicom"]
    assert failpoints.temporaries(lake) == []


@pytest.mark.timeout(180)
def test_a_late_night_and_the_next_one_score_each_image_once(tmp_path: Path) -> None:
    total = stage.IMAGES_BEFORE + stage.IMAGES_LATER
    write_archive(tmp_path, synthetic(total, seed=1, size=32), label="opacity", first_day=date(2024, 1, 1))
    (tmp_path / "key").write_text("k" * 64)
    stage._recipes(tmp_path)
    stage._model(tmp_path / "lake")
    assert racing.at_once(spend_a_night, str(tmp_path / "lake"), len(NIGHTS)) == [0, 0]
    assert stage.faults(tmp_path) == []
    runs = snapshot(LAKE, str(tmp_path / "lake")).runs.to_pylist()
    assert sorted(row["run_date"].isoformat() for row in runs if row["job"] == "nightly") == list(NIGHTS)
