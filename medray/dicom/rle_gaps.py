"""RLE frames without room for text (PS3.5 annex G): unused offsets of the header are zero, and behind
the last pixel of each segment stand no-operations.

A segment that holds exactly its pixels is recognised by the decoder, in a loop of C; only others are
followed run by run.
"""

from __future__ import annotations

import struct

import imagecodecs

HEADER = struct.Struct("<16L")
NO_OPERATION = 0x80


def without_gaps(frame: bytes | memoryview, pixels: int) -> bytes | memoryview:
    """The frame with the same pixels, its length and its segments' places unchanged.

    Args:
        frame: its header has been checked (`encapsulated`).
        pixels: of the image; every segment holds a byte of each.
    """
    count, *offsets = HEADER.unpack_from(frame)
    starts = offsets[:count]
    ends = [*starts[1:], len(frame)]
    unclear = [(start, end) for start, end in zip(starts, ends, strict=True) if not _full(frame[start:end], pixels)]
    if not unclear and not any(offsets[count:]):
        return frame
    clean = bytearray(frame)
    HEADER.pack_into(clean, 0, count, *starts, *[0] * (15 - count))
    for start, end in unclear:
        _blank_rest(clean, start, end, pixels)
    return bytes(clean)


def _full(segment: bytes | memoryview, pixels: int) -> bool:
    """Does it hold the pixels and, padding of one byte aside, nothing else?"""
    try:
        return len(imagecodecs.packbits_decode(bytes(segment), out=pixels)) == pixels
    except imagecodecs.PackbitsError:
        return False


def _blank_rest(clean: bytearray, at: int, end: int, pixels: int) -> None:
    """Blank what stands behind the pixels of the segment `at:end`, the rest of the last run included."""
    found = 0
    while at < end and found < pixels:
        head = clean[at]
        if head < NO_OPERATION:
            length = head + 1
            used, last = at + 1 + min(length, pixels - found), min(at + 1 + length, end)
            clean[used:last] = bytes(max(last - used, 0))
            at, found = at + 1 + length, found + length
        elif head > NO_OPERATION:
            at, found = at + 2, found + 257 - head
        else:
            at += 1
    if at < end:
        clean[at:end] = bytes([NO_OPERATION]) * (end - at)
