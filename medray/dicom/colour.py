"""Colour of any DICOM form -> RGB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from medray.contracts import Array

# PS3.3 C.7.6.3.1.2, inverses for 8 bits: rows are Y, CB, CR, columns R, G, B.
_FULL = ((1.0, 1.0, 1.0), (0.0, -0.344136286, 1.772), (1.402, -0.714136286, 0.0))
_PARTIAL = ((1.1643836, 1.1643836, 1.1643836), (0.0, -0.3917623, 2.0172321), (1.5960268, -0.8129676, 0.0))


def rgb_from_ybr(frame: Array, bits: int, partial: bool = False) -> Array:
    """YBR_FULL, or YBR_PARTIAL with its black at 16 of 256, (H, W, 3) of `bits` -> RGB of the same
    dtype, rounded half up."""
    half, black = 1 << (bits - 1), (16 << bits) >> 8 if partial else 0
    centred = frame.astype(np.float32) - np.array([black, half, half], np.float32)
    converted = centred @ np.array(_PARTIAL if partial else _FULL, np.float32)
    rounded: Array = np.clip(np.floor(converted + 0.5), 0, 2 * half - 1).astype(frame.dtype)
    return rounded


def rgb_from_palette(frame: Array, palette: Mapping[str, Mapping[str, Any]]) -> Array:
    """Indices (H, W) -> RGB (H, W, 3): uint8 for tables of 8 bits, else uint16.

    Indices below the first mapped value take the first entry, those above the table the last.
    """
    return np.stack([look_up(frame, palette[c]) for c in ("red", "green", "blue")], axis=-1)


def look_up(stored: Array, table: Mapping[str, Any]) -> Array:
    """Stored values through one lookup table (PS3.3 C.11.1.1.1), uint8 or uint16."""
    entries = np.frombuffer(table["entries"], "<u2")
    index = np.clip(stored.astype(np.int64) - table["first"], 0, len(entries) - 1)
    narrow = np.uint8 if table["bits"] <= 8 else np.uint16
    found: Array = entries.astype(narrow)[index]
    return found
