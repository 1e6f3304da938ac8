"""Standard image networks of MONAI by name, untrained, with dropout before the last layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from monai.networks.nets.densenet import DenseNet121
from monai.networks.nets.efficientnet import EfficientNetBN
from monai.networks.nets.resnet import resnet18 as monai_resnet18
from monai.networks.nets.resnet import resnet50 as monai_resnet50
from torch import nn

SMALL_SIDE = 64  # up to here the stem keeps the resolution, as He et al. (CVPR 2016) do on CIFAR


def _with_dropout(layer: object, dropout: float) -> nn.Module:
    return nn.Sequential(nn.Dropout(dropout), cast(nn.Module, layer))


def _resnet(make: Callable[..., nn.Module], channels: int, outputs: int, dropout: float, side: int) -> nn.Module:
    small = side <= SMALL_SIDE
    network = make(
        pretrained=False,
        spatial_dims=2,
        n_input_channels=channels,
        num_classes=outputs,
        conv1_t_size=3 if small else 7,
        conv1_t_stride=1 if small else 2,
        no_max_pool=small,
    )
    network.fc = _with_dropout(network.fc, dropout)
    return network


def resnet18(channels: int, outputs: int, dropout: float, side: int) -> nn.Module:
    """ResNet-18 (He et al., CVPR 2016)."""
    return _resnet(monai_resnet18, channels, outputs, dropout, side)


def resnet50(channels: int, outputs: int, dropout: float, side: int) -> nn.Module:
    """ResNet-50 (He et al., CVPR 2016)."""
    return _resnet(monai_resnet50, channels, outputs, dropout, side)


def densenet121(channels: int, outputs: int, dropout: float, side: int) -> nn.Module:
    """DenseNet-121 (Huang et al., CVPR 2017)."""
    network = DenseNet121(spatial_dims=2, in_channels=channels, out_channels=outputs)
    network.class_layers.out = _with_dropout(network.class_layers.out, dropout)
    return network


def efficientnet_b0(channels: int, outputs: int, dropout: float, side: int) -> nn.Module:
    """EfficientNet-B0 (Tan & Le, ICML 2019)."""
    network = EfficientNetBN(
        "efficientnet-b0", pretrained=False, spatial_dims=2, in_channels=channels, num_classes=outputs
    )
    network._dropout = nn.Dropout(dropout)
    return network


NETWORKS: dict[str, Callable[[int, int, float, int], nn.Module]] = {
    "resnet18": resnet18,
    "resnet50": resnet50,
    "densenet121": densenet121,
    "efficientnet_b0": efficientnet_b0,
}


def standard(name: str, channels: int, outputs: int, dropout: float, side: int) -> nn.Module:
    """The network of that name, from float (N, channels, H, W) to (N, outputs) logits.

    Args:
        name: a key of `NETWORKS`.
        side: the shorter side of the image in pixels; small images get a stem that does not
            reduce them (residual networks only).
    """
    return NETWORKS[name](channels, outputs, dropout, side)
