"""Logits of the tuning split -> a rising curve after which probabilities are honest.

Isotonic regression (Zadrozny and Elkan, KDD 2002), by pooling adjacent violators (Ayer et al.,
Annals of Mathematical Statistics 1955).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medray.contracts import Array


@dataclass(frozen=True)
class Curve:
    """A probability for every logit, straight between knots and level beyond the outer ones.

    A logit is looked up by itself, so that its probability depends on no other example.

    Attributes:
        knots: logits, rising; none, or two and more.
        levels: the probability at each knot, never falling.
    """

    knots: tuple[float, ...]
    levels: tuple[float, ...]

    def __call__(self, logits: Array) -> Array:
        """float64 (N,) probabilities of logits (N,)."""
        knots, levels = np.asarray(self.knots), np.asarray(self.levels)
        inside = np.clip(np.asarray(logits, np.float64), knots[0], knots[-1])
        right = np.clip(np.searchsorted(knots, inside, side="right"), 1, len(knots) - 1)
        left = right - 1
        share = (inside - knots[left]) / (knots[right] - knots[left])
        # rounding must not lift a value over its right end: the curve never falls
        return np.asarray(np.minimum(levels[left] + (levels[right] - levels[left]) * share, levels[right]))


NO_CURVE = Curve((), ())


def fit_curve(logits: Array, answers: Array) -> Curve:
    """The rising curve nearest to the tuning answers.

    Equal logits have one level. Levels keep 1 / (N + 2) away from 0 and 1: N answers can't show more
    (Laplace's rule of succession), and what never happened in the tuning split stays possible.

    Args:
        logits: float (N,).
        answers: bool (N,).

    Returns:
        The curve; without knots where there is nothing to learn: one answer only, or logits that do
        not rise with the answers.
    """
    scores, place, count = np.unique(np.asarray(logits, np.float64), return_inverse=True, return_counts=True)
    pools = _pooled(np.bincount(place, answers, len(scores)), count) if len(scores) else []
    if len(pools) < 2:
        return NO_CURVE
    margin = 1.0 / (len(logits) + 2)
    knots, levels = [], []
    for first, last, level in pools:
        ends = sorted({float(scores[first]), float(scores[last])})
        knots += ends
        levels += [min(max(level, margin), 1.0 - margin)] * len(ends)
    return Curve(tuple(knots), tuple(levels))


def _pooled(yes: Array, count: Array) -> list[tuple[int, int, float]]:
    """(first place, last place, share of yes) of the pools of places whose shares rise."""
    pools: list[tuple[int, float, float]] = []  # first place, yes, answers
    for place, (hits, size) in enumerate(zip(yes.tolist(), count.tolist(), strict=True)):
        first = place
        while pools and pools[-1][1] * size >= hits * pools[-1][2]:
            first, more, others = pools.pop()
            hits, size = hits + more, size + others
        pools.append((first, hits, size))
    lasts = [first - 1 for first, _, _ in pools[1:]] + [len(yes) - 1]
    return [(first, last, hits / size) for (first, hits, size), last in zip(pools, lasts, strict=True)]
