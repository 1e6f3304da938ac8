"""Counts of answers -> weights that make rare and frequent answers count alike."""

from __future__ import annotations

import numpy as np

from medray.contracts import Sums


def add(left: Sums, right: Sums) -> Sums:
    """The counts of two parts together: {"counts": [[n of answer 0, n of answer 1, ...], ...]}."""
    total = np.asarray(left["counts"]) + np.asarray(right["counts"])
    return {"counts": total.tolist()}


def weigh(sums: Sums, balanced: bool) -> Sums:
    """A weight per question and answer; the expected weight of a known answer is 1.

    Balanced, each of the m answers that occur n_i times in n gets n / (m * n_i) (King & Zeng,
    Political Analysis 2001); an answer that never occurs gets 1, as all get when not balanced.

    Returns:
        {"weights": [[w of answer 0, w of answer 1, ...], ...]}.
    """
    counts = np.asarray(sums["counts"], dtype=np.float64)
    weights = np.ones_like(counts)
    if balanced:
        occurs = counts > 0
        share = counts.sum(axis=1, keepdims=True) / np.maximum(occurs.sum(axis=1, keepdims=True), 1)
        np.divide(share, counts, out=weights, where=occurs)
    return {"weights": weights.tolist()}
