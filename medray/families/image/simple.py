"""Prepared images -> the coarse grey levels that classic models learn from."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Sums
from medray.families.image.config import ImageConfig

GRID = 8  # the smallest side that a recipe may ask for


def simple(examples: Array, config: ImageConfig, summary: Sums) -> Array:
    """Mean grey of an 8 x 8 grid per channel.

    Args:
        examples: uint8 (N, C, H, W), both sides 8 pixels or more. Where a side is no multiple of 8,
            the cells differ by one pixel.

    Returns:
        float32 (N, C * 64) in [0, 1], by channel, then row, then column.
    """
    height, width = examples.shape[2:]
    top, left = _edges(height), _edges(width)
    sums = np.add.reduceat(examples, left[:-1], axis=3, dtype=np.int64)
    sums = np.add.reduceat(sums, top[:-1], axis=2)
    pixels = np.outer(np.diff(top), np.diff(left))
    return (sums / (255.0 * pixels)).astype(np.float32).reshape(len(examples), -1)


def _edges(side: int) -> Array:
    """(9,) where the cells of one side begin, and its end."""
    return np.arange(GRID + 1) * side // GRID
