"""RLE lossless (PS3.5 annex G) with the PackBits decoder of imagecodecs.

It needs no process that may die: one loop over the bytes, which writes into a buffer of known size.
"""

from __future__ import annotations

import struct
from itertools import pairwise

import imagecodecs
import numpy as np

from medray.contracts import Array
from medray.errors import Unusable

LONGEST_RUN = 128  # what a segment may hold beyond its last pixel: padding, decoded as one more run


def decode(frame: bytes, rows: int, columns: int, samples: int, sample_bytes: int) -> Array:
    """One frame, (H, W) or (H, W, samples), unsigned with `sample_bytes` bytes, 3 of them in 4.

    Raises:
        Unusable: decode_failed when segments are missing or too short. ImcdError: a segment is too long.
    """
    count, *offsets = struct.unpack_from("<16L", frame)
    if count != samples * sample_bytes:
        raise Unusable("decode_failed", f"{count} segments, {samples * sample_bytes} needed")
    pixels = rows * columns
    planes = np.empty((samples, sample_bytes, pixels), np.uint8)
    most = pixels + LONGEST_RUN
    for index, (start, end) in enumerate(pairwise([*offsets[:count], len(frame)])):
        segment = np.frombuffer(imagecodecs.packbits_decode(frame[start:end], out=most), np.uint8)
        if segment.size < pixels:
            raise Unusable("decode_failed", f"a segment of {segment.size} bytes for {pixels} pixels")
        sample, byte = divmod(index, sample_bytes)
        planes[sample, sample_bytes - 1 - byte] = segment[:pixels]  # most significant byte first
    values = _samples(planes).reshape(samples, pixels)
    if samples == 1:
        return values.reshape(rows, columns)
    return np.ascontiguousarray(values.T).reshape(rows, columns, samples)


def _samples(planes: Array) -> Array:
    """Byte planes (samples, bytes, pixels), least significant first -> unsigned values, 24 bits in 32."""
    width = planes.shape[1]
    if width == 1:
        return planes
    values = planes[:, -1].astype("<u2" if width == 2 else "<u4")
    for plane in range(width - 2, -1, -1):
        values <<= 8
        values |= planes[:, plane]
    return values
