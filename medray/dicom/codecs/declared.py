"""What a codestream says about itself, read before a decoder allocates memory for it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from medray.errors import Unusable

SOS = 0xDA
# Start of frame: 0xC0 to 0xCF without the tables that share the range, and JPEG-LS.
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}


@dataclass(frozen=True)
class Declared:
    """Size of the image in a codestream; `precision` is the bits of a sample."""

    rows: int
    columns: int
    samples: int
    precision: int


def of_jpeg(codestream: bytes) -> Declared:
    """From the start of frame segment of JPEG and JPEG-LS (ISO 10918-1 B.2.2, ISO 14495-1 C.2.2).

    Raises:
        Unusable: decode_failed when there is none. struct.error: the segments reach beyond the end.
    """
    at = 2
    while True:
        mark, marker, length = struct.unpack_from(">BBH", codestream, at)
        if mark != 0xFF or marker == SOS:
            raise Unusable("decode_failed", "no start of frame")
        if marker in START_OF_FRAME:
            precision, rows, columns, samples = struct.unpack_from(">BHHB", codestream, at + 4)
            return Declared(rows, columns, samples, precision)
        at += 1 if marker == 0xFF else 2 + length


def of_jpeg2000(codestream: bytes) -> Declared:
    """From the SIZ segment that every JPEG 2000 codestream begins with (ISO 15444-1 A.5.1)."""
    right, bottom, left, top = struct.unpack_from(">4L", codestream, 8)
    samples, described = struct.unpack_from(">HB", codestream, 40)
    return Declared(bottom - top, right - left, samples, (described & 0x7F) + 1)
