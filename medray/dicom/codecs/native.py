"""Native frames (PS3.5 8.1.1) from their byte planes."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array
from medray.dicom.native import unpack
from medray.dicom.pixel_header import PixelHeader


def decode(packed: bytes, form: PixelHeader) -> Array:
    """One frame, (H, W) or (H, W, 3), unsigned or IEEE; 24 bits in 32, 4:2:2 with its chrominance repeated.

    Raises:
        Unusable: decode_failed.
    """
    return arranged(unpack(packed, form.frame_bytes, max(form.allocated // 8, 1)), form)


def arranged(flat: Array, form: PixelHeader) -> Array:
    """The little-endian bytes of one frame in the form of `decode`; a view of them where it can be."""
    if form.allocated == 1:
        bits = np.unpackbits(flat, count=form.rows * form.columns, bitorder="little")
        return bits.reshape(form.rows, form.columns)
    values = _values(flat, form)
    if form.subsampled:
        return _full_chrominance(values).reshape(form.rows, form.columns, 3)
    if form.samples == 1:
        return values.reshape(form.rows, form.columns)
    if form.planar == 1:
        planes = values.reshape(form.samples, form.rows, form.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return values.reshape(form.rows, form.columns, form.samples)


def _values(flat: Array, form: PixelHeader) -> Array:
    if form.allocated == 24:
        wide = np.zeros((flat.size // 3, 4), np.uint8)
        wide[:, :3] = flat.reshape(-1, 3)
        return wide.reshape(-1).view("<u4")
    return flat.view(f"<{'f' if form.floats else 'u'}{form.allocated // 8}")


def _full_chrominance(values: Array) -> Array:
    """Y1 Y2 Cb Cr -> Y1 Cb Cr, Y2 Cb Cr (PS3.3 C.7.6.3.1.2)."""
    pairs = values.reshape(-1, 4)
    return pairs[:, [0, 2, 3, 1, 2, 3]].reshape(-1, 3)
