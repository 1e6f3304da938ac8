"""Images beside what speaks for and against an answer in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Canvas

from medray.report.canvas import INK, NEGATIVE, POSITIVE, QUIET, saved, styled

PER_ROW = 2  # images, each with its maps
SIDE, CAPTION, HEAD, GAP = 1.55, 0.3, 0.3, 0.04  # inches: of a picture, the words above it and above all, around it
STRONGEST = 0.75  # opacity of the largest amount
LARGEST = 99.5  # percentile of a map's sizes that is drawn in full


@dataclass(frozen=True)
class ShownMaps:
    """One image with its maps.

    Attributes:
        image: (H, W) or (H, W, 3) uint8, as the model's preparation left it.
        maps: by method, (rows, columns) amounts.
        caption: what the model answers.
        key: pseudonymous key by which an auditor finds the input.
    """

    image: npt.NDArray[np.uint8]
    maps: Mapping[str, npt.NDArray[Any]]
    caption: str
    key: str


def overlays(shown: Sequence[ShownMaps], methods: Mapping[str, str]) -> bytes:
    """PNG: each image as prepared, then under each of its maps, two images a row.

    Orange places speak for the answer, blue ones against it; the stronger, the less of the image is seen.

    Args:
        methods: name -> words above its column.
    """
    columns = 1 + len(methods)
    rows = -(-len(shown) // PER_ROW)
    space = 0.35
    width = PER_ROW * columns * SIDE + (PER_ROW - 1) * space
    height = HEAD + rows * (SIDE + CAPTION)
    with styled():
        canvas = Canvas(figsize=(width, height))
        canvas.set_layout_engine("none")
        axes = canvas.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), autoscale_on=False)
        axes.set_axis_off()
        for place, one in enumerate(shown):
            row, column = divmod(place, PER_ROW)
            left, bottom = column * (columns * SIDE + space), height - HEAD - (row + 1) * (SIDE + CAPTION)
            if row == 0:
                for at, words in enumerate(("as prepared", *methods.values())):
                    middle = left + (at + 0.5) * SIDE
                    axes.text(middle, height - 0.06, words, fontsize=9, ha="center", va="top", color=INK, weight="bold")
            axes.text(left + GAP, bottom + SIDE + 0.05, one.caption, fontsize=8, color=QUIET, va="bottom")
            _picture(axes, left, bottom, one.image, None)
            for at, method in enumerate(methods, start=1):
                _picture(axes, left + at * SIDE, bottom, one.image, one.maps.get(method))
        return saved(canvas, "png")


def _picture(
    axes: Axes, left: float, bottom: float, image: npt.NDArray[np.uint8], amounts: npt.NDArray[Any] | None
) -> None:
    height, width = np.divide(image.shape[:2], max(image.shape[:2])) * (SIDE / 2 - GAP)
    middle, centre = left + SIDE / 2, bottom + SIDE / 2
    extent = (middle - width, middle + width, centre - height, centre + height)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
    if amounts is not None:
        axes.imshow(coloured(amounts), extent=extent, aspect="auto", interpolation="bilinear")


def coloured(amounts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(rows, columns) -> RGBA in [0, 1]: orange above 0, blue below, clear at 0."""
    largest = float(np.percentile(np.abs(amounts), LARGEST)) or 1.0
    strength = np.clip(np.abs(amounts) / largest, 0.0, 1.0)
    colour = np.where(amounts[..., None] > 0, to_rgb(POSITIVE), to_rgb(NEGATIVE))
    return np.concatenate([colour, STRONGEST * strength[..., None]], axis=-1)
