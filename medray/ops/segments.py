"""Searches and sums in many sorted segments of one array at once."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array


def search(values: Array, starts: Array, ends: Array, wanted: Array, side: str) -> Array:
    """`numpy.searchsorted` inside one segment of `values` for each wanted value.

    Args:
        values: (N,), ascending inside each segment.
        starts, ends: int64 (Q,), the segment [start, end) of each query.
        wanted: (Q,).
        side: "left": the first place whose value is >= wanted; "right": the first that is >.

    Returns:
        int64 (Q,), places in `values`; `end` where no value is large enough.
    """
    low, high = starts.astype(np.int64), ends.astype(np.int64)
    while True:
        open_ = low < high
        if not open_.any():
            return low
        middle = np.where(open_, (low + high) // 2, 0)
        below = values[middle] < wanted if side == "left" else values[middle] <= wanted
        low = np.where(open_ & below, middle + 1, low)
        high = np.where(open_ & ~below, middle, high)


def bounds(sorted_keys: Array, wanted: Array) -> tuple[Array, Array]:
    """The segment [start, end) of each wanted key among ascending keys; empty where it is absent."""
    return np.searchsorted(sorted_keys, wanted, "left"), np.searchsorted(sorted_keys, wanted, "right")
