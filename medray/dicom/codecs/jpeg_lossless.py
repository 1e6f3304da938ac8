"""JPEG lossless (ISO 10918-1 process 14) through imagecodecs: grey with libjpeg-turbo, colour with
jpegsof3.

libjpeg-turbo is the fastest and survives damaged streams, but gives other values for colour streams
that are labelled YCbCr. jpegsof3 decodes those exactly; like liblj92 it can crash on damage, which
ends the decoder child and no more.
"""

from __future__ import annotations

import imagecodecs

from medray.contracts import Array


def decode(codestream: bytes, samples: int) -> Array:
    """One frame, (H, W) or (H, W, 3) with its components as they are stored; uint8 or uint16."""
    decoder = imagecodecs.jpeg8_decode if samples == 1 else imagecodecs.jpegsof3_decode
    frame: Array = decoder(codestream)
    return frame
