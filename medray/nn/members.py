"""Several networks inside one model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class Members(nn.Module):
    """Networks that learn apart and answer together.

    In training each row of a batch goes to one member, in turn: members differ in weights and in
    what they see, and a step costs that of one network. Otherwise the answer is the mean of all logits.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(N, ...) -> (N, outputs)."""
        count = len(self.networks)
        if not self.training or inputs.shape[0] < count:
            mean: torch.Tensor = torch.stack([network(inputs) for network in self.networks]).mean(dim=0)
            return mean
        parts: list[torch.Tensor] = [network(inputs[at::count]) for at, network in enumerate(self.networks)]
        logits = parts[0].new_empty(inputs.shape[0], parts[0].shape[1])
        for at, part in enumerate(parts):
            logits[at::count] = part
        return logits
