"""Lookup tables of a header (PS3.3 C.7.6.3.1.5, C.11.1, C.11.2) as columns of `images`."""

from __future__ import annotations

from typing import Any

import numpy as np

from medray.dicom.header import Header
from medray.dicom.segmented_lut import expand
from medray.errors import Unusable

Lut = dict[str, Any]  # first: int, bits: int, entries: little-endian uint16


def sequence_lut(header: Header, sequence: str, little: bool, signed: bool) -> Lut | None:
    """The first table of Modality LUT Sequence or VOI LUT Sequence; None when there is none.

    Raises:
        Unusable: bad_pixel_header when descriptor and data contradict each other.
    """
    items = header.values(sequence)
    if not items or not isinstance(items[0], Header):
        return None
    return _lut(items[0], "LUTDescriptor", "LUTData", little, signed)


def palette(header: Header, little: bool, signed: bool) -> dict[str, Lut]:
    """The three tables of a PALETTE COLOR image.

    Raises:
        Unusable: bad_pixel_header when one is absent or contradicts its descriptor.
    """
    return {
        colour.lower(): _lut(
            header,
            f"{colour}PaletteColorLookupTableDescriptor",
            f"{colour}PaletteColorLookupTableData",
            little,
            signed,
        )
        for colour in ("Red", "Green", "Blue")
    }


def _lut(item: Header, descriptor: str, data: str, little: bool, signed: bool) -> Lut:
    described = item.values(descriptor)
    if len(described) != 3 or not all(isinstance(value, int) for value in described):
        raise Unusable("bad_pixel_header", f"{descriptor} absent or not three integers")
    count, first, bits = (int(value) for value in described)  # type: ignore[call-overload]
    count = count & 0xFFFF or 65536
    first = first - 65536 if signed and first > 32767 else first
    if not 8 <= bits <= 16:
        raise Unusable("bad_pixel_header", f"{bits} bits per entry of a lookup table")
    entries = _entries(item.values(data), count, little)
    if entries is None:
        segments = item.values(f"Segmented{data}") if data != "LUTData" else ()
        entries = _expanded(segments, count, bits, little)
    return {"first": first, "bits": bits, "entries": entries.astype("<u2").tobytes()}


def _entries(found: tuple[object, ...], count: int, little: bool) -> np.ndarray[Any, Any] | None:
    """The entries of a table as they stand; None without any.

    Raises:
        Unusable: bad_pixel_header.
    """
    if not found:
        return None
    if len(found) == 1 and isinstance(found[0], bytes):
        raw = found[0]
        if len(raw) >= 2 * count:
            return np.frombuffer(raw, "<u2" if little else ">u2", count)
        if len(raw) >= count:  # two 8-bit entries a word
            return _bytes(raw, little)[:count]
    elif len(found) == count:
        return np.array([int(value) & 0xFFFF for value in found])  # type: ignore[call-overload]
    raise Unusable("bad_pixel_header", f"a lookup table without its {count} entries")


def _expanded(found: tuple[object, ...], count: int, bits: int, little: bool) -> np.ndarray[Any, Any]:
    """The entries of a segmented table: segments of bytes where an entry has 8 bits, else of words."""
    if len(found) != 1 or not isinstance(found[0], bytes):
        raise Unusable("bad_pixel_header", f"a lookup table without its {count} entries")
    raw = found[0]
    if bits == 8:
        return expand(_bytes(raw, little), 1, count)
    return expand(np.frombuffer(raw[: len(raw) // 2 * 2], "<u2" if little else ">u2"), 2, count)


def _bytes(raw: bytes, little: bool) -> np.ndarray[Any, Any]:
    """The bytes of OW in order."""
    narrow = np.frombuffer(raw, np.uint8)
    return narrow if little else narrow[: len(raw) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
