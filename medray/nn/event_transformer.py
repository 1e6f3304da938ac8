"""A Transformer over single events: each is its code, its value and its time."""

from __future__ import annotations

import torch
from torch import nn

from medray.nn.events import Events


def _continuous(width: int) -> nn.Module:
    """A number -> features (Tipirneni and Reddy, ACM TKDD 2022)."""
    hidden = max(int(width**0.5), 1)
    return nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, width, bias=False))


class EventTransformer(nn.Module):
    """STraTS (Tipirneni and Reddy, ACM TKDD 2022) with a class token: the sum of the embeddings of
    code, value and time goes through an encoder that attends to present events only.

    Args:
        codes: V.
        hours: length of the window, the unit of time.
        width, layers, heads, dropout: of the encoder.
    """

    def __init__(self, codes: int, hours: float, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.hours = hours
        self.code = nn.Embedding(codes + 1, width)
        self.value, self.time = _continuous(width), _continuous(width)
        self.static = nn.Parameter(torch.randn(width))
        self.question = nn.Parameter(torch.randn(width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)

    def forward(self, events: Events) -> torch.Tensor:
        """What the class token has gathered, (N, width)."""
        n = events.index.shape[0]
        time = self.time(events.hours[..., None] / self.hours) * ~events.static[..., None]
        value = self.value(events.value[..., None]) * events.has_value[..., None]
        tokens = self.code(events.index) + time + value + self.static * events.static[..., None]
        tokens = torch.cat([self.question.expand(n, 1, -1), tokens], dim=1)
        absent = torch.cat([torch.zeros_like(events.static[:, :1]), ~events.present], dim=1)
        gathered: torch.Tensor = self.encoder(tokens, src_key_padding_mask=absent)[:, 0]
        return gathered
