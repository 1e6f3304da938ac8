"""JPEG lossless (ISO 10918-1 process 14) with libjpeg-turbo through imagecodecs.

Not with liblj92, which needs 1.6 times as long and crashes on damaged streams. Without JFIF and Adobe
segments, which `scrub` blanks, libjpeg-turbo leaves the components as they are.
"""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array


def decode(codestream: bytes) -> Array:
    """One frame, (H, W) or (H, W, 3), uint8 or uint16."""
    frame: Array = imagecodecs.jpeg8_decode(codestream)
    return frame
