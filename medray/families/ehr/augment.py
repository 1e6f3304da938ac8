"""Training examples lose events and codes: a model must not hang on any single one."""

from __future__ import annotations

import torch

from medray.families.ehr.config import EhrConfig
from medray.nn.draws import Draws


def augment(inputs: torch.Tensor, config: EhrConfig, draws: Draws) -> torch.Tensor:
    """Drop some events of each example, and all events of some codes.

    Args:
        inputs: float32 (N, max_events, C).
        draws: of the same N rows; the only source of chance.

    Returns:
        `inputs` with zeros, which are padding, in place of what is dropped.
    """
    if config.event_dropout:
        share = draws.uniform(1) * config.event_dropout
        inputs = inputs * (draws.uniform(inputs.shape[1]) >= share)[..., None]
    if config.code_dropout:
        kept = draws.uniform(config.vocabulary + 1) >= config.code_dropout
        inputs = inputs * kept.gather(1, inputs[..., 0].long())[..., None]
    return inputs
