"""Antialiased resize of grey and colour images."""

from __future__ import annotations

from math import ceil
from typing import Literal

import numpy as np
from PIL import Image

from medray.contracts import Array

FILTERS = {"area": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR}
Box = tuple[float, float, float, float]  # top, left, bottom, right, from the first pixel's outer edge


def resize(
    image: Array, size: tuple[int, int], kind: Literal["area", "bilinear"] = "bilinear", box: Box | None = None
) -> Array:
    """`image` (H, W) or (H, W, C) -> float32 (height, width[, C]) with `size` (height, width).

    Pixel edges stay aligned. When an image shrinks, the filter's support grows by the scale, so
    that every source pixel counts (Pillow's `resize`, in float32): "area" is the mean over the
    pixel's footprint, "bilinear" a triangle over twice of it. When it grows, "area" repeats pixels.

    Args:
        box: the part of the image that is resized, in pixels and parts of them; all by default.
            Where it reaches beyond the lower or right edge, the last row or column goes on.
    """
    if image.ndim == 3:
        planes = [resize(image[..., channel], size, kind, box) for channel in range(image.shape[2])]
        return np.stack(planes, axis=-1)
    image = np.ascontiguousarray(image, np.float32)
    top, left, bottom, right = box or (0.0, 0.0, *image.shape)
    beyond = [(0, max(ceil(end) - side, 0)) for end, side in zip((bottom, right), image.shape, strict=True)]
    if any(more for _, more in beyond):
        image = np.pad(image, beyond, "edge")
    plane = Image.fromarray(image)
    small = plane.resize((size[1], size[0]), FILTERS[kind], (left, top, right, bottom))
    return np.asarray(small, np.float32)
