"""A header as received, in explicit VR little-endian: for lakes that are marked identified."""

from __future__ import annotations

from collections.abc import Sequence

from medray.dicom.deidentify.encode import element, item, little_endian
from medray.dicom.deidentify.items import Head, Reader, signed_pixels
from medray.dicom.structure import ITEM_END, PIXEL_DATA, SEQUENCE_END, UNDEFINED, Element, Encoding


def as_received(elements: Sequence[Element], body: bytes, encoding: Encoding) -> bytes:
    """The top-level elements before Pixel Data; what is explicit little-endian already, byte for byte.

    Raises:
        Broken: a sequence cannot be followed.
    """
    if encoding.little and not encoding.implicit:
        return b"".join(body[found.at : found.end] for found in elements)
    reader = Reader(body, encoding, signed_pixels(elements, body))
    return b"".join(_element(reader.top(found), reader)[0] for found in elements)


def _element(head: Head, reader: Reader) -> tuple[bytes, int]:
    """One element, and where the next begins."""
    end = head.start + head.length
    if head.length == UNDEFINED and head.tag == PIXEL_DATA:
        return b"", reader.after_fragments(head.start, len(reader.body))
    if head.length == UNDEFINED or head.vr == b"SQ":
        inner = reader.within(head)
        delimited = head.length == UNDEFINED
        content, end = _items(head.start, len(reader.body) if delimited else end, delimited, inner)
        return element(head.tag, b"SQ", content), end
    value = reader.body[head.start : end]
    return element(head.tag, head.vr, value if reader.encoding.little else little_endian(value, head.vr)), end


def _items(at: int, end: int, delimited: bool, reader: Reader) -> tuple[bytes, int]:
    pieces: list[bytes] = []
    while delimited or at < end:
        head = reader.head(at, end)
        if head.tag == SEQUENCE_END:
            return b"".join(pieces), head.start
        open_ended = head.length == UNDEFINED
        content, at = _data_set(head.start, end if open_ended else head.start + head.length, open_ended, reader)
        pieces.append(item(content))
    return b"".join(pieces), at


def _data_set(at: int, end: int, delimited: bool, reader: Reader) -> tuple[bytes, int]:
    pieces: list[bytes] = []
    while delimited or at < end:
        head = reader.head(at, end)
        if head.tag == ITEM_END:
            return b"".join(pieces), head.start
        written, at = _element(head, reader)
        pieces.append(written)
    return b"".join(pieces), at
