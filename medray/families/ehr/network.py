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

PRIOR_EXAMPLES = 1000  # slopes of the additive networks are held to 0 as by so many examples


def _sequence(config: EhrConfig, codes: int, outputs: int) -> nn.Module:
    # what carries features over many steps or layers drops them many times
    dropout = config.dropout / 2
    if config.layers is not None and config.heads is not None:
        encoder: nn.Module = EventTransformer(codes, config.hours, config.width, config.layers, config.heads, dropout)
    else:
        encoder = GruD(codes, config.hours, config.steps, config.width, dropout)
    return SequenceNetwork(encoder, config.width, outputs, dropout)


def _member(config: EhrConfig, codes: int, outputs: int, noise: float) -> list[nn.Module]:
    sequence = _sequence(config, codes, outputs)
    if not config.summary_codes:
        return [sequence]
    summarised = min(config.summary_codes, codes)
    return [
        sequence,
        SummaryNetwork(summarised, config.hours, 2 * config.width, outputs, config.dropout),
        AdditiveNetwork(summarised, config.hours, outputs, noise),
    ]


def build(config: EhrConfig, summary: Sums, outputs: int) -> nn.Module:
    """A new network from float32 (N, max_events, C) to (N, outputs) logits.

    Weights are drawn from torch's global generator: the same seed gives the same network.
    """
    codes = max(known_codes(config, summary), 1)
    noise = min((PRIOR_EXAMPLES / max(summary["examples"], default=1)) ** 0.5, 1.0)
    networks = [network for _ in range(config.members) for network in _member(config, codes, outputs, noise)]
    return networks[0] if len(networks) == 1 else Members(networks)
