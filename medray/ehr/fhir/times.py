"""FHIR dates as moments: UTC without a zone; what is less precise stands where it was surely known."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from medray.ehr.fhir.shapes import Json, member

Moment = Callable[[Json], datetime | None]

# FHIR R4 dateTime and instant; seconds, or a zone, are at times left out
_DATE_TIME = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)
_YEAR, _MONTH, _DAY = 4, 7, 10  # characters
_FIRST = {_YEAR: "-01-01", _MONTH: "-01"}  # what `2020` and `2020-03` lack


def first_instant(text: object) -> datetime | None:
    """A dateTime as UTC without a zone (one that has no zone stays as it is), a date at its first
    instant; None: unreadable."""
    if type(text) is not str or not _DATE_TIME.fullmatch(text):
        return None
    try:
        time = datetime.fromisoformat(text + _FIRST.get(len(text), ""))
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):  # 30 February; the year 0 in UTC
        return None


def updated(resource: Json) -> int | None:
    """`meta.lastUpdated` in microseconds since 1970; None where the server does not tell it."""
    time = first_instant(member(resource, "meta").get("lastUpdated"))
    return None if time is None else (time - _EPOCH) // _MICROSECOND


def last_second(text: object) -> datetime | None:
    """The same, but of a day, a month or a year its last second: then it is surely known."""
    time = first_instant(text)
    if time is None or len(str(text)) > _DAY:
        return time
    month = 12 if len(str(text)) == _YEAR else time.month
    day = time.day if len(str(text)) == _DAY else monthrange(time.year, month)[1]
    return datetime(time.year, month, day, 23, 59, 59)


def _told(resource: Json, name: str) -> object:
    """The element; of a Period its end, when it was complete, else its start. None: nothing is told."""
    value = resource.get(name)
    if type(value) is not dict:
        return value
    return value.get("start") if value.get("end") is None else value["end"]


def _first_told(resource: Json, names: tuple[str, ...]) -> object:
    told = (_told(resource, name) for name in names)
    return next((text for text in told if text is not None), None)


def first_of(*names: str) -> Moment:
    """The first of these elements that tells a time; another is no substitute for a damaged one."""
    return lambda resource: last_second(_first_told(resource, names))


def latest_of(*groups: tuple[str, ...]) -> Moment:
    """The latest of what the groups tell, each by its first element that tells a time; None where
    one of them is damaged."""

    def moment(resource: Json) -> datetime | None:
        told = [text for names in groups if (text := _first_told(resource, names)) is not None]
        times = [time for text in told if (time := last_second(text))]
        return max(times, default=None) if len(times) == len(told) else None

    return moment


def start_of_period(resource: Json) -> datetime | None:
    """The start of the element `period`; a start of which only the date is known is not after the end."""
    text, end = member(resource, "period").get("start"), last_second(member(resource, "period").get("end"))
    start = last_second(text)
    if start and end and len(str(text)) <= _DAY:
        return min(start, end)
    return start
