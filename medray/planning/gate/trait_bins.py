"""Numbers of any unit in the same bins, whatever model looks at them: sixteen to a doubling.

A bin is the number's sign, exponent and first four bits, as an integer that rises with the number.
Nights scored by different models can so be laid over each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from medray.contracts import Array

MISSING = "missing"
_SHIFT = 19  # a float32 has 23 bits of fraction
_LARGEST = 3e38

TraitCounts = dict[str, int]  # bin, or MISSING -> how many; JSON has texts for keys


def count_traits(values: Array) -> TraitCounts:
    """Counts of float32 (N,) by bin; NaN is missing."""
    known = values[~np.isnan(values)]
    bits = np.clip(known, -_LARGEST, _LARGEST).astype(np.float32).view(np.int32)
    bins = np.where(bits < 0, -((bits & 0x7FFFFFFF) >> _SHIFT) - 1, bits >> _SHIFT)
    found, counts = np.unique(bins, return_counts=True)
    counted = {str(one): count for one, count in zip(found.tolist(), counts.tolist(), strict=True)}
    return {**counted, MISSING: len(values) - len(known)}


def added(left: TraitCounts, right: TraitCounts) -> TraitCounts:
    """The counts of two parts together."""
    return dict(Counter(left) + Counter(right)) | {MISSING: left[MISSING] + right[MISSING]}


def aligned(reference: TraitCounts, tonight: TraitCounts) -> tuple[list[int], list[int], list[int]]:
    """The bins that either has, rising, and both counts in them; what is missing is left out."""
    bins = sorted({int(one) for counts in (reference, tonight) for one in counts if one != MISSING})
    return bins, [reference.get(str(one), 0) for one in bins], [tonight.get(str(one), 0) for one in bins]


def lower_edge(place: int) -> float:
    """The end of a bin that is nearer to 0 or, of negative numbers, further from it: where it begins."""
    if place >= 0:
        return float(np.array([place << _SHIFT], np.int32).view(np.float32)[0])
    return -float(np.array([(-place) << _SHIFT], np.int32).view(np.float32)[0])


def share_known(counts: Mapping[str, int] | None) -> float | None:
    """The share that is not missing; None of nothing."""
    total = sum(counts.values()) if counts else 0
    return None if not counts or not total else 1.0 - counts[MISSING] / total
