"""Differences with their intervals, one line each: a forest plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from medray.report.canvas import ALARM, INK, NEGATIVE, QUIET, svg

LINE_INCHES = 0.34
SIDES = ("simple model better", "network better")


@dataclass(frozen=True)
class Gain:
    """How much one thing is better than another: above 0 is better.

    Attributes:
        sure: the interval leaves 0 out on the better side.
    """

    name: str
    value: float
    lower: float
    upper: float
    sure: bool


def forest(gains: Sequence[Gain], unit: str, sides: tuple[str, str] = SIDES) -> bytes:
    """SVG with a point and an interval for each gain, the first on top, and a line at 0.

    What is surely better is blue and filled; the others are red and hollow, so that colour is not
    needed to tell them apart. `sides`: what a gain below 0 means, and one above.
    """

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=INK, linewidth=1.0, linestyle=(0, (4, 4)))
        for place, gain in enumerate(gains):
            colour = NEGATIVE if gain.sure else ALARM
            axes.plot([gain.lower, gain.upper], [place, place], color=colour, linewidth=2.0, solid_capstyle="butt")
            axes.plot(
                [gain.value], [place], "o", markersize=7, markeredgecolor=colour,
                markerfacecolor=colour if gain.sure else "white", markeredgewidth=1.8,
            )  # fmt: skip
        axes.set_yticks(range(len(gains)), [gain.name for gain in gains], color=INK)
        axes.set(ylim=(len(gains) - 0.4, -0.6), xlabel=unit)
        axes.grid(False, axis="y")
        axes.spines["left"].set_visible(False)
        _sides(axes, sides)

    return svg(draw, (9.0, 1.1 + LINE_INCHES * len(gains)))


def _sides(axes: Axes, sides: tuple[str, str]) -> None:
    """Which side of 0 means what, above the plot."""
    above = blended_transform_factory(axes.transData, axes.transAxes)
    left, right = f"{sides[0]} \N{LEFTWARDS ARROW}", f"\N{RIGHTWARDS ARROW} {sides[1]}"
    for words, align, shift in ((left, "right", -8), (right, "left", 8)):
        axes.annotate(
            words, (0, 1), xycoords=above, xytext=(shift, 5), textcoords="offset points",
            ha=align, color=QUIET, fontsize=9, annotation_clip=False,
        )  # fmt: skip
