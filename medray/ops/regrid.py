"""Linear interpolation of single images onto a larger canvas and of stacks onto other positions."""

from __future__ import annotations

from math import floor

import numpy as np

from medray.contracts import Array

_WHOLE = 1e-6  # a share below it is rounding, and would spread missing values to neighbours


def shares(positions: Array, index: int, grid: Array) -> tuple[Array, Array]:
    """What one sample gives to linear interpolation: the indices of the grid points that it has a part
    in, and its weights (float32, above 0). The weights of all samples at a grid point make 1.

    Args:
        positions: (N,) ascending. grid: (G,) points, those beyond the ends take the end's sample.
    """
    weights = np.interp(grid, positions, np.arange(len(positions)) == index)
    indices = np.flatnonzero(weights > _WHOLE)
    return indices, weights[indices].astype(np.float32)


def moved(image: Array, size: tuple[int, int], offset: tuple[float, float]) -> Array:
    """`image` (H, W) -> float32 canvas of `size` with its pixel [0, 0] at `offset` (down, right; pixels,
    fractions allowed, 0 or more), by linear interpolation. NaN where a pixel lacks a neighbour to
    interpolate with.
    """
    moved_down = _along_rows(image.astype(np.float32), size[0], offset[0])
    return _along_rows(moved_down.T, size[1], offset[1]).T


def _along_rows(image: Array, rows: int, offset: float) -> Array:
    canvas = np.full((rows, image.shape[1]), np.nan, np.float32)
    whole = floor(offset + _WHOLE)
    part = np.float32(offset - whole)
    if part <= _WHOLE:
        canvas[whole : whole + len(image)] = image
    else:
        canvas[whole + 1 : whole + len(image)] = (1 - part) * image[1:] + part * image[:-1]
    return canvas
