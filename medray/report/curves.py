"""Curves of one yes-or-no answer: ROC, precision against recall, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from medray.report.canvas import INK, NEGATIVE, POSITIVE, QUIET, saved, styled, svg, unit_square

Points = Mapping[str, Sequence[float]]

PLATE = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.0}  # words stay readable over lines


def roc_curve(curve: Points, sensitivity: float | None, specificity: float | None) -> bytes:
    """SVG of sensitivity against false positive rate, with the point of the stored threshold."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (4, 4)))
        axes.fill_between(curve["x"], curve["y"], color=NEGATIVE, alpha=0.10, linewidth=0)
        axes.plot(curve["x"], curve["y"], color=NEGATIVE, linewidth=2.0)
        if sensitivity is not None and specificity is not None:
            _operating_point(axes, 1 - specificity, sensitivity)
        unit_square(axes, "1 \N{MINUS SIGN} specificity (false positive rate)", "sensitivity")

    return svg(draw)


def precision_recall_curve(
    curve: Points, prevalence: float | None, recall: float | None, precision: float | None
) -> bytes:
    """SVG of precision against recall, with the prevalence as the line to beat."""

    def draw(axes: Axes) -> None:
        if prevalence is not None:
            axes.axhline(prevalence, color=QUIET, linewidth=0.9, linestyle=(0, (4, 4)))
            axes.annotate(
                f"prevalence {prevalence:.3f}", (0.02, prevalence), xytext=(0, 4),
                textcoords="offset points", color=QUIET, fontsize=9, bbox=PLATE,
            )  # fmt: skip
        axes.step(curve["x"], curve["y"], where="pre", color=NEGATIVE, linewidth=2.0)
        if recall is not None and precision is not None:
            _operating_point(axes, recall, precision)
        unit_square(axes, "sensitivity (recall)", "PPV (precision)")

    return svg(draw)


def _operating_point(axes: Axes, x: float, y: float) -> None:
    axes.plot([x], [y], "o", color=POSITIVE, markersize=8, markeredgecolor="white", zorder=5)
    right, low = x > 0.6, y < 0.15
    axes.annotate(
        "stored threshold", (x, y), xytext=(-10 if right else 10, 9 if low else -14), fontsize=9, color=INK,
        textcoords="offset points", ha="right" if right else "left", bbox=PLATE,
    )  # fmt: skip


def calibration_curve(
    reliability: Mapping[str, Any], histogram: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> bytes:
    """SVG of the share of positives against the mean score, by bin, above a histogram of scores; `before`
    is the reliability of the raw scores."""
    with styled():
        canvas = Canvas(figsize=(4.6, 4.5))
        top, bottom = canvas.subplots(2, 1, height_ratios=[4, 1], sharex=True)
        top.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (4, 4)))
        if before is not None:
            x, y = _numbers(before["mean_score"]), _numbers(before["observed"])
            top.plot(x, y, "--o", color=QUIET, linewidth=1.0, markersize=5, markerfacecolor="white", label="before")
        _reliability_points(top, reliability, "after" if before is not None else None)
        top.set(xlim=(-0.01, 1.01), ylim=(-0.03, 1.03), ylabel="share of positives")
        if before is not None:
            top.legend(loc="upper left")
        edges = np.asarray(histogram["edges"], float)
        counts = np.add(histogram["negative"], histogram["positive"])
        bottom.bar(edges[:-1], counts, np.diff(edges), align="edge", color=QUIET, alpha=0.6)
        bottom.set(xlabel="score", ylabel="examples")
        return saved(canvas, "svg")


def _reliability_points(axes: Axes, reliability: Mapping[str, Any], label: str | None) -> None:
    names = ("mean_score", "observed", "lower", "upper")
    x, y, lower, upper = (_numbers(reliability[name]) for name in names)
    for at, low, high in zip(x, lower, upper, strict=True):
        axes.plot([at, at], [low, high], color=NEGATIVE, linewidth=1.4, alpha=0.55)
    axes.plot(x, y, "-o", color=NEGATIVE, linewidth=1.4, markersize=6, markeredgecolor="white", label=label)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in values]
