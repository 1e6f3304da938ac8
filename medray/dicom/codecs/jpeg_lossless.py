"""JPEG lossless (ISO 10918-1 process 14) with libjpeg-turbo through imagecodecs.

Not with liblj92, which needs 1.6 times as long and crashes on damaged streams.
"""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array


def decode(codestream: bytes, samples: int) -> Array:
    """One frame, (H, W) or (H, W, 3) with its components as they are stored; uint8 or uint16."""
    frame: Array
    if samples == 1:
        frame = imagecodecs.jpeg8_decode(codestream)
    else:  # one colour space in and out: no conversion
        frame = imagecodecs.jpeg8_decode(codestream, colorspace="RGB", outcolorspace="RGB")
    return frame
