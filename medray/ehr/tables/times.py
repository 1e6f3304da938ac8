"""Cells to times: naive UTC or local as the file has it, microseconds.

What has only a date is known when the day is over: it stands at its last second, so that nobody sees
it earlier the same day, or at its first instant where the recipe says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.ehr.tables.cells import read_cells, text_of
from medray.ehr.tables.config import Instant, TimeColumn, TimeParts
from medray.ehr.tables.numbers import numbers

TIME = pa.timestamp("us")
_REGULAR = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
# Python takes any character between date and time: milliseconds since 1970 would be the year 1512
_ISO = re.compile(r"[0-9]{4}(-?[0-9]{2}-?[0-9]{2}|-?W[0-9]{2}(-?[0-9])?)([T ]|$)")
_DAY = 86400 * 10**6
_MICROSECONDS = {"milliseconds": 1000, "seconds": 10**6, "minutes": 60 * 10**6, "hours": 3600 * 10**6, "days": _DAY}
_DATE_CHARACTERS = 10  # of the longest date, 2101-10-20; the shortest time, 20211020T19, has one more
_FIRST = pa.scalar(datetime(2, 1, 1), TIME)  # a patient's shift moves a time back by less than a year
_LAST = pa.scalar(datetime(9999, 12, 31, 23, 59, 59, 999999), TIME)


def first_times(
    ways: Sequence[TimeColumn | TimeParts], cells: Mapping[str, pa.Array], dates: Instant
) -> tuple[pa.Array, pa.Array]:
    """For each row the time in the first way whose cell is not null, and whether that cell cannot
    be read (the time is null then: another column is no substitute for a damaged one). `dates`:
    where those stand that have no time of day, unless the way says otherwise."""
    found, bad = _times(ways[0], cells, dates)
    for way in ways[1:]:
        if found.null_count == 0:
            break
        later, later_bad = _times(way, cells, dates)
        bad = pc.or_(bad, pc.and_(pc.is_null(found), later_bad))
        found = pc.if_else(bad, pa.scalar(None, TIME), pc.coalesce(found, later))
    return found, bad


def _times(way: TimeColumn | TimeParts, cells: Mapping[str, pa.Array], dates: Instant) -> tuple[pa.Array, pa.Array]:
    at_end = (way.date or dates) == "end"
    if isinstance(way, TimeParts):
        return _dates(way, cells, at_end)
    column = cells[way.column]
    if way.unit is not None:
        return _offsets(column, way, at_end)
    typed = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    found = _typed(column) if typed else _inside(_texts(text_of(column), way.format))
    bad = pc.and_(pc.is_valid(column), pc.is_null(found))
    return (_ended(found, column, way) if at_end else found), bad


def _ended(times: pa.Array, cells: pa.Array, way: TimeColumn) -> pa.Array:
    """The times, those without a time of day at their last second."""
    at = times.to_numpy(zero_copy_only=False)
    midnight = at == at.astype("datetime64[D]")
    if not midnight.any():
        return times
    span = span_of(way.format) if way.format is not None else None
    if not (pa.types.is_date(cells.type) or way.dates_at_midnight or span):
        if pa.types.is_timestamp(cells.type) or way.format is not None:
            return times
        lengths = pc.binary_length(pc.utf8_trim_whitespace(text_of(cells))).fill_null(0)
        midnight &= lengths.to_numpy() <= _DATE_CHARACTERS
    return _array(np.where(midnight, _last_second(at, span or "D"), at))


def _last_second(times: Array, span: str) -> Array:
    """Of the day (D), month (M) or year (Y) of each time."""
    return (times.astype(f"datetime64[{span}]") + 1).astype("datetime64[us]") - np.timedelta64(1, "s")


def _array(times: Array) -> pa.Array:
    return pa.array(times, TIME, mask=np.isnat(times))


def _inside(times: pa.Array) -> pa.Array:
    """Null for the times out of range: Arrow has years that no calendar has."""
    inside = pc.and_(
        pc.greater_equal(times, _FIRST.cast(times.type)), pc.less_equal(times, _LAST.cast(times.type, safe=False))
    )
    return pc.if_else(inside, times, pa.scalar(None, times.type))


def _typed(cells: pa.Array) -> pa.Array:
    """Naive UTC microseconds; null out of range, where a coarser unit would overflow."""
    if pa.types.is_date(cells.type):
        cells = cells.cast(pa.timestamp("ms" if pa.types.is_date64(cells.type) else "s"))
    naive = cells.cast(pa.timestamp(cells.type.unit))
    return (naive if cells.type.unit == "ns" else _inside(naive)).cast(TIME, safe=False)


def _texts(texts: pa.Array, form: str | None) -> pa.Array:
    if form is not None:
        return read_cells(texts, TIME, partial(_formatted, form=form), None, partial(_one_formatted, form=form))
    return read_cells(texts, TIME, _cast, _REGULAR, _one)


def _cast(texts: pa.Array) -> pa.Array:
    """Times of a column that has no zones, or one in every cell."""
    try:
        return texts.cast(TIME)
    except pa.ArrowInvalid:
        return texts.cast(pa.timestamp("us", "UTC")).cast(TIME)


def _one(text: str) -> datetime | None:
    if not _ISO.match(text := text.strip()):
        return None
    try:
        return _naive(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _formatted(texts: pa.Array, form: str) -> pa.Array:
    """Raises `pa.ArrowInvalid` unless each text comes back as it was: Arrow reads a 30th of
    February as the 1st of March."""
    found = pc.strptime(texts, format=form, unit="s")
    again = pc.strftime(found, form)
    if not pc.all(pc.equal(again, texts)).as_py():
        raise pa.ArrowInvalid("texts are not all of the form")
    return found.cast(TIME)


def span_of(form: str) -> str | None:
    """What a text of the form tells no more than: a day (D), a month (M), a year (Y); None: a time of day."""
    told = set(re.findall(r"%[-#]?([A-Za-z])", form))
    if told & set("HIMSfpcXTRr"):
        return None
    return "D" if told & set("dejxDFuwaA") else "M" if told & set("mbBhUWV") else "Y"


def _one_formatted(text: str, form: str) -> datetime | None:
    try:
        return _naive(datetime.strptime(text.strip(), form))
    except (ValueError, OverflowError):
        return None


def _naive(time: datetime) -> datetime:
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def _offsets(cells: pa.Array, way: TimeColumn, at_end: bool) -> tuple[pa.Array, pa.Array]:
    assert way.unit is not None
    amounts, bad = numbers(cells)
    valid = amounts.is_valid().to_numpy(zero_copy_only=False)
    passed = np.rint(amounts.fill_null(0).to_numpy() * _MICROSECONDS[way.unit])
    if at_end and way.unit == "days":
        passed += np.where(passed % _DAY == 0, _DAY - 10**6, 0)
    origin = int(np.datetime64(way.origin, "us").astype(np.int64))
    inside = (passed >= _FIRST.value - origin) & (passed <= _LAST.value - origin)
    found = np.where(inside, passed, 0).astype(np.int64) + origin
    return pa.array(found.view("datetime64[us]"), mask=~(valid & inside)), pc.or_(bad, pa.array(valid & ~inside))


def _dates(way: TimeParts, cells: Mapping[str, pa.Array], at_end: bool) -> tuple[pa.Array, pa.Array]:
    """First instant or last second of the date; null without a year, or without an age where one is declared."""
    years, absent, bad = _part(cells[way.year], 0)
    if way.age is not None:
        ages, no_age, bad_age = _part(cells[way.age], 0)
        years, absent, bad = years - ages, absent | no_age, bad | bad_age
    nothing = np.ones_like(years), np.ones_like(absent), np.zeros_like(bad)
    months, no_month, bad_month = _part(cells[way.month], 1) if way.month else nothing
    days, no_day, bad_day = _part(cells[way.day], 1) if way.day else nothing
    bad = bad | bad_month | bad_day | (years < 2) | (years > 9999) | (months < 1) | (months > 12) | (days < 1)
    month = np.where(bad, 0, (years - 1970) * 12 + months - 1).astype("datetime64[M]")
    date = month.astype("datetime64[D]") + np.where(bad, 0, days - 1)
    bad = (bad | (date.astype("datetime64[M]") != month)) & ~absent
    found = date.astype("datetime64[us]")
    if at_end:
        spans = [_last_second(found, span) for span in "YMD"]
        found = np.select([no_month, no_day], spans[:2], spans[2])
    return pa.array(found, mask=bad | absent), pa.array(bad)


def _part(cells: pa.Array, default: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole numbers, which cells are null, and which hold anything else."""
    found, bad = numbers(cells)
    absent = pc.and_(pc.is_null(found), pc.invert(bad)).to_numpy(zero_copy_only=False)
    values = found.fill_null(default).to_numpy()
    odd = (values != np.floor(values)) | (np.abs(values) > 10**6)
    return np.where(odd, default, values).astype(np.int64), absent, bad.to_numpy(zero_copy_only=False) | odd
