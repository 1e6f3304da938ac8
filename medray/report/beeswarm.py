"""What each feature adds in each example: a point an example, a line a feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from medray.report.canvas import INK, NEGATIVE, POSITIVE, saved, styled

LINE_INCHES = 0.36
BINS = 60  # along x; points of one bin stand above each other
HALF = 0.4  # of a line's height that points may take
LONGEST = 38  # characters of a name
UNKNOWN = "#9aa4ae"


@dataclass(frozen=True)
class FeatureAmounts:
    """One feature in many examples.

    Attributes:
        amounts: (N,) what it adds.
        values: (N,) its numbers, NaN where it has none.
    """

    name: str
    amounts: npt.NDArray[Any]
    values: npt.NDArray[Any]

    @property
    def size(self) -> float:
        """Sum of the sizes of its amounts."""
        return float(np.abs(self.amounts).sum())

    @property
    def direction(self) -> float | None:
        """Rank correlation of value and amount; None where values are too few or all alike."""
        known = np.isfinite(self.values)
        if known.sum() < 3:
            return None
        values, amounts = _ranks(self.values[known]), _ranks(self.amounts[known])
        if not values.std() or not amounts.std():
            return None
        return float(np.corrcoef(values, amounts)[0, 1])


def beeswarm(features: Sequence[FeatureAmounts], unit: str) -> bytes:
    """PNG, the first feature on top. Blue points have low values of the feature, orange ones high values,
    by rank; grey ones no number."""
    colours = LinearSegmentedColormap.from_list("value", [NEGATIVE, "#c9b7a8", POSITIVE])
    with styled():
        canvas = Canvas(figsize=(9.0, 1.3 + LINE_INCHES * len(features)))
        axes = canvas.subplots()
        axes.axvline(0, color=INK, linewidth=1.0)
        widest = max((float(np.abs(one.amounts).max()) for one in features if len(one.amounts)), default=1.0) or 1.0
        for line, one in enumerate(features):
            shade = [colours(value) if np.isfinite(value) else to_rgba(UNKNOWN) for value in _shares(one.values)]
            axes.scatter(
                one.amounts, line + _heights(one.amounts / widest), s=11, c=shade, linewidths=0, alpha=0.85, zorder=3
            )
        axes.set_yticks(range(len(features)), [_short(one.name) for one in features], color=INK)
        axes.set(ylim=(len(features) - 0.4, -0.6), xlabel=unit)
        axes.grid(False, axis="x")
        axes.spines["left"].set_visible(False)
        handles = [
            Line2D([], [], marker="o", linestyle="", color=colour, label=words)
            for words, colour in (("low value", NEGATIVE), ("high value", POSITIVE), ("no number", UNKNOWN))
        ]
        axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderpad=0, handletextpad=0)
        return saved(canvas, "png")


def _shares(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Each value's rank from 0 to 1 among the known ones, NaN where there is none."""
    out = np.full(len(values), np.nan)
    known = np.isfinite(values)
    if known.any():
        ranks = _ranks(values[known])
        out[known] = ranks / ranks.max() if ranks.max() else 0.5
    return out


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """From 0; equal values have their middle rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count + 1) / 2)[place]


def _heights(amounts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Where each point stands in its line: points that would cover each other fan out evenly."""
    bins = np.round(amounts * BINS).astype(np.int64)
    most = max(np.unique(bins, return_counts=True)[1].max(initial=1), 12)
    out = np.zeros(len(amounts))
    for one in np.unique(bins):
        (here,) = np.nonzero(bins == one)
        step = np.arange(len(here))
        out[here] = np.where(step % 2, 1, -1) * ((step + 1) // 2) * (2 * HALF / most)
    return out


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
