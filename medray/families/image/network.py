"""Recipe -> network."""

from __future__ import annotations

from torch import nn

from medray.contracts import Sums
from medray.families.image.config import ImageConfig
from medray.nn.small_cnn import small_cnn


def build(config: ImageConfig, summary: Sums, outputs: int) -> nn.Module:
    """A new network from float32 (N, C, H, W) to (N, outputs) logits.

    Weights are drawn from torch's global generator: the same seed gives the same network.
    """
    if config.width is not None:
        return small_cnn(config.channels, outputs, config.width, config.dropout)
    # MONAI takes two seconds to load; models that do without it start faster.
    from medray.nn.standard import standard

    return standard(config.architecture, config.channels, outputs, config.dropout, min(config.size))
