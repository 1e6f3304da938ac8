"""JPEG 2000 and its high-throughput form (ISO 15444-1 and -15) with OpenJPEG through imagecodecs."""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array


def decode(codestream: bytes) -> Array:
    """One frame, (H, W) or (H, W, 3); colour transforms of the stream are undone (RGB)."""
    frame: Array = imagecodecs.jpeg2k_decode(codestream)
    return frame
