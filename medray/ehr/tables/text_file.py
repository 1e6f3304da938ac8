"""CSV and TSV files to blocks, streaming."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import pyarrow as pa
from pyarrow import csv

from medray.contracts import Array, RecordFile
from medray.ehr.tables.block import Block, named
from medray.ehr.tables.config import Files
from medray.ehr.tables.container import text_stream
from medray.ehr.tables.header import Columns
from medray.errors import Unusable

_HEADER_BYTES = 2**19  # in which its line ends
_FIRST_DATA_LINE = 2  # the number that Arrow gives the line below the header


def header(file: RecordFile, codec: str | None, form: Files) -> list[str]:
    """Names of its columns, in order."""
    with text_stream(file, codec) as stream:
        head = pa.BufferReader(stream.read(2 * _HEADER_BYTES))
    with _reader(head, file, form, (), _Malformed(), _HEADER_BYTES) as reader:
        names: list[str] = reader.schema.names
    return names


class _Malformed:
    """Lines with another number of cells than the header has, as Arrow meets them.

    Attributes:
        rows: their row numbers, those that no block has taken yet.
        swallowed: a quote without its end took all lines below with it.
    """

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.swallowed = False

    def __call__(self, line: csv.InvalidRow) -> str:
        self.rows.append(line.number - _FIRST_DATA_LINE)
        self.swallowed |= "\n" in line.text and line.text.count('"') % 2 == 1
        return "skip"

    def taken(self, end: int | None = None) -> pa.Array:
        """The rows before `end`, taken off the list."""
        before = [row for row in self.rows if end is None or row < end]
        del self.rows[: len(before)]
        return pa.array(before, pa.int64())


def text_blocks(
    file: RecordFile, codec: str | None, form: Files, columns: Columns, block_bytes: int, block_rows: int
) -> Iterator[Block]:
    """Blocks of at most so many rows. Lines with too few or too many cells are malformed rows of
    the block that they stand in; blank lines are no rows."""
    wanted = sorted({name for name in columns.values() if name is not None})
    malformed, start = _Malformed(), 0
    # Arrow reads ahead in a thread of its own: were the stream closed under it, the file's number could be
    # another file's by then. The last of them to let go of the stream closes it.
    with _reader(text_stream(file, codec), file, form, wanted, malformed, block_bytes) as reader:
        for batch in reader:
            for first in range(0, batch.num_rows, block_rows):
                part = batch.slice(first, block_rows)
                rows = _numbered(part.num_rows, start, malformed.rows)
                start = int(rows[-1]) + 1
                yield Block(pa.array(rows), named(part, columns), malformed.taken(start))
        nothing = pa.RecordBatch.from_pylist([], reader.schema)
        if malformed.swallowed:
            raise Unusable("malformed", "a quote without its end")
        if malformed.rows:
            yield Block(pa.array([], pa.int64()), named(nothing, columns), malformed.taken())


def _reader(
    stream: pa.NativeFile,
    file: RecordFile,
    form: Files,
    wanted: Sequence[str],
    malformed: _Malformed,
    block_bytes: int,
) -> closing[csv.CSVStreamingReader]:
    tabs = ".tsv" in file.name
    reader = csv.open_csv(
        stream,
        read_options=csv.ReadOptions(use_threads=False, block_size=block_bytes, encoding=form.encoding),
        parse_options=csv.ParseOptions(
            delimiter=form.delimiter or ("\t" if tabs else ","), newlines_in_values=True, invalid_row_handler=malformed
        ),
        convert_options=csv.ConvertOptions(
            include_columns=list(wanted),
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    return closing(reader)


def _numbered(count: int, start: int, malformed: Sequence[int]) -> Array:
    """The next `count` row numbers from `start` that are not malformed."""
    rows = np.arange(start, start + count + len(malformed))
    return rows[~np.isin(rows, malformed)][:count] if malformed else rows
