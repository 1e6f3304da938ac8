"""A table to which every run adds a file has few files for ever, and the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import story
from racing import at_once, bring_together_or_commit, commit_some

from medray import entry
from medray.drivers.audit import verify
from medray.drivers.job import Result
from medray.errors import PlanError, StorageError
from medray.narration import silent
from medray.schema.audit import AUDIT
from medray.schema.contract import TableContract
from medray.schema.runs import RUNS
from medray.storage import delta, together
from medray.storage.commit import data_path
from medray.storage.run_row import run_row
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.store import Store
from medray.storage.together import bring_together


@pytest.fixture(autouse=True)
def _three_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "FILES", 3)


def _files(state: Snapshot, contract: TableContract) -> list[str]:
    return [one.path for one in delta.named_files(state.store, state.lake, contract)]


def _content(state: Snapshot) -> tuple[list[Any], list[Any]]:
    return (
        sorted(state.runs.to_pylist(), key=lambda row: row["run_id"]),
        sorted(state.table(AUDIT).to_pylist(), key=lambda row: (row["run_id"], row["event"])),
    )


def test_the_rows_stay_and_the_files_become_few(store: Store, lake: str) -> None:
    runs = commit_some(store, lake, 8)
    before = snapshot(store, lake)
    kept = _content(before)
    assert (len(kept[0]), len(_files(before, RUNS)), len(_files(before, AUDIT))) == (8, 8, 8)
    assert bring_together(store, lake) == 4  # two of either table, each for three
    after = snapshot(store, lake)
    assert _content(after) == kept
    assert (len(_files(after, RUNS)), len(_files(after, AUDIT))) == (4, 4)
    assert _content(snapshot(Store(), lake)) == kept  # nothing of it was remembered
    assert bring_together(store, lake) == 0  # what was brought together once is left alone
    assert verify(after).faults == ()
    assert all((row := run_row(after, run)) and row["run_id"] == run for run in runs)


def test_nights_go_on_afterwards(store: Store, lake: str) -> None:
    first = commit_some(store, lake, 3)
    bring_together(store, lake)
    assert commit_some(store, lake, 3) == first  # the same runs again: nothing is repeated
    assert snapshot(store, lake).runs.num_rows == 3
    commit_some(store, lake, 3, first=3)
    state = snapshot(store, lake)
    bring_together(store, lake)
    assert snapshot(store, lake).runs.num_rows == 6
    assert len(_files(state, RUNS)) == len(_files(state, AUDIT)) == 2
    assert verify(snapshot(store, lake)).faults == ()


def test_what_a_run_without_a_row_has_told_the_auditor_waits(
    store: Store, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_some(store, lake, 3)
    with monkeypatch.context() as patch:
        patch.setattr("medray.storage.commit._runs_file", _die)
        for number in (3, 4, 5):
            with pytest.raises(RuntimeError, match="killed"):
                commit_some(store, lake, 1, first=number)
    assert bring_together(store, lake) == 2
    assert len(set(snapshot(store, lake).table(AUDIT)["run_id"].to_pylist())) == 3
    (killed,) = commit_some(store, lake, 1, first=3)
    assert killed in snapshot(store, lake).table(AUDIT)["run_id"].to_pylist()


def _die(*_: object) -> None:
    raise RuntimeError("killed")


def test_one_who_was_killed_before_the_commit_left_a_file_that_the_next_uses(
    store: Store, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_some(store, lake, 3)
    state = snapshot(store, lake)
    with monkeypatch.context() as patch:
        patch.setattr(delta, "stand_in", _die)
        with pytest.raises(RuntimeError, match="killed"):
            bring_together(store, lake)
    (left,) = Path(delta.table_uri(lake, AUDIT.name), "data", "together").iterdir()
    stamp = left.stat().st_mtime_ns
    assert bring_together(store, lake) == 2
    assert _files(state, AUDIT) == [data_path("together", left.stem)]
    assert left.stat().st_mtime_ns == stamp


def test_one_who_comes_late_changes_nothing(store: Store, lake: str) -> None:
    commit_some(store, lake, 3)
    small = delta.named_files(store, lake, RUNS)
    bring_together(store, lake)
    with pytest.raises(PlanError, match="taken out"):
        together._stand_in(store, lake, RUNS, small)
    assert snapshot(store, lake).runs.num_rows == 3


def test_of_two_at_once_the_log_refuses_the_second(store: Store, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where only some of the files are the same."""
    commit_some(store, lake, 4)
    small = delta.named_files(store, lake, RUNS)
    write = delta._write

    def overtaken(*given: Any) -> None:
        monkeypatch.setattr(delta, "_write", write)
        together._stand_in(store, lake, RUNS, small[:3])
        write(*given)

    monkeypatch.setattr(delta, "_write", overtaken)
    with pytest.raises(StorageError):
        together._stand_in(store, lake, RUNS, small[1:])
    after = snapshot(store, lake)
    assert (after.runs.num_rows, len(after.run_ids())) == (4, 4)


def test_beside_each_other_and_beside_runs_that_are_committed(store: Store, lake: str) -> None:
    commit_some(store, lake, 9)
    assert at_once(bring_together_or_commit, lake, 6) == [0] * 6
    state = snapshot(store, lake)
    assert state.runs.num_rows == len(state.run_ids()) == 9 + 3 * 4
    assert state.table(AUDIT).num_rows == 2 * (9 + 3 * 4)  # the run, and what it tells
    assert verify(state).faults == ()
    bring_together(store, lake)
    assert max(len(_files(state, contract)) for contract in (RUNS, AUDIT)) <= 9


def test_a_job_brings_together_what_is_there_when_it_ends(
    store: Store, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    commit_some(store, lake, 4)
    monkeypatch.setattr("medray.engine.session.session", lambda *_: nullcontext({}))
    monkeypatch.setattr(entry, "driver", lambda _: lambda *_: Result("nothing", ()))
    entry.run(story.recipe(story.predict_recipe(lake)), story.DAY, silent())
    assert len(_files(snapshot(store, lake), RUNS)) == 2
