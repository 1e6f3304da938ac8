"""Native frames (PS3.5 8.1.1) from their byte planes."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array
from medray.dicom.native import unpack
from medray.dicom.pixel_header import PixelHeader


def decode(packed: bytes, form: PixelHeader) -> Array:
    """One frame, (H, W) or (H, W, 3), unsigned; 4:2:2 with its chrominance repeated (YBR_FULL).

    Raises:
        Unusable: decode_failed.
    """
    sample_bytes = max(form.allocated // 8, 1)
    flat = unpack(packed, form.frame_bytes, sample_bytes)
    if form.allocated == 1:
        bits = np.unpackbits(flat, count=form.rows * form.columns, bitorder="little")
        return bits.reshape(form.rows, form.columns)
    if form.subsampled:
        return _full_chrominance(flat).reshape(form.rows, form.columns, 3)
    values = flat.view(f"<u{sample_bytes}")
    if form.samples == 1:
        return values.reshape(form.rows, form.columns)
    if form.planar == 1:
        planes = values.reshape(form.samples, form.rows, form.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return values.reshape(form.rows, form.columns, form.samples)


def _full_chrominance(flat: Array) -> Array:
    """Y1 Y2 Cb Cr -> Y1 Cb Cr, Y2 Cb Cr (PS3.3 C.7.6.3.1.2)."""
    pairs = flat.reshape(-1, 4)
    return pairs[:, [0, 2, 3, 1, 2, 3]].reshape(-1, 3)
