"""Encapsulated frames (PS3.5 A.4): fragments -> one codestream a frame, as received."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

from medray.dicom.header import Header
from medray.dicom.structure import ITEM, SEQUENCE_END, Element
from medray.dicom.syntaxes import Kind
from medray.errors import Unusable

_HEAD = struct.Struct("<HHL")
JP2_SIGNATURE = b"\0\0\0\x0cjP  "
JXL_SIGNATURE = b"\0\0\0\x0cJXL "
STARTS: dict[Kind, tuple[bytes, ...]] = {
    "jpeg": (b"\xff\xd8\xff",),
    "jpeg_lossless": (b"\xff\xd8\xff",),
    "jpegls": (b"\xff\xd8\xff",),
    "jpeg2000": (b"\xff\x4f\xff\x51", JP2_SIGNATURE),
    "jpegxl": (b"\xff\x0a", JXL_SIGNATURE),
}
RLE_HEADER_BYTES = 64
ENDED: frozenset[Kind] = frozenset(("jpeg", "jpeg_lossless", "jpegls", "jpeg2000"))
END = b"\xff\xd9"
LAST_BYTES = 64  # where the end marker is nearly always, before padding

Fragment = tuple[int, memoryview]  # offset of its item from the first fragment's item; its bytes


def encapsulated_frames(
    body: bytes, pixels: Element, kind: Kind, frames: int, header: Header
) -> list[bytes | memoryview]:
    """One codestream a frame, padding included.

    Args:
        header: may hold an Extended Offset Table (PS3.3 C.7.6.3.1.8).

    Raises:
        Unusable: bad_frames when count, offsets or start markers contradict the header; truncated when
            a frame has no end.
    """
    if not pixels.undefined:
        raise Unusable("bad_frames", "compressed frames in a value of defined length")
    table, fragments = _split(body, pixels)
    offsets = _extended_offsets(header) or _basic_offsets(table)
    found = _assemble(fragments, offsets, frames, STARTS.get(kind, ()))
    for frame in found:
        _check_start(frame, kind)
        _check_end(frame, kind)
    return found


def _split(body: bytes, pixels: Element) -> tuple[memoryview, list[Fragment]]:
    """The Basic Offset Table's bytes and the fragments; `structure` has checked every length."""
    view, at, items = memoryview(body), pixels.start, []
    while True:
        group, element, length = _HEAD.unpack_from(body, at)
        if group << 16 | element == SEQUENCE_END:
            break
        assert group << 16 | element == ITEM
        items.append((at, view[at + 8 : at + 8 + length]))
        at += 8 + length
    if not items:
        raise Unusable("bad_frames", "no offset table")
    if len(items) == 1:
        raise Unusable("bad_frames", "no fragments")
    first = items[1][0]
    return items[0][1], [(place - first, data) for place, data in items[1:]]


def _basic_offsets(table: memoryview) -> tuple[int, ...]:
    if len(table) % 4:
        raise Unusable("bad_frames", "an offset table of odd length")
    return struct.unpack(f"<{len(table) // 4}L", table)


def _extended_offsets(header: Header) -> tuple[int, ...]:
    table = next(iter(header.values("ExtendedOffsetTable")), b"")
    if not isinstance(table, bytes) or len(table) % 8:
        raise Unusable("bad_frames", "an extended offset table of odd length")
    return struct.unpack(f"<{len(table) // 8}Q", table)


def _assemble(
    fragments: list[Fragment], offsets: Sequence[int], frames: int, starts: tuple[bytes, ...]
) -> list[bytes | memoryview]:
    """Fragments joined to `frames` frames by the offsets, or by what remains without a table."""
    if frames == 1:
        return [_join([data for _, data in fragments])]
    if offsets:
        return _by_offsets(fragments, offsets, frames)
    if len(fragments) == frames:
        return [data for _, data in fragments]
    return _by_starts(fragments, frames, starts)


def _by_offsets(fragments: list[Fragment], offsets: Sequence[int], frames: int) -> list[bytes | memoryview]:
    if len(offsets) != frames:
        raise Unusable("bad_frames", f"{len(offsets)} offsets for {frames} frames")
    index_at = {place: index for index, (place, _) in enumerate(fragments)}
    firsts = [index_at.get(offset, -1) for offset in offsets]
    if firsts[0] != 0 or any(b <= a for a, b in pairwise(firsts)):
        raise Unusable("bad_frames", "offsets that do not point at fragments in order")
    return _by_firsts(fragments, firsts)


def _by_starts(fragments: list[Fragment], frames: int, starts: tuple[bytes, ...]) -> list[bytes | memoryview]:
    """Without a table a frame begins at each fragment that begins with a start marker."""
    firsts = [i for i, (_, data) in enumerate(fragments) if bytes(data[:8]).startswith(starts)]
    if len(firsts) != frames or firsts[0] != 0:
        raise Unusable("bad_frames", f"{len(fragments)} fragments for {frames} frames, no offsets")
    return _by_firsts(fragments, firsts)


def _by_firsts(fragments: list[Fragment], firsts: list[int]) -> list[bytes | memoryview]:
    ends = [*firsts[1:], len(fragments)]
    return [_join([data for _, data in fragments[first:end]]) for first, end in zip(firsts, ends, strict=True)]


def _join(parts: list[memoryview]) -> bytes | memoryview:
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_start(frame: bytes | memoryview, kind: Kind) -> None:
    if kind == "rle":
        _check_rle(frame)
    elif kind in STARTS and not bytes(frame[:8]).startswith(STARTS[kind]):
        raise Unusable("bad_frames", "a frame without the start marker of its syntax")


def _check_end(frame: bytes | memoryview, kind: Kind) -> None:
    """Some decoders fill what is missing with grey, and say nothing. No other bytes of a codestream can
    be those of its end marker (ISO 10918-1 B.1.1.5, ISO 14495-1 A.1, ISO 15444-1 A.2)."""
    if kind in ENDED and END not in bytes(frame[-LAST_BYTES:]) and END not in bytes(frame):
        raise Unusable("truncated", "a frame without the end marker of its syntax")


def _check_rle(frame: bytes | memoryview) -> None:
    """The RLE header (PS3.5 G.5): 1 to 15 segments, in order, inside the frame."""
    if len(frame) < RLE_HEADER_BYTES:
        raise Unusable("bad_frames", "a frame shorter than an RLE header")
    count, *offsets = struct.unpack_from("<16L", frame)
    used = offsets[:count]
    ordered = all(a < b for a, b in zip(used, [*used[1:], len(frame)], strict=False))
    if not (1 <= count <= 15 and used[0] == RLE_HEADER_BYTES and ordered):
        raise Unusable("bad_frames", "an RLE header that contradicts its frame")
