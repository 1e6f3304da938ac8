"""RLE lossless (PS3.5 annex G) with the PackBits decoder of imagecodecs.

It needs no process that may die: one loop over the bytes, which writes into a buffer of known size.
"""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np

from medray.contracts import Array
from medray.errors import Unusable

LONGEST_RUN = 128  # what a segment may hold beyond its last pixel: padding, decoded as one more run


def decode(frame: bytes, rows: int, columns: int, samples: int, sample_bytes: int) -> Array:
    """One frame, (H, W) or (H, W, samples), unsigned with `sample_bytes` bytes.

    Raises:
        Unusable: decode_failed when segments are missing or too short. ImcdError: a segment is too long.
    """
    count, *offsets = struct.unpack_from("<16L", frame)
    if count != samples * sample_bytes:
        raise Unusable("decode_failed", f"{count} segments, {samples * sample_bytes} needed")
    pixels = rows * columns
    planes = np.empty((samples, sample_bytes, pixels), np.uint8)
    most = pixels + LONGEST_RUN
    ends = [*offsets[1:count], len(frame)]
    for index, (start, end) in enumerate(zip(offsets[:count], ends, strict=True)):
        segment = np.frombuffer(imagecodecs.packbits_decode(frame[start:end], out=most), np.uint8)
        if segment.size < pixels:
            raise Unusable("decode_failed", f"a segment of {segment.size} bytes for {pixels} pixels")
        sample, byte = divmod(index, sample_bytes)
        planes[sample, sample_bytes - 1 - byte] = segment[:pixels]  # most significant byte first
    values = np.ascontiguousarray(planes.transpose(2, 0, 1)).view(f"<u{sample_bytes}")
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    return values.reshape(shape)
