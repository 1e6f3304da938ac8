"""CSV and TSV files to blocks, streaming."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from medray.contracts import Array, RecordFile
from medray.ehr.tables.block import Block, named
from medray.ehr.tables.config import Files
from medray.ehr.tables.container import text_stream
from medray.ehr.tables.header import Columns
from medray.ehr.tables.text_lines import column_names, line_batches
from medray.ehr.tables.text_records import record_batches, record_names

_HEADER_BYTES = 2**19  # in which its line ends


def header(file: RecordFile, codec: str | None, form: Files) -> list[str]:
    """Names of its columns, in order."""
    with _text(file, codec, form) as stream:
        head: bytes = stream.read(2 * _HEADER_BYTES)
    delimiter = _delimiter(file, form)
    return record_names(head, delimiter, _HEADER_BYTES) if form.multiline else column_names(head, delimiter)


def text_blocks(
    file: RecordFile, codec: str | None, form: Files, columns: Columns, block_bytes: int, block_rows: int
) -> Iterator[Block]:
    """Blocks of at most so many rows. A line with too few or too many cells is a malformed row of
    the block that it stands in, and so is one with an open quote unless the recipe declares line
    breaks in cells (`multiline`); blank lines are no rows."""
    wanted = tuple(sorted({name for name in columns.values() if name is not None}))
    batches = record_batches if form.multiline else line_batches
    for rows, cells, malformed in batches(_text(file, codec, form), _delimiter(file, form), wanted, block_bytes):
        yield from _cut(rows, cells, malformed, columns, block_rows)


def _text(file: RecordFile, codec: str | None, form: Files) -> pa.NativeFile:
    """The text as UTF-8."""
    stream = text_stream(file, codec)
    return stream if form.encoding == "utf-8" else pa.transcoding_input_stream(stream, form.encoding, "utf-8")


def _delimiter(file: RecordFile, form: Files) -> str:
    return form.delimiter or ("\t" if ".tsv" in file.name else ",")


def _cut(rows: Array, cells: pa.RecordBatch, malformed: Array, columns: Columns, block_rows: int) -> Iterator[Block]:
    """The rows in blocks, each with the malformed rows before its end."""
    block_of = np.minimum(np.searchsorted(rows, malformed), max(len(rows) - 1, 0)) // block_rows
    for number, first in enumerate(range(0, max(len(rows), 1), block_rows)):
        part = cells.slice(first, block_rows)
        here = pa.array(malformed[block_of == number], pa.int64())
        if part.num_rows or len(here):
            yield Block(pa.array(rows[first : first + block_rows], pa.int64()), named(part, columns), here)
