"""From tokens of events to logits: by their sequence, or by plain summaries of each code."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from medray.nn.event_summaries import NAMES, summaries
from medray.nn.events import Events, unpack

PER_CODE = 8  # features that a code's summaries become


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
        dropout: share of features dropped before the last layer.
    """

    def __init__(self, codes: int, hours: float, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.codes, self.windows = codes, (hours, hours / 2)
        inputs = len(self.windows) * (len(NAMES) + 2)
        self.weight = nn.Parameter(torch.randn(self.codes, inputs, PER_CODE) / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(self.codes * PER_CODE))
        self.layers = nn.Sequential(
            nn.Linear(self.codes * PER_CODE, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, outputs)
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, outputs)."""
        features = torch.einsum("nvi,vif->nvf", self._summaries(unpack(tokens)), self.weight).flatten(1) + self.bias
        logits: torch.Tensor = self.layers(functional.gelu(features))
        return logits

    def _summaries(self, events: Events) -> torch.Tensor:
        """(N, V, inputs), each about as large as a normal score."""
        parts = []
        for since in self.windows:
            statistics, values, happened = summaries(events, self.codes, since)
            size = statistics.new_ones(len(NAMES))
            size[NAMES.index("slope")] = self.windows[0] / 4
            parts += [statistics * size, (values > 0).to(size.dtype)[..., None], torch.log1p(happened)[..., None] / 2]
        return torch.cat(parts, dim=-1)
