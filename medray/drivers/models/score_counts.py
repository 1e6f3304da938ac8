"""Scores counted in fixed bins, so that nights can be laid over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

BINS = 40
EDGES: tuple[float, ...] = tuple(np.linspace(0, 1, BINS + 1).tolist())


def count_scores(probabilities: Mapping[str, Sequence[float]]) -> dict[str, list[int]]:
    """Counts of probabilities in 40 equal bins of [0, 1], by label."""
    return {
        label: np.histogram(np.asarray(values, float), EDGES)[0].tolist() for label, values in probabilities.items()
    }
