"""Grey level windows (PS3.3 C.11.2.1.2): values -> float32 in [0, 1].

All three take an array of any shape, the window's centre and its width.
"""

from __future__ import annotations

import numpy as np

from medray.contracts import Array


def linear(values: Array, centre: float, width: float) -> Array:
    """LINEAR: the width counts values, so that a window of 256 at 128 maps 0..255 exactly.

    0 up to c - 0.5 - (w-1)/2, 1 above c - 0.5 + (w-1)/2, a straight line between; a width of 1 is
    a step. Widths below 1 are not allowed by the standard and count as 1.
    """
    span = max(width - 1, 0.0)
    low = centre - 0.5 - span / 2
    if span == 0:
        return (values > low).astype(np.float32)
    return _ramp(values, low, span)


def linear_exact(values: Array, centre: float, width: float) -> Array:
    """LINEAR_EXACT: 0 up to c - w/2, 1 above c + w/2. Width above 0."""
    return _ramp(values, centre - width / 2, width)


def sigmoid(values: Array, centre: float, width: float) -> Array:
    """SIGMOID: 1 / (1 + exp(-4 (x - c) / w)). Width above 0."""
    with np.errstate(over="ignore"):
        levels = 1 / (1 + np.exp(-4 * (np.asarray(values, np.float64) - centre) / width))
    return levels.astype(np.float32)


def _ramp(values: Array, low: float, span: float) -> Array:
    levels = (np.asarray(values, np.float64) - low) / span
    return np.clip(levels, 0, 1).astype(np.float32)
