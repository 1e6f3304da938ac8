"""A run is committed whole or not at all, once, and read through `runs`."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import racing
import story
from deltalake import DeltaTable, Schema
from deltalake.exceptions import CommitFailedError

from medray.errors import SchemaError, StorageError
from medray.schema.audit import AUDIT
from medray.schema.contract import TableContract
from medray.schema.labels import LABELS
from medray.schema.quarantine import QUARANTINE
from medray.schema.runs import RUNS
from medray.storage import delta
from medray.storage.commit import ORDER, Outcome, commit_run, data_path, write_rows
from medray.storage.failures import told
from medray.storage.plans import Plan
from medray.storage.snapshot import EMPTY, newest, snapshot
from medray.storage.store import TEMPORARY, Store


def quarantine_rows(plan: Plan, *keys: str) -> pa.Table:
    shared = {"source_etag": "e", "size_bytes": 1, "stage": "ingest", "reason": "empty", "run_id": plan.run_id}
    rows = [{"source_key": key, **shared} for key in keys]
    return pa.Table.from_pylist(rows, schema=QUARANTINE.schema)


def label_rows(plan: Plan, *keys: str) -> pa.Table:
    shared = {"label": "q", "boolean_value": True, "labelled_at": datetime(2026, 1, 1), "run_id": plan.run_id}
    rows = [{"source_key": key, **shared} for key in keys]
    return pa.Table.from_pylist(rows, schema=LABELS.schema)


def outcome(store: Store, lake: str, plan: Plan, *keys: str) -> Outcome:
    """Published files of two tables, ready to be committed."""
    files = {
        QUARANTINE.name: write_rows(store, lake, plan, QUARANTINE, quarantine_rows(plan, *keys), "q"),
        LABELS.name: write_rows(store, lake, plan, LABELS, label_rows(plan, *keys), "l"),
    }
    return Outcome({"listed": len(keys), "known": 0}, files)


def seen(store: Store, lake: str, contract: TableContract = QUARANTINE) -> list[str]:
    return sorted(snapshot(store, lake).table(contract, ("source_key",))["source_key"].to_pylist())


def version_of(store: Store, lake: str, contract: TableContract) -> int | None:
    table = delta.open_table(store, lake, contract)
    return None if table is None else int(table.version())


def test_an_empty_lake_has_an_empty_snapshot(store: Store, lake: str) -> None:
    state = snapshot(store, lake)
    assert (state.runs.num_rows, state.versions, state.version(QUARANTINE), state.files(QUARANTINE)) == (
        0,
        {},
        EMPTY,
        [],
    )
    assert state.table(QUARANTINE).schema.names == QUARANTINE.schema.names


def test_a_run_is_visible_with_its_facts(store: Store, lake: str) -> None:
    plan = story.plan(tables_read={"images": 4})
    versions = commit_run(store, lake, plan, outcome(store, lake, plan, "k1", "k2"))
    assert versions == {"images": 4, "quarantine": 1, "labels": 1, "audit": 1}  # version 0 is the table's creation
    assert seen(store, lake) == seen(store, lake, LABELS) == ["k1", "k2"]
    (row,) = pa.Table.from_batches(delta.scan(store, lake, RUNS, 1, RUNS.schema.names)).to_pylist()
    assert row["run_id"] == plan.run_id
    assert dict(row["counts"]) == {"listed": 2, "known": 0}
    assert dict(row["tables_read"]) == {"images": 4}
    assert dict(row["tables_written"]) == versions
    assert json.loads(row["recipe"]) == plan.recipe
    assert row["recipe_sha256"] == plan.recipe_sha256
    assert row["run_date"] == date(2026, 1, 1)
    assert row["planned_at"] == plan.planned_at
    assert row["files"] == [f"labels/data/{plan.run_id}/l.parquet", f"quarantine/data/{plan.run_id}/q.parquet"]


def test_the_second_commit_changes_nothing(store: Store, lake: str) -> None:
    plan = story.plan()
    first = commit_run(store, lake, plan, outcome(store, lake, plan, "k1"))
    assert commit_run(store, lake, plan, outcome(store, lake, plan, "k1")) == first
    assert [version_of(store, lake, contract) for contract in (QUARANTINE, LABELS, RUNS)] == [1, 1, 1]
    assert seen(store, lake) == ["k1"]


class Killed(BaseException):
    """The driver's end."""


