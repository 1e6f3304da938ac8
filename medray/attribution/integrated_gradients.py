"""Gradients along the straight line from a reference to an example."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import IntegratedGradients

from medray.attribution.explanation import Explanation, completeness_error
from medray.attribution.grad_cam import Score
from medray.contracts import Array

FEWEST = 32  # steps
AIM = 0.005  # completeness error: half of what is promised
AT_ONCE = 16  # steps on the device at once


def integrated_gradients(
    score: Score, inputs: torch.Tensor, reference: torch.Tensor, most_steps: int, cells: tuple[int, int]
) -> Explanation:
    """Integrated gradients (Sundararajan, Taly and Yan, ICML 2017) by Gauss-Legendre quadrature.

    A network of broken lines has kinks along the way: the steps are doubled until the amounts miss
    the answer by 0.5% or less, or `most_steps` are reached.

    Args:
        inputs, reference: float32 (1, C, H, W).
        cells: rows and columns of the map; amounts of the pixels (and channels) of a cell are summed.

    Returns:
        amounts float64 (rows, columns).
    """
    with torch.no_grad():
        output, base = (float(score(one)[0]) for one in (inputs, reference))
    method, steps, looked_at = IntegratedGradients(score), min(FEWEST, most_steps), 2
    while True:
        found = method.attribute(inputs, reference, n_steps=steps, internal_batch_size=AT_ONCE)
        amounts = found.detach()[0].double().sum(dim=0).cpu().numpy()
        looked_at += steps
        if completeness_error(float(amounts.sum()), base, output) <= AIM or steps >= most_steps:
            return Explanation(output, base, pooled(amounts, cells), complete=True, evaluations=looked_at)
        steps = min(2 * steps, most_steps)


def pooled(amounts: Array, cells: tuple[int, int]) -> Array:
    """Sums of the cells of a grid; cells differ by one pixel where a side is no multiple. A side
    shorter than its cells keeps its pixels."""
    for axis, count in enumerate(cells):
        side = amounts.shape[axis]
        starts = np.arange(min(count, side)) * side // min(count, side)
        amounts = np.add.reduceat(amounts, starts, axis=axis)
    return amounts
