"""Recipe -> network."""

from __future__ import annotations

from torch import nn

from medray.contracts import Sums
from medray.families.ehr.collate import known_codes
from medray.families.ehr.config import EhrConfig
from medray.nn.event_network import AdditiveNetwork, SequenceNetwork, SummaryNetwork
from medray.nn.event_transformer import EventTransformer
from medray.nn.gru_d import GruD
from medray.nn.members import Members


def _encoder(config: EhrConfig, codes: int) -> nn.Module:
    if config.layers is not None and config.heads is not None:
        return EventTransformer(codes, config.hours, config.width, config.layers, config.heads, config.dropout)
    return GruD(codes, config.hours, config.steps, config.width, config.dropout)


def _member(config: EhrConfig, codes: int, outputs: int) -> list[nn.Module]:
    sequence = SequenceNetwork(_encoder(config, codes), config.width, outputs, config.dropout)
    if not config.summary_codes:
        return [sequence]
    summarised = min(config.summary_codes, codes)
    return [
        sequence,
        SummaryNetwork(summarised, config.hours, 2 * config.width, outputs, config.dropout),
        AdditiveNetwork(summarised, config.hours, outputs, config.dropout),
    ]


def build(config: EhrConfig, summary: Sums, outputs: int) -> nn.Module:
    """A new network from float32 (N, max_events, C) to (N, outputs) logits.

    Weights are drawn from torch's global generator: the same seed gives the same network.
    """
    codes = max(known_codes(config, summary), 1)
    networks = [network for _ in range(config.members) for network in _member(config, codes, outputs)]
    return networks[0] if len(networks) == 1 else Members(networks)
