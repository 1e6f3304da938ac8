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
SIDE = 1.6


def contact_sheet(images: Images, captions: Sequence[str]) -> bytes:
    """PNG of uint8 images, (N, H, W) or (N, H, W, 3) or a list of such, in rows of six.

    Grey images are shown as they are: 0 black, 255 white.
    """
    columns = min(PER_ROW, max(len(images), 1))
    rows = max(1, -(-len(images) // columns))
    with styled():
        canvas = Canvas(figsize=(SIDE * columns, (SIDE + 0.36) * rows))
        for axes in canvas.subplots(rows, columns, squeeze=False).flat:
            axes.set_axis_off()
        for axes, image, caption in zip(canvas.axes, images, captions, strict=False):
            pixels: Any = np.asarray(image)
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
            axes.set_title(caption, fontsize=8)
        return saved(canvas, "png")
