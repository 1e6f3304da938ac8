"""JPEG 2000 (ISO 15444-1) with OpenJPEG, its high-throughput form (-15) with OpenJPH, both through
imagecodecs. OpenJPEG reads both; OpenJPH is several times as fast."""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array
from medray.dicom.codecs.declared import high_throughput


def decode(codestream: bytes) -> Array:
    """One frame, (H, W) or (H, W, 3); colour transforms of the stream are undone (RGB)."""
    decoder = imagecodecs.htj2k_decode if high_throughput(codestream) else imagecodecs.jpeg2k_decode
    frame: Array = decoder(codestream)
    return frame


def decode_high_throughput(codestream: bytes, levels: int) -> Array:
    """The same without the finest `levels` of resolution: every side is ceil(side / 2**levels)."""
    frame: Array = imagecodecs.htj2k_decode(codestream, skipres=levels)
    return frame
