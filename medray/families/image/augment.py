"""Random affine and intensity changes of a batch, each image with its own draw, on the device."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import affine_grid, grid_sample

from medray.families.image.config import AugmentConfig, ImageConfig


class _Draw:
    """Uniform numbers in +-limit, one per image, from one generator."""

    def __init__(self, images: torch.Tensor, generator: torch.Generator) -> None:
        self.count, self.device, self.generator = len(images), images.device, generator

    def share(self) -> torch.Tensor:
        return torch.rand(self.count, device=self.device, generator=self.generator)

    def around_zero(self, limit: float) -> torch.Tensor:
        return (self.share() * 2.0 - 1.0) * limit


def affine_matrices(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Matrices from output to input positions, as `affine_grid` wants them.

    Returns:
        float32 (N, 2, 3), in units where each side runs from -1 to 1. Angles are kept on images
        that are not square.
    """
    draw = _Draw(images, generator)
    angle = draw.around_zero(math.radians(config.rotate_degrees))
    shear = torch.tan(draw.around_zero(math.radians(config.shear_degrees)))
    zoom = 1.0 + draw.around_zero(config.scale)
    mirror = torch.where(draw.share() < 0.5, -1.0, 1.0) if config.flip_horizontal else torch.ones_like(zoom)
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    aspect = images.shape[2] / images.shape[3]
    rows = [
        torch.stack([cos * mirror, (cos * shear - sin) * aspect, draw.around_zero(2.0 * config.translate)], 1),
        torch.stack([sin * mirror / aspect, sin * shear + cos, draw.around_zero(2.0 * config.translate)], 1),
    ]
    return torch.stack(rows, 1)


def move(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Rotate, shear, zoom, shift and mirror in one resampling; the edge is continued outwards."""
    grid = affine_grid(affine_matrices(images, config, generator), list(images.shape), align_corners=False)
    return grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def change_intensity(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Gamma on the image's range, contrast around its mean, brightness, then noise."""
    draw = _Draw(images, generator)
    if config.gamma:
        low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
        exponent = draw.around_zero(config.gamma).exp().view(-1, 1, 1, 1)
        span = (high - low).clamp_min(1e-6)
        images = ((images - low) / span).pow(exponent) * span + low
    if config.contrast:
        mean = images.mean((1, 2, 3), keepdim=True)
        images = (images - mean) * draw.around_zero(config.contrast).exp().view(-1, 1, 1, 1) + mean
    if config.brightness:
        images = images + draw.around_zero(config.brightness).view(-1, 1, 1, 1)
    if config.noise:
        noise = torch.randn(images.shape, device=images.device, generator=generator)
        images = images + noise * (draw.share() * config.noise).view(-1, 1, 1, 1)
    return images


def erase(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Set one rectangle of each image to the image's mean (Zhong et al., AAAI 2020)."""
    draw = _Draw(images, generator)
    inside = []
    for length in images.shape[2:]:
        position = (torch.arange(length, device=images.device) + 0.5) / length
        side = draw.share() * config.erase
        start = draw.share() * (1.0 - side)
        inside.append((position >= start[:, None]) & (position < (start + side)[:, None]))
    hole = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
    return torch.where(hole, images.mean((1, 2, 3), keepdim=True), images)


def augment(images: torch.Tensor, config: ImageConfig, generator: torch.Generator) -> torch.Tensor:
    """Training images with fresh random changes.

    Args:
        images: float32 (N, C, H, W), normalised.
        generator: on the device of `images`; the only source of chance.

    Returns:
        float32 (N, C, H, W) in channels-last memory.
    """
    moved = change_intensity(move(images, config.augment, generator), config.augment, generator)
    if config.augment.erase:
        moved = erase(moved, config.augment, generator)
    return moved.contiguous(memory_format=torch.channels_last)
