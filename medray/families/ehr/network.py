"""Recipe -> network."""

from __future__ import annotations

from torch import nn

from medray.contracts import Sums
from medray.families.ehr.collate import known_codes
from medray.families.ehr.config import EhrConfig
from medray.nn.event_network import EventNetwork, EventSummaries
from medray.nn.event_transformer import EventTransformer
from medray.nn.gru_d import GruD
from medray.nn.members import Members


def _sequence(config: EhrConfig, codes: int) -> nn.Module:
    if config.layers is not None and config.heads is not None:
        return EventTransformer(codes, config.hours, config.width, config.layers, config.heads, config.dropout)
    return GruD(codes, config.hours, config.steps, config.width, config.dropout)


def _member(config: EhrConfig, codes: int, outputs: int) -> nn.Module:
    encoders = [_sequence(config, codes)]
    if config.summary_codes:
        summarised = min(config.summary_codes, codes)
        encoders.append(EventSummaries(summarised, config.hours, config.width, config.dropout))
    return EventNetwork(encoders, len(encoders) * config.width, outputs, config.dropout)


def build(config: EhrConfig, summary: Sums, outputs: int) -> nn.Module:
    """A new network from float32 (N, max_events, C) to (N, outputs) logits.

    Weights are drawn from torch's global generator: the same seed gives the same network.
    """
    codes = known_codes(config, summary)
    members = [_member(config, codes, outputs) for _ in range(config.members)]
    return members[0] if len(members) == 1 else Members(members)
