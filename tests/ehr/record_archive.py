"""Archives of a few rows in memory, and what a record source makes of them."""

from __future__ import annotations

import tomllib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medray.contracts import RECORDS, RecordFile, Records, RecordSource
from medray.ehr.tables.config import TablesConfig
from medray.ehr.tables.spec import SOURCE


def file(name: str, content: str | bytes) -> RecordFile:
    data = content.encode() if isinstance(content, str) else content
    return RecordFile(name, len(data), lambda: pa.BufferReader(data))


def parquet(name: str, table: pa.Table, rows_per_group: int = 1000) -> RecordFile:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=rows_per_group)
    return file(name, sink.getvalue().to_pybytes())


def tables(toml: str) -> TablesConfig:
    """The config in the text below `[source]`."""
    return TablesConfig.model_validate({"kind": "tables", **tomllib.loads(toml)})


def one_table(events: str, **keys: str) -> TablesConfig:
    """A table `t` of subjects `s` with these events, in TOML."""
    more = "\n".join(f"{key} = {value}" for key, value in keys.items())
    return tables(f'[[tables]]\nname = "t"\nfiles = "t.*"\nsubject = "s"\n{more}\nevents = [{events}]')


def read(item: RecordFile, config: Any, source: RecordSource = SOURCE, **more: Any) -> list[Records]:
    """All parts of the file, each checked against the contract."""
    table = source.table_of(item.name, config)
    assert table is not None
    found = [
        records
        for part in range(source.parts(item, table, config))
        for records in source.read(item, table, part, config, **more)
    ]
    for records in found:
        assert records.rows.schema.equals(RECORDS)
        records.rows.validate(full=True)
    return found


def rows(item: RecordFile, config: Any, source: RecordSource = SOURCE, **more: Any) -> list[dict[str, Any]]:
    """The records without what is null or false."""
    return [
        {key: value for key, value in row.items() if value is not None and value is not False}
        for records in read(item, config, source, **more)
        for row in records.rows.to_pylist()
    ]


def counts(found: list[Records]) -> tuple[int, int, int]:
    """Source rows, records, empty candidates."""
    return (
        sum(records.source_rows for records in found),
        sum(records.rows.num_rows for records in found),
        sum(records.empty for records in found),
    )
