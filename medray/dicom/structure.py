"""Does the encoding of a data set hold (PS3.5 section 7)? A walk over lengths, not over values.

pydicom reads a truncated file without a word: of 5,582 cuts through one CT it noticed five. This
walk costs a few microseconds an element and sees that every element, item and fragment ends inside
its parent and that the last one ends where the bytes end.
"""

from __future__ import annotations

import struct
from collections.abc import Container
from dataclasses import dataclass

from pydicom.datadict import dictionary_VR

from medray.errors import Unusable

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
FLOAT_PIXEL_DATA = (0x7FE00008, 0x7FE00009)
LONG_VRS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))


@dataclass(frozen=True)
class Encoding:
    """How the elements of a data set are written."""

    implicit: bool
    little: bool


@dataclass(frozen=True)
class Element:
    """One element by its place: `at` is its tag, `start:end` its value (a sequence delimiter is
    part of the value of an element with `undefined` length)."""

    tag: int
    vr: bytes
    at: int
    start: int
    end: int
    undefined: bool


class Walker:
    """Walks one data set in `body`; positions count from its first byte."""

    def __init__(self, body: bytes, encoding: Encoding, sequence_depth: int) -> None:
        order = "<" if encoding.little else ">"
        self.body, self.encoding, self.sequence_depth = body, encoding, sequence_depth
        self._tag, self._long = struct.Struct(order + "HH"), struct.Struct(order + "L")
        self._short = struct.Struct(order + "H")

    def element(self, at: int, end: int, depth: int = 0) -> Element:
        """The element whose tag stands at `at`, checked down to its last item.

        Raises:
            Unusable: truncated, malformed or too_deep.
        """
        tag, vr, length, start = self._head(at, end)
        if length != UNDEFINED:
            self._inside(start + length, end)
            if vr == b"SQ" and length:
                self._items(start, start + length, depth + 1, delimited=False)
            return Element(tag, vr, at, start, start + length, False)
        if tag == PIXEL_DATA:
            return Element(tag, vr, at, start, self._fragments(start, end), True)
        if vr == b"UN":  # PS3.5 6.2.2 note 4: implicit little-endian inside
            inner = Walker(self.body, Encoding(implicit=True, little=True), self.sequence_depth)
            return Element(tag, vr, at, start, inner._items(start, end, depth + 1, True), True)
        if vr != b"SQ":
            raise Unusable("malformed", "undefined length outside a sequence")
        return Element(tag, vr, at, start, self._items(start, end, depth + 1, True), True)

    def _head(self, at: int, end: int) -> tuple[int, bytes, int, int]:
        """Tag, VR, length and start of the value of the element at `at`."""
        self._inside(at + 8, end)
        tag = self._read_tag(at)
        if tag >> 16 == 0xFFFE:
            raise Unusable("malformed", "an item outside a sequence")
        if self.encoding.implicit:
            (length,) = self._long.unpack_from(self.body, at + 4)
            return tag, _implicit_vr(tag, length), length, at + 8
        vr = bytes(self.body[at + 4 : at + 6])
        if not (vr.isalpha() and vr.isupper()):
            raise Unusable("malformed", "a value representation that is no two capital letters")
        if vr not in LONG_VRS:
            return tag, vr, self._short.unpack_from(self.body, at + 6)[0], at + 8
        self._inside(at + 12, end)
        return tag, vr, self._long.unpack_from(self.body, at + 8)[0], at + 12

    def _items(self, at: int, end: int, depth: int, delimited: bool) -> int:
        """Position after the items from `at`: after their delimiter, or exactly `end`."""
        if depth > self.sequence_depth:
            raise Unusable("too_deep", f"more than {self.sequence_depth} levels")
        while delimited or at < end:
            tag, length = self._item_head(at, end)
            at += 8
            if tag == SEQUENCE_END and delimited:
                return at
            if tag != ITEM:
                raise Unusable("malformed", "a sequence holds something other than items")
            if length == UNDEFINED:
                at = self._elements_until_delimiter(at, end, depth)
            else:
                self._inside(at + length, end)
                at = self._elements(at, at + length, depth)
        return at

    def _elements(self, at: int, end: int, depth: int) -> int:
        while at < end:
            at = self.element(at, end, depth).end
        return at

    def _elements_until_delimiter(self, at: int, end: int, depth: int) -> int:
        while True:
            self._inside(at + 8, end)
            if self._read_tag(at) == ITEM_END:
                return at + 8
            at = self.element(at, end, depth).end

    def _fragments(self, at: int, end: int) -> int:
        while True:
            tag, length = self._item_head(at, end)
            at += 8
            if tag == SEQUENCE_END:
                return at
            if tag != ITEM or length == UNDEFINED:
                raise Unusable("bad_frames", "pixel data holds something other than fragments")
            at += length

    def _item_head(self, at: int, end: int) -> tuple[int, int]:
        self._inside(at + 8, end)
        return self._read_tag(at), self._long.unpack_from(self.body, at + 4)[0]

    def _read_tag(self, at: int) -> int:
        group, element = self._tag.unpack_from(self.body, at)
        return int(group << 16 | element)

    def _inside(self, position: int, end: int) -> None:
        if position > len(self.body):
            raise Unusable("truncated", f"{position - len(self.body)} bytes missing at least")
        if position > end:
            raise Unusable("malformed", "an element reaches beyond its parent")


def _implicit_vr(tag: int, length: int) -> bytes:
    """SQ where the length or the dictionary says so; every other value stays opaque."""
    if length == UNDEFINED and tag != PIXEL_DATA:
        return b"SQ"
    try:
        return dictionary_VR(tag).encode()[:2]
    except KeyError:
        return b"UN"


@dataclass(frozen=True)
class Structure:
    """What the walk over a data set found.

    Attributes:
        header: the bytes of the wanted top-level elements before Pixel Data, in order: a data set
            of its own.
        elements: all top-level elements before Pixel Data, in order.
        pixels: Pixel Data.
    """

    header: bytes
    elements: tuple[Element, ...]
    pixels: Element


def walk(body: bytes, start: int, encoding: Encoding, sequence_depth: int, wanted: Container[int]) -> Structure:
    """A walk over all of the data set `body[start:]`.

    Raises:
        Unusable: truncated, malformed, too_deep, bad_frames; no_pixels where there are none.
    """
    walker, at, end = Walker(body, encoding, sequence_depth), start, len(body)
    header: list[bytes] = []
    elements: list[Element] = []
    pixels, floats = None, False
    while at < end:
        element = walker.element(at, end)
        at = element.end
        if element.tag == PIXEL_DATA:
            pixels = element
        elif pixels is None:
            elements.append(element)
            if element.tag in wanted:
                header.append(body[element.at : at])
        floats = floats or element.tag in FLOAT_PIXEL_DATA
    if pixels is None:
        raise Unusable("no_pixels", "only floating point pixel data" if floats else "")
    return Structure(b"".join(header), tuple(elements), pixels)
