"""Where inputs ended: a bar for each outcome and reason."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from medray.report.canvas import NEGATIVE, POSITIVE, svg
from medray.report.digits import count


def outcome_bars(outcomes: Mapping[str, int], reasons: Mapping[str, int]) -> bytes:
    """SVG of counts by outcome (blue), then by reason of what was not used (orange)."""
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    bars = [(name, value, NEGATIVE) for name, value in outcomes.items()]
    bars += [(name, value, POSITIVE) for name, value in ranked]

    def draw(axes: Axes) -> None:
        names = [name.replace("_", " ") for name, _, _ in bars]
        values = [value for _, value, _ in bars]
        axes.barh(range(len(bars)), values, color=[colour for _, _, colour in bars], height=0.62)
        axes.set_yticks(range(len(bars)), names)
        axes.invert_yaxis()
        for place, value in enumerate(values):
            axes.annotate(count(value), (value, place), xytext=(5, 0), textcoords="offset points", va="center")
        axes.margins(x=0.12)
        axes.grid(False)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)

    return svg(draw, (9.6, 0.7 + 0.36 * max(len(bars), 1)))
