"""How numbers are written: few digits, the same everywhere, nothing invented."""

from __future__ import annotations

import math

from medray.report.sections import Cell, Interval, Link, Quantity

ABSENT = "\N{EN DASH}"


def cell(value: Cell) -> str:
    """A table cell as text; an absent or undefined value is a dash."""
    if isinstance(value, str):
        return value
    if isinstance(value, Interval):
        return interval(value)
    if isinstance(value, (Quantity, Link)):
        return value.text
    if isinstance(value, int):
        return count(value)
    return decimal(value)


def decimal(value: float | None) -> str:
    """Three decimals up to 10, four significant digits above: "0.962", "37.42", "12,345"."""
    if value is None or not math.isfinite(value):
        return ABSENT
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    digits = 3 if size < 10 else 2 if size < 100 else 1
    return f"{value:z.{digits}f}"  # nothing is "-0.000"


def interval(value: Interval) -> str:
    """ "0.962 (0.941 to 0.978)"; the value alone when it has no interval."""
    if value.lower is None or value.upper is None:
        return decimal(value.value)
    return f"{decimal(value.value)} ({decimal(value.lower)} to {decimal(value.upper)})"


def count(value: int) -> str:
    """ "12,345"."""
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """ "3.2%"; a dash when the whole is nothing."""
    return f"{100 * part / whole:.1f}%" if whole else ABSENT


def duration(seconds: float) -> str:
    """ "0.8 s", "47 s", "3 min 12 s", "2 h 05 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
