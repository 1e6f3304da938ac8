"""Cells to times and numbers, alone and among neighbours."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from medray.ehr.tables.cells import text_of
from medray.ehr.tables.config import TimeColumn, TimeParts
from medray.ehr.tables.numbers import numbers
from medray.ehr.tables.times import first_times

BAD = "bad"
TIMES: list[tuple[str | None, Any]] = [
    ("2101-10-20 19:08:00", datetime(2101, 10, 20, 19, 8)),
    ("2101-10-20T19:08:00.25", datetime(2101, 10, 20, 19, 8, 0, 250000)),
    ("2101-10-20 19:08", datetime(2101, 10, 20, 19, 8)),
    ("2101-10-20", datetime(2101, 10, 20, 23, 59, 59)),
    ("2101-10-20 00:00:00", datetime(2101, 10, 20)),
    ("20211020T00", datetime(2021, 10, 20)),
    ("2101-10-20T00:00:00+00:00", datetime(2101, 10, 20)),
    ("1867-02-28 00:00:00", datetime(1867, 2, 28)),
    ("2101-10-20T19:08:00Z", datetime(2101, 10, 20, 19, 8)),
    ("2101-10-20T01:08:00+02:00", datetime(2101, 10, 19, 23, 8)),
    ("2101-10-20 19:08:00.123456789", datetime(2101, 10, 20, 19, 8, 0, 123456)),
    (" 2101-10-20 ", datetime(2101, 10, 20, 23, 59, 59)),
    ("20211020", datetime(2021, 10, 20, 23, 59, 59)),
    ("2021-W42-3", datetime(2021, 10, 20, 23, 59, 59)),
    ("1512011200123", BAD),
    ("1512011200", BAD),
    ("2101-10-20x19:08", BAD),
    ("2101-02-30", BAD),
    ("2101-13-01 10:00:00", BAD),
    ("2101-10-20 24:30:00", BAD),
    ("20.10.2101", BAD),
    ("0001-01-01T00:00:00+14:00", BAD),
    ("0001-12-31", BAD),
    ("0002-01-01", datetime(2, 1, 1, 23, 59, 59)),
    ("9999-12-31 23:59:59.999999", datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ("yesterday", BAD),
    (None, None),
]
NUMBERS: list[tuple[str | None, Any]] = [
    ("7.25", 7.25),
    ("-3", -3.0),
    ("1e-3", 0.001),
    (".5", 0.5),
    (" +5 ", 5.0),
    ("nan", None),
    ("NaN", None),
    (" nan", None),
    ("inf", BAD),
    ("1e999", BAD),
    ("1_000", BAD),
    ("1,5", BAD),
    ("<0.2", BAD),
    ("0x10", BAD),
    (None, None),
]


def told(values: pa.Array, bad: pa.Array) -> list[Any]:
    assert bad.null_count == 0
    assert not any(value is not None for value, wrong in zip(values.to_pylist(), bad.to_pylist(), strict=True) if wrong)
    return [BAD if wrong else value for value, wrong in zip(values.to_pylist(), bad.to_pylist(), strict=True)]


def times(cells: pa.Array, **way: Any) -> list[Any]:
    return told(*first_times([TimeColumn(column="t", **way)], {"t": cells}, "end"))


@pytest.mark.parametrize(("text", "time"), TIMES)
def test_one_time(text: str | None, time: Any) -> None:
    assert times(pa.array([text], pa.string())) == [time]


def test_times_do_not_depend_on_their_neighbours() -> None:
    everything = pa.array([text for text, _ in TIMES], pa.string())
    assert times(everything) == [time for _, time in TIMES]
    for position in range(len(TIMES) - 1):
        assert times(everything.slice(position, 2)) == [time for _, time in TIMES[position : position + 2]]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_one_number(text: str | None, number: Any) -> None:
    assert told(*numbers(pa.array([text], pa.string()))) == [number]


def test_numbers_do_not_depend_on_their_neighbours() -> None:
    everything = pa.array([text for text, _ in NUMBERS], pa.string())
    assert told(*numbers(everything)) == [number for _, number in NUMBERS]
    for position in range(len(NUMBERS) - 1):
        found = told(*numbers(everything.slice(position, 2)))
        assert found == [number for _, number in NUMBERS[position : position + 2]]


def test_typed_numbers() -> None:
    assert told(*numbers(pa.array([True, False, None]))) == [1.0, 0.0, None]
    assert told(*numbers(pa.array([1, None], pa.int16()))) == [1.0, None]
    assert told(*numbers(pa.array([1.5, float("nan"), float("-inf"), None]))) == [1.5, None, BAD, None]
    assert told(*numbers(pa.array(["1.25"]).cast(pa.decimal128(5, 2)))) == [1.25]
    assert told(*numbers(pa.array(["7", "x"]).dictionary_encode())) == [7.0, BAD]


def test_a_declared_form_of_times() -> None:
    cells = pa.array(["20.10.2101 19:08", "30.02.2101 10:00", "1.2.2101 9:05", "2101-10-20", None])
    expected = [datetime(2101, 10, 20, 19, 8), BAD, datetime(2101, 2, 1, 9, 5), BAD, None]
    assert times(cells, format="%d.%m.%Y %H:%M") == expected
    assert times(cells.slice(0, 1), format="%d.%m.%Y %H:%M") == expected[:1]
    assert times(cells.slice(1, 1), format="%d.%m.%Y %H:%M") == [BAD]  # no 2nd of March
    assert times(pa.array(["02.03.2020 4 +0100"]), format="%d.%m.%Y %H %z") == [datetime(2020, 3, 2, 3)]


@pytest.mark.parametrize(
    ("text", "form", "last", "first"),
    [
        ("29.02.2020", "%d.%m.%Y", datetime(2020, 2, 29, 23, 59, 59), datetime(2020, 2, 29)),
        ("2020-060", "%Y-%j", datetime(2020, 2, 29, 23, 59, 59), datetime(2020, 2, 29)),
        ("02/2020", "%m/%Y", datetime(2020, 2, 29, 23, 59, 59), datetime(2020, 2, 1)),
        ("Dec 20", "%b %y", datetime(2020, 12, 31, 23, 59, 59), datetime(2020, 12, 1)),
        ("2020", "%Y", datetime(2020, 12, 31, 23, 59, 59), datetime(2020, 1, 1)),
        ("2020-02-29 00:00", "%Y-%m-%d %H:%M", datetime(2020, 2, 29), datetime(2020, 2, 29)),
        ("2020-02-29 12 AM", "%Y-%m-%d %I %p", datetime(2020, 2, 29), datetime(2020, 2, 29)),
        ("2020-02-29 00:00:00", "%Y-%m-%d 00:00:00", datetime(2020, 2, 29, 23, 59, 59), datetime(2020, 2, 29)),
    ],
)
def test_what_a_form_does_not_tell(text: str, form: str, last: datetime, first: datetime) -> None:
    assert times(pa.array([text, None]), format=form) == [last, None]
    assert times(pa.array([text, None]), format=form, date="start") == [first, None]


def test_dates_stand_at_the_last_second_or_where_the_recipe_says() -> None:
    cells = pa.array(["2020-02-29", "2020-02-29 00:00:00", "2020-02-29 08:00", None])
    midnight, eight, last = datetime(2020, 2, 29), datetime(2020, 2, 29, 8), datetime(2020, 2, 29, 23, 59, 59)
    assert times(cells) == [last, midnight, eight, None]
    assert times(cells, date="start") == [midnight, midnight, eight, None]
    assert times(cells, dates_at_midnight=True) == [last, last, eight, None]
    (way, own) = TimeColumn(column="t"), TimeColumn(column="t", date="end")
    assert told(*first_times([way], {"t": cells}, "start")) == [midnight, midnight, eight, None]
    assert told(*first_times([own], {"t": cells}, "start")) == [last, midnight, eight, None]


def test_typed_times_become_naive_utc_microseconds() -> None:
    noon = datetime(2020, 1, 1, 12)
    berlin = timezone(timedelta(hours=1))
    for kind in (pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("us", "UTC")):
        assert times(pa.array([noon, None], kind)) == [noon, None]
    zoned = pa.array([datetime(2020, 1, 1, 12, tzinfo=berlin)], pa.timestamp("ns", "Europe/Berlin"))
    assert times(zoned) == [datetime(2020, 1, 1, 11)]
    for day in (pa.date32(), pa.date64()):
        assert times(pa.array([noon.date(), None], day)) == [datetime(2020, 1, 1, 23, 59, 59), None]
    midnight = pa.array([datetime(2020, 1, 1)], pa.timestamp("us"))
    assert times(midnight) == [datetime(2020, 1, 1)]
    assert times(midnight, dates_at_midnight=True) == [datetime(2020, 1, 1, 23, 59, 59)]
    assert times(pa.array([1999]).cast(pa.timestamp("ns"))) == [datetime(1970, 1, 1, 0, 0, 0, 1)]
    assert times(pa.array([2**60]).cast(pa.timestamp("s"))) == [BAD]
    assert times(pa.array([2**31 - 1], pa.int32()).cast(pa.date32())) == [BAD]
    assert times(pa.array([-(2**57)]).cast(pa.timestamp("us"))) == [BAD]


def test_offsets_from_an_origin() -> None:
    origin = datetime(2000, 1, 1)
    cells = pa.array(["0", "-90", "1.5", "x", "1e300", None])
    expected = [origin, datetime(1999, 12, 31, 22, 30), datetime(2000, 1, 1, 0, 1, 30), BAD, BAD, None]
    assert times(cells, unit="minutes", origin=origin) == expected
    assert times(pa.array([36], pa.int16()), unit="hours", origin=origin) == [datetime(2000, 1, 2, 12)]
    assert times(pa.array([1.0, 1.5]), unit="days", origin=origin) == [
        datetime(2000, 1, 2, 23, 59, 59), datetime(2000, 1, 2, 12),
    ]  # fmt: skip
    assert times(pa.array([1]), unit="days", origin=origin, date="start") == [datetime(2000, 1, 2)]
    since = {"unit": "milliseconds", "origin": datetime(1970, 1, 1)}
    assert times(pa.array(["1512011200123"]), **since) == [datetime(2017, 11, 30, 3, 6, 40, 123000)]
    assert times(pa.array([1]), unit="seconds", origin=origin) == [datetime(2000, 1, 1, 0, 0, 1)]


def test_parts_of_a_date() -> None:
    cells = {
        "y": pa.array(["1980", "1980", "1980", None, "x", "1980.5", "1980"]),
        "m": pa.array(["2", None, "2", "1", "1", "1", "13"]),
        "d": pa.array(["29", None, "30", "1", "1", "1", "1"]),
    }
    first = [datetime(1980, 2, 29), datetime(1980, 1, 1), BAD, None, BAD, BAD, BAD]
    last = [datetime(1980, 2, 29, 23, 59, 59), datetime(1980, 12, 31, 23, 59, 59), *first[2:]]
    whole = TimeParts(year="y", month="m", day="d")
    assert told(*first_times([whole], cells, "start")) == first
    assert told(*first_times([whole], cells, "end")) == last
    assert told(*first_times([TimeParts(year="y", month="m", day="d", date="start")], cells, "end")) == first
    months = told(*first_times([TimeParts(year="y", month="m")], cells, "end"))
    assert months[:3] == [datetime(1980, 2, 29, 23, 59, 59), last[1], last[0]]
    early = {"y": pa.array([1, 2, 9999, 10000])}
    year = [TimeParts(year="y")]
    assert told(*first_times(year, early, "start")) == [BAD, datetime(2, 1, 1), datetime(9999, 1, 1), BAD]
    assert told(*first_times(year, early, "end"))[2] == datetime(9999, 12, 31, 23, 59, 59)
    aged = {"y": pa.array([2150, 2150, 2150]), "a": pa.array([52, None, 3000])}
    assert told(*first_times([TimeParts(year="y", age="a")], aged, "start")) == [datetime(2098, 1, 1), None, BAD]


def test_the_first_time_that_is_there() -> None:
    cells = {
        "a": pa.array(["2101-01-01 10:00:00", None, "soon", None, None]),
        "b": pa.array(["2101-01-02", "2101-01-02", "2101-01-02", "later", None]),
    }
    ways = [TimeColumn(column="a"), TimeColumn(column="b")]
    expected = [datetime(2101, 1, 1, 10), datetime(2101, 1, 2, 23, 59, 59), BAD, BAD, None]
    assert told(*first_times(ways, cells, "end")) == expected


def test_texts_of_any_type() -> None:
    assert text_of(pa.array([7, None])).to_pylist() == ["7", None]
    assert text_of(pa.array([10_000_001.0, 0.5, float("nan"), None])).to_pylist() == ["10000001", "0.5", None, None]
    assert text_of(pa.array([12345678.0], pa.float32())).to_pylist() == ["12345678"]
    assert text_of(pa.array(["a", None]).dictionary_encode()).to_pylist() == ["a", None]
    assert text_of(pa.array([True])).to_pylist() == ["true"]
