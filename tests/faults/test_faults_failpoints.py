"""At every named point of a commit a run may crash, be told an error, or stand still while another attempt
runs to its end: nothing is lost, doubled, seen in part or left over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
import racing
from faults import driver_runs, failpoints, lone_runs
from faults.failpoints import AFTER, Act, Look

from medray.storage.commit import ORDER

RUNS: dict[str, tuple[Act, Look]] = {
    "tables": (lone_runs.every_table, lone_runs.look_at_tables),
    "model": (lone_runs.a_model, lone_runs.look_at_models),
    "files": (lone_runs.few_files, lone_runs.look_at_few_files),
    "ingest": (driver_runs.ingest, driver_runs.look),
}
every_run = pytest.mark.parametrize("run", list(RUNS))
runs = pytest.mark.parametrize("run", ["tables", "model", "files", pytest.param("ingest", marks=pytest.mark.slow)])


@pytest.fixture(scope="session")
def points(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """The points of a run, by a clean one."""

    @cache
    def of(run: str) -> list[str]:
        return failpoints.steps(RUNS[run][0], str(tmp_path_factory.mktemp(run) / "lake"))

    return of


def test_the_points_are_those_of_the_plan_every_table_and_the_sweep(points: Callable[[str], list[str]]) -> None:
    named = points("tables")
    order = [*(contract.name for contract in ORDER), "audit", "runs"]
    assert [point for point in named if point.startswith("before create")] == [
        f"before create tables/{name}" for name in order
    ]
    assert [point for point in named if point.startswith("after log")] == [f"after log tables/{name}" for name in order]
    plan = ["HASH/inputs.arrow", "turns/HASH/000001.json", "HASH/plan.json"]
    assert named[1:6:2] == [f"after link plans/predict/{name}" for name in plan]
    assert named[-5] == f"after delete tables/{ORDER[0].name}/data/HASH/TEMPORARY"


@every_run
def test_errors_at_every_point_one_after_another(run: str, points: Callable[[str], list[str]], lake: str) -> None:
    """Each attempt comes further than the one before it: by one point, or by a few where an attempt is long."""
    act, look = RUNS[run]
    found = []
    for point in points(run)[:: 3 if run == "ingest" else 1]:
        found += failpoints.fails(act, lake, point, look)
    act(lake)
    assert found + look(lake, True) + failpoints.temporaries(lake) == []


@runs
def test_crashes_at_every_point_one_after_another(
    run: str, points: Callable[[str], list[str]], lake: str, tmp_path: Path
) -> None:
    act, look = RUNS[run]
    faults = tmp_path / "faults"
    ended = racing.at_once(failpoints.crashes, lake, 1, act, look, points(run), str(faults), limit_s=280)
    assert ended == [0]
    act(lake)
    assert faults.read_text().splitlines() + look(lake, True) + left_over(lake) == []


def left_over(lake: str) -> list[str]:
    """In what is a run's own. Beside `lake.json`, among turns and models others may be at work: there only age
    tells."""
    found = (name for name in failpoints.temporaries(lake) if "/turns/" not in name)
    return [name for name in found if "/" in name and not name.startswith("left over: models/")]


@runs
def test_a_run_that_stands_still_goes_on_when_another_has_done_its_work(
    run: str, points: Callable[[str], list[str]], tmp_path: Path
) -> None:
    """Nothing happens to the lake between a point and the next step's `before`: one of both is enough. What is
    in between is as for the first and the last table."""
    between = [f" tables/{contract.name}" for contract in ORDER[1:-1]]
    some = [point for point in points(run) if point.startswith(AFTER) and not any(name in point for name in between)]
    assert _hung(run, some, tmp_path) == []


@pytest.mark.slow
@runs
def test_a_run_stands_still_at_every_point(run: str, points: Callable[[str], list[str]], tmp_path: Path) -> None:
    assert _hung(run, points(run), tmp_path) == []


def _hung(run: str, points: Sequence[str], folder: Path) -> list[str]:
    act, look = RUNS[run]
    lakes = {point: str(folder / f"{number}" / "lake") for number, point in enumerate(points)}
    return [fault for point in points for fault in failpoints.hangs(act, lakes[point], point, look)]
