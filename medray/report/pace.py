"""How fast chunks were done, and in how much memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from medray.report.canvas import NEGATIVE, POSITIVE, svg

STEPS = 60  # of the time axis, at most
SHORTEST_S = 1e-3


@dataclass(frozen=True)
class Moment:
    """One chunk, as it was done.

    Attributes:
        seconds: since the run began.
        objects, bytes_read: of the chunk.
        peak_bytes: the most memory that its worker's process had resident until then.
    """

    seconds: float
    objects: int
    bytes_read: int
    peak_bytes: int


def pace(moments: Sequence[Moment]) -> bytes:
    """SVG of megabytes a second over the time of the run, and the mean as a line."""
    edges, rates = rates_over_time(moments)

    def draw(axes: Axes) -> None:
        axes.stairs(rates, edges, fill=True, color=NEGATIVE, alpha=0.35)
        axes.stairs(rates, edges, color=NEGATIVE, linewidth=1.6)
        mean = sum(moment.bytes_read for moment in moments) / 1e6 / edges[-1]
        axes.axhline(mean, color=POSITIVE, linewidth=1.4)
        axes.annotate(
            f"mean {mean:,.1f} MB/s", (edges[-1], mean), xytext=(0, 4), ha="right", textcoords="offset points"
        )
        axes.set(xlabel="seconds", ylabel="MB/s", xlim=(0, edges[-1]), ylim=(0, None))

    return svg(draw)


def rates_over_time(moments: Sequence[Moment]) -> tuple[list[float], list[float]]:
    """Edges in seconds (N + 1) and megabytes a second between them (N, at most 60). What a chunk read
    counts evenly over the time since the chunk before it was done."""
    ends = np.maximum.accumulate([max(moment.seconds, SHORTEST_S) for moment in moments])
    megabytes = np.cumsum([moment.bytes_read / 1e6 for moment in moments])
    edges = np.linspace(0, ends[-1], min(STEPS, len(moments)) + 1)
    done = np.interp(edges, [0, *ends], [0, *megabytes])
    return edges.tolist(), (np.diff(done) / np.diff(edges)).tolist()


def memory_of_chunks(moments: Sequence[Moment]) -> bytes:
    """SVG of the resident memory of the workers, chunk by chunk."""

    def draw(axes: Axes) -> None:
        megabytes = [moment.peak_bytes / 1e6 for moment in moments]
        seconds = [moment.seconds for moment in moments]
        axes.plot(seconds, megabytes, "o", color=NEGATIVE, markersize=5)
        axes.set(xlabel="seconds", ylabel="MB resident at most")
        axes.set(xlim=(0, max(1.04 * max(seconds), SHORTEST_S)), ylim=(0, 1.15 * max(megabytes)))

    return svg(draw)
