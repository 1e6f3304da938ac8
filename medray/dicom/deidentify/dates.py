"""Dates moved by whole days, as text (PS3.5 6.2: DA, TM, DT and an offset from UTC).

What cannot be read as a date is emptied: it could be anything.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from medray.dicom.deidentify.remembered import remembered

_DATE = re.compile(rb"(\d{4})\.?(\d{2})\.?(\d{2})")
_DATE_TIME = re.compile(rb"(\d{8})(\d{0,6}(?:\.\d{1,6})?)([+-]\d{4})?")
_TIME = re.compile(rb"\d{2}:?(\d{2}(:?\d{2}(\.\d{1,6})?)?)?")
_OFFSET = re.compile(rb"[+-]\d{4}")
_PADDING = b" \0"


@remembered
def moved_date(value: bytes, days: int) -> bytes:
    """A DA value moved back by `days`, YYYYMMDD; every unreadable value of several is empty."""
    return b"\\".join(_date(part.strip(_PADDING), days) for part in value.split(b"\\"))


@remembered
def moved_date_time(value: bytes, days: int) -> bytes:
    """A DT value with its date moved back by `days`. One without a day cannot be moved by days, and is
    empty."""
    return b"\\".join(_date_time(part.strip(_PADDING), days) for part in value.split(b"\\"))


@remembered
def time_of_day(value: bytes) -> bytes:
    """A TM value as it is; every value that is no time is empty."""
    return _all(_TIME, value)


def utc_offset(value: bytes) -> bytes:
    """An offset from UTC as it is, empty where it is none."""
    return _all(_OFFSET, value)


def _all(form: re.Pattern[bytes], value: bytes) -> bytes:
    parts = [part.strip(_PADDING) for part in value.split(b"\\")]
    return value if all(map(form.fullmatch, parts)) else b"\\".join(part * bool(form.fullmatch(part)) for part in parts)


def _date(part: bytes, days: int) -> bytes:
    found = _DATE.fullmatch(part)
    if found is None:
        return b""
    try:
        year, month, day = map(int, found.groups())
        return (date(year, month, day) - timedelta(days=days)).strftime("%Y%m%d").rjust(8, "0").encode()
    except (ValueError, OverflowError):
        return b""


def _date_time(part: bytes, days: int) -> bytes:
    found = _DATE_TIME.fullmatch(part)
    if found is None:
        return b""
    day, clock, offset = found.groups()
    moved = _date(day, days)
    return moved and moved + clock + (offset or b"")
