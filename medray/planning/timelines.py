"""The events of some subjects as arrays, in the order in which they happened."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.ops.segments import bounds, search

MICROSECONDS = 3_600_000_000  # of an hour
STATIC = np.iinfo(np.int64).min  # the time of a static fact: before every time
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Timelines:
    """N events, by subject and time; static facts before all others.

    Attributes:
        subject: int64 (N,), ascending.
        time: int64 (N,), microseconds since 1970; `STATIC` for static facts.
        code: int32 (N,), places in `names`.
        names: the codes.
        value: float32 (N,), NaN where there is none.
    """

    subject: Array
    time: Array
    code: Array
    names: tuple[str, ...]
    value: Array

    def of(self, patterns: Collection[str]) -> Timelines:
        """The events of some codes; a pattern that ends in a star means the beginning of codes."""
        wanted = np.array([matches(name, patterns) for name in self.names], bool)
        return self.where(wanted[self.code] if len(self.names) else np.zeros(len(self.code), bool))

    def where(self, kept: Array) -> Timelines:
        return Timelines(self.subject[kept], self.time[kept], self.code[kept], self.names, self.value[kept])

    def timed(self) -> Timelines:
        """Without static facts."""
        return self.where(self.time != STATIC)

    def first_at_or_after(self, subjects: Array, times: Array, side: str = "left") -> tuple[Array, Array]:
        """For each (subject, time): the place of the first event at that time or later (side
        "right": later), and the end of the subject's events; equal where there is none."""
        starts, ends = bounds(self.subject, subjects)
        return search(self.time, starts, ends, times, side), ends


def matches(code: str, patterns: Collection[str]) -> bool:
    """Whether a code is one of the patterns."""
    return any(code.startswith(one[:-1]) if one.endswith("*") else code == one for one in patterns)


def moment(time: datetime | None) -> int:
    """Microseconds since 1970; `STATIC` for no time."""
    return int(STATIC) if time is None else (time - _EPOCH) // timedelta(microseconds=1)


def instant(time: int) -> datetime | None:
    """The inverse of `moment`."""
    return None if time == STATIC else _EPOCH + timedelta(microseconds=time)


def timelines(events: pa.Table) -> Timelines:
    """Rows of `events` with subject_id, time, code and numeric_value, in any order."""
    codes = pc.dictionary_encode(events["code"]).combine_chunks()
    if isinstance(codes, pa.ChunkedArray):  # no chunk at all
        codes = pa.array([], pa.dictionary(pa.int32(), pa.string()))
    subject = events["subject_id"].to_numpy()
    time = pc.fill_null(events["time"].cast(pa.int64()), int(STATIC)).to_numpy()
    index = codes.indices.to_numpy().astype(np.int32)
    names = codes.dictionary.to_pylist()
    value = events["numeric_value"].to_numpy().astype(np.float32)
    # Codes by name, so that equal times have one order whatever the files were.
    rank = np.argsort(np.argsort(np.array(names, dtype=object))) if names else np.zeros(0, np.int64)
    order = np.lexsort((value, rank[index], time, subject))
    return Timelines(subject[order], time[order], index[order], tuple(names), value[order])


def nameless(subject: Array, time: Array) -> Timelines:
    """Events of which only subject and time count, in any order."""
    order = np.lexsort((time, subject))
    nothing = np.full(len(order), np.nan, np.float32)
    return Timelines(subject[order], time[order], np.zeros(len(order), np.int32), ("",), nothing)
