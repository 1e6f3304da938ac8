"""One window -> columns, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from families.tabular_recipe import NAN, config, window
from hypothesis import given, settings
from hypothesis import strategies as st

from medray.contracts import Window
from medray.families.tabular.config import TabularConfig
from medray.families.tabular.prepare import prepare

EVENTS = window(
    ("Temp", NAN, 36.0),  # a static fact
    ("HR", 10.0, 90.0),
    ("other", 9.0, 5.0),
    ("HR", 6.0, NAN),  # an event without a number
    ("HR", 4.0, 60.0),
    ("Temp", 3.0, 39.0),
    ("HR", 1.0, 81.0),
    ("HR", 0.5, NAN),
)


def row(read: Window, recipe: TabularConfig) -> list[float]:
    (example,) = prepare(read, recipe)
    assert example.frame_index == 0
    assert example.values.dtype == np.float32
    return list(example.values.tolist())


def taken(code: str, take: str, read: Window = EVENTS, hours: float | None = None) -> float:
    (value,) = row(read, config(columns=[{"codes": [code], "take": [take], "hours": hours}], categories={}))
    return value


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        ("last", 81.0),
        ("first", 90.0),
        ("mean", 77.0),
        ("min", 60.0),
        ("max", 90.0),
        ("count", 5.0),
        ("hours_since", 0.5),
        # times -10, -4, -1 have mean -5, values mean 77: (-5 x 13 + 1 x -17 + 4 x 4) / (25 + 1 + 16)
        ("slope", -66 / 42),
    ],
)
def test_what_is_made_of_the_events_of_a_code(take: str, expected: float) -> None:
    assert taken("HR", take) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("take", "expected"),
    [("last", 81.0), ("first", 60.0), ("count", 3.0), ("slope", 7.0), ("hours_since", 0.5)],
)
def test_a_look_back_takes_only_later_events(take: str, expected: float) -> None:
    assert taken("HR", take, hours=4.0) == pytest.approx(expected)


def test_static_facts_are_before_all_others_and_in_no_look_back() -> None:
    assert taken("Temp", "first") == 36.0
    assert taken("Temp", "first", hours=100.0) == 39.0
    assert taken("Temp", "count") == 2.0
    assert taken("Temp", "hours_since") == 3.0
    assert math.isnan(taken("Temp", "slope"))
    assert math.isnan(taken("Temp", "hours_since", window(("Temp", NAN, 36.0))))


@pytest.mark.parametrize("read", [window(), window(("other", 1.0, 2.0)), window(("zz", 1.0, 2.0), ("aa", 0.0, 1.0))])
def test_without_events_a_column_is_missing_and_its_count_is_zero(read: Window) -> None:
    assert taken("HR", "count", read) == 0.0
    for take in ("last", "first", "mean", "min", "max", "slope", "hours_since"):
        assert math.isnan(taken("HR", take, read))


def test_infinity_is_no_number() -> None:
    read = window(("HR", 2.0, 70.0), ("HR", 1.0, math.inf))
    assert [taken("HR", take, read) for take in ("last", "max", "count")] == [70.0, 70.0, 2.0]


def test_events_of_one_time_have_no_slope() -> None:
    assert math.isnan(taken("HR", "slope", window(("HR", 2.0, 70.0), ("HR", 2.0, 80.0))))


def test_a_slope_is_of_the_timed_events_of_its_own_code() -> None:
    read = window(("HR", NAN, 9.0), ("Temp", 4.0, 40.0), ("HR", 3.0, 70.0), ("Temp", 2.0, 39.0), ("HR", 1.0, 76.0))
    recipe = config(columns=[{"codes": ["HR", "Temp"], "take": ["slope"]}], categories={})
    assert row(read, recipe) == pytest.approx([3.0, -0.5])


def test_a_slope_keeps_its_digits_far_from_zero() -> None:
    read = window(*(("HR", 1000.0 - n / 4, 100_000.0 + n / 4) for n in range(40)))
    assert taken("HR", "slope", read) == pytest.approx(1.0, rel=1e-6)


def test_columns_stand_group_by_group_take_by_take_code_by_code() -> None:
    groups = [{"codes": ["Temp", "HR"], "take": ["first", "last"]}, {"codes": ["HR"], "take": ["count"]}]
    assert row(EVENTS, config(columns=groups, categories={})) == [36.0, 90.0, 39.0, 81.0, 5.0]


def test_groups_look_back_each_on_its_own() -> None:
    groups = [{"codes": ["HR"], "take": ["min", "count"], "hours": hours} for hours in (1, 5, 100)]
    assert row(EVENTS, config(columns=groups, categories={})) == [81.0, 2.0, 60.0, 3.0, 60.0, 5.0]


def test_the_latest_known_category_counts() -> None:
    recipe = config(columns=[], categories={"sex": ["M", "F"], "unit": ["medical", "surgical", "cardiac"]})
    read = window(("sex//F", NAN, NAN), ("unit//cardiac", 5.0, NAN), ("unit//surgical", 2.0, NAN), ("unit//x", 1, NAN))
    assert row(read, recipe) == [1.0, 1.0]
    first, second = row(window(("sex//X", NAN, NAN), ("sex", NAN, 1.0), ("unit//medical", 0.0, NAN)), recipe)
    assert math.isnan(first)
    assert second == 0.0
    again = window(
        ("sex//F", NAN, NAN), ("unit//cardiac", 5.0, NAN), ("unit//medical", 3.0, NAN), ("unit//cardiac", 1, NAN)
    )
    assert row(again, recipe) == [1.0, 2.0]


VALUES = st.floats(-1000, 1000, width=32)


@given(st.lists(st.tuples(st.sampled_from(["HR", "Temp", "other"]), st.floats(0, 48, width=32), VALUES), max_size=30))
@settings(max_examples=50, deadline=None)
def test_against_one_code_at_a_time(events: list[tuple[str, float, float]]) -> None:
    events.sort(key=lambda event: -event[1])
    takes = ["last", "first", "mean", "min", "max", "count", "hours_since"]
    recipe = config(columns=[{"codes": ["HR", "Temp"], "take": takes, "hours": 24}], categories={})
    expected = []
    for take in takes:
        for code in ("HR", "Temp"):
            numbers = [value for name, hours, value in events if name == code and hours <= 24]
            since = [hours for name, hours, _ in events if name == code and hours <= 24]
            made = {
                "last": lambda n, _: n[-1], "first": lambda n, _: n[0], "mean": lambda n, _: np.mean(n),
                "min": lambda n, _: min(n), "max": lambda n, _: max(n), "count": lambda n, _: len(n),
                "hours_since": lambda _, s: s[-1],
            }[take]  # fmt: skip
            expected.append(made(numbers, since) if numbers else (0.0 if take == "count" else NAN))
    np.testing.assert_allclose(row(window(*events), recipe), expected, rtol=1e-4, atol=1e-4)
