"""Groups beside each other, one panel a metric: a forest plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from medray.report.canvas import ALARM, INK, NEGATIVE, QUIET, saved, styled

LINE_INCHES = 0.34


@dataclass(frozen=True)
class Mark:
    """A value with its interval.

    Attributes:
        apart: its gap to the rest is surely not 0.
    """

    value: float
    lower: float | None
    upper: float | None
    apart: bool


def group_forest(
    names: Sequence[str], panels: Mapping[str, Sequence[Mark | None]], overall: Mapping[str, float | None]
) -> bytes:
    """SVG with a row for each group and a panel for each metric; dashed: all examples.

    Groups that are surely apart from the rest are red and hollow, so that colour is not needed.
    """
    with styled():
        canvas = Canvas(figsize=(9.0, 0.9 + LINE_INCHES * len(names)))
        every = canvas.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (title, marks) in zip(every, panels.items(), strict=True):
            _panel(axes, marks, overall[title])
            axes.set_xlabel(title)
        every[0].set_yticks(range(len(names)), names, color=INK)
        every[0].set_ylim(len(names) - 0.4, -0.6)
        return saved(canvas, "svg")


def _panel(axes: Axes, marks: Sequence[Mark | None], overall: float | None) -> None:
    if overall is not None:
        axes.axvline(overall, color=QUIET, linewidth=1.0, linestyle=(0, (4, 3)))
    for place, mark in enumerate(marks):
        if mark is None:
            continue
        colour = ALARM if mark.apart else NEGATIVE
        if mark.lower is not None and mark.upper is not None:
            axes.plot([mark.lower, mark.upper], [place, place], color=colour, linewidth=2.0, solid_capstyle="butt")
        axes.plot(
            [mark.value], [place], "o", markersize=6, markeredgecolor=colour, markeredgewidth=1.6,
            markerfacecolor="white" if mark.apart else colour,
        )  # fmt: skip
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
