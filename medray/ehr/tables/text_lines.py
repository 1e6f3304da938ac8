"""Text files in which a line is a row: a stray quote costs its own line, and no other.

Arrow lets a quoted cell run over the ends of lines. A block of whole lines that gives fewer rows than
it has lines is therefore read again without the lines that leave a quote open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import pyarrow as pa
from pyarrow import csv

from medray.ehr.tables.text_form import Batch, converting, numbered, parsing
from medray.errors import Unusable

_BOM = b"\xef\xbb\xbf"
_ENDS = b"\r\n"


def column_names(head: bytes, delimiter: str) -> list[str]:
    """The cells of the first line that is not blank. Raises `Unusable` "empty", or "malformed" when
    it leaves a quote open."""
    line = _first_line(head.removeprefix(_BOM))
    if not _closed(delimiter).fullmatch(line):
        raise Unusable("malformed", "a header with an open quote")
    twice = pa.BufferReader(line + b"\n" + line + b"\n")  # Arrow takes a header without rows for no table
    names: list[str] = csv.read_csv(twice, parse_options=parsing(delimiter, _skipped)).column_names
    return names


def line_batches(stream: pa.NativeFile, delimiter: str, wanted: Sequence[str], block_bytes: int) -> Iterator[Batch]:
    """The lines below the first. Raises `Unusable` "malformed" for a line of more than two blocks."""
    names, start = list[str](), 0
    with closing(stream):
        for block in _blocks(stream, block_bytes):
            if not names and not _is_blank(block):
                names = column_names(block, delimiter)
                block = block.lstrip(_ENDS)[len(_first_line(block)) :]
            if not _is_blank(block):
                rows, cells, malformed = _batch(block, delimiter, names, wanted)
                yield rows + start, cells, malformed + start
                start += len(rows) + len(malformed)


def _blocks(stream: pa.NativeFile, block_bytes: int) -> Iterator[bytes]:
    """Whole lines; the first block without the mark of UTF-8."""
    rest, mark = b"", _BOM
    while more := stream.read(block_bytes):
        end = max(more.rfind(b"\n"), more.rfind(b"\r", 0, -1)) + 1  # the last \r may be half of \r\n
        if not end and len(rest) + len(more) > 2 * block_bytes:
            raise Unusable("malformed", f"a line longer than {2 * block_bytes} bytes")
        if end:
            yield b"".join((rest, memoryview(more)[:end])).removeprefix(mark)
            rest, mark = b"", b""
        rest += more[end:]
    yield rest.removeprefix(mark)


def _is_blank(block: bytes) -> bool:
    return re.search(rb"[^\r\n]", block) is None


def _first_line(block: bytes) -> bytes:
    line = re.search(rb"[^\r\n]+", block)
    if line is None:
        raise Unusable("empty")
    return line[0]


def _batch(block: bytes, delimiter: str, names: Sequence[str], wanted: Sequence[str]) -> Batch:
    """The rows of a block of lines, numbered from 0."""
    cells, malformed = _parsed(block, delimiter, names, wanted)
    if b'"' not in block or _are_lines(cells.num_rows + len(malformed), block, delimiter):
        return numbered(cells.num_rows, 0, malformed), cells, np.array(malformed, np.int64)
    closed = _closed(delimiter)
    lines = [line for line in block.splitlines() if line]
    kept = np.flatnonzero([b'"' not in line or closed.fullmatch(line) is not None for line in lines])
    cells, malformed = cells.slice(0, 0), []
    if len(kept):
        cells, malformed = _parsed(b"\n".join(lines[place] for place in kept), delimiter, names, wanted)
    good = np.delete(kept, malformed)
    return good, cells, np.setdiff1d(np.arange(len(lines)), good)


def _are_lines(rows: int, block: bytes, delimiter: str) -> bool:
    """Whether each of so many rows is one line. A row takes at least one that is not blank, so that
    their number tells; below an open quote in the last line stands none that would be missed."""
    end = len(block)
    while block[end - 1] in _ENDS:
        end -= 1
    last = block[max(block.rfind(b"\n", 0, end), block.rfind(b"\r", 0, end)) + 1 : end]
    quick = b"\r" not in block and rows == block.count(b"\n")  # neither blank lines nor other ends
    return (quick or rows == _lines(block)) and _closed(delimiter).fullmatch(last) is not None


def _lines(text: bytes) -> int:
    """How many lines are not blank."""
    ends = np.frombuffer(text + b"\n", np.uint8)
    is_end = (ends == 10) | (ends == 13)
    return int(np.count_nonzero(is_end[1:] & ~is_end[:-1]))


def _closed(delimiter: str) -> re.Pattern[bytes]:
    """Lines that leave no quote open: a quote opens at the start of a cell only, two in it are one
    of its characters, and what comes behind the closing one belongs to the cell."""
    between = re.escape(delimiter.encode())
    cell = rb'(?:"(?:[^"]++|"")*+"[^%b]*+|[^"%b][^%b]*+)?+' % ((between,) * 3)
    return re.compile(rb"%b(?:%b%b)*+" % (cell, between, cell))


def _parsed(
    text: bytes, delimiter: str, names: Sequence[str], wanted: Sequence[str]
) -> tuple[pa.RecordBatch, list[int]]:
    """The cells of these columns, and the numbers of the rows with too few or too many of them."""
    malformed = list[int]()

    def refused(line: csv.InvalidRow) -> str:
        malformed.append(line.number - 1)
        return "skip"

    # Arrow takes the mark of UTF-8 off the start of any text; a line in the middle of a file keeps it
    table = csv.read_csv(
        pa.BufferReader(b"\n" + text if text.startswith(_BOM) else text),
        read_options=csv.ReadOptions(use_threads=False, block_size=len(text) + 2, column_names=list(names)),
        parse_options=parsing(delimiter, refused),
        convert_options=converting(wanted),
    )
    return (table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)])[0], malformed


def _skipped(line: csv.InvalidRow) -> str:
    return "skip"
