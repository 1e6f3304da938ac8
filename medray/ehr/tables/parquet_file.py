"""Parquet files to blocks, a few row groups at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from medray.contracts import RecordFile
from medray.ehr.tables.block import Block, named
from medray.ehr.tables.header import Columns

PART_BYTES = 128 * 2**20  # of decoded columns; smaller row groups are read together


@contextmanager
def opened(file: RecordFile) -> Iterator[pq.ParquetFile]:
    """The file's reader."""
    with file.open() as stream, pq.ParquetFile(stream) as reader:
        yield reader


def part_groups(metadata: pq.FileMetaData) -> list[list[int]]:
    """The row groups of each part; one part without groups for a file without rows."""
    parts, size = list[list[int]]([[]]), 0
    for group in range(metadata.num_row_groups):
        group_bytes = metadata.row_group(group).total_byte_size
        if parts[-1] and size + group_bytes > PART_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(group)
        size += group_bytes
    return parts


def parquet_blocks(reader: pq.ParquetFile, part: int, columns: Columns, block_rows: int) -> Iterator[Block]:
    """Blocks of at most so many rows of one part; rows count from the start of the file."""
    groups = part_groups(reader.metadata)[part]
    row = sum(reader.metadata.row_group(group).num_rows for group in range(groups[0])) if groups else 0
    wanted = sorted({name for name in columns.values() if name is not None})
    for batch in reader.iter_batches(block_rows, row_groups=groups, columns=wanted, use_threads=False):
        rows = pa.array(np.arange(row, row + batch.num_rows))
        cells = {name: _cells(column) for name, column in named(batch, columns).items()}
        yield Block(rows, cells, pa.array([], pa.int64()))
        row += batch.num_rows


def _cells(column: pa.Array) -> pa.Array:
    """Typed columns as they are; texts as strings, null where empty as in a text file."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    texts = column.cast(pa.string())
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
