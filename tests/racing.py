"""Writers on one table, each in a process of its own. Imports little, as processes start with it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import story

from medray.drivers.job import Job, Result
from medray.drivers.turns import in_turn
from medray.errors import PlanError, StorageError
from medray.narration import silent
from medray.schema.contract import TableContract
from medray.schema.quarantine import QUARANTINE
from medray.storage import delta, together
from medray.storage.audit import Event
from medray.storage.chunk_file import write_table
from medray.storage.commit import Outcome, commit_run, data_path, write_rows
from medray.storage.delta import NewFile
from medray.storage.plans import Plan
from medray.storage.snapshot import snapshot
from medray.storage.store import Store
from medray.storage.uri import join

THINGS = TableContract("things", 1, pa.schema([("id", pa.int64()), ("value", pa.int64())]), ("id",), ("id",))
WRITERS, COMMITS = 4, 5
KEYS = 24
# Each process would import them anew: this module itself is not on the fork server's path.
PRELOADED = [
    "medray.config",
    "medray.demo.archive",
    "medray.drivers.images.ingest",
    "medray.drivers.turns",
    "medray.engine.actors",
    "medray.storage.models",
]


def at_once(act: Callable[..., None], lake: str, writers: int, *rest: Any, limit_s: float = 120) -> list[int | None]:
    """Call `act(lake, number, wait, *rest)` in so many processes. Each calls `wait` before what they shall
    do together. Returns the exit codes; None of one that is at work still."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    barrier = context.Barrier(writers)
    given = (dict(os.environ), act, lake)
    started = [context.Process(target=_act, args=(*given, number, barrier.wait, *rest)) for number in range(writers)]
    for writer in started:
        writer.start()
    for writer in started:
        writer.join(limit_s)
    return [writer.exitcode for writer in started]


def _act(environment: dict[str, str], act: Callable[..., None], *rest: Any) -> None:
    """The fork server's environment is that of the test that first asked for it, not of this one."""
    os.environ.update(environment)
    act(*rest)


def race(lake: str, writers: int = WRITERS, commits: int = COMMITS) -> list[int | None]:
    """Every writer commits so many runs, the first five of them twice. Returns the exit codes."""
    return at_once(_write, lake, writers, commits)


def rows(store: Store, lake: str) -> list[dict[str, int]]:
    table = delta.open_table(store, lake, THINGS)
    assert table is not None
    batches = delta.scan(store, lake, THINGS, int(table.version()), THINGS.schema.names)
    found: list[dict[str, int]] = pa.Table.from_batches(batches, THINGS.schema).sort_by("id").to_pylist()
    return found


def expected(total: int = WRITERS * COMMITS) -> list[dict[str, int]]:
    return [{"id": number, "value": number * number} for number in range(total)]


def _write(lake: str, writer: int, begin: Callable[[], int], commits: int) -> None:
    store = Store()
    files = [_publish(store, lake, writer * commits + number) for number in range(commits)]
    begin()
    for number, (run_id, file) in enumerate(files):
        version = delta.append(store, lake, THINGS, run_id, [file])
        if number < COMMITS:
            assert delta.append(store, lake, THINGS, run_id, [file]) == version


def _publish(store: Store, lake: str, number: int) -> tuple[str, NewFile]:
    run_id = f"run{number}"
    path = data_path(run_id, "0")
    table = pa.table({"id": [number], "value": [number * number]}, schema=THINGS.schema)
    facts = write_table(store, join(delta.table_uri(lake, THINGS.name), path), THINGS, table.to_batches(), {})
    return run_id, NewFile(path, int(facts["file_bytes"]), 1, 0)


def submit_the_same(lake: str, writer: int, begin: Callable[[], int]) -> None:
    """One and the same run, from its plan to its commit."""
    begin()
    in_turn(_job(), lake, "predict", "same", _commit(lake), lambda: _planned(lake, KEYS))


def start_a_driver(lake: str, writer: int, begin: Callable[[], int]) -> None:
    """A driver that finds the keys that are there now: one more for each that starts a little later, so
    that no two of them plan the same run."""
    begin()
    in_turn(_job(), lake, "predict", "same", _commit(lake), lambda: _planned(lake, KEYS + writer))


def keys(store: Store, lake: str) -> list[str]:
    """The keys that readers see, in order."""
    return sorted(snapshot(store, lake).table(QUARANTINE, ("source_key",))["source_key"].to_pylist())


def _job() -> Job:
    return Job(story.DAY, silent())


def _planned(lake: str, count: int) -> Plan | Result:
    state = snapshot(Store(), lake)
    known = set(keys(Store(), lake))
    new = [key for number in range(count) if (key := f"k{number:03}") not in known]
    if not new:
        return Result("nothing")
    table = pa.table({"chunk": pa.array([0] * len(new), pa.int32()), "key": new})
    return replace(story.plan(tables_read=state.versions, planned_at=datetime.now()), stream="same", inputs=table)


def _commit(lake: str) -> Callable[[Plan], Result]:
    def execute(plan: Plan) -> Result:
        store = Store()
        shared = {"source_etag": "e", "size_bytes": 1, "stage": "ingest", "reason": "empty", "run_id": plan.run_id}
        rows = [{"source_key": key, **shared} for key in plan.inputs["key"].to_pylist()]
        table = pa.Table.from_pylist(rows, schema=QUARANTINE.schema)
        files = {QUARANTINE.name: write_rows(store, lake, plan, QUARANTINE, table, "q")}
        commit_run(store, lake, plan, Outcome({"listed": len(rows)}, files))
        return Result("done", (plan.run_id,))

    return execute


def commit_some(store: Store, lake: str, count: int, first: int = 0) -> list[str]:
    """Runs that tell the auditor something and have no rows. Returns their ids."""
    plans = [
        story.plan(name=f"n{number}", planned_at=datetime(2026, 1, 1) + timedelta(minutes=number))
        for number in range(first, first + count)
    ]
    for plan in plans:
        commit_run(store, lake, plan, Outcome({"listed": 1}, events=[Event("relink", plan.name)]))
    return [plan.run_id for plan in plans]


def bring_together_or_commit(lake: str, number: int, begin: Callable[[], int]) -> None:
    """Every second one commits runs, the others bring files together; who is late leaves it."""
    together.FILES = 3
    store = Store()
    begin()
    for turn in range(4):
        if number % 2:
            commit_some(store, lake, 1, first=100 * number + turn)
        else:
            with suppress(PlanError, StorageError):
                together.bring_together(store, lake)
