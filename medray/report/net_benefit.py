"""A decision curve: what it is worth to treat by the model, over the thresholds one may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from medray.report.canvas import INK, NEGATIVE, POSITIVE, QUIET, WIDE, svg
from medray.report.sections import Figure

Json = Mapping[str, Any]


def decision_figure(label: str, curve: Json) -> Figure:
    """Net benefit of the model, of treating all and of treating none."""
    return Figure(
        "Decision curve",
        net_benefit(curve),
        f"Net benefit of {label} by threshold, against treating all and treating none. {_words(curve)}",
        "Net benefit counts patients rightly treated, less those treated in vain at the weight that the threshold "
        f"says. {_words(curve)} The band is the interval by subject.",
        wide=True,
    )


def net_benefit(curve: Json) -> bytes:
    """SVG of a decision curve."""
    at = np.asarray(curve["thresholds"], float)
    model, everybody = (_lines(curve[name]) for name in ("model", "treat_all"))

    def draw(axes: Axes) -> None:
        axes.axhline(0, color=INK, linewidth=1.0, label="treat none")
        axes.plot(at, everybody[0], color=QUIET, linewidth=1.5, linestyle=(0, (4, 3)), label="treat all")
        axes.fill_between(at, model[1], model[2], color=NEGATIVE, alpha=0.18, linewidth=0)
        axes.plot(at, model[0], color=NEGATIVE, linewidth=2.2, label="treat by the model")
        top = np.nanmax([*model[2], *model[0], 1e-3])
        axes.set(xlim=(at[0], at[-1]), ylim=(-0.25 * top, 1.08 * top))
        axes.set(xlabel="threshold: the probability from which one would treat", ylabel="net benefit")
        axes.legend(loc="upper right")
        _gained(axes, at, curve)

    return svg(draw, WIDE)


def _gained(axes: Axes, at: Any, curve: Json) -> None:
    """A bar below the curves where the model is surely better than both simple policies."""
    for start, end in _ranges(curve):
        axes.plot([at[start], at[end]], [0.02, 0.02], transform=axes.get_xaxis_transform(), color=POSITIVE,
                  linewidth=4, solid_capstyle="butt")  # fmt: skip


def _lines(estimates: Sequence[Json]) -> list[list[float]]:
    return [[np.nan if one[part] is None else one[part] for one in estimates] for part in ("value", "lower", "upper")]


def _ranges(curve: Json) -> list[tuple[int, int]]:
    """Places (first, last) of the runs of thresholds at which the interval of the gain is above 0."""
    sure = [one["lower"] is not None and one["lower"] > 0 for one in curve["gain"]]
    found: list[tuple[int, int]] = []
    for place, here in enumerate(sure):
        if here and found and found[-1][1] == place - 1:
            found[-1] = (found[-1][0], place)
        elif here:
            found.append((place, place))
    return found


def _words(curve: Json) -> str:
    at = curve["thresholds"]
    told = [
        f"from {at[start]:.2f} to {at[end]:.2f}" if end > start else f"at {at[start]:.2f}"
        for start, end in _ranges(curve)
    ]
    if not told:
        return "At no threshold shown is the model surely better than treating all and treating none."
    return f"The model is surely better than both {' and '.join(told)} (orange)."
