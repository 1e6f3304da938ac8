"""JPEG XL (ISO 18181) with libjxl through imagecodecs."""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array


def decode(codestream: bytes) -> Array:
    """One frame, (H, W) or (H, W, 3) RGB; uint8 or uint16. Colour transforms are undone."""
    frame: Array = imagecodecs.jpegxl_decode(codestream, numthreads=1)
    return frame
