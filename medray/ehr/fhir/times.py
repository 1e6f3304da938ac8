"""FHIR dates as moments: UTC without a zone, the first instant where the precision is less."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from medray.ehr.fhir.shapes import Json, member

# FHIR R4 dateTime and instant; seconds, or a zone, are at times left out
_DATE_TIME = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)
_FIRST = {4: "-01-01", 7: "-01"}  # what `2020` and `2020-03` lack


def moment(text: object) -> datetime | None:
    """A dateTime as UTC without a zone (one that has no zone stays as it is); None: unreadable."""
    if type(text) is not str or not _DATE_TIME.fullmatch(text):
        return None
    try:
        time = datetime.fromisoformat(text + _FIRST.get(len(text), ""))
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):  # 30 February; the year 0 in UTC
        return None


def updated(resource: Json) -> int | None:
    """`meta.lastUpdated` in microseconds since 1970; None where the server does not tell it."""
    time = moment(member(resource, "meta").get("lastUpdated"))
    return None if time is None else (time - _EPOCH) // _MICROSECOND


def first_moment(resource: Json, names: tuple[str, ...]) -> datetime | None:
    """The first of these elements that the resource has; of a Period its start."""
    for name in names:
        if (value := resource.get(name)) is not None:
            return moment(value.get("start") if type(value) is dict else value)
    return None
