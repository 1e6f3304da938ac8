"""Delta tables of the lake: create, append once per run, read one version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from medray.errors import PlanError, StorageError
from medray.schema.contract import VERSION_FIELD, TableContract, check_version
from medray.storage.failures import told
from medray.storage.patience import patiently
from medray.storage.store import Store
from medray.storage.uri import join

if TYPE_CHECKING:
    import pyarrow.dataset as ds

RUN_ID = "medray.run_id"
_ATTEMPTS = 20


@dataclass(frozen=True)
class NewFile:
    """A published file that a commit shall name.

    Attributes:
        path: relative to the table's folder.
        size_bytes, rows: as the file has them.
        modified_ms: milliseconds since 1970 for the log; a fact of the plan, not of the attempt.
    """

    path: str
    size_bytes: int
    rows: int
    modified_ms: int


def table_uri(lake: str, name: str) -> str:
    return join(lake, "tables", name)


def open_table(store: Store, lake: str, contract: TableContract, version: int | None = None) -> DeltaTable | None:
    """The table at a version (default: newest), or None where there is no table.

    Raises:
        SchemaError: a newer medray wrote it.
    """
    uri = table_uri(lake, contract.name)
    with told(lake):
        try:
            table = patiently(uri, lambda: DeltaTable(uri, version=version, storage_options=store.delta_options(uri)))
        except TableNotFoundError:
            return None
    found = int((table.metadata().configuration or {}).get(VERSION_FIELD) or 1)
    check_version(contract, found, f"lake {lake}")
    return table


def append(
    store: Store,
    lake: str,
    contract: TableContract,
    run_id: str,
    files: Sequence[NewFile],
    closes: Sequence[str] = (),
) -> int | None:
    """Make the run's one commit to the table unless it stands. Returns the version that holds it,
    or None where the run has no files for it.

    Args:
        closes: runs that can commit nothing to this table any more once this commit is made.

    Raises:
        StorageError: the commit could not be made in 20 attempts beside other writers.
        PlanError: one of `closes` has committed to this table.
    """
    if not files:
        return None
    for _ in range(_ATTEMPTS):
        try:
            return patiently(lake, lambda: _append(store, lake, contract, run_id, files, closes))
        except StorageError as error:
            if not _lost_race(error):
                raise
    raise StorageError(
        f"lake {lake}, table {contract.name}",
        f"{_ATTEMPTS} lost races",
        "a commit between other writers",
        "run again: finished chunks are kept",
    )


def _append(
    store: Store, lake: str, contract: TableContract, run_id: str, files: Sequence[NewFile], closes: Sequence[str]
) -> int:
    table = open_table(store, lake, contract)
    if table is None:
        table = _create(store, lake, contract)
    with told(lake):
        _upgrade(table, contract)
        if table.transaction_version(run_id) is None:
            _must_be_open(table, closes)
            _commit(table, run_id, files, closes)
            table.update_incremental()
    return _version_of(store, lake, contract, run_id, int(table.version()))


def _lost_race(error: StorageError) -> bool:
    """Another writer created the table or committed to it first: look again at what stands."""
    cause = error.__cause__
    return isinstance(cause, CommitFailedError | DeltaError) and "ransaction" in str(cause)


def _create(store: Store, lake: str, contract: TableContract) -> DeltaTable:
    uri = table_uri(lake, contract.name)
    with told(lake):
        return DeltaTable.create(
            uri,
            Schema.from_arrow(contract.schema),
            mode="ignore",
            configuration={VERSION_FIELD: str(contract.version)},
            raise_if_key_not_exists=False,
            storage_options=store.delta_options(uri),
        )


def _upgrade(table: DeltaTable, contract: TableContract) -> None:
    """Bring the log of an older table to this version: later versions only add nullable columns,
    which the older files read as null."""
    if int((table.metadata().configuration or {}).get(VERSION_FIELD) or 1) == contract.version:
        return
    have = {field.name for field in table.schema().fields}
    new = [field for field in Schema.from_arrow(contract.schema).fields if field.name not in have]
    if new:
        table.alter.add_columns(new)
    table.alter.set_table_properties({VERSION_FIELD: str(contract.version)}, raise_if_not_exists=False)
    table.update_incremental()


def _must_be_open(table: DeltaTable, closes: Sequence[str]) -> None:
    for one in closes:
        if table.transaction_version(one) is not None:
            raise PlanError(
                f"run {one[:12]}", "a run that is committed", "a run without commits", "look at it with `medray runs`"
            )


def _commit(table: DeltaTable, run_id: str, files: Sequence[NewFile], closes: Sequence[str]) -> None:
    actions: list[AddAction | RemoveAction] = [
        AddAction(
            path=file.path,
            size=file.size_bytes,
            partition_values={},
            modification_time=file.modified_ms,
            data_change=True,
            stats=json.dumps({"numRecords": file.rows}),
        )
        for file in files
    ]
    table.create_write_transaction(
        actions,
        mode="append",
        schema=table.schema(),
        partition_by=[],
        # A writer that holds an older version of the table is refused by the log itself.
        commit_properties=CommitProperties(
            custom_metadata={RUN_ID: run_id}, app_transactions=[Transaction(one, 1) for one in (run_id, *closes)]
        ),
    )


def _version_of(store: Store, lake: str, contract: TableContract, run_id: str, newest: int) -> int:
    """The version that the run's commit made, at most `newest`.

    The log itself is read: `DeltaTable.history` counts down from the handle's version even where
    it lists commits that came after.
    """
    log = join(table_uri(lake, contract.name), "_delta_log")
    with told(lake):
        for version in range(newest, -1, -1):
            try:
                commit = store.read(join(log, f"{version:020d}.json"))
            except FileNotFoundError:  # cleaned up behind a checkpoint
                break
            if f'"{run_id}"'.encode() in commit:
                return version
    return newest


def data_files(store: Store, lake: str, contract: TableContract, version: int) -> list[str]:
    """Paths of a version's files, relative to the table's folder, sorted."""
    return sorted(file_rows(store, lake, contract, version))


def file_rows(store: Store, lake: str, contract: TableContract, version: int) -> dict[str, int]:
    """How many rows each of a version's files has, by its path."""
    table = open_table(store, lake, contract, version)
    if table is None:
        return {}
    files = table.get_add_actions()  # file_uris() would quote spaces
    return dict(zip(files.column("path").to_pylist(), files.column("num_records").to_pylist(), strict=True))


def scan(
    store: Store,
    lake: str,
    contract: TableContract,
    version: int,
    columns: Sequence[str],
    where: ds.Expression | None = None,
) -> Iterator[pa.RecordBatch]:
    """The version's rows as batches, file by file in order of path: memory does not follow the table."""
    root = table_uri(lake, contract.name)
    with told(lake):
        for path in data_files(store, lake, contract, version):
            yield from scan_file(store, join(root, path), contract, columns, where)


def scan_file(
    store: Store, uri: str, contract: TableContract, columns: Sequence[str], where: ds.Expression | None = None
) -> Iterator[pa.RecordBatch]:
    """One file's rows as batches."""
    import pyarrow.dataset as ds  # it loads pandas, which actors that score do without

    filesystem = store.arrow(uri)
    data = ds.dataset(store.path(uri), filesystem=filesystem, format="parquet", schema=contract.schema)
    yield from data.to_batches(columns=list(columns), filter=where, batch_readahead=1, fragment_readahead=1)
