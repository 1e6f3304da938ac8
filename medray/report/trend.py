"""Earlier nights beside tonight: how much came, how much could not be used, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from medray.report.canvas import ALARM, INK, NEGATIVE, POSITIVE, QUIET, WIDE, svg
from medray.report.sections import Figure

COLOURS = {"published": NEGATIVE, "released": QUIET, "held": ALARM, "rejected": POSITIVE}
_ROOM = 7  # nights that there is room for, however few there are


@dataclass(frozen=True)
class NightPoint:
    """One night.

    Attributes:
        day: ISO date.
        status: "published", "held", "released" or "rejected".
        inputs: that came and could be used.
        unused: share of arrivals and inputs that were quarantined or abstained, 0 to 1.
    """

    day: str
    status: str
    inputs: int
    unused: float


def trend(nights: Sequence[NightPoint]) -> Figure:
    """Bars of inputs by night, coloured by what became of them, and the share that was not used."""
    places = np.arange(len(nights))

    def draw(axes: Axes) -> None:
        for status, colour in COLOURS.items():
            chosen = [place for place, night in enumerate(nights) if night.status == status]
            if chosen:
                axes.bar(places[chosen], [nights[place].inputs for place in chosen], color=colour, label=status)
        axes.set(ylabel="new inputs", ylim=(0, 1.25 * max([night.inputs for night in nights] + [1])))
        step = max(len(nights) // 8, 1)
        axes.set_xlim(-0.6, max(len(nights), _ROOM) - 0.4)
        axes.set_xticks(places[::step], [night.day[5:] for night in nights[::step]])
        beside = axes.twinx()
        beside.plot(
            places, [100 * night.unused for night in nights], color=INK, linewidth=1.2, marker=".", label="not used"
        )
        beside.set(ylabel="not used, %", ylim=(0, 100))
        beside.grid(visible=False)
        handles = [one for part in (axes, beside) for one in part.get_legend_handles_labels()[0]]
        names = [one for part in (axes, beside) for one in part.get_legend_handles_labels()[1]]
        axes.legend(handles, names, loc="upper left", ncols=len(names))

    alt = ", ".join(f"{night.day}: {night.inputs} {night.status}" for night in nights)
    return Figure(
        "Nights", svg(draw, WIDE), alt, "Bars: what came and could be used. Line: quarantined or abstained.", wide=True
    )
