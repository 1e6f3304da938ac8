"""Values of a window -> normal scores, all codes of a batch in one look-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medray.contracts import Array, Sums
from medray.ops.of_last import of_last

_SIGN, _ALL = np.uint32(0x8000_0000), np.uint32(0xFFFF_FFFF)


@dataclass(frozen=True)
class _Knots:
    """The broken lines of all codes with values, one after the other: K knots of C codes.

    Attributes:
        keys: uint64 (K,), rising: code and value.
        values, scores: float64 (K,). slopes: of the line from each knot to the next of its code; 0 after the last.
        lowest, highest: float32 (V + 1,), by place of the code from 1: its outermost knots, NaN without values.
    """

    keys: Array
    values: Array
    scores: Array
    slopes: Array
    lowest: Array
    highest: Array


def normal_scores(values: Array, index: Array, summary: Sums) -> Array:
    """float32 (M,): where each value stands among the training values of its code.

    Args:
        values: float32 (M,), finite.
        index: int64 (M,), the code's place from 1.
        summary: its values and scores are the knots of a broken line, level outside. Codes without are 0.
    """
    knots = _knots(summary)
    if not len(knots.keys):
        return np.zeros(len(values), np.float32)
    lowest = knots.lowest[index]
    bounded = np.fmin(np.fmax(values, lowest), knots.highest[index])
    at = np.searchsorted(knots.keys, _keys(index, bounded), side="right") - 1
    scores = knots.scores[at] + knots.slopes[at] * (bounded - knots.values[at])
    return np.where(np.isnan(lowest), 0.0, scores).astype(np.float32)


def _keys(index: Array, values: Array) -> Array:
    """uint64 that rise as (index, value) do: the bits of a float32 rise with it once the negative are turned over."""
    bits = (values + np.float32(0.0)).view(np.uint32)  # of the two zeros one
    rising = bits ^ np.where(bits & _SIGN, _ALL, _SIGN)
    return (index.astype(np.uint64) << np.uint64(32)) | rising


@of_last
def _knots(summary: Sums) -> _Knots:
    counts = [len(values) for values in summary["values"]]
    index = np.repeat(np.arange(1, len(counts) + 1), counts)
    values = np.array([value for of_code in summary["values"] for value in of_code], np.float32)
    scores = np.array([score for of_code in summary["scores"] for score in of_code], np.float64)
    lowest, highest = np.full((2, len(counts) + 1), np.nan, np.float32)
    lowest[index[::-1]], highest[index] = values[::-1], values  # of several the last stays
    exact, slopes = values.astype(np.float64), np.zeros(len(values))
    follows = np.flatnonzero(index[1:] == index[:-1])
    slopes[follows] = (scores[follows + 1] - scores[follows]) / (exact[follows + 1] - exact[follows])
    return _Knots(_keys(index, values), exact, scores, slopes, lowest, highest)
