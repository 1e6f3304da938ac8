"""The header of a JPEG XL codestream (ISO 18181-1 annexes A to E) and the boxes around it (18181-2).

Read before a decoder allocates memory, and to refuse what can hold text or a second picture: an ICC
profile, extra channels (they have names), a preview, an animation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from medray.errors import Unusable

RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
SIZES = ((9, 1), (13, 1), (18, 1), (30, 1))  # bits, and what is added
BOX = struct.Struct(">L4s")


@dataclass(frozen=True)
class JpegXl:
    """What a codestream says of its image."""

    rows: int
    columns: int
    samples: int
    precision: int


class _Bits:
    """Fields of a codestream, least significant bit first."""

    def __init__(self, data: bytes) -> None:
        self._bits, self._left = int.from_bytes(data[2:66], "little"), 512

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise Unusable("bad_frames", "a JPEG XL header without end")
        found = self._bits & ((1 << count) - 1)
        self._bits >>= count
        return found

    def choice(self, *ways: tuple[int, int]) -> int:
        """U32: two bits choose how many follow, and what is added to them."""
        bits, more = ways[self.take(2)]
        return self.take(bits) + more


def read_jpegxl(codestream: bytes) -> JpegXl:
    """Size and form of the image in a bare codestream.

    Raises:
        Unusable: bad_frames when the header is broken, or holds what a frame must not.
    """
    bits = _Bits(bytes(codestream[:66]))
    rows, columns = _size(bits)
    if bits.take(1):  # all_default: 8 bits, sRGB
        return JpegXl(rows, columns, 3, 8)
    if bits.take(1):  # extra_fields
        _refuse(bits.take(3) != 0, "a turned image")
        _refuse(bits.take(1) == 1, "an intrinsic size")
        _refuse(bits.take(1) == 1, "a preview")
        _refuse(bits.take(1) == 1, "an animation")
    _refuse(bits.take(1) == 1, "floating point samples")
    precision = bits.choice((0, 8), (0, 10), (0, 12), (6, 1))
    bits.take(1)  # modular_16bit_buffers
    _refuse(bits.choice((0, 0), (0, 1), (4, 2), (12, 1)) != 0, "extra channels")
    bits.take(1)  # xyb_encoded
    return JpegXl(rows, columns, _samples(bits), precision)


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        return 8 * (1 + bits.take(5)) if small else bits.choice(*SIZES)

    rows, ratio = side(), bits.take(3)
    return rows, rows * RATIOS[ratio][0] // RATIOS[ratio][1] if ratio else side()


def _samples(bits: _Bits) -> int:
    if bits.take(1):  # all_default: sRGB
        return 3
    _refuse(bits.take(1) == 1, "an ICC profile")
    return 1 if bits.choice((0, 0), (0, 1), (4, 2), (6, 18)) == 1 else 3  # 1: grey


def _refuse(found: bool, what: str) -> None:
    if found:
        raise Unusable("bad_frames", f"a JPEG XL codestream with {what}")


def codestream_of(boxes: bytes) -> bytes:
    """The codestream in the boxes of a JPEG XL file, without the others.

    Raises:
        Unusable: bad_frames. struct.error: a box reaches beyond the end.
    """
    at, parts = 0, []
    while at + BOX.size <= len(boxes):  # a byte of padding may follow
        length, kind = BOX.unpack_from(boxes, at)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", boxes, at + 8)
            head = 16
        end = at + length if length else len(boxes)
        if end < at + head:
            break  # padding
        if kind in (b"jxlc", b"jxlp"):
            parts.append(boxes[at + head + (4 if kind == b"jxlp" else 0) : end])
        at = end
    if not parts:
        raise Unusable("bad_frames", "a JPEG XL file without codestream")
    return b"".join(parts)
