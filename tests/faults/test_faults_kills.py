"""Kills on a cluster of two nodes. The campaign is a process of its own: a session beside a cluster in one
process disturbs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from faults import kills, record_stage, stage
from faults.counts import exactly_once
from without_ray import without_ray

PROGRAM = Path(kills.__file__)
CI_KILLS = 20


def campaign(count: int, limit_s: float) -> dict[str, int]:
    """How many trials, kills and faults there were; the whole output where there was a fault."""
    told = subprocess.run(
        [sys.executable, str(PROGRAM), "--points", str(count), "--seed", "1"],
        capture_output=True, text=True, timeout=limit_s, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
    result: dict[str, int] = json.loads(told.stdout.splitlines()[-1])
    return result


@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_repeated_or_seen_in_part() -> None:
    """Every job and every victim, twice; a job may end before its last kill."""
    told = campaign(CI_KILLS, limit_s=880)
    assert told["trials"] == CI_KILLS // 2
    assert told["kills"] >= 0.7 * CI_KILLS


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.timeout(5 * 3600)
def test_two_hundred_kills() -> None:
    assert campaign(200, limit_s=5 * 3600 - 20)["kills"] >= 170


def test_every_job_and_every_victim_is_drawn() -> None:
    pairs = kills.draw(kills.USUAL, kills.VICTIMS, 25, seed=7)
    assert len(set(pairs)) == 25
    assert {job for job, _ in pairs[:5]} == set(kills.USUAL)
    assert {victim for _, victim in pairs[:5]} == set(kills.VICTIMS)


def test_the_campaign_sees_what_is_wrong(tmp_path: Path) -> None:
    """A doubled and a lost answer are faults: the campaign can fail."""
    with without_ray():
        stage.build(tmp_path)
    scene = stage.restore(tmp_path, "predict")
    assert any("expected" in fault for fault in stage.faults(scene))
    assert exactly_once("answer", ["a", "a", "b"], 2) == ["1 answer(s) doubled"]


def test_the_campaign_sees_lost_records(tmp_path: Path) -> None:
    with without_ray():
        record_stage.build(tmp_path)
        scene = record_stage.restore(tmp_path, "records")
        record_stage.run(scene, "records")
    found = record_stage.faults(scene)
    missing = record_stage.FILES_LATER
    assert f"{record_stage.FILES_BEFORE} files, expected {record_stage.FILES_BEFORE + missing}" in found
    assert not [fault for fault in found if "doubled" in fault or "left over" in fault]
