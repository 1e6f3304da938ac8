"""The `tables` source: which file is which table, and its records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from medray.contracts import RecordFile, Records
from medray.ehr.tables.config import Table, TablesConfig
from medray.ehr.tables.container import PARQUET, container, unusable
from medray.ehr.tables.events import records
from medray.ehr.tables.mapping import bind
from medray.ehr.tables.parquet_file import opened, parquet_blocks, part_groups
from medray.ehr.tables.text_file import header, text_blocks

BLOCK_BYTES = 4 * 2**20  # of text at a time: a record is shorter
BLOCK_CANDIDATES = 2**18  # of a block: some 32 MB of records


def table_of(name: str, config: TablesConfig) -> str | None:
    """The first table of the recipe whose patterns the file name fits."""
    path = PurePosixPath(name)
    return next((table.name for table in config.tables if any(map(path.match, table.files))), None)


def parts(file: RecordFile, table: str, config: TablesConfig) -> int:
    """Parts of a Parquet file (row groups, small ones together); text can only be read as a whole."""
    with unusable():
        if container(file) != PARQUET:
            return 1
        with opened(file) as reader:
            return len(part_groups(reader.metadata))


def read(file: RecordFile, table: str, part: int, config: TablesConfig) -> Iterator[Records]:
    """The part's records in the order of the file.

    Raises `Unusable`: "empty", "truncated", "malformed" (damaged compression or Parquet, a record
    longer than 4 MB), "not_text", "no_columns".
    """
    with unusable():
        yield from read_table(file, part, config.table(table))


def read_table(
    file: RecordFile, part: int, table: Table, block_bytes: int = BLOCK_BYTES, candidates: int = BLOCK_CANDIDATES
) -> Iterator[Records]:
    """The records of one part of one file by one table's mapping."""
    kind = container(file)
    if kind == PARQUET:
        with opened(file) as reader:
            mapping = bind(table, reader.schema_arrow.names)
            for block in parquet_blocks(reader, part, mapping, max(1, candidates // len(mapping.events))):
                yield records(mapping, block)
    else:
        mapping = bind(table, header(file, kind, table))
        for block in text_blocks(file, kind, mapping, block_bytes, max(1, candidates // len(mapping.events))):
            yield records(mapping, block)
