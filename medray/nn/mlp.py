"""A multilayer perceptron with a linear path beside it."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


class MLP(nn.Module):
    """Hidden layers of Linear, ReLU and dropout, plus a linear map of the inputs themselves.

    The linear path ("wide and deep", Cheng et al., DLRS 2016) starts at zero. It spares the hidden
    layers what a linear model finds, such as carrying the last value forward.
    """

    def __init__(self, inputs: int, outputs: int, width: int, layers: int, dropout: float) -> None:
        """
        Args:
            inputs: features of a row.
            outputs: number of logits.
            width: features of each hidden layer.
            layers: how many hidden layers.
            dropout: share of features dropped after each.
        """
        super().__init__()
        widths = [inputs] + [width] * layers
        hidden = [
            nn.Sequential(nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout))
            for before, after in pairwise(widths)
        ]
        self.deep = nn.Sequential(*hidden, nn.Linear(width, outputs))
        self.wide = nn.Linear(inputs, outputs, bias=False)
        nn.init.zeros_(self.wide.weight)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """float (N, inputs) -> (N, outputs)."""
        logits: torch.Tensor = self.deep(rows) + self.wide(rows)
        return logits
