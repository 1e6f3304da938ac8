"""Five fields, read as crontab and Kubernetes read them, or refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from medray.errors import RecipeError
from medray.schedule.cron import parse


def _dates(text: str, first: str, days: int) -> list[str]:
    cron = parse(text)
    every = [date.fromisoformat(first) + timedelta(days=ahead) for ahead in range(days)]
    return [day.isoformat() for day in every if cron.fits(day)]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("30 23 * * *", ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"]),
        ("0 2 * * MON-FRI", ["2026-02-27", "2026-03-02", "2026-03-03"]),  # 2026-03-01 is a Sunday
        ("0 2 * * 0", ["2026-03-01"]),
        ("0 2 1,3 * *", ["2026-03-01", "2026-03-03"]),
        ("0 2 */2 mar *", ["2026-03-01", "2026-03-03"]),
        ("0 2 27-28/1 2 *", ["2026-02-27", "2026-02-28"]),
    ],
)
def test_a_schedule_has_the_dates_that_its_fields_say(text: str, dates: list[str]) -> None:
    assert _dates(text, "2026-02-27", 5) == dates


def test_names_become_numbers_which_both_readers_take() -> None:
    cron = parse("05 4 * jan,Dec Sun-TUE")
    assert (cron.text, cron.hour, cron.minute) == ("05 4 * 1,12 0-2", 4, 5)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "0 field"),
        ("0 2 * *", "4 field"),
        ("0 2 * * * *", "6 field"),
        ("@daily", "1 field"),
        ("CRON_TZ=UTC 0 2 * * *", "6 field"),
        ("60 2 * * *", "minute '60'"),
        ("0 24 * * *", "hour '24'"),
        ("0 2 0 * *", "day of month '0'"),
        ("0 2 32 * *", "day of month '32'"),
        ("0 2 * 13 *", "month '13'"),
        ("0 2 * * 7", "day of week '7'"),  # Sunday for crontab, an error for Kubernetes
        ("0 2 * * monday", "day of week"),
        ("0 2 ? * *", "day of month"),
        ("0 2 L * *", "day of month"),
        ("0 2 * * 5#2", "day of week"),
        ("0 2 5-2 * *", "day of month"),
        ("0 2 5/3 * *", "day of month"),  # to the month's end for Kubernetes, an error for crontab
        ("0 2 */0 * *", "day of month"),
        ("0 2 1,,3 * *", "day of month"),
        ("0 -2 * * *", "hour"),
        ("0 ٢ * * *", "hour"),
        ("*/5 2 * * *", "several starts"),
        ("0 2,14 * * *", "several starts"),
        ("* * * * *", "several starts"),
        ("0 2 30 2 *", "no year has"),
        ("0 2 1 * MON", "a day of the month and a day of the week"),
    ],
)
def test_what_the_readers_take_differently_or_not_at_all_is_refused(text: str, found: str) -> None:
    with pytest.raises(RecipeError, match="--cron") as refused:
        parse(text)
    assert found in refused.value.found
    assert refused.value.exit_code == 2


def test_a_leap_day_is_a_schedule() -> None:
    assert _dates("0 2 29 2 *", "2026-01-01", 1200) == ["2028-02-29"]
