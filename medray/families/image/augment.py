"""Random affine and intensity changes of a batch, each image with its own draw, on the device."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import affine_grid, grid_sample

from medray.families.image.config import AugmentConfig, ImageConfig
from medray.nn.draws import Draws


def _around_zero(draws: Draws, limit: float) -> torch.Tensor:
    """(N,) uniform in +-limit."""
    return (draws.uniform() * 2.0 - 1.0) * limit


def affine_matrices(images: torch.Tensor, config: AugmentConfig, draws: Draws) -> torch.Tensor:
    """Matrices from output to input positions, as `affine_grid` wants them.

    Returns:
        float32 (N, 2, 3), in units where each side runs from -1 to 1. Angles are kept on images
        that are not square.
    """
    angle = _around_zero(draws, math.radians(config.rotate_degrees))
    shear = torch.tan(_around_zero(draws, math.radians(config.shear_degrees)))
    zoom = 1.0 + _around_zero(draws, config.scale)
    mirror = torch.where(draws.uniform() < 0.5, -1.0, 1.0) if config.flip_horizontal else torch.ones_like(zoom)
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    aspect = images.shape[2] / images.shape[3]
    rows = [
        torch.stack([cos * mirror, (cos * shear - sin) * aspect, _around_zero(draws, 2.0 * config.translate)], 1),
        torch.stack([sin * mirror / aspect, sin * shear + cos, _around_zero(draws, 2.0 * config.translate)], 1),
    ]
    return torch.stack(rows, 1)


def move(images: torch.Tensor, config: AugmentConfig, draws: Draws) -> torch.Tensor:
    """Rotate, shear, zoom, shift and mirror in one resampling; the edge is continued outwards."""
    grid = affine_grid(affine_matrices(images, config, draws), list(images.shape), align_corners=False)
    return grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _moves(config: AugmentConfig) -> bool:
    """Whether anything moves: resampling that changes nothing would cost as much as any."""
    limits = (config.rotate_degrees, config.translate, config.scale, config.shear_degrees)
    return bool(any(limits) or config.flip_horizontal)


def change_intensity(images: torch.Tensor, config: AugmentConfig, draws: Draws) -> torch.Tensor:
    """Gamma on the image's range, contrast around its mean, brightness, then noise."""
    if config.gamma:
        low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
        exponent = _around_zero(draws, config.gamma).exp().view(-1, 1, 1, 1)
        span = (high - low).clamp_min(1e-6)
        images = ((images - low) / span).pow(exponent) * span + low
    if config.contrast:
        mean = images.mean((1, 2, 3), keepdim=True)
        images = (images - mean) * _around_zero(draws, config.contrast).exp().view(-1, 1, 1, 1) + mean
    if config.brightness:
        images = images + _around_zero(draws, config.brightness).view(-1, 1, 1, 1)
    if config.noise:
        noise = draws.normal(*images.shape[1:])
        images = images + noise * (draws.uniform() * config.noise).view(-1, 1, 1, 1)
    return images


def erase(images: torch.Tensor, config: AugmentConfig, draws: Draws) -> torch.Tensor:
    """Set one rectangle of each image to the image's mean (Zhong et al., AAAI 2020)."""
    inside = []
    for length in images.shape[2:]:
        position = (torch.arange(length, device=images.device) + 0.5) / length
        side = draws.uniform() * config.erase
        start = draws.uniform() * (1.0 - side)
        inside.append((position >= start[:, None]) & (position < (start + side)[:, None]))
    hole = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
    return torch.where(hole, images.mean((1, 2, 3), keepdim=True), images)


def augment(images: torch.Tensor, config: ImageConfig, draws: Draws) -> torch.Tensor:
    """Training images with fresh random changes.

    Args:
        images: float32 (N, C, H, W), normalised.
        draws: of the same N rows; the only source of chance.

    Returns:
        float32 (N, C, H, W) in channels-last memory.
    """
    moved = move(images, config.augment, draws) if _moves(config.augment) else images
    moved = change_intensity(moved, config.augment, draws)
    if config.augment.erase:
        moved = erase(moved, config.augment, draws)
    return moved.contiguous(memory_format=torch.channels_last)
