"""Rows of the training split -> how each column is normalised.

The sums are counts of rounded values: integers, so that any grouping gives the same bits, from
which mean, spread and quantiles follow.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from medray.contracts import Array, Sums
from medray.families.tabular.columns import numeric_width
from medray.families.tabular.config import TabularConfig

KEPT_BITS = 12  # of the 23 of a float32's fraction: values are kept to 1 in 8,000
_DROPPED = 23 - KEPT_BITS
TAIL = 0.001  # share of values beyond each limit


def _counts(column: Array) -> dict[str, int]:
    known = column[np.isfinite(column)]
    keys, counts = np.unique(known.view(np.uint32) >> np.uint32(_DROPPED), return_counts=True)
    return dict(zip(map(str, keys.tolist()), counts.tolist(), strict=True))


def _values(keys: list[str]) -> Array:
    bits = np.array(keys, dtype=np.uint32) << np.uint32(_DROPPED)
    return bits.view(np.float32).astype(np.float64)


def survey(examples: Array, config: TabularConfig) -> Sums:
    """Counts over float32 (N, columns).

    Returns:
        {"rows": N, "numeric": for each numeric column {rounded value: rows}}; the value is written
        as the upper bits of its float32.
    """
    columns = examples[:, : numeric_width(config)].T
    return {"rows": len(examples), "numeric": [_counts(column) for column in columns]}


def merge(left: Sums, right: Sums) -> Sums:
    """The sums of two parts together."""
    pairs = zip(left["numeric"], right["numeric"], strict=True)
    return {
        "rows": left["rows"] + right["rows"],
        "numeric": [dict(Counter(a) + Counter(b)) for a, b in pairs],
    }


def _limits(values: Array, counts: Array) -> tuple[float, float]:
    order = np.argsort(values)
    share = np.cumsum(counts[order]) / counts.sum()
    low, high = np.searchsorted(share, [TAIL, 1.0 - TAIL])
    return float(values[order[low]]), float(values[order[high]])


def _scale(column: dict[str, int], rows: int) -> dict[str, float]:
    if not column:
        return {"low": 0.0, "high": 0.0, "mean": 0.0, "std": 1.0, "missing": 1.0}
    values, counts = _values(list(column)), np.array(list(column.values()))
    low, high = _limits(values, counts)
    inside = np.clip(values, low, high)
    mean = np.average(inside, weights=counts)
    std = np.sqrt(np.average((inside - mean) ** 2, weights=counts)) if low < high else 1.0
    missing = 1.0 - counts.sum() / rows
    return {"low": low, "high": high, "mean": float(mean), "std": float(std), "missing": float(missing)}


def summarise(sums: Sums) -> Sums:
    """For each numeric column (D,): {"low", "high"}, the limits of all but the outermost values;
    {"mean", "std"}, of values drawn to these limits (std is 1 where they are one); {"missing"},
    the share of rows without it."""
    columns = [_scale(column, sums["rows"]) for column in sums["numeric"]]
    return {name: [column[name] for column in columns] for name in ("low", "high", "mean", "std", "missing")}
