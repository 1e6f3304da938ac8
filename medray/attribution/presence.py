"""What a network answers when only some parts of an example are there."""

from __future__ import annotations

import numpy as np
import torch

from medray.attribution.grad_cam import Score
from medray.attribution.shapley import Value
from medray.contracts import Array

BATCH = 64


def that_matter(inputs: torch.Tensor, reference: torch.Tensor, of: Array) -> Array:
    """int64 (P',), ascending: the parts that differ from the reference. The others add exactly nothing."""
    differs = (inputs != reference)[0].cpu().numpy()
    return np.unique(of[differs])


def presence(score: Score, inputs: torch.Tensor, reference: torch.Tensor, of: Array, parts: Array) -> Value:
    """The margin by the presence of some parts; all other parts are as they are in the reference.

    Every batch has the same size and holds one example alone: an answer depends on no other example.

    Args:
        inputs, reference: float32 (1, ...).
        of: int64, shape of one example: the part of each number.
        parts: int64 (P',), ascending, of which the masks tell.
    """
    place = torch.from_numpy(np.searchsorted(parts, of)).to(inputs.device).clamp(max=max(len(parts) - 1, 0))

    @torch.no_grad()
    def value(masks: Array) -> Array:
        if not len(parts):
            return np.repeat(score(reference).double().cpu().numpy(), len(masks))
        out = np.empty(len(masks), np.float64)
        for start in range(0, len(masks), BATCH):
            some = masks[start : start + BATCH]
            filled = np.concatenate([some, np.repeat(some[-1:], BATCH - len(some), axis=0)])
            there = torch.from_numpy(filled).to(inputs.device)[:, place]
            answers = score(torch.where(there, inputs, reference))
            out[start : start + len(some)] = answers[: len(some)].double().cpu().numpy()
        return out

    return value
