"""Safe private attributes (PS3.15 table E.3.10-1): `safe_private.csv`, private creator and group with
the last two digits of its elements. What is not in it is not kept."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from pydicom.datadict import private_dictionary_VR

from medray.dicom.structure import Element


@cache
def safe_elements() -> frozenset[tuple[str, int, int]]:
    """Private creator, group, and element within the creator's block."""
    lines = (files(__package__) / "safe_private.csv").read_text("ascii").splitlines()
    return frozenset(
        (line["creator"], int(line["group"], 16), int(element, 16))
        for line in csv.DictReader(lines)
        for element in line["elements"].split()
    )


@cache
def private_vr(creator: str, group: int, element: int) -> bytes:
    """The VR that the maker declares, UN where nobody has noted it."""
    try:
        return private_dictionary_VR(group << 16 | 0x1000 | element, creator).encode()[:2]
    except KeyError:
        return b"UN"


class Blocks:
    """The private creators of one data set or item, and which of its private attributes are safe."""

    def __init__(self) -> None:
        self._creators: dict[int, tuple[bytes, str]] = {}
        self._written: set[int] = set()

    def safe(self, found: Element, body: bytes) -> bool:
        """Is it safe? A private creator is only noted: it stays where one of its attributes does."""
        low = found.tag & 0xFFFF
        if 0x10 <= low <= 0xFF:
            self.reserve(found.tag, body[found.start : found.end])
            return False
        creator = self._creators.get(found.tag & 0xFFFFFF00)
        return creator is not None and (creator[1], found.tag >> 16, low & 0xFF) in safe_elements()

    def reserve(self, tag: int, value: bytes) -> None:
        """Note the creator that stands at (gggg,0010-00FF)."""
        creator = value.strip(b" \0").decode("ascii", "replace")
        self._creators[(tag & 0xFFFF0000) | (tag & 0xFF) << 8] = (value, creator)

    def vr_of(self, tag: int) -> bytes | None:
        """The VR of a safe private attribute; None where it is not safe."""
        found = self._creators.get(tag & 0xFFFFFF00)
        if found is None or (found[1], tag >> 16, tag & 0xFF) not in safe_elements():
            return None
        return private_vr(found[1], tag >> 16, tag & 0xFF)

    def creator_to_write(self, tag: int) -> tuple[int, bytes] | None:
        """Tag and value of the creator of `tag`, the first time that its block is kept."""
        block = tag & 0xFFFFFF00
        if block in self._written:
            return None
        self._written.add(block)
        return (tag & 0xFFFF0000) | (block & 0xFF00) >> 8, self._creators[block][0]
