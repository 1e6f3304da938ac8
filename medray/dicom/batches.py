"""Rows -> Arrow tables of `images`, bounded in bytes.

The frames are not copied together: every cell is a chunk of its own over the bytes that it has.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from medray.dicom.parts import Blob, Part
from medray.schema.images import IMAGES

BATCH_BYTES = 24 * 2**20
_ENDS = struct.Struct("=2i")  # offsets of Arrow's binary


class Rows:
    """Rows that wait until a batch is full."""

    def __init__(self) -> None:
        self._columns: list[Mapping[str, Any]] = []
        self._parts: list[Part] = []
        self._bytes = 0

    def full_with(self, part: Part) -> bool:
        """Would `part` push the waiting rows beyond the size of a batch?"""
        return self._bytes + part.size_bytes > BATCH_BYTES

    def add(self, columns: Mapping[str, Any], part: Part) -> None:
        """One more row: every column of `images` but `frames`, and the frames."""
        self._columns.append(columns)
        self._parts.append(part)
        self._bytes += part.size_bytes

    def take(self) -> pa.Table | None:
        """All waiting rows as one table with the schema of `images`; None when there are none."""
        if not self._parts:
            return None
        arrays = [
            binary_column([part.pieces for part in self._parts])
            if column.name == "frames"
            else pa.array([row[column.name] for row in self._columns], column.type)
            for column in IMAGES.schema
        ]
        self._columns, self._parts, self._bytes = [], [], 0
        return pa.Table.from_arrays(arrays, schema=IMAGES.schema)


def binary_column(cells: Sequence[Sequence[Blob]]) -> pa.ChunkedArray:
    """A binary column whose cell i is the concatenation of `cells[i]`; one of a single piece is a view of it."""
    return pa.chunked_array([_cell(pieces) for pieces in cells], pa.binary())


def _cell(pieces: Sequence[Blob]) -> pa.Array:
    # from_buffers: `pa.array` over memoryviews would keep what they view alive for ever.
    blob = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return pa.Array.from_buffers(pa.binary(), 1, [None, pa.py_buffer(_ENDS.pack(0, len(blob))), pa.py_buffer(blob)])
