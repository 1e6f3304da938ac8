"""Figures of one predicted number: against the truth, its errors, its prediction intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from medray.report.canvas import NEGATIVE, QUIET, svg

DASHES = (0, (4, 4))


def truth_and_prediction(plane: Mapping[str, Any]) -> bytes:
    """SVG of predictions against truths, a dot for each cell that holds any, darker with more."""
    edges = np.asarray(plane["edges"], float)
    middle = (edges[:-1] + edges[1:]) / 2
    count = np.asarray(plane["count"], float)
    share = np.log1p(count) / np.log1p(max(count.max(initial=1.0), 10.0))

    def draw(axes: Axes) -> None:
        axes.plot(edges[[0, -1]], edges[[0, -1]], color=QUIET, linewidth=0.9, linestyle=DASHES)
        axes.scatter(
            middle[np.asarray(plane["truth"], int)], middle[np.asarray(plane["predicted"], int)],
            s=11, c=colormaps["Blues"](0.35 + 0.65 * share), linewidth=0,
        )  # fmt: skip
        border = 0.02 * (edges[-1] - edges[0])
        limits = (edges[0] - border, edges[-1] + border)
        axes.set(xlim=limits, ylim=limits, xlabel="truth", ylabel="prediction", aspect="equal")

    return svg(draw)


def errors(bins: Mapping[str, Any], width: float | None) -> bytes:
    """SVG of mean error and its middle 90% by bin, between the mean ends of the prediction interval."""

    def draw(axes: Axes) -> None:
        axes.axhline(0, color=QUIET, linewidth=0.9)
        if width is not None:
            for end in (-width / 2, width / 2):
                axes.axhline(end, color=QUIET, linewidth=0.9, linestyle=DASHES)
            axes.annotate(
                "prediction interval", (0.01, width / 2), xycoords=("axes fraction", "data"), xytext=(0, 4),
                textcoords="offset points", color=QUIET, fontsize=9,
            )  # fmt: skip
        _dots_and_bars(axes, bins, ("mean_error", "error_low", "error_high"))
        axes.set(xlabel="prediction", ylabel="prediction \N{MINUS SIGN} truth")

    return svg(draw)


def coverage(bins: Mapping[str, Any], nominal: float) -> bytes:
    """SVG of the share of truths inside their interval by bin, with the share that was asked."""

    def draw(axes: Axes) -> None:
        axes.axhline(nominal, color=QUIET, linewidth=0.9, linestyle=DASHES)
        _dots_and_bars(axes, bins, ("coverage", "coverage_lower", "coverage_upper"))
        axes.set(xlabel="prediction", ylabel="share inside the interval", ylim=(-0.02, 1.02))

    return svg(draw)


def _dots_and_bars(axes: Axes, bins: Mapping[str, Any], names: tuple[str, str, str]) -> None:
    middle, low, high = (_numbers(bins[name]) for name in names)
    at = _numbers(bins["mean_prediction"])
    axes.vlines(at, low, high, color=NEGATIVE, linewidth=1.4, alpha=0.55)
    axes.plot(at, middle, "o", color=NEGATIVE, markersize=6, markeredgecolor="white")


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in values]
