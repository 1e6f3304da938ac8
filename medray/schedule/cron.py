"""The five fields of cron, as far as Kubernetes and crontab read them alike."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from medray.errors import RecipeError

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
# field -> lowest, highest, names
_FIELDS: dict[str, tuple[int, int, dict[str, int]]] = {
    "minute": (0, 59, {}),
    "hour": (0, 23, {}),
    "day of month": (1, 31, {}),
    "month": (1, 12, _MONTHS),
    "day of week": (0, 6, _DAYS),
}
_PART = re.compile(r"(?P<first>\*|\d{1,2})(-(?P<last>\d{1,2}))?(/(?P<step>\d{1,2}))?", re.ASCII)
_CYCLE_DAYS = 28 * 366  # every date has met every day of the week


@dataclass(frozen=True)
class Cron:
    """One start on each date that fits.

    Attributes:
        text: five fields in numbers, as crontab and a CronJob take them.
        hour, minute: of the clock on the wall.
        days, months: of the month, of the year.
        weekdays: 0 is Sunday.
    """

    text: str
    hour: int
    minute: int
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def fits(self, day: date) -> bool:
        """Whether the schedule has a start on that date."""
        return day.day in self.days and day.month in self.months and day.isoweekday() % 7 in self.weekdays


def parse(text: str) -> Cron:
    """The schedule that five fields say.

    What the two readers take differently is refused: names of days in ranges, 7 for Sunday, steps after a
    single number, and a day of the month together with a day of the week.

    Raises:
        RecipeError: a field cannot be read, the schedule starts more than once a day, or never.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _mistake(text, f"{len(fields)} field(s)", "five: minute, hour, day of month, month, day of week")
    numbers = [_in_numbers(field, names) for field, (_, _, names) in zip(fields, _FIELDS.values(), strict=True)]
    minutes, hours, days, months, weekdays = (
        _values(text, name, field) for name, field in zip(_FIELDS, numbers, strict=True)
    )
    if len(minutes) > 1 or len(hours) > 1:
        raise _mistake(text, "several starts a day", "one minute and one hour: a night runs once")
    if numbers[2] != "*" and numbers[4] != "*":
        raise _mistake(text, "a day of the month and a day of the week", "one of the two, and * for the other")
    cron = Cron(" ".join(numbers), min(hours), min(minutes), days, months, weekdays)
    if not any(cron.fits(date(2000, 1, 1) + timedelta(days=ahead)) for ahead in range(_CYCLE_DAYS)):
        raise _mistake(text, "a date that no year has", "a day that its month has")
    return cron


def _in_numbers(field: str, names: dict[str, int]) -> str:
    """Names of months and days as numbers: crontab takes no ranges of names."""
    return re.sub(r"[A-Za-z]+", lambda word: str(names.get(word[0].lower(), word[0])), field)


def _values(text: str, name: str, field: str) -> frozenset[int]:
    low, high, _ = _FIELDS[name]
    found: set[int] = set()
    for part in field.split(","):
        read = _PART.fullmatch(part)
        if read is None or (read["step"] and read["first"] != "*" and not read["last"]):
            raise _mistake(text, f"{name} {part!r}", "*, a number, a range a-b, */step, a-b/step, or a list of them")
        if read["first"] == "*" and read["last"]:
            raise _mistake(text, f"{name} {part!r}", "a range of two numbers")
        first = low if read["first"] == "*" else int(read["first"])
        last = high if read["first"] == "*" else int(read["last"] or first)
        step = int(read["step"] or 1)
        if not (low <= first <= last <= high and step):
            raise _mistake(text, f"{name} {part!r}", f"{low} to {high}, the lower number first, a step of 1 or more")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _mistake(text: str, found: str, allowed: str) -> RecipeError:
    return RecipeError(f"--cron {text!r}", found, allowed, 'write a schedule such as "0 2 * * *": every night at two')
