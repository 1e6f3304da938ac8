"""A row that says nothing, in the place of one."""

from __future__ import annotations

import torch

from medray.contracts import Sums
from medray.families.tabular.columns import numeric_width
from medray.families.tabular.config import TabularConfig


def reference(inputs: torch.Tensor, config: TabularConfig, summary: Sums, word: str) -> torch.Tensor:
    """ "mean": each number is the training mean; "missing": none is known. Categories are unknown in both.

    A column that was never missing in training is its mean where it is missing: the network has no
    other word for it.

    Args:
        inputs: float32 (N, 2 D + K) of `collate`.
    """
    empty = torch.zeros_like(inputs)
    if word == "missing":
        numeric = numeric_width(config)
        empty[:, numeric : 2 * numeric] = (torch.tensor(summary["missing"], device=inputs.device) > 0).float()
    return empty
