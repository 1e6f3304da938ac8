"""A chunk's output: one Parquet file whose footer holds the chunk's facts.

The file appears whole or not at all, and its name follows from the plan, so that a repeated
attempt finds it and does nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medray.schema.contract import TableContract
from medray.storage.patience import patiently
from medray.storage.store import Store

FACTS = "medray.facts"
Facts = dict[str, Any]


class ChunkWriter:
    """Writes batches as row groups to a spooled file; `publish` makes it appear.

    Use as a context manager: left without `publish`, nothing remains.
    """

    def __init__(self, store: Store, uri: str, contract: TableContract, *, payload: str | None = None) -> None:
        """`payload`: a binary column of cells that are compressed already and nearly all of the file."""
        self._store, self._uri, self.rows = store, uri, 0
        self._spooled = store.spool(uri)
        schema = contract.tagged_schema()
        self._schema = schema
        leaves, codec = _leaves(schema), "SNAPPY" if payload else "ZSTD"
        self._writer = pq.ParquetWriter(
            self._spooled,
            schema,
            # Beside a payload the other columns are small: zstd would spend more on beginning than it saves.
            compression={name: "NONE" if name == payload else codec for name in leaves},
            use_dictionary=[name for name in leaves if name != payload],
            write_statistics=list(contract.statistics),
            # A page ends where it is full, which is looked at after so many rows. Of large cells, 1,024 would
            # make one page of a whole row group, written at once: from 2 MB on that costs the kernel up to 8
            # times more a byte (Linux 6.18, ext4).
            write_batch_size=1 if payload else None,
        )

    def __enter__(self) -> ChunkWriter:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if self._writer.is_open:
                self._writer.close()
        finally:  # on a full disk closing fails too, and the space is wanted back
            Path(self._spooled).unlink(missing_ok=True)

    def write(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Append one row group."""
        if rows.num_rows:
            # As a table: `write_batch` gathers the row group in memory once more before it is written.
            table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
            self._writer.write_table(table.cast(self._schema), row_group_size=rows.num_rows)
            self.rows += rows.num_rows

    def publish(self, facts: Facts) -> Facts:
        """Close with the facts in the footer. Returns the facts of the file that stands there now,
        which are another attempt's when that one was first."""
        self._writer.add_key_value_metadata({FACTS: json.dumps(facts, sort_keys=True)})
        self._writer.close()
        try:
            size = os.path.getsize(self._spooled)
            if self._store.publish(self._spooled, self._uri):
                return {**facts, "file_bytes": size}
        except FileNotFoundError:  # swept by another attempt, which had all of its files
            if not self._store.exists(self._uri):
                raise
        return read_facts(self._store, self._uri) or facts


def write_table(
    store: Store, uri: str, contract: TableContract, batches: Iterable[pa.RecordBatch], facts: Facts
) -> Facts:
    """Write batches to one file and publish it with the facts and the number of rows."""
    with ChunkWriter(store, uri, contract) as writer:
        for batch in batches:
            writer.write(batch)
        return writer.publish({**facts, "rows": writer.rows})


def read_facts(store: Store, uri: str) -> Facts | None:
    """The facts of a finished file with its size, or None where no file stands."""
    return patiently(uri, lambda: _read_facts(store, uri))


def _read_facts(store: Store, uri: str) -> Facts | None:
    if not store.exists(uri):
        return None
    with store.arrow(uri).open_input_file(store.path(uri)) as stream:
        metadata = pq.read_metadata(stream).metadata or {}
        facts: Facts = json.loads(metadata[FACTS.encode()])
        return {**facts, "file_bytes": stream.size()}


def _leaves(schema: pa.Schema) -> list[str]:
    names: list[str] = []
    for field in schema:
        names.extend(_leaf_names(field.name, field.type))
    return names


def _leaf_names(path: str, kind: pa.DataType) -> list[str]:
    if pa.types.is_struct(kind):
        return [leaf for child in kind for leaf in _leaf_names(f"{path}.{child.name}", child.type)]
    if pa.types.is_map(kind):
        return [
            *_leaf_names(f"{path}.key_value.key", kind.key_type),
            *_leaf_names(f"{path}.key_value.value", kind.item_type),
        ]
    if pa.types.is_list(kind):
        return _leaf_names(f"{path}.list.element", kind.value_type)
    return [path]
