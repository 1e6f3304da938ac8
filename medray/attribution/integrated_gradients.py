"""Gradients along the straight line from a reference to an example."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients

from medray.attribution.explanation import Explanation, completeness_error
from medray.attribution.grad_cam import Score
from medray.contracts import Array

STEPS = 16  # of Gauss-Legendre quadrature on a piece of the line
AIM = 0.005  # completeness error: half of what is promised


@dataclass(frozen=True, eq=False)
class _Piece:
    """From `start` to `end` on the line, 0 the reference and 1 the example.

    Attributes:
        amounts: float64 (H, W), what the places add on the way.
        error: how far their sum misses the change of the answer.
    """

    start: float
    end: float
    amounts: Array
    error: float


def integrated_gradients(
    score: Score, inputs: torch.Tensor, reference: torch.Tensor, most_steps: int, cells: tuple[int, int]
) -> Explanation:
    """Integrated gradients (Sundararajan, Taly and Yan, ICML 2017) by adaptive quadrature.

    A network of broken lines has kinks along the way. The amounts of a piece of the line have to make
    the change of the answer on it: the piece where they miss it most is halved, until all amounts
    together miss the answer by 0.5% or less, or `most_steps` are spent.

    Args:
        inputs, reference: float32 (1, C, H, W).
        cells: rows and columns of the map; amounts of the pixels (and channels) of a cell are summed.

    Returns:
        amounts float64 (rows, columns).
    """
    method = IntegratedGradients(score)

    def point(share: float) -> torch.Tensor:
        return torch.lerp(reference, inputs, share)

    @torch.no_grad()
    def answer(share: float) -> float:
        return float(score(point(share))[0])

    def piece(start: float, end: float, rise: float) -> _Piece:
        found = method.attribute(point(end), point(start), n_steps=STEPS).detach()
        amounts = found[0].double().sum(dim=0).cpu().numpy()
        return _Piece(start, end, amounts, float(amounts.sum()) - rise)

    base, output = answer(0.0), answer(1.0)
    pieces, looked_at = [piece(0.0, 1.0, output - base)], 2 + STEPS
    while True:
        amounts = np.sum([one.amounts for one in pieces], axis=0)
        spent = looked_at + 2 * STEPS > most_steps
        if spent or completeness_error(float(amounts.sum()), base, output) <= AIM:
            return Explanation(output, base, pooled(amounts, cells), complete=True, evaluations=looked_at)
        worst = max(pieces, key=lambda one: abs(one.error))
        middle = (worst.start + worst.end) / 2
        low, between, high = (answer(share) for share in (worst.start, middle, worst.end))
        pieces.remove(worst)
        pieces += [piece(worst.start, middle, between - low), piece(middle, worst.end, high - between)]
        looked_at += 3 + 2 * STEPS


def pooled(amounts: Array, cells: tuple[int, int]) -> Array:
    """Sums of the cells of a grid; cells differ by one pixel where a side is no multiple. A side
    shorter than its cells keeps its pixels."""
    for axis, count in enumerate(cells):
        side = amounts.shape[axis]
        starts = np.arange(min(count, side)) * side // min(count, side)
        amounts = np.add.reduceat(amounts, starts, axis=axis)
    return amounts