def commit_killed_before(table: str, store: Store, lake: str, plan: Plan, done: Outcome) -> None:
    """A commit whose driver is killed when it comes to the table."""
    append = delta.append

    def until(store: Store, lake: str, contract: TableContract, *rest: Any, **named: Any) -> int | None:
        if contract.name == table:
            raise Killed
        return append(store, lake, contract, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delta, "append", until)
        with pytest.raises(Killed):
            commit_run(store, lake, plan, done)


@pytest.mark.parametrize("before", [contract.name for contract in (*ORDER, AUDIT, RUNS)])
def test_a_killed_commit_shows_nothing_and_is_finished_by_the_next_attempt(
    store: Store, lake: str, before: str
) -> None:
    plan = story.plan()
    done = outcome(store, lake, plan, "k1", "k2")
    commit_killed_before(before, store, lake, plan, done)
    assert seen(store, lake) == seen(store, lake, LABELS) == []
    assert plan.run_id not in snapshot(store, lake).run_ids()
    commit_run(store, lake, plan, done)
    assert seen(store, lake) == seen(store, lake, LABELS) == ["k1", "k2"]
    assert [version_of(store, lake, contract) for contract in (QUARANTINE, LABELS, RUNS)] == [1, 1, 1]


def test_another_run_does_not_make_a_killed_one_visible(store: Store, lake: str) -> None:
    killed, other = story.plan("killed"), story.plan("other")
    commit_killed_before(LABELS.name, store, lake, killed, outcome(store, lake, killed, "k1"))
    files = {LABELS.name: write_rows(store, lake, other, LABELS, label_rows(other, "k2"), "l")}
    versions = commit_run(store, lake, other, Outcome({}, files))
    assert versions == {"labels": 1, "audit": 1}
    assert (seen(store, lake), seen(store, lake, LABELS)) == ([], ["k2"])
    commit_run(store, lake, killed, outcome(store, lake, killed, "k1"))
    assert (seen(store, lake), seen(store, lake, LABELS)) == (["k1"], ["k1", "k2"])


def test_versions_are_those_of_the_newest_runs(store: Store, lake: str) -> None:
    for number in range(3):
        plan = story.plan(f"run{number}")
        commit_run(store, lake, plan, outcome(store, lake, plan, f"k{number}"))
    state = snapshot(store, lake)
    assert state.versions == {"quarantine": 3, "labels": 3, "audit": 3}
    assert seen(store, lake) == ["k0", "k1", "k2"]
    assert state.at({"quarantine": 2}).table(QUARANTINE, ("source_key",)).num_rows == 2
    times = newest(state.runs)["committed_at"].to_pylist()
    assert times == sorted(times, reverse=True)


def test_only_the_runs_own_temporaries_are_swept(store: Store, lake: str) -> None:
    plan, other = story.plan("a"), story.plan("b")
    folder = Path(delta.table_uri(lake, QUARANTINE.name)) / "data"
    left = [folder / run / f"{TEMPORARY}1" for run in (plan.run_id, other.run_id)]
    for path in left:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
    commit_run(store, lake, plan, outcome(store, lake, plan, "k1"))
    assert [path.exists() for path in left] == [False, True]


def test_a_run_without_files_makes_no_table(store: Store, lake: str) -> None:
    plan = story.plan()
    assert commit_run(store, lake, plan, Outcome({})) == {"audit": 1}
    assert version_of(store, lake, QUARANTINE) is None
    assert snapshot(store, lake).run_ids() == {plan.run_id}


def test_a_filter_and_columns_reach_the_files(store: Store, lake: str) -> None:
    plan = story.plan()
    commit_run(store, lake, plan, outcome(store, lake, plan, "k1", "k2"))
    where = pa.compute.field("source_key") == "k2"
    assert snapshot(store, lake).table(QUARANTINE, ("source_key", "reason"), where).to_pylist() == [
        {"source_key": "k2", "reason": "empty"}
    ]


@pytest.mark.parametrize("name", ["with space", "ümläut", "plus+and#hash"])
def test_a_lake_may_have_any_name(store: Store, tmp_path: Path, name: str) -> None:
    lake, plan = str(tmp_path / name), story.plan()
    commit_run(store, lake, plan, outcome(store, lake, plan, "k1"))
    assert seen(store, lake) == ["k1"]
    assert snapshot(store, lake).files(QUARANTINE) == [data_path(plan.run_id, "q")]


