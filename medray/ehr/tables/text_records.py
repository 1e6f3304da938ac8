"""Text files whose quoted cells may hold line breaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import pyarrow as pa
from pyarrow import csv

from medray.contracts import Array
from medray.ehr.tables.text_form import Batch, converting, numbered, parsing
from medray.errors import Unusable

_FIRST_DATA_LINE = 2  # the number that Arrow gives the line below the header


class _Malformed:
    """Rows with another number of cells than the header has, as Arrow meets them.

    Attributes:
        rows: their numbers, those that no batch has taken yet.
        torn: one of them holds a line break: a stray quote may have swallowed rows.
    """

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.torn = False

    def __call__(self, line: csv.InvalidRow) -> str:
        self.rows.append(line.number - _FIRST_DATA_LINE)
        self.torn |= "\n" in line.text or "\r" in line.text
        return "skip"

    def taken(self, end: int | None = None) -> Array:
        """The rows before `end`, taken off the list."""
        before = [row for row in self.rows if end is None or row < end]
        del self.rows[: len(before)]
        return np.array(before, np.int64)


def record_names(head: bytes, delimiter: str, block_bytes: int) -> list[str]:
    """The cells of the first record."""
    with _reader(pa.BufferReader(head), delimiter, (), _Malformed(), block_bytes) as reader:
        names: list[str] = reader.schema.names
    return names


def record_batches(stream: pa.NativeFile, delimiter: str, wanted: Sequence[str], block_bytes: int) -> Iterator[Batch]:
    """The stream's records below its first. Raises `Unusable` "malformed" when a malformed row holds
    a line break: where it ends, and what it took of other rows, cannot be told."""
    malformed, start = _Malformed(), 0
    # Arrow reads ahead in a thread of its own: were the stream closed under it, the file's number could be
    # another file's by then. The last of them to let go of the stream closes it.
    with _reader(stream, delimiter, wanted, malformed, block_bytes) as reader:
        for batch in reader:
            if batch.num_rows:
                rows = numbered(batch.num_rows, start, malformed.rows)
                start = int(rows[-1]) + 1
                yield rows, batch, malformed.taken(start)
        if malformed.torn:
            raise Unusable("malformed", "a row with a line break, and with too few or too many cells")
        yield np.array([], np.int64), pa.RecordBatch.from_pylist([], reader.schema), malformed.taken()


def _reader(
    stream: pa.NativeFile, delimiter: str, wanted: Sequence[str], malformed: _Malformed, block_bytes: int
) -> closing[csv.CSVStreamingReader]:
    return closing(
        csv.open_csv(
            stream,
            read_options=csv.ReadOptions(use_threads=False, block_size=block_bytes),
            parse_options=parsing(delimiter, malformed, multiline=True),
            convert_options=converting(wanted),
        )
    )
