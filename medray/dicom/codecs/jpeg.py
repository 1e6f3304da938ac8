"""JPEG baseline and extended (ISO 10918-1) with libjpeg-turbo through imagecodecs.

Equal to pydicom with Pillow on every test file. Colour leaves as RGB: the stream's own Adobe marker
decides where there is one, else the photometric interpretation does.
"""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array

ADOBE = b"\xff\xee\x00\x0eAdobe"  # a shorter segment of that name is none to libjpeg


def decode(codestream: bytes, photometric: str) -> Array:
    """One frame, (H, W) or (H, W, 3) RGB; uint8, or uint16 for 12 bits."""
    frame: Array
    if photometric.startswith("MONOCHROME") or ADOBE in codestream:
        frame = imagecodecs.jpeg8_decode(codestream)
        return frame
    # Without the marker libjpeg guesses. With one colour space in and out it leaves the components
    # alone, whatever their name.
    target = "YCBCR" if photometric == "RGB" else "RGB"
    frame = imagecodecs.jpeg8_decode(codestream, colorspace="YCBCR", outcolorspace=target)
    return frame
