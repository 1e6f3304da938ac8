"""Elements in explicit VR little-endian (PS3.5 7.1.2), and values from other byte orders."""

from __future__ import annotations

import struct

from medray.dicom.structure import LONG_VRS

_WIDTH = {
    **dict.fromkeys((b"US", b"SS", b"OW", b"AT"), 2),
    **dict.fromkeys((b"UL", b"SL", b"FL", b"OL", b"OF"), 4),
    **dict.fromkeys((b"FD", b"OD", b"UV", b"SV", b"OV"), 8),
}
_LONG_HEAD, _SHORT_HEAD = struct.Struct("<HH2sHL"), struct.Struct("<HH2sH")
_ITEM = struct.Struct("<HHL")
LONGEST_SHORT = 0xFFFE


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """One element of an even length. A value too long for its VR is UN (PS3.5 6.2.2 note 2)."""
    if len(value) % 2:
        value += b"\0" if vr in (b"UI", b"OB", b"UN") else b" "
    if vr in LONG_VRS or len(value) > LONGEST_SHORT:
        vr = vr if vr in LONG_VRS else b"UN"
        return _LONG_HEAD.pack(tag >> 16, tag & 0xFFFF, vr, 0, len(value)) + value
    return _SHORT_HEAD.pack(tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def item(content: bytes) -> bytes:
    """An item of a sequence around its elements."""
    return _ITEM.pack(0xFFFE, 0xE000, len(content)) + content


def little_endian(value: bytes, vr: bytes) -> bytes:
    """A big-endian value of the VR in little-endian order."""
    width = _WIDTH.get(vr, 1)
    if width == 1:
        return value
    whole = len(value) - len(value) % width
    swapped = bytearray(value[:whole])
    for byte in range(width):
        swapped[byte::width] = value[width - 1 - byte : whole : width]
    return bytes(swapped)
