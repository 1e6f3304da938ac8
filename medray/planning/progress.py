"""How far a run has come, how fast, and whether it still moves. Pure: facts and a clock in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_RECENT = 20  # outputs by which the pace is measured: an earlier attempt's pause is left behind
_QUIET_S = 600.0  # a run that is slower than this between two outputs has shown so
_PATIENCE = 5.0  # of its own pace


@dataclass(frozen=True)
class Traces:
    """What an open plan has left in the lake.

    Attributes:
        unit: what is counted: "chunks", "buckets", "shards", "epochs", "trainings", "links".
        total: of them in all; None where it is not known yet.
        times: when each of those that are done was done, in any order.
        moved: a later sign of life, where there is one.
    """

    unit: str
    total: int | None
    times: Sequence[datetime]
    moved: datetime | None = None


@dataclass(frozen=True)
class Progress:
    """Attributes:
    done, total, unit: as counted.
    per_minute: the pace of the last 20; None while fewer than two are done.
    left_s: time left at this pace; None where pace or total are not known.
    quiet_s: since it last made progress, or since it was planned.
    state: "moving", or "quiet": nothing for five times as long as its pace explains, and for ten minutes.
    """

    done: int
    total: int | None
    unit: str
    per_minute: float | None
    left_s: float | None
    quiet_s: float
    state: str

    @property
    def words(self) -> str:
        of = f"{self.done:,}" if self.total is None else f"{self.done:,} of {self.total:,}"
        return f"{of} {self.unit}"


def progress(traces: Traces, planned_at: datetime, now: datetime) -> Progress:
    """The progress of one open plan."""
    times = sorted(traces.times)
    done, last = len(times), max([planned_at, *times[-1:], *([traces.moved] if traces.moved else [])])
    recent = times[-_RECENT:]
    seconds = (recent[-1] - recent[0]).total_seconds() if len(recent) > 1 else 0.0
    pace = (len(recent) - 1) / seconds if seconds > 0 else None
    left = None
    if pace is not None and traces.total is not None:
        left = max(traces.total - done, 0) / pace
    quiet = max((now - last).total_seconds(), 0.0)
    waits = max(_QUIET_S, _PATIENCE / pace if pace else 0.0)
    return Progress(
        done=done,
        total=traces.total,
        unit=traces.unit,
        per_minute=None if pace is None else pace * 60,
        left_s=left,
        quiet_s=quiet,
        state="quiet" if quiet > waits else "moving",
    )


def lasting(seconds: float | None) -> str:
    """Seconds in words of two units at most; "-" where it is not known."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    for size, unit, next_size, next_unit in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            more = whole % size // next_size
            return f"{whole // size} {unit}" + (f" {more} {next_unit}" if more else "")
    return f"{whole} s"
