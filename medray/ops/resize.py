"""Antialiased resize of grey and colour images."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

from medray.contracts import Array

FILTERS = {"area": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR}


def resize(image: Array, size: tuple[int, int], kind: Literal["area", "bilinear"] = "bilinear") -> Array:
    """`image` (H, W) or (H, W, C) -> float32 (height, width[, C]) with `size` (height, width).

    Pixel edges stay aligned. When an image shrinks, the filter's support grows by the scale, so
    that every source pixel counts (Pillow's `resize`, in float32): "area" is the mean over the
    pixel's footprint, "bilinear" a triangle over twice of it. When it grows, "area" repeats pixels.
    """
    if image.ndim == 3:
        planes = [resize(image[..., channel], size, kind) for channel in range(image.shape[2])]
        return np.stack(planes, axis=-1)
    plane = Image.fromarray(np.ascontiguousarray(image, np.float32))
    return np.asarray(plane.resize((size[1], size[0]), FILTERS[kind]), np.float32)
