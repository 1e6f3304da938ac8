"""What was decided: the confusion matrix, and where scores lie on both sides of the threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from medray.report.canvas import INK, NEGATIVE, POSITIVE, QUIET, WIDE, svg
from medray.report.digits import count, percent

SHADES = "Blues"  # up to its middle only: dark ink stays readable on every cell


def confusion_matrix(counts: Sequence[Sequence[int]], names: Sequence[str]) -> bytes:
    """SVG of counts (C, C), row = truth, column = decision, shaded by the share of the row."""
    matrix = np.asarray(counts, np.int64)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    inches = max(4.2, 1.2 + 0.75 * len(names))

    def draw(axes: Axes) -> None:
        axes.imshow(shares, cmap=SHADES, vmin=0.0, vmax=1.8)
        for row, column in np.ndindex(*matrix.shape):
            _count_and_share(axes, row, column, matrix, shares)
        places = range(len(names))
        axes.set_xticks(places, names, rotation=0 if len(names) < 4 else 45)
        axes.set_yticks(places, names)
        axes.set(xlabel="decided", ylabel="truth")
        axes.grid(False)
        axes.spines[:].set_visible(False)

    return svg(draw, (inches, inches * 0.92))


def _count_and_share(
    axes: Axes, row: int, column: int, matrix: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]
) -> None:
    share = float(shares[row, column])
    small = len(matrix) > 3
    axes.text(
        column, row - (0.0 if small else 0.06), count(int(matrix[row, column])),
        ha="center", va="center", color=INK, fontsize=10 if small else 17,
    )  # fmt: skip
    if not small:
        text = f"{percent(share, 1)} of row"
        axes.text(column, row + 0.20, text, ha="center", va="center", color=INK, fontsize=9)


def score_histogram(
    edges: Sequence[float],
    negative: Sequence[int],
    positive: Sequence[int],
    threshold: float | None,
) -> bytes:
    """SVG of scores by truth, each class as a share of itself, with the threshold as a line."""

    def draw(axes: Axes) -> None:
        groups = (("negative", negative, NEGATIVE), ("positive", positive, POSITIVE))
        for name, values, colour in groups:
            total = sum(values)
            shares = np.asarray(values) / max(total, 1)
            axes.stairs(
                shares, np.asarray(edges), fill=True, color=colour, alpha=0.45,
                label=f"{name} ({count(total)})",
            )  # fmt: skip
            axes.stairs(shares, np.asarray(edges), color=colour, linewidth=1.4)
        if threshold is not None:
            _threshold_line(axes, threshold)
        axes.set(xlim=(0, 1), xlabel="score", ylabel="share of the class")
        axes.legend(loc="best")

    return svg(draw, WIDE)


def _threshold_line(axes: Axes, threshold: float) -> None:
    axes.axvline(threshold, color=INK, linewidth=1.2)
    axes.annotate(
        f"threshold {threshold:.3f}", (threshold, 1.0), xycoords=("data", "axes fraction"),
        xytext=(0, 4), textcoords="offset points", fontsize=9,
        ha="right" if threshold > 0.9 else "left" if threshold < 0.1 else "center",
    )  # fmt: skip


def score_shift(
    edges: Sequence[float], tonight: Sequence[int], reference: Sequence[int], name: str, against: str
) -> bytes:
    """SVG of tonight's counts over those of a reference, as shares; edges (B + 1)."""

    def draw(axes: Axes) -> None:
        shares = np.asarray(reference) / max(sum(reference), 1)
        axes.stairs(
            shares, np.asarray(edges), fill=True, color=QUIET, alpha=0.30,
            label=f"{against} ({count(sum(reference))})",
        )  # fmt: skip
        shares = np.asarray(tonight) / max(sum(tonight), 1)
        axes.stairs(
            shares, np.asarray(edges), color=NEGATIVE, linewidth=2.0,
            label=f"tonight ({count(sum(tonight))})",
        )  # fmt: skip
        axes.set(xlim=(min(edges), max(edges)), xlabel=name, ylabel="share")
        axes.legend(loc="best")

    return svg(draw, WIDE)


def category_shift(names: Sequence[str], tonight: Sequence[int], reference: Sequence[int], against: str) -> bytes:
    """SVG of tonight's shares of each category beside those of a reference."""
    places = np.arange(len(names))

    def draw(axes: Axes) -> None:
        shares = [np.asarray(counts) / max(sum(counts), 1) for counts in (reference, tonight)]
        axes.bar(places - 0.2, shares[0], 0.4, color=QUIET, alpha=0.5, label=f"{against} ({count(sum(reference))})")
        axes.bar(places + 0.2, shares[1], 0.4, color=NEGATIVE, label=f"tonight ({count(sum(tonight))})")
        axes.set_xticks(places, names)
        axes.set(ylabel="share")
        axes.legend(loc="best")

    return svg(draw, WIDE)
