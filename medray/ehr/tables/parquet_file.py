"""Parquet files to blocks, a few row groups at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from medray.contracts import RecordFile
from medray.ehr.tables.block import Block, named
from medray.ehr.tables.mapping import TableMapping

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


def parquet_blocks(reader: pq.ParquetFile, part: int, mapping: TableMapping, block_rows: int) -> Iterator[Block]:
    """Blocks of at most so many rows of one part; rows count from the start of the file."""
    groups = part_groups(reader.metadata)[part]
    row = sum(reader.metadata.row_group(group).num_rows for group in range(groups[0])) if groups else 0
    columns = sorted({name for name in mapping.columns.values() if name is not None})
    for batch in reader.iter_batches(block_rows, row_groups=groups, columns=columns, use_threads=False):
        rows = pa.array(np.arange(row, row + batch.num_rows))
        yield Block(rows, named(batch, mapping.columns), pa.array([], pa.int64()))
        row += batch.num_rows
