"""Segmented Palette Color Lookup Table Data (PS3.3 C.7.9.2) -> the entries that they stand for."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array
from medray.errors import Unusable

DISCRETE, LINEAR, INDIRECT = range(3)


def expand(segments: Array, unit_bytes: int, count: int) -> Array:
    """Entries (count,) uint16.

    Args:
        segments: values of `unit_bytes` (1 or 2): opcode, length, contents, and so on.

    Raises:
        Unusable: bad_pixel_header when the segments are not those of a table of `count` entries.
    """
    entries: list[int] = []
    at = 0
    while len(entries) < count and at + 1 < len(segments):
        opcode, length = int(segments[at]), int(segments[at + 1])
        if opcode == INDIRECT:
            place = _place(segments, at + 2, unit_bytes)
            for _ in range(length):  # of segments
                if len(entries) > count:
                    break
                place = _simple(segments, place, entries)
            at += 2 + 4 // unit_bytes
        else:
            at = _simple(segments, at, entries)
    if len(entries) != count:
        raise Unusable("bad_pixel_header", f"a segmented lookup table of {len(entries)} entries, {count} declared")
    return np.array(entries, np.uint16)


def _place(segments: Array, at: int, unit_bytes: int) -> int:
    """Index of the segment that an indirect one points at, by bytes from the first."""
    units = segments[at : at + 4 // unit_bytes].tolist()
    return sum(int(unit) << (8 * unit_bytes * index) for index, unit in enumerate(units)) // unit_bytes


def _simple(segments: Array, at: int, entries: list[int]) -> int:
    """Append what the discrete or linear segment at `at` stands for; the index behind it."""
    head = segments[at : at + 2].tolist()
    if len(head) == 2 and head[0] == DISCRETE:
        found = segments[at + 2 : at + 2 + head[1]].tolist()
        if len(found) == head[1]:
            entries.extend(found)
            return at + 2 + int(head[1])
    if len(head) == 2 and head[0] == LINEAR and entries and head[1] and at + 2 < len(segments):
        first, last, steps = entries[-1], int(segments[at + 2]), int(head[1])
        entries.extend(np.floor(np.linspace(first, last, steps + 1)[1:] + 0.5).astype(int).tolist())
        return at + 3
    raise Unusable("bad_pixel_header", "a segmented lookup table with a broken segment")
