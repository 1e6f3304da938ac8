"""Three readers that know nothing of each other must agree: deltalake, pyarrow and DuckDB on the file list."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder

from medray.schema.contract import TableContract
from medray.storage.delta import table_uri
from medray.storage.snapshot import EMPTY, snapshot
from medray.storage.store import LAKE


def differences(lake: str, contract: TableContract, rows: int) -> list[str]:
    """Where the three do not agree on number and checksum of a table's keys, or find other than so many rows.
    To be asked when all runs are finished: these readers do not know which are."""
    state = snapshot(LAKE, lake)
    if state.version(contract) == EMPTY:
        return [] if not rows else [f"{contract.name}: no table, expected {rows} rows"]
    uri = table_uri(lake, contract.name)
    key = next(name for name in contract.key if contract.schema.field(name).type == pa.string())
    table = DeltaTable(uri, version=state.version(contract), storage_options=LAKE.delta_options(uri))
    query = f'SELECT "{key}" FROM things'
    with TemporaryDirectory() as folder:
        files = []
        for number, path in enumerate(table.get_add_actions().column("path").to_pylist()):
            files.append(f"{folder}/{number}.parquet")
            Path(files[-1]).write_bytes(LAKE.read(f"{uri}/{path}"))
        found = {
            "deltalake": pa.table(QueryBuilder().register("things", table).execute(query))[key].to_pylist(),
            "pyarrow": [value for path in files for value in pq.read_table(path, columns=[key])[key].to_pylist()],
            "DuckDB": [row[0] for row in duckdb.sql(f'SELECT "{key}" FROM read_parquet({files!r})').fetchall()],
        }
    told = {reader: (len(values), _checksum(values)) for reader, values in found.items()}
    agree = len(set(told.values())) == 1 and told["pyarrow"][0] == rows
    return [] if agree else [f"{contract.name}: {told}, expected {rows} rows"]


def _checksum(values: list[str]) -> str:
    return hashlib.sha256(json.dumps(sorted(map(str, values))).encode()).hexdigest()[:16]
