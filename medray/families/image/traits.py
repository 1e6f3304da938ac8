"""Prepared images -> a few plain numbers each, by which a change of scanner or protocol shows."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Sums
from medray.families.image.config import ImageConfig


def traits(examples: Array, config: ImageConfig, summary: Sums) -> dict[str, Array]:
    """Grey mean, its spread, and detail of each image.

    Args:
        examples: uint8 (N, C, H, W).

    Returns:
        float32 (N,) each, in grey levels of 0 to 255: "mean", "spread" (standard deviation) and
        "detail" (mean absolute difference of neighbours in a row: noise and sharpness).
    """
    found = {name: np.empty(len(examples), np.float32) for name in ("mean", "spread", "detail")}
    for row, image in enumerate(examples):  # one by one: a block of floats would be four times the images
        found["mean"][row] = image.mean()
        found["spread"][row] = image.std(dtype=np.float32)
        found["detail"][row] = np.abs(np.diff(image.astype(np.int16), axis=-1)).mean()
    return found
