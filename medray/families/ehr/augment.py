"""Training examples lose events and codes: a model must not hang on any single one."""

from __future__ import annotations

import torch

from medray.families.ehr.config import EhrConfig


def augment(inputs: torch.Tensor, config: EhrConfig, generator: torch.Generator) -> torch.Tensor:
    """Drop some events of each example, and all events of some codes.

    Args:
        inputs: float32 (N, max_events, C).
        generator: on the device of `inputs`; the only source of chance.

    Returns:
        `inputs` with zeros, which are padding, in place of what is dropped.
    """
    count, device = inputs.shape[0], inputs.device
    if config.event_dropout:
        share = torch.rand(count, 1, device=device, generator=generator) * config.event_dropout
        inputs = inputs * (torch.rand(inputs.shape[:2], device=device, generator=generator) >= share)[..., None]
    if config.code_dropout:
        kept = torch.rand(count, config.vocabulary + 1, device=device, generator=generator) >= config.code_dropout
        inputs = inputs * kept.gather(1, inputs[..., 0].long())[..., None]
    return inputs
