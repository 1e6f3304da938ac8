"""CSV and TSV files to blocks, streaming."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import pyarrow as pa
from pyarrow import csv

from medray.contracts import RecordFile
from medray.ehr.tables.block import Block, named
from medray.ehr.tables.config import Files
from medray.ehr.tables.container import text_stream
from medray.ehr.tables.header import Columns

_HEADER_BYTES = 2**20
_FIRST_DATA_LINE = 2  # the number that Arrow gives the line below the header


def header(file: RecordFile, codec: str | None, form: Files) -> list[str]:
    """Names of its columns, in order."""
    with text_stream(file, codec) as stream, _reader(stream, file, form, (), [], _HEADER_BYTES) as reader:
        names: list[str] = reader.schema.names
    return names


def text_blocks(
    file: RecordFile, codec: str | None, form: Files, columns: Columns, block_bytes: int, block_rows: int
) -> Iterator[Block]:
    """Blocks of at most so many rows. Lines with too few or too many cells are malformed rows of
    the block that they stand in; blank lines are no rows."""
    wanted = sorted({name for name in columns.values() if name is not None})
    malformed: list[int] = []
    start = 0
    with (
        text_stream(file, codec) as stream,
        _reader(stream, file, form, wanted, malformed, block_bytes) as reader,
    ):
        for batch in reader:
            for first in range(0, batch.num_rows, block_rows):
                part = batch.slice(first, block_rows)
                rows, end = _numbered(part.num_rows, start, malformed)
                yield Block(pa.array(rows), named(part, columns), _taken(malformed, end))
                start = end
        if malformed:
            nothing = reader.schema.empty_table().combine_chunks().to_batches()
            part = nothing[0] if nothing else pa.RecordBatch.from_pylist([], reader.schema)
            yield Block(pa.array([], pa.int64()), named(part, columns), _taken(malformed, malformed[-1] + 1))


def _reader(
    stream: pa.NativeFile,
    file: RecordFile,
    form: Files,
    wanted: Sequence[str],
    malformed: list[int],
    block_bytes: int,
) -> closing[csv.CSVStreamingReader]:
    def skip(line: csv.InvalidRow) -> str:
        malformed.append(line.number - _FIRST_DATA_LINE)
        # a quote without its end has swallowed all lines below: they must not pass as one
        return "error" if "\n" in line.text and line.text.count('"') % 2 else "skip"

    tabs = ".tsv" in file.name
    reader = csv.open_csv(
        stream,
        read_options=csv.ReadOptions(use_threads=False, block_size=block_bytes, encoding=form.encoding),
        parse_options=csv.ParseOptions(
            delimiter=form.delimiter or ("\t" if tabs else ","), newlines_in_values=True, invalid_row_handler=skip
        ),
        convert_options=csv.ConvertOptions(
            include_columns=list(wanted),
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    return closing(reader)


def _numbered(count: int, start: int, malformed: Sequence[int]) -> tuple[np.ndarray, int]:
    """The next `count` row numbers from `start` that are not malformed, and the row after them."""
    rows = np.arange(start, start + count + len(malformed))
    rows = rows[~np.isin(rows, malformed)][:count] if malformed else rows
    return rows, int(rows[-1]) + 1


def _taken(malformed: list[int], end: int) -> pa.Array:
    """The malformed rows before `end`, taken off the list."""
    before = [row for row in malformed if row < end]
    del malformed[: len(before)]
    return pa.array(before, pa.int64())
