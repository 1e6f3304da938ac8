"""JPEG 2000 and its high-throughput form (ISO 15444-1 and -15) with OpenJPEG through imagecodecs."""

from __future__ import annotations

import struct

import imagecodecs

from medray.contracts import Array

SIZ_PRECISION = 42  # of the first component, counted from the start of the codestream


def decode(codestream: bytes) -> Array:
    """One frame, (H, W) or (H, W, 3); colour transforms of the stream are undone (RGB)."""
    frame: Array = imagecodecs.jpeg2k_decode(codestream)
    return frame


def precision(codestream: bytes) -> int:
    """Bits of a sample by the stream's own SIZ segment, which decides the decoder's output."""
    (described,) = struct.unpack_from("B", codestream, SIZ_PRECISION)
    return int(described & 0x7F) + 1
