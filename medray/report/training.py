"""How training went, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from medray.report.canvas import NEGATIVE, POSITIVE, QUIET, WIDE, saved, styled

Epoch = Mapping[str, Any]
COLOURS = (NEGATIVE, POSITIVE, QUIET, "#5b8c5a", "#8b6aa8")


def training_curves(epochs: Sequence[Epoch]) -> bytes:
    """SVG with the losses on the left and every other number on the right.

    Each epoch is a flat mapping; names that hold "loss" are losses, `epoch` is the x axis (the
    place in the list when absent), other numbers are metrics. None and absent values leave a gap.
    """
    names = _numeric_names(epochs)
    losses = [name for name in names if "loss" in name]
    rest = [name for name in names if "loss" not in name]
    panels = [group for group in (losses, rest) if group]
    with styled():
        canvas = Canvas(figsize=WIDE)
        grid = canvas.subplots(1, max(len(panels), 1), squeeze=False)
        for axes, group in zip(grid[0], panels, strict=False):
            _panel(axes, epochs, group)
        return saved(canvas, "svg")


def _numeric_names(epochs: Sequence[Epoch]) -> list[str]:
    found: dict[str, None] = {}
    for epoch in epochs:
        for name, value in epoch.items():
            if name != "epoch" and isinstance(value, (int, float)) and not isinstance(value, bool):
                found[name] = None
    return list(found)


def _panel(axes: Axes, epochs: Sequence[Epoch], names: Sequence[str]) -> None:
    x = [epoch.get("epoch", place) for place, epoch in enumerate(epochs, start=1)]
    for name, colour in zip(names, COLOURS * len(names), strict=False):
        y = [float("nan") if epoch.get(name) is None else epoch[name] for epoch in epochs]
        axes.plot(x, y, "-o", color=colour, markersize=4, linewidth=1.8, label=name.replace("_", " "))
    axes.set(xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
