"""Delta tables of the lake: create, append once per run, read one version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from medray.errors import PlanError, StorageError
from medray.schema.contract import VERSION_FIELD, TableContract, check_version
from medray.storage.failures import told
from medray.storage.patience import patiently
from medray.storage.store import Store
from medray.storage.table_log import RUN_ID, version_of
from medray.storage.uri import join

if TYPE_CHECKING:
    import pyarrow.dataset as ds

_ATTEMPTS = 20
_STAND_IN = "medray.stand_in"
_Action = AddAction | RemoveAction
_FILE = "__filename"  # what pyarrow calls the file of a row
# By default the commit that writes a checkpoint deletes the log's entries of more than 30 days. They are what an
# auditor compares with, and a job's role may not delete in a table.
_KEEP_LOG = PostCommitHookProperties(cleanup_expired_logs=False)


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
    taken_out: Sequence[str] = (),
    closes: Sequence[str] = (),
) -> int | None:
    """Make the run's one commit to the table unless it stands. Returns the version that holds it,
    or None where the run has nothing to change in it.

    Args:
        taken_out: paths of files that the table names no more after this commit.
        closes: runs that can commit nothing to this table any more once this commit is made.

    Raises:
        PlanError: another run has taken one of these files out, or one of `closes` has committed.
        StorageError: the commit could not be made in 20 attempts beside other writers.
    """
    if not files and not taken_out:
        return None
    change = _Change(files, taken_out, closes)
    for _ in range(_ATTEMPTS):
        try:
            return patiently(lake, lambda: _append(store, lake, contract, run_id, change))
        except StorageError as error:
            if not _lost_race(error):
                raise
    raise StorageError(
        f"lake {lake}, table {contract.name}",
        f"{_ATTEMPTS} lost races",
        "a commit between other writers",
        "run again: finished chunks are kept",
    )


def stand_in(store: Store, lake: str, contract: TableContract, file: NewFile, others: Sequence[str]) -> None:
    """Let the table name one file in the place of others that hold the same rows together.

    Raises:
        PlanError: it names one of the others no more.
        StorageError: the commit could not be made, or another one was first.
    """
    table = open_table(store, lake, contract)
    assert table is not None  # it names the others
    with told(lake):
        _require(table, contract, others)
        actions: list[_Action] = [
            _added(file, data_change=False),
            *(_removed(path, data_change=False) for path in others),
        ]
        # Two who take out the same files at once are told apart by delta-rs only where data change: the name does.
        _write(table, actions, CommitProperties(app_transactions=[Transaction(_STAND_IN, int(table.version()))]))


@dataclass(frozen=True)
class _Change:
    files: Sequence[NewFile]
    taken_out: Sequence[str]
    closes: Sequence[str]


def _append(store: Store, lake: str, contract: TableContract, run_id: str, change: _Change) -> int:
    table = open_table(store, lake, contract)
    if table is None:
        table = _create(store, lake, contract)
    with told(lake):
        _upgrade(table, contract)
        if table.transaction_version(run_id) is None:
            _require(table, contract, change.taken_out)
            _must_be_open(table, change.closes)
            _commit(table, run_id, change)
            table.update_incremental()
    return version_of(store, table_uri(lake, contract.name), run_id, int(table.version()))


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
            configuration={**_properties(contract)},
            raise_if_key_not_exists=False,
            storage_options=store.delta_options(uri),
        )


def _properties(contract: TableContract) -> dict[str, str]:
    return {VERSION_FIELD: str(contract.version), "delta.enableExpiredLogCleanup": "false"}


def _upgrade(table: DeltaTable, contract: TableContract) -> None:
    """Bring the log of an older table to this version: later versions only add nullable columns,
    which the older files read as null."""
    if int((table.metadata().configuration or {}).get(VERSION_FIELD) or 1) == contract.version:
        return
    have = {field.name for field in table.schema().fields}
    new = [field for field in Schema.from_arrow(contract.schema).fields if field.name not in have]
    if new:
        table.alter.add_columns(new, post_commithook_properties=_KEEP_LOG)
    table.alter.set_table_properties(
        _properties(contract), raise_if_not_exists=False, post_commithook_properties=_KEEP_LOG
    )
    table.update_incremental()


def _require(table: DeltaTable, contract: TableContract, paths: Sequence[str]) -> None:
    gone = set(paths) - set(table.get_add_actions().column("path").to_pylist()) if paths else ()
    if gone:
        raise PlanError(
            f"table {contract.name}",
            f"{len(gone)} of {len(paths)} files that another run has taken out",
            "files that the table still names",
            "look at `medray runs`: somebody has decided already",
        )


def _must_be_open(table: DeltaTable, closes: Sequence[str]) -> None:
    for one in closes:
        if table.transaction_version(one) is not None:
            raise PlanError(
                f"run {one[:12]}", "a run that is committed", "a run without commits", "look at it with `medray runs`"
            )


def _commit(table: DeltaTable, run_id: str, change: _Change) -> None:
    actions: list[_Action] = [*(_added(file) for file in change.files), *(_removed(path) for path in change.taken_out)]
    # A writer that holds an older version of the table is refused by the log itself.
    told_of = [Transaction(one, 1) for one in (run_id, *change.closes)]
    _write(table, actions, CommitProperties(custom_metadata={RUN_ID: run_id}, app_transactions=told_of))


def _write(table: DeltaTable, actions: list[_Action], properties: CommitProperties) -> None:
    table.create_write_transaction(
        actions,
        mode="append",
        schema=table.schema(),
        partition_by=[],
        commit_properties=properties,
        post_commithook_properties=_KEEP_LOG,
    )


def _added(file: NewFile, *, data_change: bool = True) -> AddAction:
    return AddAction(
        path=file.path,
        size=file.size_bytes,
        partition_values={},
        modification_time=file.modified_ms,
        data_change=data_change,
        stats=json.dumps({"numRecords": file.rows}),
    )


def _removed(path: str, *, data_change: bool = True) -> RemoveAction:
    return RemoveAction(path=path, deletion_timestamp=0, data_change=data_change)


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


@dataclass(frozen=True)
class Named:
    """A file as the log names it: the same three are the same bytes. `modified`: milliseconds since 1970."""

    path: str
    size_bytes: int
    modified: int


def named_files(store: Store, lake: str, contract: TableContract) -> list[Named]:
    """The files of the newest version, sorted by path; none where there is no table."""
    table = open_table(store, lake, contract)
    if table is None:
        return []
    files = table.get_add_actions()
    columns = (files.column(name).to_pylist() for name in ("path", "size_bytes", "modification_time"))
    return sorted((Named(*row) for row in zip(*columns, strict=True)), key=lambda one: one.path)


def scan_files(
    store: Store, lake: str, contract: TableContract, paths: Sequence[str], columns: Sequence[str]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of many small files, read beside each other, in the order of the files, each batch with its file."""
    import pyarrow.dataset as ds

    root = table_uri(lake, contract.name)
    lies = {store.path(join(root, path)): path for path in paths}
    with told(lake):
        data = ds.dataset(list(lies), filesystem=store.arrow(root), format="parquet", schema=contract.schema)
        for batch in data.to_batches(columns=[*columns, _FILE]):
            if batch.num_rows:
                yield lies[batch[_FILE][0].as_py()], batch.drop_columns([_FILE])


def scan_file(
    store: Store, uri: str, contract: TableContract, columns: Sequence[str], where: ds.Expression | None = None
) -> Iterator[pa.RecordBatch]:
    """One file's rows as batches."""
    import pyarrow.dataset as ds  # it loads pandas, which actors that score do without

    filesystem = store.arrow(uri)
    data = ds.dataset(store.path(uri), filesystem=filesystem, format="parquet", schema=contract.schema)
    yield from data.to_batches(columns=list(columns), filter=where, batch_readahead=1, fragment_readahead=1)
