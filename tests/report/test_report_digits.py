from __future__ import annotations

import pytest

from medray.report.digits import cell, count, decimal, duration, interval, percent
from medray.report.sections import Interval, Quantity


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.96249, "0.962"),
        (1.0, "1.000"),
        (-0.5, "-0.500"),
        (-0.0004, "0.000"),
        (37.416, "37.42"),
        (123.45, "123.5"),
        (12345.6, "12,346"),
    ],
)
def test_decimals_follow_size(value: float, text: str) -> None:
    assert decimal(value) == text


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_not_defined_is_a_dash(value: float | None) -> None:
    assert decimal(value) == cell(value) == "\N{EN DASH}"


def test_intervals() -> None:
    assert interval(Interval(0.9621, 0.9409, 0.978)) == "0.962 (0.941 to 0.978)"
    assert interval(Interval(0.9621, None, None)) == "0.962"
    assert interval(Interval(None, None, None)) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.84, "0.8 s"), (9.96, "10 s"), (47.4, "47 s"), (59.7, "1 min 00 s"), (192, "3 min 12 s"), (7500, "2 h 05 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counts_and_shares() -> None:
    assert count(1234567) == "1,234,567"
    assert percent(1, 8) == "12.5%"
    assert percent(0, 0) == "\N{EN DASH}"


def test_cells_by_kind() -> None:
    assert [cell(value) for value in ("a", 12000, 0.5, Quantity("3 s"))] == ["a", "12,000", "0.500", "3 s"]