def test_a_lost_data_file_is_told(store: Store, lake: str) -> None:
    plan = story.plan()
    commit_run(store, lake, plan, outcome(store, lake, plan, "k1"))
    Path(delta.table_uri(lake, QUARANTINE.name), data_path(plan.run_id, "q")).unlink()
    with pytest.raises(StorageError, match="nothing there"):
        seen(store, lake)


def test_a_newer_schema_is_refused(store: Store, lake: str) -> None:
    newer = TableContract(
        QUARANTINE.name, QUARANTINE.version + 1, QUARANTINE.schema, QUARANTINE.key, QUARANTINE.statistics
    )
    plan = story.plan()
    delta.append(store, lake, newer, "r", write_rows(store, lake, plan, newer, quarantine_rows(plan, "k1"), "q"))
    with pytest.raises(SchemaError, match=f"version {QUARANTINE.version}"):
        delta.open_table(store, lake, QUARANTINE)
    assert delta.open_table(store, lake, newer) is not None


def test_four_processes_commit_beside_each_other(store: Store, lake: str) -> None:
    assert racing.race(lake) == [0] * racing.WRITERS
    assert racing.rows(store, lake) == racing.expected()


@pytest.mark.timeout(180)
def test_eight_processes_commit_two_hundred_runs(store: Store, lake: str) -> None:
    assert racing.race(lake, writers=8, commits=25) == [0] * 8
    assert racing.rows(store, lake) == racing.expected(200)


def test_a_run_keeps_its_version_when_others_follow(store: Store, lake: str) -> None:
    plans = [story.plan(name) for name in ("a", "b", "c")]
    done = [outcome(store, lake, plan, plan.name) for plan in plans]
    versions = [commit_run(store, lake, plan, one) for plan, one in zip(plans, done, strict=True)]
    assert versions == [{"quarantine": number, "labels": number, "audit": number} for number in (1, 2, 3)]
    again = [commit_run(store, lake, plan, one) for plan, one in zip(plans, done, strict=True)]
    assert again == versions


def append_after(monkeypatch: pytest.MonkeyPatch, store: Store, lake: str, words: str, losses: int) -> int:
    """Append one file where the table's creation fails so many times. Returns the number of attempts."""
    create, attempts = delta._create, 0

    def losing(*where: Any) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts <= losses:
            with told(lake):
                raise CommitFailedError(words)
        return create(*where)

    monkeypatch.setattr(delta, "_create", losing)
    plan = story.plan()
    assert delta.append(store, lake, QUARANTINE, plan.run_id, outcome(store, lake, plan, "k1").files["quarantine"]) == 1
    return attempts


def test_a_lost_race_is_run_again(store: Store, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "Failed to commit transaction: Protocol changed since last commit"  # two create one table at once
    assert append_after(monkeypatch, store, lake, words, losses=3) == 4


def test_races_are_not_lost_for_ever(store: Store, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="20 lost races"):
        append_after(monkeypatch, store, lake, "Failed to commit transaction", losses=20)


def test_another_failure_is_told_at_once(store: Store, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="store failure"):
        append_after(monkeypatch, store, lake, "Generic failure", losses=1)


def test_a_table_of_many_commits_keeps_its_log(store: Store, lake: str) -> None:
    """Created, upgraded, four commits. A checkpoint is written; what it makes superfluous is not deleted: it
    is the auditor's, and the role of a job may not delete there."""
    uri = delta.table_uri(lake, RUNS.name)
    settings = {"delta.checkpointInterval": "2", "delta.logRetentionDuration": "interval 0 days"}
    DeltaTable.create(uri, Schema.from_arrow(RUNS.schema), configuration=settings)
    for number in range(4):
        commit_run(store, lake, story.plan(f"night-{number}"), Outcome({"listed": 0}))
    log = sorted(path.name for path in Path(uri, "_delta_log").iterdir())
    assert [name for name in log if name.endswith(".json")] == [f"{version:020d}.json" for version in range(6)]
    assert any(name.endswith(".checkpoint.parquet") for name in log)
