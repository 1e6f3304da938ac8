"""A window that says nothing, in the place of one."""

from __future__ import annotations

import torch

from medray.contracts import Sums
from medray.families.ehr.config import EhrConfig
from medray.nn.events import CHANNELS

_VALUE, _HAS_VALUE = CHANNELS.index("value"), CHANNELS.index("has_value")


def reference(inputs: torch.Tensor, config: EhrConfig, summary: Sums, word: str) -> torch.Tensor:
    """ "missing": no event; "median": measured as often and when it was, but each value the median of
    its code in training, and no event without a value.

    Args:
        inputs: float32 (N, max_events, C) of `collate`.
    """
    if word == "missing":
        return torch.zeros_like(inputs)
    typical = inputs.clone()
    typical[..., _VALUE] = 0.0  # the normal score of the median
    return typical * (inputs[..., _HAS_VALUE : _HAS_VALUE + 1] > 0)
