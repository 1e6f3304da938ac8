"""The table that leads from the subjects of records to the identifier that images share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from medray.contracts import RecordFile
from medray.ehr.tables.config import Crosswalk, Event, Table, TablesConfig
from medray.ehr.tables.container import unusable
from medray.ehr.tables.source import read_table


def subjects(files: Sequence[RecordFile], config: TablesConfig) -> Mapping[str, str] | None:
    """Identifier in the records -> shared identifier; None when they are the same.

    Raises `Unusable` when a file of the crosswalk cannot be read.
    """
    return None if config.subjects is None else crosswalk(files, config.subjects)


def crosswalk(files: Sequence[RecordFile], way: Crosswalk) -> dict[str, str]:
    """The pairs of all files that fit; the last one counts where a subject occurs twice."""
    table = Table(
        name="subjects", files=way.files, subject=way.subject, encounter=way.shared, events=(Event(code="SUBJECT"),)
    )
    pairs: dict[str, str] = {}
    for file in files:
        if any(map(PurePosixPath(file.name).match, way.files)):
            with unusable():
                pairs |= _pairs(file, table)
    return pairs


def _pairs(file: RecordFile, table: Table) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for found in read_table(file, 0, table):
        rows = zip(found.rows["subject"].to_pylist(), found.rows["encounter"].to_pylist(), strict=True)
        pairs |= {subject: shared for subject, shared in rows if subject is not None and shared is not None}
    return pairs
