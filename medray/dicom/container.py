"""The bytes of an object -> its data set: preamble, file meta group, transfer syntax, inflation.

PS3.10 section 7. Objects without preamble or meta group are read when their first element can only
be the start of a data set; anything else is no DICOM.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from medray.dicom.structure import Encoding, Walker
from medray.dicom.syntaxes import BIG_ENDIAN, EXPLICIT, IMPLICIT, Syntax, syntax_of
from medray.errors import Unusable

PREAMBLE = 128
MAGIC = b"DICM"
META_GROUP = b"\x02\x00"
TRANSFER_SYNTAX = 0x00020010
# Groups with which a data set may begin: command, directory, identifying, patient.
FIRST_GROUPS = frozenset((0x0002, 0x0004, 0x0008, 0x0010))
LARGEST_FIRST_VALUE = 1024


@dataclass(frozen=True)
class Container:
    """A data set without its wrapping: `body[start:]`, its elements written in `encoding`, its
    frames in `syntax`."""

    body: bytes
    start: int
    syntax: Syntax
    encoding: Encoding


def open_container(data: bytes, inflated_bytes: int) -> Container:
    """The data set in `data`.

    Raises:
        Unusable: empty, not_dicom, truncated, malformed, or too_large once inflated.
    """
    start, syntax = declared(data)
    if syntax.deflated:
        data, start = inflate(data[start:], inflated_bytes), 0
    return Container(data, start, syntax, _encoding(data, start, syntax))


def declared(data: bytes) -> tuple[int, Syntax]:
    """Where the data set begins, and the syntax that the object names or must have.

    Raises:
        Unusable: empty, not_dicom, truncated, malformed.
    """
    if not data:
        raise Unusable("empty")
    marked = data[PREAMBLE : PREAMBLE + len(MAGIC)] == MAGIC
    at = PREAMBLE + len(MAGIC) if marked else 0
    if at == len(data):
        raise Unusable("truncated", "no data set")
    uid, start = _meta_group(data, at) if data[at : at + 2] == META_GROUP else (None, at)
    if start >= len(data):
        raise Unusable("truncated", "no data set")
    return start, _guess(data, start, marked) if uid is None else syntax_of(uid)


def inflate(data: bytes, limit: int) -> bytes:
    """`data` without its deflate coding (RFC 1951), never more than `limit` bytes of it.

    Raises:
        Unusable: too_large, truncated. zlib.error: the coding is broken.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = stream.decompress(data, limit + 1)
    if len(inflated) > limit:
        raise Unusable("too_large", f"inflates beyond {limit} bytes")
    if not stream.eof:
        raise Unusable("truncated", "the deflated data set has no end")
    return inflated


def _meta_group(data: bytes, at: int) -> tuple[str | None, int]:
    """Transfer syntax UID of the meta group at `at`, and where the group ends."""
    walker, uid = Walker(data, Encoding(implicit=False, little=True), sequence_depth=1), None
    while data[at : at + 2] == META_GROUP:
        element = walker.element(at, len(data))
        if element.tag == TRANSFER_SYNTAX:
            uid = data[element.start : element.end].strip(b"\0 ").decode("ascii", "replace")
        at = element.end
    return uid or None, at


def _guess(data: bytes, at: int, marked: bool) -> Syntax:
    """The syntax that the first element can be read with; implicit little-endian, the default of
    PS3.5 10.1, where a preamble has `marked` the object as DICOM."""
    if at + 8 > len(data):
        raise Unusable("truncated" if marked else "not_dicom")
    group, _, length = struct.unpack_from("<HHL", data, at)
    if _has_vr(data, at) and group in FIRST_GROUPS:
        return EXPLICIT
    if _has_vr(data, at) and struct.unpack_from(">H", data, at)[0] in FIRST_GROUPS:
        return BIG_ENDIAN
    if marked or (group in FIRST_GROUPS and length <= LARGEST_FIRST_VALUE):
        return IMPLICIT
    raise Unusable("not_dicom")


def _encoding(data: bytes, at: int, syntax: Syntax) -> Encoding:
    """As the syntax says, save that some writers leave an implicit data set under a compressed
    syntax: without a VR in its first element it can be nothing else."""
    slipped = syntax.little and not _has_vr(data, at)
    return Encoding(syntax.implicit or slipped, syntax.little)


def _has_vr(data: bytes, at: int) -> bool:
    vr = data[at + 4 : at + 6]
    return vr.isalpha() and vr.isupper()
