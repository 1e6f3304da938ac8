"""From tokens of events to logits: a sequence encoder, beside it plain summaries, and a head."""

from __future__ import annotations

import torch
from torch import nn

from medray.nn.event_summaries import NAMES, summaries
from medray.nn.events import Events, unpack


class EventSummaries(nn.Module):
    """Statistics of each code over the whole window and its newer half, and how often it was seen.

    Args:
        codes: the first so many of the vocabulary.
        hours: length of the window.
        width: features that come out.
        dropout: share of features dropped.
    """

    def __init__(self, codes: int, hours: float, width: int, dropout: float) -> None:
        super().__init__()
        self.codes, self.windows = codes, (hours, hours / 2)
        inputs = codes * len(self.windows) * (len(NAMES) + 2)
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, width), nn.GELU())

    def forward(self, events: Events) -> torch.Tensor:
        """(N, width)."""
        parts = []
        for since in self.windows:
            statistics, values, happened = summaries(events, self.codes, since)
            parts += [statistics.flatten(1), (values > 0).to(statistics.dtype), torch.log1p(happened)]
        features: torch.Tensor = self.layers(torch.cat(parts, dim=1))
        return features


class EventNetwork(nn.Module):
    """Tokens float (N, E, C) of `medray.nn.events` -> logits (N, outputs).

    Args:
        encoders: each reads `Events` and gives (N, width).
        features: their widths together.
        dropout: share of features dropped before the last layer.
    """

    def __init__(self, encoders: list[nn.Module], features: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, outputs))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        events = unpack(tokens)
        logits: torch.Tensor = self.head(torch.cat([encoder(events) for encoder in self.encoders], dim=-1))
        return logits
