"""JPEG lossless (ISO 10918-1 process 14) with liblj92 through imagecodecs."""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array


def decode(codestream: bytes) -> Array:
    """One frame, (H, W) or (H, W, 3), uint8 or uint16."""
    frame: Array = imagecodecs.ljpeg_decode(codestream)
    return frame
