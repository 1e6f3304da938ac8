"""The look of figures, and how one becomes bytes.

Figures are drawn dark on white and stand on a white card, so that they read the same on a light
page, on a dark one and on paper. No pyplot: no global state, no window, safe in any process.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

INK = "#1d2733"
QUIET = "#6b7785"
GRID = "#e4e8ed"
NEGATIVE = "#4f7cac"  # blue and orange stay apart for every common colour vision
POSITIVE = "#d9772b"
ALARM = "#b3372f"
SQUARE = (4.6, 4.2)
WIDE = (9.0, 3.5)

_STYLE: Any = {
    "font.size": 10.0,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#aab4bf",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.pad": 6.0,
    "ytick.major.pad": 6.0,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "medray",  # the same figure is the same bytes
}

Draw = Callable[[Axes], None]


def styled() -> AbstractContextManager[None]:
    """The context in which figures are made and saved."""
    return rc_context(_STYLE)


def svg(draw: Draw, size: tuple[float, float] = SQUARE) -> bytes:
    """SVG bytes of one set of axes, text as outlines; size in inches."""
    with styled():
        canvas = Canvas(figsize=size)
        draw(canvas.subplots())
        return saved(canvas, "svg")


def saved(canvas: Canvas, form: str) -> bytes:
    """The bytes of a canvas as "svg" or "png", without date or program in them."""
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    canvas.savefig(buffer, format=form, dpi=150, metadata=metadata)
    return buffer.getvalue()


def unit_square(axes: Axes, x: str, y: str) -> None:
    """Both axes from 0 to 1, equally long."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=x, ylabel=y, aspect="equal")
