"""Kills in CI: three points for each job, one for each victim and one of them among its commits; the
campaign under `slow` has 20."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import kills, stage

pytestmark = [pytest.mark.cluster, pytest.mark.ray, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def base(ray_session: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill-base")
    stage.build(folder)
    return folder


@pytest.mark.parametrize("job", ["ingest", "prepare", "predict"])
def test_nothing_is_lost_doubled_repeated_or_seen_in_part(base: Path, job: str) -> None:
    chosen = kills.points(base, job, len(kills.VICTIMS), seed=1)
    trials = [kills.run_trial(base, job, victim, point) for victim, point in zip(kills.VICTIMS, chosen, strict=True)]
    assert [trial for trial in trials if trial.faults] == []
    assert any(trial.killed for trial in trials)


def test_a_night_that_stood_still_goes_on_when_another_has_done_its_work(base: Path) -> None:
    trial = kills.run_trial(base, "night", kills.ZOMBIE, kills.points(base, "night", 1, seed=3)[0] // 2)
    assert trial.killed
    assert trial.faults == []


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("job", [job for job in kills.JOBS if kills.STAGES[job] is stage])
def test_twenty_kills_of_a_job(base: Path, job: str) -> None:
    chosen = kills.points(base, job, 20, seed=2)
    victims = ((*kills.VICTIMS, kills.ZOMBIE) * 5)[:20]
    trials = [kills.run_trial(base, job, victim, point) for victim, point in zip(victims, chosen, strict=True)]
    assert [trial for trial in trials if trial.faults] == []


def test_the_campaign_sees_what_is_wrong(base: Path) -> None:
    """A doubled and a lost answer are faults: the campaign can fail."""
    scene = stage.restore(base, "predict")
    assert any("expected" in fault for fault in stage.faults(scene))
    assert stage._exactly_once("answer", ["a", "a", "b"], 2) == ["1 answer(s) doubled"]
