"""Noise on the numbers of a batch."""

from __future__ import annotations

import torch

from medray.families.tabular.columns import numeric_width
from medray.families.tabular.config import TabularConfig


def augment(inputs: torch.Tensor, config: TabularConfig, generator: torch.Generator) -> torch.Tensor:
    """Training rows with fresh noise on the known numbers.

    Args:
        inputs: float32 (N, 2 D + K) of `collate`.
        generator: on the device of `inputs`; the only source of chance.
    """
    width = numeric_width(config)
    known = 1.0 - inputs[:, width : 2 * width]
    noise = torch.randn(known.shape, device=inputs.device, generator=generator) * config.noise
    return torch.cat([inputs[:, :width] + noise * known, inputs[:, width:]], 1)
