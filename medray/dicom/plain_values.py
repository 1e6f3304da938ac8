"""Values of the usual kinds out of their bytes (PS3.5 section 6.2), little-endian."""

from __future__ import annotations

import struct
from collections.abc import Callable

Values = tuple[object, ...]


def plain_values(vr: bytes, value: bytes) -> Values | None:
    """The values of a non-empty element; None where they are not plain: a VR that is none of these,
    texts with anything but printable ASCII, binary numbers of another length.

    Texts are without their padding, numbers in texts are numbers.
    """
    read = _READERS.get(vr)
    return None if read is None else read(value)


def _texts(value: bytes) -> Values | None:
    text = value.rstrip(b"\0 ")
    if not text.isascii() or b"\x1b" in text:
        return None
    return tuple(part.strip(" ") for part in text.decode("ascii").split("\\")) if text else ()


def _decimals(value: bytes) -> Values | None:
    try:
        return tuple(map(float, value.rstrip(b"\0 ").split(b"\\")))
    except ValueError:
        return None


def _integers(value: bytes) -> Values | None:
    try:
        return tuple(map(int, value.rstrip(b"\0 ").split(b"\\")))
    except ValueError:
        return None


def _binary(code: str) -> Callable[[bytes], Values | None]:
    size = struct.calcsize(f"<{code}")

    def read(value: bytes) -> Values | None:
        count, rest = divmod(len(value), size)
        return None if rest else struct.unpack(f"<{count}{code}", value)

    return read


def _bytes(value: bytes) -> Values:
    return (value,)


_READERS: dict[bytes, Callable[[bytes], Values | None]] = {
    **dict.fromkeys((b"AE", b"AS", b"CS", b"DA", b"DT", b"LO", b"SH", b"TM", b"UI"), _texts),
    **dict.fromkeys((b"OB", b"OW", b"OV", b"OF", b"OD", b"OL", b"UN"), _bytes),
    b"DS": _decimals,
    b"IS": _integers,
    b"US": _binary("H"),
    b"SS": _binary("h"),
    b"UL": _binary("L"),
    b"SL": _binary("l"),
    b"FL": _binary("f"),
    b"FD": _binary("d"),
}
