"""Events of the training split -> vocabulary and scale of each code's values."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from medray.contracts import Array, Sums
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import CODE, VALUE

LARGEST = 3.38e38  # finite in bfloat16 too
OUTER = 0.001  # share of values at each end that is told apart no further
MOST_KNOTS = 31
MOST_CODES = 65_536  # of a summary: the largest vocabulary that a recipe may ask for


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


def _knots(entry: Any) -> tuple[list[float], list[float]]:
    """Values of a code and the normal scores of their ranks; `MOST_KNOTS` at most, the tails included.

    The score of a value is the normal quantile of the share of values below it, with half of its
    equals; beyond the outermost `OUTER` it stays as it is there.
    """
    values, counts = from_bins(np.array(entry["bins"], np.int64)).astype(np.float64), np.array(entry["counts"])
    order = np.argsort(values)
    values, counts = values[order], counts[order]
    share = np.clip((np.cumsum(counts) - counts / 2) / max(counts.sum(), 1), OUTER, 1.0 - OUTER)
    scores = ndtri(share)
    if len(values) > MOST_KNOTS:
        even = np.linspace(scores[0], scores[-1], MOST_KNOTS)
        nearest = np.unique(np.searchsorted(scores, even))
        values, scores = values[nearest], scores[nearest]
    # five digits tell neighbouring bins apart, and keep the summary of many codes small
    return [float(f"{value:.5g}") for value in values], scores.round(3).tolist()


def summarise(sums: Sums) -> Sums:
    """Vocabulary and scale; JSON.

    Returns:
        {"codes": [V] ids, those of the most training examples first, equals by id; "examples": [V]
        that hold the code; "values": [V] lists of rising values, "scores": [V] of their normal
        scores (rank-based inverse normal transformation; Beasley et al., Behav Genet 2009)}. Lists
        are empty for codes without values.
    """
    codes = sorted(sums, key=lambda code: (-sums[code]["examples"], int(code)))[:MOST_CODES]
    knots = [_knots(sums[code]) for code in codes]
    return {
        "codes": [int(code) for code in codes],
        "examples": [sums[code]["examples"] for code in codes],
        "values": [values for values, _ in knots],
        "scores": [scores for _, scores in knots],
    }
