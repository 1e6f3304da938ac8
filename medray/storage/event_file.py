"""A run's file of one bucket of events."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from medray.schema.contract import VERSION_FIELD
from medray.schema.events import EVENTS
from medray.storage.chunk_file import FACTS, Facts, read_facts
from medray.storage.store import Store

ROW_GROUP = 250_000  # rows: what a reader of one subject has to read
_ENCODINGS = {"time": "DELTA_BINARY_PACKED", "record_key": "PLAIN", "record_order": "PLAIN"}
_WORDS = [name for name in EVENTS.schema.names if name not in _ENCODINGS]


def write_events(store: Store, uri: str, groups: Iterable[pa.Table]) -> Facts:
    """Publish sorted rows as one file, a row group each, unless one stands. Returns the facts of the
    file that stands.

    Args:
        groups: columns of `EVENTS`; words may be dictionaries, which are written as they are.
    """
    spooled = store.spool(uri)
    try:
        facts = {"rows": _write(spooled, groups)}
        size = os.path.getsize(spooled)
        if store.publish(spooled, uri):
            return {**facts, "file_bytes": size}
        return read_facts(store, uri) or facts
    finally:
        Path(spooled).unlink(missing_ok=True)


def _write(path: str, groups: Iterable[pa.Table]) -> int:
    rows, writer = 0, None
    for group in groups:
        if writer is None:
            writer = pq.ParquetWriter(
                path,
                group.schema,
                compression="ZSTD",
                use_dictionary=_WORDS,
                column_encoding=_ENCODINGS,
                write_statistics=list(EVENTS.statistics),
                store_schema=False,  # words are written from dictionaries and read as strings
            )
        writer.write_table(group, row_group_size=group.num_rows)
        rows += group.num_rows
    if writer is not None:
        writer.add_key_value_metadata({FACTS: json.dumps({"rows": rows}), VERSION_FIELD: str(EVENTS.version)})
        writer.close()
    return rows
