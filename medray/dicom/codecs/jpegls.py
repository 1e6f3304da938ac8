"""JPEG-LS (ISO 14495-1) with CharLS through imagecodecs."""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array


def decode(codestream: bytes) -> Array:
    """One frame, (H, W) or (H, W, 3), uint8 or uint16."""
    frame: Array = imagecodecs.jpegls_decode(codestream)
    return frame
