"""Rows of `predictions` with their originals beside them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

Links = Mapping[tuple[str, str], str]  # (kind, pseudonym) -> original
# column of the export -> kind of the linkage table, and the column of `predictions` that it stands for
_ORIGINALS = {
    "original_subject": ("subject", "subject_id"),
    "original_study": ("study", "StudyInstanceUID"),
    "original_series": ("series", "SeriesInstanceUID"),
    "original_instance": ("instance", "SOPInstanceUID"),
}
OBJECT, TIME = "original_object", "original_prediction_time"


@dataclass(frozen=True)
class Relinked:
    """Attributes:
    rows: as chosen, with columns of originals; null where there is none.
    without: rows that lack at least one original that they could have.
    """

    rows: pa.Table
    without: int


def with_originals(
    rows: pa.Table, links: Links, objects: Mapping[tuple[str, int], str], days: Callable[[int], int] | None
) -> Relinked:
    """Args:
    rows: of `predictions`.
    objects: (SOPInstanceUID, input_version) -> `source_key`.
    days: subject -> by how many days its dates were moved back; None: no true dates.
    """
    lacking = [False] * rows.num_rows

    def looked_up(kind: str, keys: list[str | None]) -> pa.Array:
        found = [None if key is None else links.get((kind, key)) for key in keys]
        for place, (key, original) in enumerate(zip(keys, found, strict=True)):
            lacking[place] |= key is not None and original is None
        return pa.array(found, pa.string())

    table = rows
    for name, (kind, column) in _ORIGINALS.items():
        table = table.append_column(name, looked_up(kind, _texts(rows[column])))
    instances = zip(rows["SOPInstanceUID"].to_pylist(), rows["input_version"].to_pylist(), strict=True)
    sources = [None if uid is None else objects.get((uid, version), "") for uid, version in instances]
    table = table.append_column(OBJECT, looked_up("source", sources))
    if days is not None:
        moved = zip(rows["prediction_time"].to_pylist(), rows["subject_id"].to_pylist(), strict=True)
        times = [None if time is None else time + timedelta(days=days(subject)) for time, subject in moved]
        table = table.append_column(TIME, pa.array(times, pa.timestamp("us")))
    return Relinked(table, sum(lacking))


def pseudonyms_in(rows: pa.Table) -> set[str]:
    """All that the linkage table may be asked about these rows, besides their objects."""
    found = {text for _, column in _ORIGINALS.values() for text in _texts(rows[column])}
    return {text for text in found if text is not None}


def _texts(column: Any) -> list[str | None]:
    return [None if value is None else str(value) for value in column.to_pylist()]
