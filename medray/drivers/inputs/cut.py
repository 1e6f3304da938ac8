"""How many subjects' records a worker holds at a time: its memory follows neither the archive nor the night."""

from __future__ import annotations

from collections.abc import Mapping

from medray.planning.buckets import bucket_count, bucket_of

_EVENTS = 1 << 20  # of a part, about


def fine_cut(rows: Mapping[str, int]) -> int:
    """Into how many equal parts of the subjects a worker cuts what it reads of `events`: parts of a
    million events at most, however many small files the archive has grown by, and none larger than
    what the archive's own ingest cut.

    Args:
        rows: how many rows each file of `events` has (one file at least).
    """
    return max(bucket_count(sum(rows.values()), _EVENTS), *(bucket_of(path).n for path in rows))
