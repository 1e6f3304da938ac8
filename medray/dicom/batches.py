"""Rows -> Arrow record batches of `images`, bounded in bytes.

The binary column is filled into one numpy buffer: `pa.array` over memoryviews keeps the viewed
objects alive for ever, and a worker grows by every archive it reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from medray.dicom.parts import Blob, Part
from medray.schema.images import IMAGES

BATCH_BYTES = 24 * 2**20


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

    def take(self) -> pa.RecordBatch | None:
        """All waiting rows as one batch with the schema of `images`; None when there are none."""
        if not self._parts:
            return None
        arrays = [
            binary_column([part.pieces for part in self._parts])
            if column.name == "frames"
            else pa.array([row[column.name] for row in self._columns], column.type)
            for column in IMAGES.schema
        ]
        self._columns, self._parts, self._bytes = [], [], 0
        return pa.RecordBatch.from_arrays(arrays, schema=IMAGES.schema)


def binary_column(cells: Sequence[Sequence[Blob]]) -> pa.Array:
    """A binary array whose cell i is the concatenation of `cells[i]`; it owns its bytes."""
    ends = np.cumsum([0, *(sum(map(len, cell)) for cell in cells)])
    data, at = np.empty(int(ends[-1]), np.uint8), 0
    for cell in cells:
        for blob in cell:
            data[at : at + len(blob)] = np.frombuffer(blob, np.uint8)
            at += len(blob)
    offsets = pa.py_buffer(ends.astype(np.int32))
    return pa.Array.from_buffers(pa.binary(), len(cells), [None, offsets, pa.py_buffer(data)])
