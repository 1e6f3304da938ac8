"""What a prediction problem's answers are, from what happened after the prediction times. Pure."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array
from medray.planning.cohorts import Asked
from medray.planning.timelines import MICROSECONDS, Timelines
from medray.recipes.problem import Target

_NEVER = np.iinfo(np.int64).max


def answer(target: Target, asked: Asked, events: Timelines) -> Array:
    """float64 (Q,): the answers, 1 and 0 for "any"; NaN where the archive does not tell.

    The window is (t + gap, t + gap + length], cut at the first `until` event after t. A "no" is
    told only where the window was reached to its end: an event of the subject stands at or after
    it, or an `until` event ended it. Where that event stands in the gap, or at the window's very
    beginning, there is no window and no answer: who dies in the gap has not survived it.
    """
    begin = asked.time + round(target.gap_hours * MICROSECONDS)
    never = np.full(len(begin), _NEVER)
    end = never if target.window_hours is None else begin + round(target.window_hours * MICROSECONDS)
    stop = _first_time(events.of(target.until).timed(), asked) if target.until else never
    wanted = events.of(target.codes).timed()
    first, _ = wanted.first_at_or_after(asked.subject, begin, "right")
    after, _ = wanted.first_at_or_after(asked.subject, np.minimum(end, stop), "right")
    count = np.maximum(after - first, 0)
    if target.take == "any":
        reached, last = events.first_at_or_after(asked.subject, end)
        told = ((reached < last) | (stop < _NEVER)) & (stop > begin)
        return np.where(count > 0, 1.0, np.where(told, 0.0, np.nan))
    if target.take == "hours_to":
        time = wanted.time[np.minimum(first, max(len(wanted.time) - 1, 0))] if len(wanted.time) else asked.time
        return np.where(count > 0, (time - asked.time) / MICROSECONDS, np.nan)
    return _taken(target.take, wanted.value, first, count)


def _first_time(events: Timelines, asked: Asked) -> Array:
    """int64 (Q,): the time of the first event after t, or the end of time."""
    place, end = events.first_at_or_after(asked.subject, asked.time, "right")
    out = np.full(len(place), _NEVER)
    found = place < end
    out[found] = events.time[place[found]]
    return out


def _taken(take: str, values: Array, first: Array, count: Array) -> Array:
    """One number of each run of values; events without a number are passed over."""
    row = np.repeat(np.arange(len(count)), count)
    place = np.repeat(first, count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    known = ~np.isnan(values[place])
    row, value = row[known], values[place[known]].astype(np.float64)
    out = np.full(len(count), np.nan)
    if take == "mean":
        total, many = np.bincount(row, value, len(count)), np.bincount(row, minlength=len(count))
        np.divide(total, many, out=out, where=many > 0)
    elif take == "first":
        out[row[::-1]] = value[::-1]  # the last written stands
    elif take == "last":
        out[row] = value
    else:
        (np.fmin if take == "min" else np.fmax).at(out, row, value)
    return out
