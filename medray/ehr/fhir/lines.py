"""The lines of an NDJSON file, plain or gzip, without ever holding more than one."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa

from medray.contracts import RecordFile
from medray.errors import Unusable

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_BUFFER = 8 << 20  # one request of a store


def _readable(stored: pa.NativeFile) -> io.BufferedIOBase:
    """The text's bytes. gzip is told by its first bytes: servers name files as they like."""
    zipped = stored.read(2) == _GZIP
    stored.seek(0)
    buffered = io.BufferedReader(stored, _BUFFER)
    return gzip.GzipFile(fileobj=buffered, mode="rb") if zipped else buffered


def _numbered(stream: io.BufferedIOBase, limit: int) -> Iterator[tuple[int, bytes | None]]:
    number, within = 0, False  # within: what is read now continues an overlong line
    while piece := stream.readline(limit):
        ended = piece.endswith(b"\n")
        overlong = not ended and len(piece) == limit
        if overlong and not within:
            yield number, None
        elif not within and piece.strip():
            yield number, piece
        within = overlong
        number += ended


def lines(file: RecordFile, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """(number from 0, bytes) of every line that is not blank; None for one longer than `limit` bytes.

    Raises:
        Unusable: `empty`: no line that is not blank. `truncated`: gzip ends early. `malformed`:
            gzip is damaged. Errors of the store pass as they are.
    """
    found = False
    try:
        with file.open() as stored, closing(_readable(stored)) as stream:
            for number, line in _numbered(stream, limit):
                found = True
                yield number, line.removeprefix(_BOM) if line and number == 0 else line
    except EOFError as error:
        raise Unusable("truncated", f"{file.size_bytes} bytes of gzip") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Unusable("malformed", "damaged gzip") from error
    if not found:
        raise Unusable("empty", f"{file.size_bytes} bytes")
