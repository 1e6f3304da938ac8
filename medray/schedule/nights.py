"""Which night a start belongs to: the date on which it was due in the schedule's time zone, however late it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from medray.errors import RecipeError
from medray.schedule.cron import Cron, parse

_SKEW = timedelta(minutes=1)  # the clock that starts a run and the clock that reads this are two


@dataclass(frozen=True)
class Schedule:
    """When nights are due.

    Attributes:
        cron: one start on each date that fits.
        zone: the time zone of its clock.
    """

    cron: Cron
    zone: ZoneInfo

    def due(self, day: date) -> datetime:
        """When the night of a date is due (UTC). A time that the clock skips on that date counts from an hour
        before (where a reader starts it at all, it does so when the clock has gone forward), one that it
        shows twice from the first."""
        wall = datetime.combine(day, time(self.cron.hour, self.cron.minute), self.zone)
        return min(wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))

    def night(self, now: datetime) -> date:
        """The date of the last night that was due at `now` (with a time zone): what a start at that time
        is for, also after midnight, and when it is repeated."""
        day = (now + _SKEW).astimezone(self.zone).date()
        while not (self.cron.fits(day) and self.due(day) <= now + _SKEW):
            day -= timedelta(days=1)
        return day

    def irregular(self, first: date, days: int = 366) -> list[date]:
        """The dates from `first` on whose clock skips the schedule's time, or shows it twice."""
        return [
            day
            for day in (first + timedelta(days=ahead) for ahead in range(days))
            if self.cron.fits(day) and self._is_irregular(day)
        ]

    def _is_irregular(self, day: date) -> bool:
        wall = datetime.combine(day, time(self.cron.hour, self.cron.minute), self.zone)
        return wall.utcoffset() != wall.replace(fold=1).utcoffset()


def schedule(cron: str, time_zone: str) -> Schedule:
    """The schedule of five fields in a time zone.

    Raises:
        RecipeError: the fields cannot be read, or there is no such zone.
    """
    if time_zone not in available_timezones():
        raise RecipeError(
            f"--time-zone {time_zone!r}",
            "a name that the time zone database does not have",
            "names such as Etc/UTC, Europe/Berlin, America/New_York",
            "name the zone in which the schedule's clock runs",
        )
    return Schedule(parse(cron), ZoneInfo(time_zone))
