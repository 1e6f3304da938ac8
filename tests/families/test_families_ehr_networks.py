"""A recipe's networks over records: which members, and how they are held back."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from medray.families.ehr.config import EhrConfig
from medray.families.ehr.network import build
from medray.nn.event_network import AdditiveNetwork, SequenceNetwork, SummaryNetwork
from medray.nn.members import Members

GRU_D: dict[str, Any] = {"architecture": "gru_d", "step_hours": 6.0}
TRANSFORMER: dict[str, Any] = {"architecture": "transformer", "layers": 1, "heads": 2}


def summary(examples: int) -> dict[str, Any]:
    return {"codes": [7, 9], "examples": [examples, 3], "values": [[1.0], []], "scores": [[0.0], []]}


def built(examples: int = 4000, **changes: Any) -> list[nn.Module]:
    recipe = {
        "name": "ehr", "max_events": 4, "min_events": 1, "vocabulary": 9, "min_count": 1, "hours": 24.0, "width": 8,
        "summary_codes": 4, "members": 2, "dropout": 0.6, "event_dropout": 0.0,
    }  # fmt: skip
    network = build(EhrConfig(**(recipe | changes)), summary(examples), 3)
    assert network(torch.zeros(5, 4, 5)).shape == (5, 3)
    return list(network.networks) if isinstance(network, Members) else [network]


def shares(network: nn.Module) -> set[float]:
    """Of features that are dropped, anywhere in a network."""
    return {float(part.dropout) for part in network.modules() if isinstance(getattr(part, "dropout", None), float)} | {
        part.p for part in network.modules() if isinstance(part, nn.Dropout)
    }


def test_each_member_is_one_network_of_a_kind() -> None:
    assert [type(network) for network in built(**GRU_D)] == [SequenceNetwork, SummaryNetwork, AdditiveNetwork] * 2
    assert [type(network) for network in built(**TRANSFORMER, summary_codes=0)] == [SequenceNetwork] * 2
    assert [type(network) for network in built(**GRU_D, summary_codes=0, members=1)] == [SequenceNetwork]


@pytest.mark.parametrize("architecture", [GRU_D, TRANSFORMER])
def test_sequences_lose_half_as_many_features_as_summaries(architecture: dict[str, Any]) -> None:
    sequence, dense, _ = built(**architecture, members=1)
    assert shares(sequence) == {0.3}
    assert shares(dense) == {0.6}


@pytest.mark.parametrize(("examples", "noise"), [(4000, 0.5), (1000, 1.0), (10, 1.0)])
def test_additive_members_are_freer_the_more_there_is_to_learn_from(examples: int, noise: float) -> None:
    additive = built(examples, **GRU_D, members=1)[2]
    assert isinstance(additive, AdditiveNetwork)
    assert additive.noise == noise


def test_a_vocabulary_without_examples_has_a_network_too() -> None:
    network = build(EhrConfig(name="ehr", max_events=4, min_events=0, vocabulary=9, min_count=1, hours=24.0, width=8,
                              summary_codes=4, members=1, dropout=0.0, event_dropout=0.0, **GRU_D),
                    {"codes": [], "examples": [], "values": [], "scores": []}, 1)  # fmt: skip
    assert torch.isfinite(network(torch.zeros(2, 4, 5))).all()
