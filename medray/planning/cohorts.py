"""Which subjects a prediction problem asks about, and at which times. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from medray.contracts import Array
from medray.ops.segments import bounds
from medray.planning.timelines import MICROSECONDS, STATIC, Timelines
from medray.recipes.problem import EveryCohort, Problem, SubjectCohort, TriggerCohort


@dataclass(frozen=True)
class Asked:
    """Q inputs of a problem, by subject and time.

    Attributes:
        subject: int64 (Q,).
        time: int64 (Q,), microseconds since 1970; `STATIC` where the input has no time.
    """

    subject: Array
    time: Array


def ask(problem: Problem, events: Timelines) -> Asked:
    """The inputs of a problem for some subjects, whose whole record is given."""
    cohort = problem.cohort
    if isinstance(cohort, SubjectCohort):
        subjects = np.unique(events.subject)
        return Asked(subjects, np.full(len(subjects), STATIC, np.int64))
    asked = _triggered(cohort, events) if isinstance(cohort, TriggerCohort) else _repeated(cohort, events)
    places = np.unique(np.stack([asked.subject, asked.time]), axis=1)
    return Asked(places[0], places[1])


def _triggered(cohort: TriggerCohort, events: Timelines) -> Asked:
    trigger = events.of(cohort.codes).timed()
    if cohort.which == "first":
        trigger = trigger.where(_first_of_each(trigger.subject))
    time = trigger.time + _microseconds(cohort.after_hours)
    kept = ~_happens(events, cohort.unless, trigger.subject, trigger.time, time)
    if cohort.reached == "observed":
        place, end = events.first_at_or_after(trigger.subject, time)
        kept &= place < end
    return Asked(trigger.subject[kept], time[kept])


def _repeated(cohort: EveryCohort, events: Timelines) -> Asked:
    trigger = events.of(cohort.codes).timed()
    trigger = trigger.where(_first_of_each(trigger.subject))
    start = trigger.time + _microseconds(cohort.after_hours)
    last = events.time[bounds(events.subject, trigger.subject)[1] - 1]
    if cohort.until:
        ends = events.of(cohort.until).timed()
        place, end = ends.first_at_or_after(trigger.subject, trigger.time)
        found = place < end
        last[found] = np.minimum(last[found], ends.time[place[found]])
    step = _microseconds(cohort.every_hours)
    count = np.maximum((last - start) // step + 1, 0)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return Asked(np.repeat(trigger.subject, count), np.repeat(start, count) + number * step)


def _first_of_each(subjects: Array) -> Array:
    first: Array = np.r_[True, subjects[1:] != subjects[:-1]][: len(subjects)]
    return first


def _happens(events: Timelines, codes: Collection[str], subject: Array, begin: Array, end: Array) -> Array:
    """bool (Q,): an event of these codes in [begin, end]."""
    if not codes:
        return np.zeros(len(subject), bool)
    found = events.of(codes).timed()
    first, _ = found.first_at_or_after(subject, begin)
    after, _ = found.first_at_or_after(subject, end, "right")
    return np.asarray(first < after)


def _microseconds(hours: float) -> int:
    return round(hours * MICROSECONDS)
