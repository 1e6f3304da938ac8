"""A convolutional network of three blocks for small images."""

from __future__ import annotations

from torch import nn


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    return [*_convolution(inputs, outputs), *_convolution(outputs, outputs)]


def small_cnn(channels: int, outputs: int, width: int, dropout: float) -> nn.Module:
    """Two 3x3 convolutions a block, halving the image between blocks, then the spatial mean.

    Args:
        channels: of the image.
        outputs: number of logits.
        width: features of the first block; the others have two and four times as many.
        dropout: share of features dropped before the last layer.

    Returns:
        A network from float (N, channels, H, W), sides of 8 or more, to (N, outputs).
    """
    return nn.Sequential(
        *_block(channels, width),
        nn.MaxPool2d(2),
        *_block(width, 2 * width),
        nn.MaxPool2d(2),
        *_block(2 * width, 4 * width),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(4 * width, outputs),
    )
