"""Did as much come as on this day of the week?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median

from scipy.stats import poisson

from medray.planning.gate.finding import ALPHA, Finding
from medray.planning.gate.history import Night

_FEWEST = 3  # nights that make a median
_LONGEST = 14  # days that a night is expected to make up for
_ABOUT = "what came and could be used"


def check_volume(tonight: Night, seen: Sequence[Night], limits: tuple[float, float]) -> list[Finding]:
    """Compares with the median of the same weekdays (of all nights, where there are fewer than three).

    A night after missed ones may bring what they would have brought, too. One to which nothing came
    has nothing to hold: it is noted.
    """
    if len(seen) < _FEWEST:
        return []
    usual = _usual(seen, tonight.run_date)
    missed = (tonight.run_date - seen[-1].run_date).days - 1
    days = [tonight.run_date - timedelta(days=back) for back in range(min(missed, _LONGEST) + 1)]
    most = sum(_usual(seen, day) for day in days)
    low, high = limits
    if not tonight.arrivals:
        return [Finding("volume", False, _ABOUT, "nothing came", f"about {usual:g} on this weekday")] if usual else []
    too_few = tonight.usable < low * usual and poisson.cdf(tonight.usable, usual) < ALPHA
    too_many = tonight.usable > high * most and poisson.sf(tonight.usable - 1, max(most, 1.0)) < ALPHA
    if not too_few and not too_many:
        return []
    since = f" and the {missed} night(s) before it" if missed and too_many else ""
    allowed = f"{low * usual:.0f} to {high * most:.0f}: this weekday{since} had {most if too_many else usual:g}"
    return [Finding("volume", True, _ABOUT, f"{tonight.usable:,}", allowed)]


def _usual(seen: Sequence[Night], day: date) -> float:
    alike = [night.usable for night in seen if night.run_date.weekday() == day.weekday()]
    return float(median(alike if len(alike) >= _FEWEST else [night.usable for night in seen]))
