"""Recipe -> network."""

from __future__ import annotations

from torch import nn

from medray.contracts import Sums
from medray.families.tabular.columns import numeric_width
from medray.families.tabular.config import TabularConfig
from medray.nn.ft_transformer import FTTransformer
from medray.nn.mlp import MLP


def build(config: TabularConfig, summary: Sums, outputs: int) -> nn.Module:
    """A new network from float32 (N, 2 D + K) of `collate` to (N, outputs) logits.

    Weights are drawn from torch's global generator: the same seed gives the same network.
    """
    numeric, choices = numeric_width(config), tuple(len(texts) for texts in config.categories.values())
    if config.heads is not None:
        return FTTransformer(numeric, choices, outputs, config.width, config.layers, config.heads, config.dropout)
    return MLP(2 * numeric + sum(choices), outputs, config.width, config.layers, config.dropout)
