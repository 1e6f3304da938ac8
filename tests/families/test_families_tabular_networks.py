"""The networks of tables: an MLP with a linear path, and the FT-Transformer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from families.tabular_recipe import config

from medray.families.tabular.network import build
from medray.nn.ft_transformer import FTTransformer, Tokens
from medray.nn.mlp import MLP


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(3)


def test_an_mlp_is_its_hidden_layers_plus_a_linear_path() -> None:
    network, rows = MLP(5, 2, 8, 3, 0.0).eval(), torch.randn(4, 5)
    assert torch.equal(network(rows), network.deep(rows))
    with torch.no_grad():
        network.wide.weight[1, 2] = 10.0
    torch.testing.assert_close(network(rows) - network.deep(rows), torch.stack([torch.zeros(4), 10 * rows[:, 2]], 1))
    assert [tuple(layer[0].weight.shape) for layer in network.deep[:3]] == [(8, 5), (8, 8), (8, 8)]


def test_tokens_by_hand() -> None:
    tokens = Tokens(numeric=2, choices=[3], width=4)
    number, missing, place = tokens.vector[:2], tokens.vector[2:4], tokens.vector[4:]
    rows = torch.tensor([[0.5, 0, 0, 1, 0, 1, 0], [2, -1, 0, 0, 0, 0, 0]])
    out = tokens(rows)
    assert out.shape == (2, 4, 4)
    torch.testing.assert_close(out[:, 0], tokens.answer.expand(2, -1))
    torch.testing.assert_close(out[0, 1], 0.5 * number[0] + tokens.bias[0])
    torch.testing.assert_close(out[0, 2], missing[1] + tokens.bias[1])
    torch.testing.assert_close(out[0, 3], place[1] + tokens.bias[2])
    torch.testing.assert_close(out[1, 2], -number[1] + tokens.bias[1])
    torch.testing.assert_close(out[1, 3], tokens.bias[2])


def test_attention_is_softmax_of_scaled_products() -> None:
    attention = FTTransformer(3, [], 1, 8, 1, 2, 0.0).blocks[0].attention
    tokens = torch.randn(2, 4, 8)
    query, key, value = attention.query_key_value(tokens).chunk(3, -1)
    heads = []
    for head in (slice(0, 4), slice(4, 8)):
        weights = torch.softmax(query[..., head] @ key[..., head].transpose(1, 2) / 2.0, -1)
        heads.append(weights @ value[..., head])
    torch.testing.assert_close(attention(tokens), attention.out(torch.cat(heads, -1)))


def test_the_first_block_attends_to_tokens_as_they_are() -> None:
    network = FTTransformer(2, [], 1, 8, 3, 2, 0.0)
    assert [type(block.before_attention).__name__ for block in network.blocks] == ["Identity", "LayerNorm", "LayerNorm"]


def test_a_block_adds_to_its_tokens_and_gates_with_relu() -> None:
    block, tokens = FTTransformer(2, [], 1, 6, 1, 2, 0.0).blocks[0], torch.randn(2, 3, 6)
    mixed = tokens + block.attention(tokens)
    gate, value = block.gated.gate_and_value(block.before_gated(mixed)).chunk(2, -1)
    torch.testing.assert_close(block(tokens), mixed + block.gated.out(gate.clamp_min(0) * value))


@pytest.mark.parametrize("changes", [{"architecture": "mlp"}, {"architecture": "ft_transformer", "heads": 2}])
def test_a_network_is_built_as_the_recipe_says(changes: dict[str, Any]) -> None:
    network = build(config(dropout=0.4, layers=3, **changes), {}, 5)
    assert {layer.p for layer in network.modules() if isinstance(layer, torch.nn.Dropout)} == {0.4}
    assert sum(isinstance(layer, torch.nn.Dropout) for layer in network.modules()) == 3
    assert network(torch.randn(2, 2 * 4 + 2)).shape == (2, 5)


@pytest.mark.parametrize(("numeric", "choices", "features"), [(3, [], 6), (0, [2, 4], 6), (2, [3], 7)])
def test_a_transformer_reads_all_columns_of_its_own_row_only(numeric: int, choices: list[int], features: int) -> None:
    network = FTTransformer(numeric, choices, 2, 8, 2, 2, 0.0).eval()
    rows = torch.randn(5, features, requires_grad=True)
    logits = network(rows)
    assert logits.shape == (5, 2)
    (gradient,) = torch.autograd.grad(logits[1].sum(), rows)
    assert gradient[1].all()
    assert not gradient[[0, 2, 3, 4]].any()


@pytest.mark.parametrize("network", [MLP(6, 1, 16, 2, 0.5), FTTransformer(3, [], 1, 16, 2, 2, 0.5)], ids=["mlp", "ft"])
def test_dropout_is_for_training_only(network: torch.nn.Module) -> None:
    rows = torch.randn(8, 6)
    assert not torch.equal(network.train()(rows), network(rows))
    assert torch.equal(network.eval()(rows), network(rows))
