"""What was known at a prediction time: the one place where the future is cut off. Pure.

Timed events are cut off by their time. A static fact has none, so that one of a target's codes ("died",
without a date) could be the answer itself: no window holds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from medray.contracts import Array, Window
from medray.errors import PlanError
from medray.ops.segments import bounds
from medray.planning.cohorts import Asked
from medray.planning.timelines import MICROSECONDS, STATIC, Timelines, matches
from medray.recipes.problem import Problem


def may_be_known(problem: Problem, names: Collection[str], code: Array, time: Array) -> Array:
    """bool (N,): the events that windows may hold: all but static facts of codes that answer, or that end
    the window in which the answer lies.

    Args:
        code: int (N,), places in `names`.
        time: int64 (N,), `STATIC` for static facts.
    """
    answering = [one for target in problem.targets.values() for one in (*target.codes, *target.until)]
    told = np.array([matches(name, answering) for name in names], bool)
    return np.asarray((time != STATIC) | ~told[code] if len(told) else np.ones(len(code), bool))


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
        if len(before) and before.min() < 0:
            raise PlanError(
                "the window of an input",
                "an event after its prediction time",
                "what was known then",
                "report it: no recipe may lead to this",
            )
        yield Window(
            code=np.r_[ids[a:b], ids[c:d]],
            hours=np.r_[hours[a:b], before].astype(np.float32),
            value=np.r_[events.value[a:b], events.value[c:d]],
        )
