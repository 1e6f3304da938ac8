"""What was known at a prediction time: the one place where the future is cut off. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medray.contracts import Array, Window
from medray.ops.segments import bounds
from medray.planning.cohorts import Asked
from medray.planning.timelines import MICROSECONDS, STATIC, Timelines


def observed(asked: Asked, events: Timelines, observe_hours: float | None) -> tuple[Array, Array, Array, Array]:
    """For each input the places of its static facts [a, b) and of its timed events [c, d).

    Timed events lie in [t - observe_hours, t]; without a time none does.
    """
    static, end = bounds(events.subject, asked.subject)
    timed, _ = events.first_at_or_after(asked.subject, np.full(len(asked.time), STATIC), "right")
    timeless = asked.time == STATIC
    back = 0 if observe_hours is None else round(observe_hours * MICROSECONDS)
    begin = np.where(timeless | (observe_hours is None), STATIC + 1, asked.time - back)
    first, _ = events.first_at_or_after(asked.subject, begin)
    last, _ = events.first_at_or_after(asked.subject, asked.time, "right")
    last = np.where(timeless, first, np.minimum(last, end))
    return static, timed, np.minimum(first, last), last


def count_observed(asked: Asked, events: Timelines, observe_hours: float | None) -> Array:
    """int64 (Q,): static facts and timed events of each input's window."""
    static, timed, first, last = observed(asked, events, observe_hours)
    return np.asarray(timed - static + last - first)


def windows(asked: Asked, events: Timelines, ids: Array, observe_hours: float | None) -> Iterator[Window]:
    """The window of each input, in order.

    Args:
        ids: int64 (N,), the code id of each event (that of `code//text` where it has a text and no number).
    """
    hours = np.full(len(events.time), np.nan)
    for time, (a, b, c, d) in zip(asked.time, np.stack(observed(asked, events, observe_hours), axis=1), strict=True):
        before = (time - events.time[c:d]) / MICROSECONDS
        yield Window(
            code=np.r_[ids[a:b], ids[c:d]],
            hours=np.r_[hours[a:b], before].astype(np.float32),
            value=np.r_[events.value[a:b], events.value[c:d]],
        )
