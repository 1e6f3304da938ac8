"""A Transformer over single events: each is its code, its value and its time."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from medray.nn.events import Events


def _continuous(width: int) -> nn.Module:
    """A number -> features (Tipirneni and Reddy, ACM TKDD 2022)."""
    hidden = max(int(width**0.5), 1)
    return nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, width, bias=False))


class Block(nn.Module):
    """Attention and two dense layers, each after a normalisation (Xiong et al., ICML 2020).

    torch's own encoder layer leaves its fast kernel as soon as it trains with a padding mask, and
    is then thirty times slower on CPU; so attention weights are not dropped here.

    Args:
        width, heads: of the attention; `heads` divides `width`.
        dropout: share of features dropped after each half.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_dense = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))
        self.dense = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.Dropout(dropout)
        )

    def forward(self, tokens: torch.Tensor, present: torch.Tensor, asking: int) -> torch.Tensor:
        """The first `asking` of (N, E, width), after they have looked at all that are `present`
        (bool (N, E), at least one a row)."""
        normal = self.before_attention(tokens)
        key, value = (self._split(half) for half in self.key_value(normal).chunk(2, dim=-1))
        query = self._split(self.query(normal[:, :asking]))
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=present[:, None, None])
        tokens = tokens[:, :asking] + self.out(seen.transpose(1, 2).flatten(2))
        changed: torch.Tensor = tokens + self.dense(self.before_dense(tokens))
        return changed

    def _split(self, features: torch.Tensor) -> torch.Tensor:
        return features.view(*features.shape[:2], self.heads, -1).transpose(1, 2)


class EventTransformer(nn.Module):
    """STraTS (Tipirneni and Reddy, ACM TKDD 2022) with a token that asks: the sums of the
    embeddings of code, value and time attend to all present events; the last layer only for the
    token that asks.

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
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.after = nn.LayerNorm(width)

    def forward(self, events: Events) -> torch.Tensor:
        """What the asking token has gathered, (N, width)."""
        time = self.time(events.hours[..., None] / self.hours) * ~events.static[..., None]
        value = self.value(events.value[..., None]) * events.has_value[..., None]
        tokens = self.code(events.code) + time + value + self.static * events.static[..., None]
        tokens = torch.cat([self.question.expand(len(tokens), 1, -1), tokens], dim=1)
        present = functional.pad(events.present, (1, 0), value=True)
        for at, block in enumerate(self.blocks, start=1):
            tokens = block(tokens, present, tokens.shape[1] if at < len(self.blocks) else 1)
        gathered: torch.Tensor = self.after(tokens[:, 0])
        return gathered
