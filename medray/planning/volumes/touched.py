"""Which series have to be looked at: those that are new, have grown, or may be judged otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any


@dataclass
class Series:
    """A series in `images`.

    Attributes:
        files: data files of `images` that hold it, in order of their paths.
        frames: how many it has, of all versions.
    """

    files: list[str] = field(default_factory=list)
    frames: int = 0


@dataclass
class Standing:
    """A series in `volumes`.

    Attributes:
        version: the newest.
        files: data files that it was built from.
        rejected: one of its rows is no volume.
        policies: hashes of all that have judged these very files.
    """

    version: int = 0
    files: tuple[str, ...] = ()
    rejected: bool = False
    policies: set[str] = field(default_factory=set)


def standing_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Standing]:
    """What stands of each series, from rows of `volumes` in any order."""
    found: dict[str, Standing] = {}
    judged: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for row in rows:
        uid, files = row["SeriesInstanceUID"], tuple(row["image_files"])
        judged.setdefault((uid, files), set()).add(row["policy_hash"])
        one, rejected = found.setdefault(uid, Standing()), row["status"] == "rejected"
        if row["input_version"] > one.version:
            one.version, one.files, one.rejected = row["input_version"], files, rejected
        elif row["input_version"] == one.version:
            one.rejected |= rejected
    for uid, one in found.items():
        one.policies = judged[uid, one.files]
    return found


def is_known(series: Series, standing: Standing | None, policy: str) -> bool:
    """Nothing about the series is new. What other policies rejected is looked at once by these; what they
    made a volume of stays."""
    if standing is None or standing.files != tuple(series.files):
        return False
    return not standing.rejected or policy in standing.policies


def has_settled(arrivals: Iterable[date], nights: int, run_date: date) -> bool:
    """The newest of the days on which its files were ingested lies `nights` days back. Dates are those of
    the runs, which their users gave; no clock is asked."""
    return max(arrivals) + timedelta(days=nights) <= run_date
