"""Kills of `ingest_ehr` in CI: while it maps, while it decides, and among its commits; the campaign
under `slow` has 20 of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import kills, record_stage

pytestmark = [pytest.mark.cluster, pytest.mark.ray, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def base(ray_session: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill-records")
    record_stage.build(folder)
    return folder


def test_no_record_is_lost_doubled_repeated_or_seen_in_part(base: Path) -> None:
    total = kills.points(base, "records", 1, seed=1)[0]  # among the commits
    trials = [
        kills.run_trial(base, "records", "worker", total // 4),
        kills.run_trial(base, "records", "raylet", total // 2),
        kills.run_trial(base, "records", "driver", total - 2),
    ]
    assert [trial for trial in trials if trial.faults] == []
    assert any(trial.killed for trial in trials)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("job", ["records", "records_commit"])
def test_twenty_kills_of_an_ingest_of_records(base: Path, job: str) -> None:
    chosen = kills.points(base, job, 20, seed=2)
    victims = (kills.VICTIMS * 7)[:20]
    trials = [kills.run_trial(base, job, victim, point) for victim, point in zip(victims, chosen, strict=True)]
    assert [trial for trial in trials if trial.faults] == []


def test_the_campaign_sees_lost_records(base: Path) -> None:
    scene = record_stage.restore(base, "records")
    record_stage.run(scene, "records")
    found = record_stage.faults(scene)
    missing = record_stage.FILES_LATER
    assert f"{record_stage.FILES_BEFORE} files, expected {record_stage.FILES_BEFORE + missing}" in found
    assert not [fault for fault in found if "doubled" in fault or "left over" in fault]
