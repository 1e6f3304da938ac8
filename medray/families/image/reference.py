"""An image that shows nothing, in the place of one."""

from __future__ import annotations

import torch

from medray.contracts import Sums
from medray.families.image.config import ImageConfig


def reference(inputs: torch.Tensor, config: ImageConfig, summary: Sums, word: str) -> torch.Tensor:
    """ "black": grey 0 everywhere; "mean": the mean grey of the training pixels.

    Args:
        inputs: float32 (N, C, H, W) of `collate`.
    """
    if word == "mean":
        return torch.zeros_like(inputs)
    mean = torch.tensor(summary["mean"], device=inputs.device).view(1, -1, 1, 1)
    std = torch.tensor(summary["std"], device=inputs.device).view(1, -1, 1, 1)
    return torch.zeros_like(inputs) - mean / std
