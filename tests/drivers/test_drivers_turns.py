"""Drivers that run at once: the same run is committed once, and two plans never hold the same inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import racing
import story

from medray.drivers.abandon import abandon
from medray.drivers.job import Result
from medray.drivers.turns import in_turn
from medray.errors import PlanError
from medray.schema.quarantine import QUARANTINE
from medray.storage.plans import Plan, planned_runs
from medray.storage.snapshot import snapshot
from medray.storage.store import TEMPORARY, Store
from medray.storage.turns import newest_turn, take_turn

AT_ONCE = 8


@pytest.mark.timeout(180)
def test_a_run_that_is_submitted_eight_times_at_once_is_committed_once(store: Store, lake: str) -> None:
    assert racing.at_once(racing.submit_the_same, lake, AT_ONCE) == [0] * AT_ONCE
    assert racing.keys(store, lake) == [f"k{number:03}" for number in range(racing.KEYS)]
    assert snapshot(store, lake).runs.num_rows == 1
    assert list(Path(lake).rglob(f"{TEMPORARY}*")) == []


@pytest.mark.timeout(180)
def test_eight_drivers_at_once_do_each_input_once(store: Store, lake: str) -> None:
    assert racing.at_once(racing.start_a_driver, lake, AT_ONCE) == [0] * AT_ONCE
    assert racing.keys(store, lake) == [f"k{number:03}" for number in range(racing.KEYS + AT_ONCE - 1)]
    assert list(Path(lake).rglob(f"{TEMPORARY}*")) == []


def late_and_next(lake: str) -> tuple[list[str], Callable[[int, Callable[[], None]], Result]]:
    """What two nights say, and how one is run that finds so many keys and is then held up."""
    said: list[str] = []

    class Tell:
        def say(self, line: str) -> None:
            said.append(line)

    def night(count: int, held_up: Callable[[], None] = lambda: None) -> Result:
        def look() -> Plan | Result:
            found = racing._planned(lake, count)
            held_up()
            return found

        job = replace(story.job(), tell=Tell())  # type: ignore[arg-type]
        return in_turn(job, lake, "predict", "same", racing._commit(lake), look)

    return said, night


def test_a_late_night_does_not_repeat_what_the_next_one_did(store: Store, lake: str) -> None:
    """The late one has looked and not yet planned when the next one runs from its beginning to its end."""
    said, night = late_and_next(lake)
    overtaken = iter([lambda: night(5)])
    late = night(3, lambda: next(overtaken, list)())  # type: ignore[arg-type]
    assert racing.keys(store, lake) == [f"k{number:03}" for number in range(5)]
    assert (late.status, said) == (
        "nothing",
        ["another run has planned this a moment before: finishing that one first"],
    )


def test_the_loser_finishes_a_plan_whose_driver_was_killed(store: Store, lake: str) -> None:
    """Killed between taking its turn and anything else: not even the plan's document stands."""
    _, night = late_and_next(lake)
    plan = replace(racing._planned(lake, 4), turn=1)  # type: ignore[type-var]
    assert isinstance(plan, Plan)
    take_turn(store, lake, plan)
    Path(lake, "plans", "predict", plan.run_id, "plan.json").unlink()
    assert planned_runs(store, lake, "predict") == []
    result = night(6)
    assert racing.keys(store, lake) == [f"k{number:03}" for number in range(6)]
    assert result.run_ids[0] == plan.run_id
    assert len(result.run_ids) == 2


def test_turns_follow_each_other(store: Store, lake: str) -> None:
    assert newest_turn(store, lake, "predict", "same") == (0, None)
    first, other = (replace(story.plan(name), stream="same", turn=1) for name in ("a", "b"))
    assert take_turn(store, lake, first) == take_turn(store, lake, first)
    assert take_turn(store, lake, other) is None
    assert newest_turn(store, lake, "predict", "same") == (1, first.run_id)
    second = take_turn(store, lake, replace(other, turn=2))
    assert second is not None
    assert newest_turn(store, lake, "predict", "same") == (2, second.run_id)
    assert newest_turn(store, lake, "predict", "another") == (0, None)
    assert planned_runs(store, lake, "predict") == sorted([first.run_id, second.run_id])


def test_a_plan_that_was_given_up_is_not_committed_by_a_driver_that_stood_still(store: Store, lake: str) -> None:
    """The inputs are new again, and another run takes them, under another name."""
    plan = take_turn(store, lake, replace(racing._planned(lake, 3), turn=1))  # type: ignore[type-var]
    assert plan is not None
    abandon(lake, plan.run_id, story.job())
    with pytest.raises(PlanError, match="given up"):
        racing._commit(lake)(plan)
    assert racing.keys(store, lake) == []
    _, night = late_and_next(lake)
    (again,) = night(3).run_ids
    assert again != plan.run_id
    with pytest.raises(PlanError, match="given up"):
        racing._commit(lake)(plan)
    assert racing.keys(store, lake) == ["k000", "k001", "k002"]
    rows: list[Any] = snapshot(store, lake).table(QUARANTINE, ("run_id",))["run_id"].to_pylist()
    assert set(rows) == {again}


def test_a_committed_run_cannot_be_given_up(store: Store, lake: str) -> None:
    _, night = late_and_next(lake)
    (done,) = night(3).run_ids
    with pytest.raises(PlanError, match="0 unfinished plans"):
        abandon(lake, done, story.job())
