"""Events of the training split -> vocabulary and scale of each code's values."""

from __future__ import annotations

from typing import Any

import numpy as np

from medray.contracts import Array, Sums
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import CODE, VALUE

LARGEST = 3.38e38  # finite in bfloat16 too
OUTER = 0.01  # share of values at each end that is drawn in before the scale is measured


def to_bins(values: Array) -> Array:
    """float32 -> uint16, the bits of the nearest bfloat16 (8 significant bits), ties away from 0.

    A few hundred bins a code whatever its unit, and integer counts that add up exactly.
    """
    bounded = np.clip(values, -LARGEST, LARGEST).astype(np.float32)
    return ((bounded.view(np.uint32) + 0x8000) >> 16).astype(np.uint16)


def from_bins(bins: Array) -> Array:
    """uint16 -> float32, the values that the bins stand for."""
    return (bins.astype(np.uint32) << 16).view(np.float32)


def survey(examples: Array, config: EhrConfig) -> Sums:
    """Counts over prepared examples (N, max_events).

    Returns:
        {code id: {"examples": that hold the code, "bins": [B] of `to_bins`, "counts": [B] of its
        finite values}}, sorted by code id.
    """
    row, column = np.nonzero(examples[CODE])
    codes, index = np.unique(examples[CODE][row, column], return_inverse=True)
    holders = np.bincount(np.unique(index * len(examples) + row) // max(len(examples), 1), minlength=len(codes))
    values = examples[VALUE][row, column]
    finite = np.isfinite(values)
    cells, counts = np.unique((index[finite] << 16) + to_bins(values[finite]), return_counts=True)
    edges = np.searchsorted(cells >> 16, np.arange(len(codes) + 1))
    bins = cells & 0xFFFF
    return {
        str(code): {
            "examples": int(holders[at]),
            "bins": bins[edges[at] : edges[at + 1]].tolist(),
            "counts": counts[edges[at] : edges[at + 1]].tolist(),
        }
        for at, code in enumerate(codes)
    }


def _added(left: Sums, right: Sums) -> Sums:
    if not (left["examples"] and right["examples"]):
        return left if left["examples"] else right
    bins, index = np.unique(np.array(left["bins"] + right["bins"], np.int64), return_inverse=True)
    counts = np.zeros(len(bins), np.int64)
    np.add.at(counts, index, np.array(left["counts"] + right["counts"], np.int64))
    return {"examples": left["examples"] + right["examples"], "bins": bins.tolist(), "counts": counts.tolist()}


def merge(left: Sums, right: Sums) -> Sums:
    """The sums of two parts together."""
    nothing: Sums = {"examples": 0, "bins": [], "counts": []}
    codes = sorted({*left, *right}, key=int)
    return {code: _added(left.get(code, nothing), right.get(code, nothing)) for code in codes}


def _scale(entry: Any) -> tuple[float, float]:
    """Mean and standard deviation of a code's values, the outermost drawn in (Winsor)."""
    if not entry["bins"]:
        return 0.0, 1.0
    values, counts = from_bins(np.array(entry["bins"])).astype(np.float64), np.array(entry["counts"])
    order = np.argsort(values)
    values, counts = values[order], counts[order]
    share = np.cumsum(counts) / counts.sum()
    low, high = values[np.searchsorted(share, [OUTER, 1.0 - OUTER])]
    values = np.clip(values, low, high)
    mean = float(values @ counts / counts.sum())
    std = float(np.sqrt((values - mean) ** 2 @ counts / counts.sum()))
    return mean, std if std > abs(mean) * 1e-6 else max(abs(mean), 1.0)


def summarise(sums: Sums) -> Sums:
    """{"codes": [V] ids, "examples": [V], "values": [V] how many finite ones, "mean": [V], "std":
    [V]}: all codes, those of the most training examples first, equals by id. Values of a constant
    code are scaled by their size."""
    codes = sorted(sums, key=lambda code: (-sums[code]["examples"], int(code)))
    scales = [_scale(sums[code]) for code in codes]
    return {
        "codes": [int(code) for code in codes],
        "examples": [sums[code]["examples"] for code in codes],
        "values": [sum(sums[code]["counts"]) for code in codes],
        "mean": [mean for mean, _ in scales],
        "std": [std for _, std in scales],
    }
