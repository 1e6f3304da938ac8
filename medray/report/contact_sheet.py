"""Small images in a grid, each with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure as Canvas

from medray.report.canvas import saved, styled

Images = npt.NDArray[np.uint8] | Sequence[npt.NDArray[np.uint8]]
PER_ROW = 6
SIDE, CAPTION, GAP = 1.6, 0.36, 0.04  # inches: of a picture's cell, of the words above it, around it


def contact_sheet(images: Images, captions: Sequence[str]) -> bytes:
    """PNG of uint8 images, (N, H, W) or (N, H, W, 3) or a list of such, in rows of six.

    Grey images are shown as they are: 0 black, 255 white. All stand in one set of axes, whose unit is an
    inch: a set for each takes thrice the time.
    """
    columns = min(PER_ROW, max(len(images), 1))
    rows = max(1, -(-len(images) // columns))
    width, height = SIDE * columns, (SIDE + CAPTION) * rows
    with styled():
        canvas = Canvas(figsize=(width, height))
        canvas.set_layout_engine("none")
        axes = canvas.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), autoscale_on=False)
        axes.set_axis_off()
        for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
            row, column = divmod(place, columns)
            middle, bottom = SIDE * (column + 0.5), height - (SIDE + CAPTION) * (row + 1)
            pixels: Any = np.asarray(image)
            half_height, half_width = np.divide(pixels.shape[:2], max(pixels.shape[:2])) * (SIDE / 2 - GAP)
            across, up = (middle - half_width, middle + half_width), (-half_height, half_height)
            extent = (*across, *(bottom + SIDE / 2 + edge for edge in up))
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
            axes.text(middle, bottom + SIDE / 2 + half_height, caption, fontsize=8, ha="center", va="bottom")
        return saved(canvas, "png")
