"""Networks as torch modules, apart from any recipe."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from medray.nn.small_cnn import small_cnn
from medray.nn.standard import NETWORKS, standard


def _parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


def test_small_cnn_has_the_size_that_its_width_says() -> None:
    # 3x3 kernels without bias, two values a channel for batch norm, and the last layer
    kernels = 9 * (1 * 4 + 4 * 4 + 4 * 8 + 8 * 8 + 8 * 16 + 16 * 16)
    assert _parameters(small_cnn(channels=1, outputs=3, width=4, dropout=0.1)) == kernels + 2 * 56 + 16 * 3 + 3


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (33, 17)])
def test_small_cnn_reads_any_size(shape: tuple[int, int]) -> None:
    assert small_cnn(3, 2, 4, 0.1).eval()(torch.zeros(5, 3, *shape)).shape == (5, 2)


@pytest.mark.parametrize(
    ("name", "millions"),  # of the published networks with 3 channels and 1000 classes, rounded
    [("resnet18", 11.7), ("resnet50", 25.6), ("densenet121", 8.0), ("efficientnet_b0", 5.3)],
)
def test_standard_networks_are_the_published_ones(name: str, millions: float) -> None:
    assert _parameters(standard(name, 3, 1000, 0.1, 224)) == pytest.approx(millions * 1e6, abs=0.06e6)


@pytest.mark.parametrize("name", NETWORKS)
def test_dropout_stands_before_the_last_layer(name: str) -> None:
    network = standard(name, 1, 2, 0.35, 224)
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.35]
    last = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Dropout)]
    assert {type(m) for m in last[-2:]} == {nn.Dropout, nn.Linear}


def test_small_images_are_not_reduced_in_the_stem() -> None:
    seen: dict[int, torch.Size] = {}
    for side in (28, 128):
        network = standard("resnet18", 1, 1, 0.0, side).eval()
        network.get_submodule("layer1").register_forward_hook(
            lambda module, given, out, side=side: seen.update({side: out.shape[2:]})
        )
        network(torch.zeros(1, 1, side, side))
    assert seen == {28: torch.Size([28, 28]), 128: torch.Size([32, 32])}
