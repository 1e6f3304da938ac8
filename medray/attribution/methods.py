"""The methods of a recipe by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from medray.attribution.explanation import Explanation
from medray.attribution.grad_cam import Score, grad_cam
from medray.attribution.integrated_gradients import integrated_gradients
from medray.attribution.lime import lime
from medray.attribution.presence import presence, that_matter
from medray.attribution.shapley import shapley
from medray.contracts import Array


@dataclass(frozen=True)
class Effort:
    """How much is looked at: more of it costs time and moves an estimate nearer to its limit.

    Attributes:
        steps: of integrated gradients, at most.
        permutations: orders of SHAP, an even number.
        samples: of LIME.
        grid: rows and columns of a map, at most.
    """

    steps: int
    permutations: int
    samples: int
    grid: int


def of_places(
    method: str, score: Score, network: nn.Module, inputs: torch.Tensor, reference: torch.Tensor, effort: Effort
) -> Explanation:
    """What the places of an image (1, C, H, W) add."""
    if method == "grad_cam":
        return grad_cam(score, network, inputs)
    return integrated_gradients(score, inputs, reference, effort.steps, (effort.grid, effort.grid))


def of_parts(
    method: str,
    score: Score,
    inputs: torch.Tensor,
    reference: torch.Tensor,
    of: Array,
    count: int,
    effort: Effort,
    seed: int,
) -> Explanation:
    """What each of `count` parts adds; a part that is as in the reference adds exactly nothing."""
    parts = that_matter(inputs, reference, of)
    value = presence(score, inputs, reference, of, parts)
    if method == "shap":
        found = shapley(value, len(parts), effort.permutations, seed)
    else:
        found = lime(value, len(parts), effort.samples, seed)
    errors = None if found.standard_errors is None else _spread(found.standard_errors, parts, count)
    return replace(found, amounts=_spread(found.amounts, parts, count), standard_errors=errors)


def _spread(amounts: Array, parts: Array, count: int) -> Array:
    out = np.zeros(count)
    out[parts] = amounts
    return out
