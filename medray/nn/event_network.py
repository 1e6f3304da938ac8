"""From tokens of events to logits: by their sequence, or by summaries of each code, dense or additive."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from medray.nn.event_summaries import CHANNELS, NAMES, window_summaries
from medray.nn.events import Events, unpack

PER_CODE = 8  # features that a code's summaries become
WINDOWS = 2  # the window and its newer half
# normal scores between which an additive effect is a straight line
KNOTS = (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)


class SequenceNetwork(nn.Module):
    """Tokens float (N, E, C) of `medray.nn.events` -> logits (N, outputs).

    Args:
        encoder: reads `Events` and gives (N, width).
        dropout: share of features dropped before the last layer.
    """

    def __init__(self, encoder: nn.Module, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, outputs))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, outputs)."""
        logits: torch.Tensor = self.head(self.encoder(unpack(tokens)))
        return logits


class SummaryNetwork(nn.Module):
    """Tokens float (N, E, C) of `medray.nn.events` -> logits (N, outputs), by what each code's
    values were over the window and over its newer half, and how often they were taken.

    The summaries of a code first become a few features of their own: with one dense layer over all
    summaries of all codes instead, a few thousand examples are learnt by heart.

    Args:
        codes: V, the first so many of the vocabulary are looked at.
        hours: length of the window.
        width: of the dense layer.
        dropout: share of features dropped before each dense layer.
    """

    def __init__(self, codes: int, hours: float, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.codes, self.hours = codes, hours
        inputs = WINDOWS * len(CHANNELS)
        self.weight = nn.Parameter(torch.randn(self.codes, inputs, PER_CODE) / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(self.codes * PER_CODE))
        self.layers = nn.Sequential(
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(self.codes * PER_CODE, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, outputs),
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, outputs)."""
        inputs = window_summaries(unpack(tokens), self.codes, self.hours, WINDOWS).flatten(2)
        features = torch.einsum("nvi,vif->nvf", inputs, self.weight).flatten(1) + self.bias
        logits: torch.Tensor = self.layers(features)
        return logits


class AdditiveNetwork(nn.Module):
    """Tokens float (N, E, C) of `medray.nn.events` -> logits (N, outputs): the sum of one broken line
    for each summary of a code over the window and over its newer half.

    A broken line is linear in piecewise-linear features (Gorishniy, Rubachev and Babenko, NeurIPS
    2022). In training these are seen with normal noise, which is a ridge penalty on its slopes
    (Bishop, Neural Computation 1995); its effect on the logits is drawn, not that on each feature.

    Args:
        codes: V, the first so many of the vocabulary are looked at.
        hours: length of the window.
        noise: standard deviation of the noise.
    """

    def __init__(self, codes: int, hours: float, outputs: int, noise: float) -> None:
        super().__init__()
        self.codes, self.hours, self.noise = codes, hours, noise
        inputs = codes * WINDOWS * ((len(CHANNELS) - 1) * (len(KNOTS) - 1) + 1)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, outputs)."""
        logits: torch.Tensor = functional.linear(self._pieces(unpack(tokens)), self.weight, self.bias)
        if not self.training:
            return logits
        length: torch.Tensor = torch.linalg.vector_norm(self.weight, dim=1)
        return logits + self.noise * length * torch.randn_like(logits)

    def _pieces(self, events: Events) -> torch.Tensor:
        """(N, inputs), each from 0 to 1: how far a summary is past each knot on its way to the next;
        0 for the statistics of a code without value."""
        inputs = window_summaries(events, self.codes, self.hours, WINDOWS)
        knots = inputs.new_tensor(KNOTS)
        low, high = knots[:-1], knots[1:]
        pieces = ((inputs[..., :-1, None] - low) / (high - low)).clamp(0.0, 1.0)
        has = inputs[..., -1:]
        return torch.cat([pieces[..., : len(NAMES), :].flatten(-2) * has, pieces[..., -1, :], has], dim=-1).flatten(1)
