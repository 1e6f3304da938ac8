"""Pixels of the training split -> mean and standard deviation of each channel."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Sums
from medray.families.image.config import ImageConfig

SMALLEST_STD = 1.0 / 255.0  # one grey level: constant training images must not divide by zero


def survey(examples: Array, config: ImageConfig) -> Sums:
    """Sums over uint8 (N, C, H, W), as integers, so that any grouping gives the same bits.

    Returns:
        {"pixels": per channel, "sum": [C] grey levels, "squares": [C] squared grey levels}.
    """
    levels = [np.bincount(examples[:, c].ravel(), minlength=256) for c in range(examples.shape[1])]
    grey = np.arange(256)
    return {
        "pixels": int(examples[:, 0].size),
        "sum": [int(n @ grey) for n in levels],
        "squares": [int(n @ grey**2) for n in levels],
    }


def merge(left: Sums, right: Sums) -> Sums:
    """The sums of two parts together."""
    return {
        "pixels": left["pixels"] + right["pixels"],
        "sum": [a + b for a, b in zip(left["sum"], right["sum"], strict=True)],
        "squares": [a + b for a, b in zip(left["squares"], right["squares"], strict=True)],
    }


def summarise(sums: Sums) -> Sums:
    """{"mean": [C], "std": [C]} of the pixels scaled to [0, 1]; std is at least 1/255."""
    mean = np.asarray(sums["sum"], dtype=np.float64) / sums["pixels"]
    variance = np.asarray(sums["squares"], dtype=np.float64) / sums["pixels"] - mean**2
    std = np.sqrt(np.maximum(variance, 0.0)) / 255.0
    return {"mean": (mean / 255.0).tolist(), "std": np.maximum(std, SMALLEST_STD).tolist()}
