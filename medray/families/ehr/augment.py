"""Training examples lose some of their events: a model must not hang on any single one."""

from __future__ import annotations

import torch

from medray.families.ehr.config import EhrConfig


def augment(inputs: torch.Tensor, config: EhrConfig, generator: torch.Generator) -> torch.Tensor:
    """Drop a share of each example's events, uniform from 0 to `event_dropout`.

    Args:
        inputs: float32 (N, max_events, C).
        generator: on the device of `inputs`; the only source of chance.
    """
    if not config.event_dropout:
        return inputs
    share = torch.rand(inputs.shape[0], 1, device=inputs.device, generator=generator) * config.event_dropout
    kept = torch.rand(inputs.shape[:2], device=inputs.device, generator=generator) >= share
    return inputs * kept[..., None]
