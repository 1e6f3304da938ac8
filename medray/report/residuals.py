"""Figures of one predicted number: against the truth, its errors, its prediction intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from medray.report.canvas import NEGATIVE, QUIET, saved, styled, svg

DASHES = (0, (4, 4))
PALEST = 0.3  # of the colour map: a cell with one example is seen


def truth_and_prediction(plane: Mapping[str, Any]) -> bytes:
    """SVG of predictions against truths, in cells that are darker the more examples they hold."""
    edges = np.asarray(plane["edges"], float)
    count = np.zeros((len(edges) - 1, len(edges) - 1))
    count[plane["predicted"], plane["truth"]] = plane["count"]
    share = np.log1p(count) / np.log1p(max(count.max(), 10.0))
    shade = np.ma.masked_where(count == 0, PALEST + (1 - PALEST) * share)
    ends = (edges[0], edges[-1])

    def draw(axes: Axes) -> None:
        axes.imshow(
            shade, cmap=colormaps["Blues"], vmin=0.0, vmax=1.0, origin="lower", extent=(*ends, *ends),
            interpolation="nearest", zorder=1,
        )  # fmt: skip
        axes.plot(ends, ends, color=QUIET, linewidth=0.9, linestyle=DASHES, zorder=2)
        axes.set(xlabel="truth", ylabel="prediction")

    return svg(draw)


def errors_and_coverage(bins: Mapping[str, Any], width: float | None, nominal: float) -> bytes:
    """SVG over the prediction: mean error and nine errors of ten by bin, between the mean ends of
    the prediction interval; below, the share of truths inside it, with the share that was asked."""
    with styled():
        canvas = Canvas(figsize=(4.6, 4.5))
        if width is None:
            _errors(canvas.subplots(), bins, width).set(xlabel="prediction")
        else:
            top, bottom = canvas.subplots(2, 1, height_ratios=[3, 2], sharex=True)
            _errors(top, bins, width)
            bottom.axhline(nominal, color=QUIET, linewidth=0.9, linestyle=DASHES)
            _dots_and_bars(bottom, bins, ("coverage", "coverage_lower", "coverage_upper"))
            bottom.set(xlabel="prediction", ylabel="share inside", ylim=(-0.04, 1.04))
        return saved(canvas, "svg")


def _errors(axes: Axes, bins: Mapping[str, Any], width: float | None) -> Axes:
    axes.axhline(0, color=QUIET, linewidth=0.9)
    if width is not None:
        for end in (-width / 2, width / 2):
            axes.axhline(end, color=QUIET, linewidth=0.9, linestyle=DASHES)
        axes.annotate(
            "prediction interval", (0.01, width / 2), xycoords=("axes fraction", "data"), xytext=(0, 4),
            textcoords="offset points", color=QUIET, fontsize=9,
        )  # fmt: skip
    _dots_and_bars(axes, bins, ("mean_error", "error_low", "error_high"))
    axes.set(ylabel="prediction \N{MINUS SIGN} truth")
    axes.margins(y=0.12)
    return axes


def _dots_and_bars(axes: Axes, bins: Mapping[str, Any], names: tuple[str, str, str]) -> None:
    middle, low, high = (_numbers(bins[name]) for name in names)
    at = _numbers(bins["mean_prediction"])
    axes.vlines(at, low, high, color=NEGATIVE, linewidth=1.4, alpha=0.55)
    axes.plot(at, middle, "o", color=NEGATIVE, markersize=6, markeredgecolor="white")


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in values]
