"""What a codestream says about itself, read before a decoder allocates memory for it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from medray.dicom.jpegxl_header import read_jpegxl
from medray.dicom.syntaxes import Kind
from medray.errors import Unusable

SOS = 0xDA
# Start of frame: 0xC0 to 0xCF without the tables that share the range, and JPEG-LS.
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}

COD = 0xFF52
ENDS = (0xFF90, 0xFFD9)  # of the main header: a tile, or nothing


@dataclass(frozen=True)
class Declared:
    """Size of the image in a codestream.

    Attributes:
        precision: bits of a sample.
        names: of the components of a JPEG, a byte each.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    names: bytes = b""


def declared(codestream: bytes, kind: Kind) -> Declared:
    """What the codestream of `kind` declares. Raises as the reader of that kind."""
    if kind == "jpegxl":
        told = read_jpegxl(codestream)
        return Declared(told.rows, told.columns, told.samples, told.precision)
    return of_jpeg2000(codestream) if kind == "jpeg2000" else of_jpeg(codestream)


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
            return Declared(rows, columns, samples, precision, codestream[at + 10 : at + 10 + 3 * samples : 3])
        at += 1 if marker == 0xFF else 2 + length


def of_jpeg2000(codestream: bytes) -> Declared:
    """From the SIZ segment that every JPEG 2000 codestream begins with (ISO 15444-1 A.5.1)."""
    right, bottom, left, top = struct.unpack_from(">4L", codestream, 8)
    samples, described = struct.unpack_from(">HB", codestream, 40)
    return Declared(bottom - top, right - left, samples, (described & 0x7F) + 1)


def high_throughput(codestream: bytes) -> bool:
    """Does the SIZ segment demand the capabilities of ISO 15444-15 (bit 14 of Rsiz)?"""
    return bool(codestream[6] & 0x40)


@dataclass(frozen=True)
class CodingStyle:
    """From the COD segment of a JPEG 2000 main header (ISO 15444-1 A.6.1).

    Attributes:
        transforms: decoders undo a colour transform; without it components are as the header names them.
        levels: of the wavelet transform.
    """

    transforms: bool
    levels: int


def coding_style(codestream: bytes) -> CodingStyle:
    """Raises: Unusable: decode_failed without COD. struct.error, IndexError: segments beyond the end."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", codestream, at)
        if marker == COD:
            return CodingStyle(bool(codestream[at + 8]), codestream[at + 9])
        if marker in ENDS:
            raise Unusable("decode_failed", "no coding style")
        at += 2 + length
