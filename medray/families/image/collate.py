"""Prepared images -> normalised network inputs on the device."""

from __future__ import annotations

import numpy as np
import torch

from medray.contracts import Array, Sums
from medray.families.image.config import ImageConfig


def collate(examples: Array, config: ImageConfig, summary: Sums, device: torch.device) -> torch.Tensor:
    """(grey / 255 - mean) / std, channel by channel.

    Bytes travel to the device, floats are made there.

    Args:
        examples: uint8 (N, C, H, W).
        summary: `survey.summarise` of the training split.

    Returns:
        float32 (N, C, H, W) in channels-last memory.
    """
    grey = torch.from_numpy(np.ascontiguousarray(examples)).to(device).float()
    mean = torch.tensor(summary["mean"], device=device).view(1, -1, 1, 1) * 255.0
    std = torch.tensor(summary["std"], device=device).view(1, -1, 1, 1) * 255.0
    return ((grey - mean) / std).contiguous(memory_format=torch.channels_last)
