"""Integrated gradients and Grad-CAM against results by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from medray.attribution.explanation import completeness_error
from medray.attribution.grad_cam import grad_cam
from medray.attribution.integrated_gradients import integrated_gradients, pooled
from medray.nn.small_cnn import small_cnn
from medray.nn.standard import standard


def image(*rows: list[float]) -> torch.Tensor:
    return torch.tensor([[list(rows)]])


def test_of_a_linear_function_each_place_adds_its_weight_times_its_change() -> None:
    weights = image([1.0, -2.0], [0.5, 3.0])
    found = integrated_gradients(
        lambda x: (x * weights).sum((1, 2, 3)) + 10.0, image([3.0, 1.0], [2.0, 0.0]), image([1.0, 1.0], [0.0, -1.0]), 8,
        (2, 2),
    )  # fmt: skip
    assert found.amounts == pytest.approx(np.array([[2.0, 0.0], [1.0, 3.0]]), abs=1e-6)
    assert (found.base_value, found.output) == (6.0, 12.0)


def test_of_a_quadratic_function_the_integral_is_the_one_by_hand() -> None:
    """f = a^2 + b c from (1, 1, 1) to (3, 5, 2): a adds 9 - 1, b 4 (1 + 2) / 2, c 1 (1 + 5) / 2."""
    found = integrated_gradients(
        lambda x: x[:, 0, 0, 0] ** 2 + x[:, 0, 0, 1] * x[:, 0, 0, 2],
        image([3.0, 5.0, 2.0]),
        image([1.0, 1.0, 1.0]),
        64,
        (1, 3),
    )  # fmt: skip
    assert found.amounts == pytest.approx(np.array([[8.0, 6.0, 3.0]]), rel=1e-5)
    assert found.completeness_error == pytest.approx(0.0, abs=1e-6)


def test_the_line_is_cut_where_the_answer_bends_until_the_sum_is_right_and_no_longer() -> None:
    """All happens in the first hundredth of the way."""

    def bent(x: torch.Tensor) -> torch.Tensor:
        return torch.clamp(100.0 * x[:, 0, 0, 0], max=1.0) + 0.01 * x[:, 0, 0, 0]

    few, enough = (integrated_gradients(bent, image([1.0]), image([0.0]), most, (1, 1)) for most in (32, 2000))
    assert few.evaluations == 18
    assert (few.completeness_error or 0.0) > 0.01
    assert (enough.completeness_error or 0.0) <= 0.005
    assert enough.evaluations < 400
    smooth = integrated_gradients(lambda x: x.square().sum((1, 2, 3)), image([1.0]), image([0.0]), 2000, (1, 1))
    assert smooth.evaluations == 18


def test_an_error_is_a_share_of_the_change_and_of_a_tenth_where_that_is_less() -> None:
    assert completeness_error(1.9, base_value=1.0, output=3.0) == pytest.approx(0.05)
    assert completeness_error(0.0, base_value=1.0, output=1.001) == pytest.approx(0.01)


def test_cells_sum_up_to_the_same_and_differ_by_one_pixel_at_most() -> None:
    ones = np.ones((7, 3))
    assert pooled(ones, (3, 8)).tolist() == [[2.0] * 3, [2.0] * 3, [3.0] * 3]


def test_grad_cam_of_a_network_that_averages_its_maps_is_the_answer_less_the_constant() -> None:
    """Of mean and linear layer, each place adds weight times activation over the number of places."""
    torch.manual_seed(5)
    network = small_cnn(1, 2, 8, 0.0).eval()
    with torch.no_grad():
        network[-1].weight.mul_(300)
    inputs = torch.randn(1, 1, 24, 16)
    found = grad_cam(lambda x: network(x)[:, 1], network, inputs)
    assert found.amounts.shape == (6, 4)
    bias = float(network[-1].bias.detach()[1])
    assert abs(found.output - bias) > 0.1
    assert found.amounts.sum() == pytest.approx(found.output - bias, rel=1e-4)
    assert (found.base_value, found.completeness_error) == (None, None)


@pytest.mark.parametrize(("name", "rows"), [("resnet18", 8), ("densenet121", 2), ("efficientnet_b0", 2)])
def test_grad_cam_looks_at_the_last_feature_map_of_standard_networks(name: str, rows: int) -> None:
    """By automatic differentiation of the part behind that map, called by hand."""
    torch.manual_seed(6)
    network = standard(name, 1, 1, 0.0, 64).eval()
    inputs = torch.randn(1, 1, 64, 64)
    found = grad_cam(lambda x: network(x)[:, 0], network, inputs)
    front, behind = _parts(name, network)
    maps = front(inputs).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(behind(maps)[:, 0].sum(), maps)
    by_hand = (slopes.mean((2, 3), keepdim=True) * maps).sum(1)[0].detach().double().numpy()
    assert found.amounts.shape == (rows, rows)
    assert found.amounts == pytest.approx(by_hand, rel=1e-3, abs=1e-6)


def _parts(name: str, network: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The network up to its last feature map, and from there on."""
    if name == "densenet121":
        head = list(network.class_layers)
        return nn.Sequential(network.features, head[0]), nn.Sequential(*head[1:])
    if name == "resnet18":
        first = (
            network.conv1,
            network.bn1,
            network.act,
            network.layer1,
            network.layer2,
            network.layer3,
            network.layer4,
        )
        return nn.Sequential(*first), nn.Sequential(network.avgpool, nn.Flatten(), network.fc)
    stem = (network._conv_stem_padding, network._conv_stem, network._bn0, network._swish)
    head = (network._conv_head_padding, network._conv_head, network._bn1, network._swish)
    return nn.Sequential(*stem, network._blocks, *head), nn.Sequential(
        network._avg_pooling, nn.Flatten(), network._dropout, network._fc
    )
