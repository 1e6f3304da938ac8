"""Which night a start is for: late starts, midnight, repeated starts, and the two nights a year with another clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from medray.errors import RecipeError
from medray.schedule.nights import schedule
from medray.schedule.order import DEADLINE_S, LATEST_START_S

BERLIN = "Europe/Berlin"  # +1, in summer +2; 2026: forward on 29 March at 2, back on 25 October at 3


def _night(cron: str, zone: str, now: str) -> str:
    return schedule(cron, zone).night(datetime.fromisoformat(now).replace(tzinfo=UTC)).isoformat()


@pytest.mark.parametrize(
    ("cron", "zone", "now", "night"),
    [
        ("0 2 * * *", "Etc/UTC", "2026-01-31T02:00:05", "2026-01-31"),
        ("0 2 * * *", "Etc/UTC", "2026-01-31T01:59:30", "2026-01-31"),  # this clock is half a minute late
        ("0 2 * * *", "Etc/UTC", "2026-01-31T01:58:00", "2026-01-30"),
        ("30 23 * * *", "Etc/UTC", "2026-02-01T00:05:00", "2026-01-31"),  # starts after midnight
        ("30 23 * * *", BERLIN, "2026-01-31T22:30:10", "2026-01-31"),
        ("30 23 * * *", BERLIN, "2026-01-31T23:20:00", "2026-01-31"),  # 00:20 of the next day in Berlin
        ("0 1 * * *", BERLIN, "2026-01-31T00:00:10", "2026-01-31"),  # the UTC date is the same only by chance:
        ("30 0 * * *", BERLIN, "2026-01-30T23:30:10", "2026-01-31"),  # here it is the day before
        ("0 2 * * *", "Pacific/Auckland", "2026-06-30T14:00:10", "2026-07-01"),
        ("0 2 * * *", "America/New_York", "2026-01-31T08:30:00", "2026-01-31"),
        ("0 2 * * 1-5", "Etc/UTC", "2026-03-01T12:00:00", "2026-02-27"),  # a Sunday: the night of Friday
        ("30 2 * * *", BERLIN, "2026-03-29T01:00:05", "2026-03-29"),  # 02:30 is skipped: started at 03:00
        ("30 2 * * *", BERLIN, "2026-10-25T00:30:05", "2026-10-25"),  # 02:30 for the first time
        ("30 2 * * *", BERLIN, "2026-10-25T01:30:05", "2026-10-25"),  # and again: the same night
    ],
)
def test_a_start_is_for_the_night_that_was_due_last(cron: str, zone: str, now: str, night: str) -> None:
    assert _night(cron, zone, now) == night


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize("cron", ["0 2 * * *", "30 23 * * *", "30 2 * * *"])
def test_however_late_it_starts_and_however_often_it_is_repeated(cron: str, zone: str) -> None:
    """Every night of a year, at the first and the last moment at which its run may be under way."""
    due = schedule(cron, zone)
    longest = timedelta(seconds=LATEST_START_S + DEADLINE_S)
    for day in (date(2026, 1, 1) + timedelta(days=ahead) for ahead in range(365)):
        for late in (timedelta(0), timedelta(hours=2), longest):
            assert due.night(due.due(day) + late) == day


def test_the_nights_with_another_clock_are_told_beforehand() -> None:
    first = date(2026, 1, 1)
    assert schedule("30 2 * * *", BERLIN).irregular(first) == [date(2026, 3, 29), date(2026, 10, 25)]
    assert schedule("0 4 * * *", BERLIN).irregular(first) == []
    assert schedule("30 2 * * 1-5", BERLIN).irregular(first) == []  # both are Sundays
    assert schedule("30 2 * * *", "Etc/UTC").irregular(first) == []


@pytest.mark.parametrize("zone", ["Berlin", "europe/berlin", "../../etc/passwd", "", "Local", "+02:00"])
def test_a_zone_has_a_name_of_the_database(zone: str) -> None:
    with pytest.raises(RecipeError, match="--time-zone"):
        schedule("0 2 * * *", zone)
