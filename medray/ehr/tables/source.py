"""The `tables` source: which file is which table, and its records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from medray.contracts import RecordFile, Records
from medray.ehr.tables import blocks
from medray.ehr.tables.config import Join, Table, TablesConfig
from medray.ehr.tables.container import unusable
from medray.ehr.tables.events import records
from medray.ehr.tables.join import Lookup, Lookups, joined, lookup
from medray.ehr.tables.line_breaks import naming_columns, without_line_breaks
from medray.ehr.tables.mapping import columns_of_file, mapped_events
from medray.errors import Unusable

BLOCK_CANDIDATES = 2**18  # of a block: some 32 MB of records


def table_of(name: str, config: TablesConfig) -> str | None:
    """The first table of the recipe that the file name fits."""
    return next((table.name for table in config.tables if table.fit(name)), None)


def parts(file: RecordFile, table: str, config: TablesConfig) -> int:
    """Row groups of a Parquet file, small ones together; 1 for text. Raises `Unusable`."""
    with unusable():
        return blocks.parts(file)


def read(
    file: RecordFile, table: str, part: int, config: TablesConfig, found: Lookups | None = None
) -> Iterator[Records]:
    """The part's records in the order of the file.

    Args:
        found: what `lookups` gives for the archive; needed where the table has joins.

    Raises `Unusable`: "empty", "truncated", "malformed" (damaged compression or Parquet, a record
    longer than 12 MB), "not_text", "no_columns" (also those that a join should have added).
    """
    with unusable():
        yield from read_table(file, part, config.table(table), found or {})


def read_table(
    file: RecordFile,
    part: int,
    table: Table,
    found: Lookups,
    block_bytes: int = blocks.BLOCK_BYTES,
    candidates: int = BLOCK_CANDIDATES,
) -> Iterator[Records]:
    """The records of one part of one file by one table's mapping; neither size changes them."""
    header = blocks.header(file, table)
    events = mapped_events(table, header)
    columns = columns_of_file(table, events, header)
    naming = naming_columns(table, events) if table.multiline else frozenset()
    for block in blocks.blocks(file, part, table, columns, block_bytes, max(1, candidates // len(events))):
        whole = joined(block, table, found)
        yield records(table, events, without_line_breaks(whole, naming) if naming else whole)


def lookups(files: Sequence[RecordFile], config: TablesConfig) -> Lookups:
    """What every join of the recipe needs of the archive's files. Raises `Unusable`, "no_columns" too
    when none of them is the join's, and its table's files need one."""
    present = {table_of(file.name, config) for file in files}
    with unusable():
        return {
            join: _lookup(files, join)
            for table in config.tables
            for join in table.joins
            if table.name in present or any(join.fit(file.name) for file in files)
        }


def _lookup(files: Sequence[RecordFile], join: Join) -> Lookup:
    if not any(join.fit(file.name) for file in files):
        raise Unusable("no_columns", f"no file is {' or '.join(join.files)}, which gives {', '.join(join.columns)}")
    keys, *added = blocks.whole_columns(files, join, [join.key or join.on, *join.columns])
    return lookup(keys, dict(zip(join.columns, added, strict=True)))


def subjects(files: Sequence[RecordFile], config: TablesConfig) -> Mapping[str, str] | None:
    """Identifier in the records -> shared identifier, None when they are the same. The last row
    counts where a subject occurs twice. Raises `Unusable`."""
    way = config.subjects
    if way is None:
        return None
    with unusable():
        own, shared = blocks.whole_columns(files, way, [way.subject, way.shared])
    pairs = zip(own.to_pylist(), shared.to_pylist(), strict=True)
    return {subject: identifier for subject, identifier in pairs if subject is not None and identifier is not None}
