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
    ("2101-10-20", datetime(2101, 10, 20)),
    ("1867-02-28 00:00:00", datetime(1867, 2, 28)),
    ("2101-10-20T19:08:00Z", datetime(2101, 10, 20, 19, 8)),
    ("2101-10-20T01:08:00+02:00", datetime(2101, 10, 19, 23, 8)),
    ("2101-10-20 19:08:00.123456789", datetime(2101, 10, 20, 19, 8, 0, 123456)),
    (" 2101-10-20 ", datetime(2101, 10, 20)),
    ("20211020", datetime(2021, 10, 20)),
    ("2101-02-30", BAD),
    ("2101-13-01 10:00:00", BAD),
    ("2101-10-20 24:30:00", BAD),
    ("20.10.2101", BAD),
    ("0001-01-01T00:00:00+14:00", BAD),
    ("0001-12-31", BAD),
    ("0002-01-01", datetime(2, 1, 1)),
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
    return told(*first_times([TimeColumn(column="t", **way)], {"t": cells}))


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
    assert times(pa.array(["02.03.2020 +0100"]), format="%d.%m.%Y %z") == [datetime(2020, 3, 1, 23)]


def test_typed_times_become_naive_utc_microseconds() -> None:
    noon = datetime(2020, 1, 1, 12)
    berlin = timezone(timedelta(hours=1))
    for kind in (pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("us", "UTC")):
        assert times(pa.array([noon, None], kind)) == [noon, None]
    zoned = pa.array([datetime(2020, 1, 1, 12, tzinfo=berlin)], pa.timestamp("ns", "Europe/Berlin"))
    assert times(zoned) == [datetime(2020, 1, 1, 11)]
    assert times(pa.array([noon.date()], pa.date32())) == [datetime(2020, 1, 1)]
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
    assert times(pa.array([1]), unit="days", origin=origin) == [datetime(2000, 1, 2)]
    assert times(pa.array([1]), unit="seconds", origin=origin) == [datetime(2000, 1, 1, 0, 0, 1)]


def test_parts_of_a_date() -> None:
    cells = {
        "y": pa.array(["1980", "1980", "1980", None, "x", "1980.5", "1980"]),
        "m": pa.array(["2", None, "2", "1", "1", "1", "13"]),
        "d": pa.array(["29", None, "30", "1", "1", "1", "1"]),
    }
    expected = [datetime(1980, 2, 29), datetime(1980, 1, 1), BAD, None, BAD, BAD, BAD]
    assert told(*first_times([TimeParts(year="y", month="m", day="d")], cells)) == expected
    early = {"y": pa.array([1, 2, 9999, 10000])}
    assert told(*first_times([TimeParts(year="y")], early)) == [BAD, datetime(2, 1, 1), datetime(9999, 1, 1), BAD]
    aged = {"y": pa.array([2150, 2150, 2150]), "a": pa.array([52, None, 3000])}
    assert told(*first_times([TimeParts(year="y", age="a")], aged)) == [datetime(2098, 1, 1), None, BAD]


def test_the_first_time_that_is_there() -> None:
    cells = {
        "a": pa.array(["2101-01-01 10:00:00", None, "soon", None, None]),
        "b": pa.array(["2101-01-02", "2101-01-02", "2101-01-02", "later", None]),
    }
    ways = [TimeColumn(column="a"), TimeColumn(column="b")]
    expected = [datetime(2101, 1, 1, 10), datetime(2101, 1, 2), BAD, BAD, None]
    assert told(*first_times(ways, cells)) == expected


def test_texts_of_any_type() -> None:
    assert text_of(pa.array([7, None])).to_pylist() == ["7", None]
    assert text_of(pa.array([10_000_001.0, 0.5, float("nan"), None])).to_pylist() == ["10000001", "0.5", None, None]
    assert text_of(pa.array([12345678.0], pa.float32())).to_pylist() == ["12345678"]
    assert text_of(pa.array(["a", None]).dictionary_encode()).to_pylist() == ["a", None]
    assert text_of(pa.array([True])).to_pylist() == ["true"]
