"""Events of one code -> one number, for all codes of a window at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medray.contracts import Array
from medray.families.tabular.config import Take

Which = Literal["all", "numbered", "timed"]


@dataclass(frozen=True)
class Runs:
    """Events sorted by code, those of one code oldest first: a run. E and R may be 0.

    Attributes:
        slot: int64 (E,), ascending: number of the code.
        hours: float64 (E,) before the prediction time; NaN for static facts.
        value: float64 (E,), NaN where there is no number.
        start: int64 (R,), where the run of each code with events begins.
        count: int64 (R,), its events.
    """

    slot: Array
    hours: Array
    value: Array
    start: Array
    count: Array

    @property
    def last(self) -> Array:
        """int64 (R,): the latest event of each run."""
        return self.start + self.count - 1

    def mean(self, values: Array) -> Array:
        """float64 (R,): the mean of (E,) numbers in each run."""
        sums: Array = np.add.reduceat(values, self.start)
        return sums / self.count

    def centred(self, values: Array) -> Array:
        """float64 (E,): numbers less the mean of their run."""
        means: Array = np.repeat(self.mean(values), self.count)
        return values - means


def runs(slot: Array, hours: Array, value: Array) -> Runs:
    """The runs of events that are sorted already."""
    start = np.flatnonzero(np.diff(slot, prepend=-1))
    return Runs(slot, hours, value, start, np.diff(start, append=len(slot)))


def select(events: Runs, lookback: float | None, which: Which) -> Runs:
    """The events that count.

    Args:
        lookback: hours before the prediction time; a limit leaves static facts out.
        which: "all", those with a finite value ("numbered"), of these those with a time ("timed").
    """
    keep = np.ones(len(events.slot), dtype=bool) if lookback is None else events.hours <= lookback
    if which != "all":
        keep &= np.isfinite(events.value)
    if which == "timed":
        keep &= np.isfinite(events.hours)
    return runs(events.slot[keep], events.hours[keep], events.value[keep])


def slope(events: Runs) -> Array:
    """Change of value per hour by least squares; NaN where all events are of one time."""
    time = events.centred(-events.hours)
    spread = np.add.reduceat(time * time, events.start)
    product = np.add.reduceat(time * events.centred(events.value), events.start)
    return product / np.where(spread > 0.0, spread, np.nan)


# which events count, and the number of each run
TAKES: dict[Take, tuple[Which, Callable[[Runs], Array]]] = {
    "last": ("numbered", lambda events: events.value[events.last]),
    "first": ("numbered", lambda events: events.value[events.start]),
    "mean": ("numbered", lambda events: events.mean(events.value)),
    "min": ("numbered", lambda events: np.minimum.reduceat(events.value, events.start)),
    "max": ("numbered", lambda events: np.maximum.reduceat(events.value, events.start)),
    "slope": ("timed", slope),
    "count": ("all", lambda events: events.count),
    "hours_since": ("all", lambda events: events.hours[events.last]),
}
