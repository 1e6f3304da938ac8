"""Single header values, typed and checked. Nothing here returns free text except `text`, whose
callers put it through a keyed hash."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from medray.dicom.header import Header
from medray.errors import Unusable

UID = re.compile(r"[0-9]+(\.[0-9]+)+")
DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")


def numbers(header: Header, keyword: str) -> tuple[float, ...]:
    """All values as finite floats.

    Raises:
        Unusable: bad_pixel_header when one is not a finite number.
    """
    found = header.values(keyword)
    try:
        converted = tuple(float(value) for value in found)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise Unusable("bad_pixel_header", f"{keyword} is no number") from error
    if not all(map(math.isfinite, converted)):
        raise Unusable("bad_pixel_header", f"{keyword} is not finite")
    return converted


def number(header: Header, keyword: str) -> float | None:
    """The first value as a float, None when absent. Raises as `numbers`."""
    return next(iter(numbers(header, keyword)), None)


def integer(header: Header, keyword: str) -> int | None:
    """The first value as an integer, None when absent. Raises as `numbers`."""
    found = number(header, keyword)
    if found is not None and not found.is_integer():
        raise Unusable("bad_pixel_header", f"{keyword} is no integer")
    return None if found is None else int(found)


def term(header: Header, keyword: str, allowed: Iterable[str]) -> str | None:
    """The first value when it is one of the `allowed` words, else None."""
    found = _words(header, keyword)
    return found[0] if found and found[0] in allowed else None


def terms(header: Header, keyword: str, allowed: Iterable[str]) -> list[str | None] | None:
    """Every value, each None when it is not one of the `allowed` words; None when absent."""
    return [word if word in allowed else None for word in _words(header, keyword)] or None


def uid(header: Header, keyword: str) -> str | None:
    """The value when it is a UID of PS3.5 section 9, else None."""
    found = text(header, keyword)
    return found if UID.fullmatch(found) and len(found) <= 64 else None


def text(header: Header, keyword: str) -> str:
    """The value as the header has it, without padding; "" when absent. Identifying."""
    return "\\".join(_words(header, keyword))


def moment(header: Header, date_keyword: str, time_keyword: str) -> datetime | None:
    """Date and time of an event; midnight when only its time is unknown, None without a date."""
    day = DATE.fullmatch(text(header, date_keyword))
    if day is None:
        return None
    clock = TIME.fullmatch(text(header, time_keyword))
    hour, minute, second, fraction = clock.groups() if clock else ("0", None, None, None)
    try:
        date = datetime(*(int(part) for part in day.groups()))  # type: ignore[arg-type]
        return date + timedelta(
            hours=int(hour),
            minutes=int(minute or 0),
            seconds=int(second or 0),
            microseconds=int((fraction or "0").ljust(6, "0")),
        )
    except (ValueError, OverflowError):
        return None


def _words(header: Header, keyword: str) -> list[str]:
    try:
        found = header.values(keyword)
    except Unusable:
        return []
    return [str(value).strip("\0 ") for value in found]
