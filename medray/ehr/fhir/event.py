"""One candidate event of a resource, as the columns of `RECORDS` want it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple


class Head(NamedTuple):
    """What all events of a resource share: its type, whose it is, its own id, when the server last
    changed it (microseconds since 1970), its encounter's id."""

    kind: str
    subject: str | None
    record: str | None
    version: int | None
    encounter: str | None


class Event(NamedTuple):
    """The columns of `RECORDS` but `row`, in their order."""

    subject: str | None
    time: datetime | None
    code: str | None
    numeric_value: float | None
    text_value: str | None
    unit: str | None
    record: str | None
    version: int | None
    encounter: str | None
    defines_encounter: bool
    withdrawn: bool
    reason: str | None


class Value(NamedTuple):
    """What was found; all None: the fact itself is all there is."""

    number: float | None = None
    text: str | None = None
    unit: str | None = None
    reason: str | None = None


BARE = Value()


def fact(head: Head, code: str) -> Event:
    """A static fact: it has no time."""
    return Event(head.subject, None, code, None, None, None, head.record, head.version, None, False, False, None)


def timed(
    head: Head, code: str | None, time: datetime | None, value: Value = BARE, defines_encounter: bool = False
) -> Event:
    """An event, or why it is none: without a code, without a time that can be read, not a number."""
    reason = "no_code" if code is None else "unreadable_time" if time is None else value.reason
    return Event(
        head.subject, time, code, value.number, value.text, value.unit, head.record, head.version,
        head.encounter, defines_encounter, False, reason,
    )  # fmt: skip


def taken_back(head: Head, code: str | None, time: datetime | None) -> Event:
    """Takes back what an earlier version of the record said. Without an id there is none to take back."""
    reason = None if head.record else "entered_in_error"
    return Event(
        head.subject, time, code or head.kind, None, None, None, head.record, head.version, head.encounter,
        False, True, reason,
    )  # fmt: skip


def emptied(head: Head, found: Sequence[Event | None]) -> list[Event | None]:
    """The candidates of a resource. Where none can be used, the first that is refused, else the first
    that holds nothing, takes back what an earlier version of the record said."""
    if head.record is None or any(event is not None and event.reason is None for event in found):
        return list(found)
    place = next((place for place, event in enumerate(found) if event is not None), 0)
    lost = found[place]
    reason = "empty" if lost is None or lost.reason is None else lost.reason
    taking = Event(
        head.subject, None, head.kind, None, None, None, head.record, head.version, None, False, True, reason
    )
    return [*found[:place], taking, *found[place + 1 :]]


def refused(reason: str) -> Event:
    """A line that is no resource."""
    return Event(None, None, None, None, None, None, None, None, None, False, False, reason)
