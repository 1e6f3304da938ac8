"""FT-Transformer (Gorishniy et al., NeurIPS 2021): each column of a table becomes a token."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention


class Tokens(nn.Module):
    """Columns -> tokens: a number times its column's vector, the vector of a category, or that of
    a missing value; each plus the column's bias. A learned token stands before them."""

    def __init__(self, numeric: int, choices: Sequence[int], width: int) -> None:
        super().__init__()
        self.features = [numeric, numeric, *choices]
        self.vector = nn.Parameter(torch.empty(sum(self.features), width))
        self.bias = nn.Parameter(torch.empty(numeric + len(choices), width))
        self.answer = nn.Parameter(torch.empty(1, width))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(width**-0.5), width**-0.5)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """float (N, 2 D + K) -> (N, 1 + columns, width)."""
        numbers, missing, *choices = torch.split(rows, self.features, 1)
        of_number, of_missing, *of_choices = torch.split(self.vector, self.features)
        columns = [numbers[:, :, None] * of_number + missing[:, :, None] * of_missing]
        columns += [(flags @ vectors)[:, None] for flags, vectors in zip(choices, of_choices, strict=True)]
        answer = self.answer.expand(len(rows), 1, -1)
        return torch.cat([answer, torch.cat(columns, 1) + self.bias], 1)


class Attention(nn.Module):
    """Multi-head self-attention of tokens."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, T, width) -> (N, T, width)."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.query_key_value(tokens).chunk(3, dim=-1)
        )
        dropout = self.dropout if self.training else 0.0
        mixed = scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        out: torch.Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


class GatedLinear(nn.Module):
    """ReGLU (Shazeer, 2020) between two linear maps."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        hidden = max(width * 4 // 3, 1)
        self.gate_and_value = nn.Linear(width, 2 * hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(..., width) -> (..., width)."""
        gate, value = self.gate_and_value(tokens).chunk(2, dim=-1)
        out: torch.Tensor = self.out(self.dropout(torch.relu(gate) * value))
        return out


class Block(nn.Module):
    """Attention, then the gated layer, each on normalised tokens and added to them.

    The first block of a network attends to its tokens as they are: the paper found that it does
    better without that normalisation.
    """

    def __init__(self, width: int, heads: int, dropout: float, first: bool) -> None:
        super().__init__()
        self.before_attention = nn.Identity() if first else nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.before_gated = nn.LayerNorm(width)
        self.gated = GatedLinear(width, dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, T, width) -> (N, T, width)."""
        tokens = tokens + self.attention(self.before_attention(tokens))
        mixed: torch.Tensor = tokens + self.gated(self.before_gated(tokens))
        return mixed


class FTTransformer(nn.Module):
    """Rows of numbers and categories -> logits, read from the learned first token."""

    def __init__(
        self, numeric: int, choices: Sequence[int], outputs: int, width: int, layers: int, heads: int, dropout: float
    ) -> None:
        """
        Args:
            numeric: numeric columns, D.
            choices: for each categorical column how many categories it has; K together.
            outputs: number of logits.
            width: features of a token, a multiple of `heads`.
            layers: Transformer blocks.
            heads: of the attention.
            dropout: share of attention weights and of hidden features dropped.
        """
        super().__init__()
        self.tokens = Tokens(numeric, choices, width)
        self.blocks = nn.Sequential(*(Block(width, heads, dropout, first=layer == 0) for layer in range(layers)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, outputs))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """float (N, 2 D + K): D numbers, D flags of missing ones, K flags of categories -> (N, outputs)."""
        logits: torch.Tensor = self.head(self.blocks(self.tokens(rows))[:, 0])
        return logits
