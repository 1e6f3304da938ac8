"""Figures of a cross-validation: a metric by fold and seed, ROC curves and losses by fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from medray.report.canvas import INK, NEGATIVE, POSITIVE, QUIET, saved, styled, svg, unit_square

COLOURS = (NEGATIVE, POSITIVE, "#5b8c5a", "#8b6aa8", "#c2a13b", QUIET)
MARKS = "osD^vP"  # seeds are told apart without colour too
PER_ROW = 5


def by_fold(found: Mapping[str, Any], name: str, seeds: Sequence[int]) -> bytes:
    """SVG of a metric of each fold, one mark a seed; the line is the mean of the pooled metric, the band its
    interval.

    Args:
        found: `value`, `lower`, `upper` and `by_fold` [S][K] of one metric; None where not defined.
    """

    def draw(axes: Axes) -> None:
        if found["lower"] is not None:
            axes.axhspan(found["lower"], found["upper"], color=QUIET, alpha=0.15, linewidth=0)
        if found["value"] is not None:
            axes.axhline(found["value"], color=INK, linewidth=1.0, linestyle=(0, (4, 4)))
        count = len(found["by_fold"][0])
        for place, (seed, values) in enumerate(zip(seeds, found["by_fold"], strict=True)):
            shift = 0.5 * ((place + 0.5) / len(seeds) - 0.5)
            y = [np.nan if value is None else value for value in values]
            axes.plot(
                np.arange(1, count + 1) + shift, y, MARKS[place % len(MARKS)], color=_colour(place), markersize=7,
                markeredgecolor="white", label=f"seed {seed}",
            )  # fmt: skip
        axes.set(xlabel="fold", ylabel=name, xlim=(0.5, count + 0.5))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(ncols=min(len(seeds), 6), loc="best")

    return svg(draw, (9.0, 3.4))


def roc_by_fold(curves: Sequence[Mapping[str, Sequence[float]]]) -> bytes:
    """SVG of one ROC curve a fold; a fold with one class only has none."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (4, 4)))
        for place, curve in enumerate(curves):
            if curve["x"]:
                axes.plot(curve["x"], curve["y"], color=_colour(place), linewidth=1.5, label=f"fold {place + 1}")
        unit_square(axes, "1 \N{MINUS SIGN} specificity (false positive rate)", "sensitivity")
        axes.legend(loc="lower right")

    return svg(draw)


def losses_by_fold(curves: Mapping[str, Sequence[Sequence[Mapping[str, float]]]]) -> bytes:
    """SVG of one panel a fold, all on one scale: training loss dashed, tuning loss whole, one colour a seed.

    Args:
        curves: seed -> fold -> epochs with `epoch`, `loss` and `tuning_loss`.
    """
    folds = len(next(iter(curves.values())))
    rows, columns = -(-folds // PER_ROW), min(folds, PER_ROW)
    with styled():
        canvas = Canvas(figsize=(9.0, 2.5 * rows + 0.3))
        grid = canvas.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for number, axes in enumerate(grid):
            if number < folds:
                _losses(axes, number, curves)
            else:
                axes.set_visible(False)
        grid[0].set_ylabel("loss")
        grid[0].legend(fontsize=7)
        return saved(canvas, "svg")


def _losses(axes: Axes, fold: int, curves: Mapping[str, Sequence[Sequence[Mapping[str, float]]]]) -> None:
    for place, (seed, folds) in enumerate(curves.items()):
        epochs = [record["epoch"] for record in folds[fold]]
        axes.plot(epochs, [record["loss"] for record in folds[fold]], "--", color=_colour(place), linewidth=0.9)
        axes.plot(
            epochs, [record["tuning_loss"] for record in folds[fold]], "-", color=_colour(place), linewidth=1.5,
            label=f"seed {seed}",
        )  # fmt: skip
    axes.set_title(f"fold {fold + 1}", fontsize=9)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]
