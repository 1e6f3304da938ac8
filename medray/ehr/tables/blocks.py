"""Blocks of a file, whatever its form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from medray.contracts import RecordFile
from medray.ehr.tables import text_file
from medray.ehr.tables.block import Block
from medray.ehr.tables.cells import text_of
from medray.ehr.tables.config import Files
from medray.ehr.tables.container import PARQUET, container
from medray.ehr.tables.header import Columns, columns
from medray.ehr.tables.parquet_file import opened, parquet_blocks, part_groups

BLOCK_BYTES = 4 * 2**20  # of text at a time: a record of a `multiline` file is shorter, a line is no longer than three
BLOCK_ROWS = 2**18


def header(file: RecordFile, form: Files) -> list[str]:
    """Names of its columns, in order."""
    kind = container(file)
    if kind != PARQUET:
        return text_file.header(file, kind, form)
    with opened(file) as reader:
        names: list[str] = reader.schema_arrow.names
    return names


def parts(file: RecordFile) -> int:
    """Row groups of a Parquet file, small ones together; 1 for text, which is read as a whole."""
    if container(file) != PARQUET:
        return 1
    with opened(file) as reader:
        return len(part_groups(reader.metadata))


def blocks(
    file: RecordFile,
    part: int,
    form: Files,
    wanted: Columns,
    block_bytes: int = BLOCK_BYTES,
    block_rows: int = BLOCK_ROWS,
) -> Iterator[Block]:
    """The part's rows in the order of the file, at most `block_rows` at a time."""
    for block in _blocks(file, part, form, wanted, block_bytes, block_rows):
        yield block.with_integers(form.integers)


def _blocks(
    file: RecordFile, part: int, form: Files, wanted: Columns, block_bytes: int, block_rows: int
) -> Iterator[Block]:
    kind = container(file)
    if kind != PARQUET:
        yield from text_file.text_blocks(file, kind, form, wanted, block_bytes, block_rows)
        return
    with opened(file) as reader:
        yield from parquet_blocks(reader, part, wanted, block_rows)


def whole_columns(files: Sequence[RecordFile], form: Files, names: Sequence[str]) -> list[pa.Array]:
    """Columns of all rows of those files that fit, in their order, as texts."""
    found = [pa.chunked_array([], pa.string())] * len(names)
    for file in (file for file in files if form.fit(file.name)):
        wanted = columns(names, (), header(file, form))
        for part in range(parts(file)):
            for block in blocks(file, part, form, wanted):
                found = [
                    pa.chunked_array([*column.chunks, text_of(block.cells[name])])
                    for column, name in zip(found, names, strict=True)
                ]
    return [pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string()) for column in found]
