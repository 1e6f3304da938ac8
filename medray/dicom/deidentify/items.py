"""Sequences and data sets element by element, in any encoding of PS3.5 section 7.

Lengths are checked here too: what stands inside an element of VR UN has not been walked before.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pydicom._dicom_dict import DicomDictionary

from medray.dicom.structure import (
    IMPLICIT_LITTLE,
    ITEM,
    LONG_VRS,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Encoding,
)

PIXEL_REPRESENTATION = 0x00280103


class Broken(Exception):
    """The bytes are no data set; nothing of them is kept."""


class Head(NamedTuple):
    """Tag, VR and length of an element, and where its value begins."""

    tag: int
    vr: bytes
    length: int
    start: int


class Reader:
    """Reads heads in one encoding.

    Attributes:
        signed: pixels are signed, so that what is US or SS in an implicit data set is SS (PS3.5 A.1).
    """

    def __init__(self, body: bytes, encoding: Encoding, signed: bool) -> None:
        order = "<" if encoding.little else ">"
        self.body, self.encoding, self.signed = body, encoding, signed
        self._tag, self._long, self._short = (struct.Struct(order + form) for form in ("HH", "L", "H"))

    def head(self, at: int, end: int) -> Head:
        """The element, or the item or delimiter, whose tag stands at `at`.

        Raises:
            Broken: it does not end before `end`.
        """
        if at + 8 > end:
            raise Broken
        group, element = self._tag.unpack_from(self.body, at)
        tag = group << 16 | element
        if self.encoding.implicit or group == 0xFFFE:
            (length,) = self._long.unpack_from(self.body, at + 4)
            return self._checked(Head(tag, self._implicit_vr(tag, length), length, at + 8), end)
        vr = self.body[at + 4 : at + 6]
        if vr not in LONG_VRS:
            return self._checked(Head(tag, vr, self._short.unpack_from(self.body, at + 6)[0], at + 8), end)
        if at + 12 > end:
            raise Broken
        return self._checked(Head(tag, vr, self._long.unpack_from(self.body, at + 8)[0], at + 12), end)

    def after_fragments(self, at: int, end: int) -> int:
        """Where encapsulated pixels inside an item end."""
        while True:
            found = self.head(at, end)
            if found.tag == SEQUENCE_END:
                return found.start
            if found.tag != ITEM or found.length == UNDEFINED:
                raise Broken
            at = found.start + found.length

    @staticmethod
    def _checked(head: Head, end: int) -> Head:
        if head.length != UNDEFINED and head.start + head.length > end:
            raise Broken
        return head

    def top(self, found: Element) -> Head:
        """The head of an element that has been walked."""
        length = UNDEFINED if found.undefined else found.end - found.start
        vr = self._implicit_vr(found.tag, length) if self.encoding.implicit else found.vr
        return Head(found.tag, vr, length, found.start)

    def within(self, head: Head) -> Reader:
        """For the items of a sequence: those of an opaque one are implicit little-endian (PS3.5 6.2.2)."""
        return self if head.vr == b"SQ" else Reader(self.body, IMPLICIT_LITTLE, self.signed)

    def _implicit_vr(self, tag: int, length: int) -> bytes:
        if length == UNDEFINED and tag != PIXEL_DATA:
            return b"SQ"
        allowed = _allowed(tag)
        if b"OW" in allowed:
            return b"OW"
        return b"SS" if self.signed and b"SS" in allowed else allowed[0]


@lru_cache(maxsize=1 << 16)
def _allowed(tag: int) -> tuple[bytes, ...]:
    """The VRs of PS3.6."""
    entry = DicomDictionary.get(tag)
    return tuple(name.encode() for name in entry[0].split(" or ")) if entry else (b"UN",)


def signed_pixels(elements: Sequence[Element], body: bytes) -> bool:
    """Does the top level say that pixels are signed?"""
    found = next((item for item in elements if item.tag == PIXEL_REPRESENTATION), None)
    return found is not None and 1 in body[found.start : found.end]
