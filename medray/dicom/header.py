"""The header of an instance: its elements by place, their values on demand.

Values of the usual kinds are read from the bytes here; anything else is left to pydicom, which gives
the same values (a test compares them on every file).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from pydicom.datadict import dictionary_VR, tag_for_keyword

from medray.dicom.config import DicomConfig
from medray.dicom.container import open_container
from medray.dicom.plain_values import plain_values
from medray.dicom.pydicom_values import encodings, pydicom_values
from medray.dicom.structure import IMPLICIT_LITTLE, Element, Encoding, Walker, walk
from medray.dicom.syntaxes import Syntax
from medray.errors import Unusable

SPECIFIC_CHARACTER_SET = 0x00080005
DEEPEST = 100  # a limit of the walk that comes before; the recipe's is lower


class Header:
    """The elements of a data set, or of an item of a sequence.

    Args:
        body: the bytes that hold them.
        elements: their places; the last of several with one tag counts.
        encoding: how they are written.
        characters: the Specific Character Set of the parent, for an item.
    """

    def __init__(
        self, body: bytes, elements: Sequence[Element], encoding: Encoding, characters: tuple[str, ...] = ()
    ) -> None:
        self._body, self._encoding, self._inherited = body, encoding, characters
        self._elements = {element.tag: element for element in elements}
        self._items: dict[int, tuple[Header, ...]] = {}  # groups of a thousand frames are asked ten times

    def __contains__(self, keyword: str) -> bool:
        return tag_of(keyword) in self._elements

    def values(self, keyword: str) -> tuple[object, ...]:
        """All values of an element, () when it is absent or empty: numbers, texts as the header has
        them but for padding, bytes, or a `Header` for each item.

        Raises:
            Unusable: bad_pixel_header, naming the keyword, when they cannot be read.
        """
        element = self._elements.get(tag_of(keyword))
        if element is None or element.start == element.end:
            return ()
        try:
            return self._values(element)
        except Exception as error:
            raise Unusable("bad_pixel_header", f"{keyword} unreadable") from error

    def _values(self, element: Element) -> tuple[object, ...]:
        encoding = IMPLICIT_LITTLE if element.vr == b"UN" else self._encoding  # PS3.5 6.2.2 note 2
        vr = declared_vr(element.tag) if encoding.implicit else element.vr
        if vr == b"SQ":
            if element.tag not in self._items:
                walker = Walker(self._body, encoding, DEEPEST)
                self._items[element.tag] = tuple(
                    Header(self._body, item, encoding, self._characters) for item in walker.items(element)
                )
            return self._items[element.tag]
        value = self._body[element.start : element.end]
        plain = plain_values(vr, value) if encoding.little else None
        if plain is not None:
            return plain
        return pydicom_values(element.tag, vr, value, encoding, self._characters)

    @cached_property
    def _characters(self) -> tuple[str, ...]:
        """Python's names of the character sets of texts (PS3.3 C.12.1.1.2)."""
        element = self._elements.get(SPECIFIC_CHARACTER_SET)
        return self._inherited if element is None else encodings(self._body[element.start : element.end])


@cache
def tag_of(keyword: str) -> int:
    """The tag of a keyword of PS3.6."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag


@cache
def declared_vr(tag: int) -> bytes:
    """The VR that PS3.6 gives to a tag, UN when it has none; of several the one that loses nothing."""
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return b"UN"
    return {"US or SS": b"US", "OB or OW": b"OW", "US or OW": b"OW", "US or SS or OW": b"OW"}.get(vr, vr[:2].encode())


@dataclass(frozen=True)
class Instance:
    """One SOP instance with pixels.

    Attributes:
        header: the elements before Pixel Data.
        elements: their places, in order.
        encoding: how they are written.
        body: the bytes of the data set, inflated.
        pixels: place of Pixel Data in `body`.
        syntax: how header and pixels are meant to be written.
    """

    header: Header
    elements: Sequence[Element]
    encoding: Encoding
    body: bytes
    pixels: Element
    syntax: Syntax


def read_instance(data: bytes, config: DicomConfig) -> Instance:
    """The instance in `data`, its encoding checked to the last byte.

    Raises:
        Unusable: empty, not_dicom, truncated, malformed, too_deep, too_large, no_pixels, bad_frames.
    """
    container = open_container(data, config.inflated_bytes)
    body, encoding = container.body, container.encoding
    found = walk(body, container.start, encoding, config.sequence_depth)
    header = Header(body, found.elements, encoding)
    return Instance(header, found.elements, encoding, body, found.pixels, container.syntax)
