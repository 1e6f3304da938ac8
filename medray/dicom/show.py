"""A row of `images` as a small picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from medray.contracts import Array
from medray.dicom.pixels import display_values, small_frames
from medray.ops.resize import resize

SIDE = 160
DARKEST, BRIGHTEST = 0.01, 0.995  # quantiles: without a window of its own a picture is shown from here to there


def show(row: Mapping[str, Any]) -> Array:
    """The middle frame of the row in its first window, its longer side 160 pixels: uint8 (H, W) or
    (H, W, 3), rows of the picture as high as its columns are wide.

    Raises:
        Unusable: decode_failed, decoder_died.
    """
    row, size = _middle_frame(row), _size(row)
    frame = next(small_frames(row, size))
    levels = display_values(frame.values, row, "dicom", 0)
    if levels.ndim == 2 and not row["WindowCenter"] and row["voi_lut"] is None:
        low, high = np.quantile(levels, (DARKEST, BRIGHTEST))
        levels = np.clip((levels - low) / max(high - low, 1e-6), 0, 1)
    small = resize(levels, size, "area", box=frame.box(row["Rows"], row["Columns"]))
    picture: Array = np.clip(np.rint(small * 255), 0, 255).astype(np.uint8)
    return picture


def _middle_frame(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as if it had that frame only: the others are not decoded."""
    middle = (len(row["frame_offsets"]) - 1) // 2
    rescale = row["frame_rescale"]
    return {
        **row,
        "frame_offsets": row["frame_offsets"][middle : middle + 2],
        "frame_rescale": rescale and rescale[2 * middle : 2 * middle + 2],
    }


def _size(row: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width for square pixels."""
    spacing = row["PixelSpacing"] or row["ImagerPixelSpacing"] or (1, 1)
    high, wide = row["Rows"] * spacing[0], row["Columns"] * spacing[1]
    if not (high > 0 and wide > 0 and 0.05 < high / wide < 20):
        high, wide = row["Rows"], row["Columns"]
    scale = SIDE / max(high, wide)
    return max(round(high * scale), 1), max(round(wide * scale), 1)
