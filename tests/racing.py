"""Four writers on one table, each in a process of its own. Imports little, as processes start with it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import pyarrow as pa

from medray.schema.contract import TableContract
from medray.storage import delta
from medray.storage.chunk_file import write_table
from medray.storage.commit import data_path
from medray.storage.delta import NewFile
from medray.storage.store import Store
from medray.storage.uri import join

THINGS = TableContract("things", 1, pa.schema([("id", pa.int64()), ("value", pa.int64())]), ("id",), ("id",))
WRITERS, COMMITS = 4, 5


def race(lake: str) -> list[int | None]:
    """Every writer commits five runs, each of them twice. Returns the exit codes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    barrier = context.Barrier(WRITERS)
    writers = [context.Process(target=_write, args=(lake, number, barrier.wait)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    return [writer.exitcode for writer in writers]


def rows(store: Store, lake: str) -> list[dict[str, int]]:
    table = delta.open_table(store, lake, THINGS)
    assert table is not None
    batches = delta.scan(store, lake, THINGS, int(table.version()), THINGS.schema.names)
    found: list[dict[str, int]] = pa.Table.from_batches(batches, THINGS.schema).sort_by("id").to_pylist()
    return found


def expected() -> list[dict[str, int]]:
    return [{"id": number, "value": number * number} for number in range(WRITERS * COMMITS)]


def _write(lake: str, writer: int, begin: Callable[[], int]) -> None:
    store = Store()
    files = [_publish(store, lake, writer * COMMITS + number) for number in range(COMMITS)]
    begin()
    for run_id, file in files:
        version = delta.append(store, lake, THINGS, run_id, [file])
        assert delta.append(store, lake, THINGS, run_id, [file]) == version


def _publish(store: Store, lake: str, number: int) -> tuple[str, NewFile]:
    run_id = f"run{number}"
    path = data_path(run_id, "0")
    table = pa.table({"id": [number], "value": [number * number]}, schema=THINGS.schema)
    facts = write_table(store, join(delta.table_uri(lake, THINGS.name), path), THINGS, table.to_batches(), {})
    return run_id, NewFile(path, int(facts["file_bytes"]), 1, 0)
